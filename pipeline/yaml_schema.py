"""Mistakes that a pydantic schema finds in a YAML file, each with its place, key and the nearest key that is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.errors import nearest
from pipeline.yaml_lines import Path_, YamlDocument, dotted, kind_of

_EXPECTED = {  # pydantic's type of error -> what it means for a YAML
    "int_type": "a whole number",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "dict_type": "a mapping of keys",
    "model_type": "a mapping of keys",
    "list_type": "a list",
    "greater_than": "more than {gt:g}",
    "greater_than_equal": "at least {ge:g}",
    "less_than": "less than {lt:g}",
    "less_than_equal": "at most {le:g}",
}


def line_of(document: YamlDocument, path: Path_, message: str) -> str:
    """Return one mistake as `file:line: key: message`."""
    return f"{document.place(path)}: `{dotted(path)}`: {message}"


def schema_mistakes(document: YamlDocument, error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """Yield one line per mistake that the schema found, with the nearest key that it knows."""
    for mistake in error.errors():
        path = path_of(mistake)
        yield line_of(document, path, text_in(model, path, mistake))


def text_in(model: type[BaseModel], path: Path_, mistake: Mapping[str, Any]) -> str:
    """Return one of pydantic's errors at a path; of what should be a section, its keys too."""
    text = mistake_text(mistake, keys_at(model, path[:-1]))
    keys = keys_at(model, path) if mistake["type"] == "model_type" else []
    return f"{text} (keys: {', '.join(keys)})" if keys else text


def nested_mistakes(place: Path_, error: ValidationError, known: Iterable[str]) -> Iterator[tuple[Path_, str]]:
    """Yield (keys, message) for what a schema found in a section that is a name's own parameters; known: its keys."""
    for mistake in error.errors():
        yield (*place, *path_of(mistake)), mistake_text(mistake, known)


def path_of(mistake: Mapping[str, Any]) -> Path_:
    """Return the keys of the place that pydantic's error is about."""
    return tuple(part for part in mistake["loc"] if part != "[key]")


def mistake_text(mistake: Mapping[str, Any], known: Iterable[str]) -> str:
    """Return one of pydantic's errors as what was expected and what stands there. known: the keys of its section."""
    kind, context, value = mistake["type"], mistake.get("ctx") or {}, mistake["input"]
    if kind == "extra_forbidden":
        return f"unknown key{nearest(str(mistake['loc'][-1]), known) or '; there are none here'}"
    if kind == "missing":
        return "is required and missing"
    if kind == "literal_error":
        choices = [choice.strip("'") for choice in context["expected"].replace(" or ", ", ").split(", ")]
        close = nearest(value, choices) if isinstance(value, str) else ""
        return f"expected {context['expected']}, got {kind_of(value)}{close if 'did you mean' in close else ''}"
    if kind == "too_short":
        return f"expected at least {context['min_length']} of them, got {context['actual_length']}"
    if kind in _EXPECTED:
        return f"expected {_EXPECTED[kind].format(**context)}, got {kind_of(value)}"
    text = mistake["msg"].removeprefix("Value error, ")
    if kind == "value_error" and isinstance(value, dict) and not text.startswith("expected a "):
        return text  # about a whole section: `got a mapping` says nothing
    return f"{text}, got {kind_of(value)}"


def keys_at(model: type[BaseModel], path: Path_) -> list[str]:
    """Return the keys that the schema knows at a path."""
    schema = model.model_json_schema(by_alias=True)
    here = schema
    for part in path:
        here = _resolve(here, schema)
        if isinstance(part, int):
            here = here.get("items", {})
        else:
            here = here.get("properties", {}).get(part) or here.get("additionalProperties") or {}
            here = here if isinstance(here, dict) else {}
    return list(_resolve(here, schema).get("properties", {}))


def _resolve(node: dict, schema: dict) -> dict:
    for option in node.get("anyOf", []):
        if "$ref" in option or option.get("type") in ("object", "array"):
            node = option
    return schema["$defs"][node["$ref"].split("/")[-1]] if "$ref" in node else node

"""Mistakes that a pydantic schema finds in a YAML file, each with its line, key and the nearest key that is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.errors import nearest
from pipeline.yaml_lines import Path_, YamlDocument, dotted

_LONGEST = 200
"""Characters of a value that a message shows."""


def line_of(document: YamlDocument, path: Path_, message: str) -> str:
    """Return one mistake as `file:line: key: message`."""
    return f"{document.place(path)}: `{dotted(path)}`: {message}"


def schema_mistakes(document: YamlDocument, error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """Yield one line per mistake that the schema found, with the nearest key that it knows."""
    for mistake in error.errors():
        path = tuple(part for part in mistake["loc"] if part != "[key]")
        if mistake["type"] == "extra_forbidden":
            known = _keys_at(model, path[:-1])
            message = f"unknown key{nearest(str(path[-1]), known)}"
        elif mistake["type"] == "missing":
            message = "is required and missing"
        else:
            message = f"{mistake['msg'].removeprefix('Value error, ')}, got {shown(mistake['input'])}"
        yield line_of(document, path, message)


def nested_mistakes(place: Path_, error: ValidationError, known: Iterable[str]) -> Iterator[tuple[Path_, str]]:
    """Yield (keys, message) for what a schema found in a section that is a name's own parameters; known: its keys."""
    for mistake in error.errors():
        path = (*place, *mistake["loc"])
        if mistake["type"] == "extra_forbidden":
            yield path, f"unknown key{nearest(str(mistake['loc'][-1]), known)}"
        elif mistake["type"] == "missing":
            yield path, "is required and missing"
        else:
            yield path, f"{mistake['msg'].removeprefix('Value error, ')}, got {shown(mistake['input'])}"


def shown(value: Any) -> str:
    """Return a value for a message, shortened; of a mapping not what it holds, for that may be a key to something."""
    if isinstance(value, dict):
        return f"a mapping of {', '.join(map(str, value))}"[:_LONGEST]
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _keys_at(model: type[BaseModel], path: Path_) -> list[str]:
    """Return the keys that the schema knows at a path."""
    schema = model.model_json_schema(by_alias=True)
    here = schema
    for part in path:
        here = _resolve(here, schema)
        if isinstance(part, int):
            here = here.get("items", {})
        else:
            here = here.get("properties", {}).get(part) or here.get("additionalProperties") or {}
    return list(_resolve(here, schema).get("properties", {}))


def _resolve(node: dict, schema: dict) -> dict:
    for option in node.get("anyOf", []):
        if "$ref" in option or option.get("type") in ("object", "array"):
            node = option
    return schema["$defs"][node["$ref"].split("/")[-1]] if "$ref" in node else node

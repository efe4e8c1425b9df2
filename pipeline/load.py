"""Load a mix YAML and check everything that can be known before work starts.

All mistakes of a file are reported at once, each with file, line, key and what was expected.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ValidationError

from pipeline.checks import mistakes
from pipeline.config import Config, Section
from pipeline.errors import InputError, nearest
from pipeline.resolve import with_values
from pipeline.yaml_lines import Path_, YamlDocument, dotted, read_yaml


@dataclass(frozen=True)
class LoadedMix:
    """A checked configuration and the document it came from (for messages that name a line)."""

    config: Config
    document: YamlDocument

    @property
    def stem(self) -> str:
        return Path(self.document.name).stem

    def error(self, path: Path_, message: str) -> InputError:
        return InputError(line_of(self.document, path, message))


def load_mix(path: Path) -> LoadedMix:
    """Read, validate and cross-check one mix YAML. Raises InputError with one line per mistake."""
    document = read_yaml(path)
    try:
        config = Config.model_validate(with_values(document.data))
    except ValidationError as error:
        raise InputError("\n".join(schema_mistakes(document, error, Config))) from None
    found = [line_of(document, place, text) for place, text in mistakes(config)]
    if found:
        raise InputError("\n".join(found))
    return LoadedMix(config, document)


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
            message = f"{mistake['msg'].removeprefix('Value error, ')}, got {mistake['input']!r}"
        yield line_of(document, path, message)


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


def resolved(config: Section) -> dict:
    """Return the configuration with all defaults, as plain data under the YAML's own key names."""
    return config.model_dump(mode="json", by_alias=True)

"""The tables of keys in docs/YAML.md, made from the JSON Schema: `make docs` writes them, a test holds them current."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline.schema import COUNT, TIMES, mix_schema

START, END = "<!-- keys: made by `make docs` from pipeline/config/ -->", "<!-- end of keys -->"
_LONG = 12
"""Names of one key that the table lists in a cell; a longer list would push the text away."""


def with_keys(page: str) -> str:
    """Return a page with the tables between its two marks made anew. Raises ValueError where they are not there."""
    before, start, rest = page.partition(START)
    _, end, after = rest.partition(END)
    if not start or not end:
        raise ValueError(f"expected the lines `{START}` and `{END}`")
    return f"{before}{START}\n\n{tables()}\n{END}{after}"


def tables() -> str:
    """Return a Markdown table for the keys at the top, and one for every section."""
    schema = mix_schema()
    single, sections = [], []
    for name, node in schema["properties"].items():
        if list(_below(schema, node)):
            about = _about(schema, node)
            rows = list(_rows(schema, node, name))
            sections.append("\n".join([f"### `{name}`", "", *([about, ""] if about else []), *_table(rows)]))
        else:
            single.append(_row(schema, node, name))
    return "\n\n".join(["\n".join(_table(single)), *sections]) + "\n"


def _table(rows: list[str]) -> list[str]:
    return ["| key | meaning | value | default |", "|---|---|---|---|", *rows]


def _rows(schema: dict[str, Any], node: dict[str, Any], path: str) -> Iterator[str]:
    """Yield a row for every key below a section, sections in it opened."""
    for name, key in _below(schema, node):
        here = f"{path}{name}"
        inner = list(_below(schema, key))
        if not inner:
            yield _row(schema, key, here, _required(schema, node, name))
            continue
        if "description" in key:
            yield _row(schema, key, here)
        yield from _rows(schema, key, here)


def _below(schema: dict[str, Any], node: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what a section holds: its keys, or the keys of what stands under each name or in each item."""
    node = _resolved(schema, node)
    names = node.get("additionalProperties")
    if isinstance(names, dict) and _is_section(schema, names):
        yield from ((f".<name>{name}", key) for name, key in _below(schema, names))
    elif node.get("type") == "array" and _is_section(schema, node["items"]):
        yield from ((f"[]{name}", key) for name, key in _below(schema, node["items"]))
    else:
        yield from ((f".{name}", key) for name, key in node.get("properties", {}).items())


def _is_section(schema: dict[str, Any], node: dict[str, Any]) -> bool:
    return "properties" in _resolved(schema, node)


def _resolved(schema: dict[str, Any], node: dict[str, Any]) -> dict[str, Any]:
    """Return what a node refers to; of several forms the section, where one is."""
    if "$ref" in node:
        return schema["$defs"][node["$ref"].rpartition("/")[2]]
    return next((_resolved(schema, option) for option in node.get("anyOf", []) if "$ref" in option), node)


def _about(schema: dict[str, Any], node: dict[str, Any]) -> str:
    """Return what a section is: said where it stands, or by the section itself."""
    inner = node.get("additionalProperties", node.get("items", node))
    return _linked(node.get("description") or _resolved(schema, inner).get("description", ""))


def _required(schema: dict[str, Any], node: dict[str, Any], name: str) -> bool:
    node = _resolved(schema, node)
    inner = node.get("additionalProperties") if isinstance(node.get("additionalProperties"), dict) else None
    inner = _resolved(schema, inner or node.get("items") or node)
    return name.rpartition(".")[2] in inner.get("required", ())


def _row(schema: dict[str, Any], node: dict[str, Any], path: str, required: bool = False) -> str:
    default = node.get("default")
    shown = "**required**" if required else "" if default in (None, [], {}) else f"`{_plain(default)}`"
    cells = (f"`{path}`", _linked(_said(schema, node)), _value(schema, node), shown)
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _said(schema: dict[str, Any], node: dict[str, Any]) -> str:
    return node.get("description") or _resolved(schema, node).get("description", "")


def _plain(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and value >= 1000 and value % 1000 == 0:
        return next(f"{value // size}{unit}" for size, unit in ((10**6, "M"), (10**3, "k")) if value % size == 0)
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def _value(schema: dict[str, Any], node: dict[str, Any]) -> str:
    """Return what may stand there in a few words."""
    if "$ref" in node:
        return "section"
    if "anyOf" in node:
        forms = [form for option in node["anyOf"] if (form := _value(schema, option)) and option.get("type") != "null"]
        alone = [form for form in forms if f"list of {form}" in forms]
        forms = [form for form in forms if form.removeprefix("list of ") not in alone or form in alone]
        return " or ".join(dict.fromkeys([*forms, *(["a list of them"] if alone else [])]))
    if "enum" in node:
        names = [f"`{each}`" for each in node["enum"]]
        return " ".join(names) if len(names) <= _LONG else f"{' '.join(names[:_LONG])} …"
    kind = node.get("type")
    if node.get("pattern") in (COUNT, TIMES):
        return "" if node["pattern"] == COUNT else "`20x`"
    if kind == "array":
        return f"list of {_value(schema, node['items'])}" if isinstance(node["items"], dict) else "`[low, high]`"
    if kind == "object":
        inner = node.get("additionalProperties")
        return f"name → {_value(schema, inner)}" if isinstance(inner, dict) and inner else "mapping"
    words = {"integer": "count", "number": "number", "boolean": "true or false", "string": "text"}
    return f"{words.get(str(kind), '')}{_range(node)}"


def _range(node: dict[str, Any]) -> str:
    low, high = node.get("minimum", node.get("exclusiveMinimum")), node.get("maximum", node.get("exclusiveMaximum"))
    if low is not None and high is not None:
        return f", {low:,} to {high:,}"
    if low:
        return f", at least {low:,}"
    return ""


def _linked(text: str) -> str:
    """Return a description in one line with the pages of docs/ that it names as links."""
    return re.sub(r"docs/(\w+\.md)", r"[\1](\1)", " ".join(text.split()))


if __name__ == "__main__":
    path = Path(sys.argv[1])
    path.write_text(with_keys(path.read_text(encoding="utf-8")), encoding="utf-8")

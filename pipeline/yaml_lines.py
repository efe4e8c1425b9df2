"""Read YAML into plain data and remember where every key stands, for error messages."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import InputError
from pipeline.redaction import secret_in

Path_ = tuple[str | int, ...]
"""Keys from the top of a YAML file to one place in it."""

_PLAIN = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str")}
_AS_WRITTEN = "tag:yaml.org,2002:timestamp"  # no key holds a date: `2024-01-01` is text
_MERGE = "tag:yaml.org,2002:merge"
_MOST_NODES = 200_000
"""Keys and values of one file, aliases counted as often as they are used: ten lines of aliases can stand for 10^9."""

_MOST_BYTES = 4_000_000
"""Of a file: a mix of a thousand sources has a tenth."""

_SYNTAX = (  # what the parser says -> what to do about it; {line}: where the thing began
    (r"found character '\\t'", "a tab: YAML is indented with spaces"),
    (
        "mapping values are not allowed",
        "`: ` where no key can stand: quote the value, mend the indentation, or end the line above with a colon",
    ),
    ("but found another document", "a second document (`---`): a mix is one"),
    (r"undefined alias '(.*)'", r"`*\1` has no anchor `&\1` before it"),
    ("expected ',' or '[]}]'", "the bracket that opens here is not closed, or a comma is missing"),
    ("unexpected end of stream", "the quote that opens here is not closed"),
    ("could not find expected ':'", "expected `key: value`"),
    ("expected <block end>", "the indentation does not fit the lines above"),
)
_OPENS = ("expected ',' or", "unexpected end of stream")
"""Mistakes to be mended where something opens, which may be many lines above the place where the parser gives up."""


@dataclass(frozen=True)
class YamlDocument:
    """Plain data of one YAML and where each key stands.

    Attributes: `name` (path as given), `places` (path of keys → `file:line`, or the option that set it), `mistakes` (of
    the YAML itself, each with its place: keys that stand twice, unknown tags; the rest could still be read).
    """

    name: str
    data: dict[str, Any]
    places: dict[Path_, str]
    mistakes: list[str] = field(default_factory=list)

    def place(self, path: Path_) -> str:
        """Return where the key itself or the nearest parent stands."""
        path = tuple(path)
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, f"{self.name}:1")


def dotted(path: Path_) -> str:
    """Return a key path as `a.b[2].c`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def stands(data: Any, path: Path_) -> bool:
    """Tell whether there is anything at a path of keys."""
    try:
        for key in path:
            if not isinstance(data, (dict, list)):
                return False
            data = data[key]  # type: ignore[index]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def at(data: Any, path: Path_) -> Any:
    """Return what stands at a path of keys."""
    for key in path:
        data = data[key]
    return data


def read_yaml(path: Path) -> YamlDocument:
    """Read one YAML mapping, with the safe loader only.

    Raises InputError for a missing or unreadable file, bad syntax, repeated keys, or a top that is no mapping.
    """
    document = parse_yaml(path)
    if document.mistakes:
        raise InputError("\n".join(document.mistakes))
    return document


def parse_yaml(path: Path) -> YamlDocument:
    """As `read_yaml`, with mistakes that leave the rest readable in the document. An empty file is an empty mapping."""
    try:
        with open(path, "rb") as file:
            raw = file.read(_MOST_BYTES + 1)
        text = raw.decode("utf-8-sig") if len(raw) <= _MOST_BYTES else ""
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path}: a folder; expected a YAML file") from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise InputError(f"{path}:{line}: no UTF-8 text") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{path}: over {_MOST_BYTES:,} bytes, which is no mix")
    data, lines, mistakes = parse_text(text, str(path))
    if data is None:
        data = {}
    if not isinstance(data, dict):
        raise InputError(f"{path}:1: expected a mapping of keys, got {kind_of(data)}")
    places = {place: f"{path}:{line}" for place, line in lines.items()}
    return YamlDocument(str(path), data, places, mistakes)


def parse_text(text: str, name: str) -> tuple[Any, dict[Path_, int], list[str]]:
    """Return the data of a YAML text, the line of every key, and mistakes that leave the rest readable.

    Raises InputError for bad syntax; name: what stands before the line in messages.
    """
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            reader = _Reader(loader, name)
            return (reader.plain(node, ()) if node is not None else None), reader.lines, reader.mistakes
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        raise InputError(_syntax(error, name)) from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise InputError(f"{name}:{line}: a character that no YAML may hold (code {error.character})") from None
    except yaml.YAMLError as error:
        raise InputError(f"{name}: not YAML: {error}") from None
    except RecursionError:
        raise InputError(f"{name}: nested too deeply") from None


def kind_of(value: Any) -> str:
    """Return in YAML's words what a value is, and a short one itself."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"


def _syntax(error: yaml.MarkedYAMLError, name: str) -> str:
    said = error.problem or "not YAML"
    opens = error.context_mark is not None and any(each in said for each in _OPENS)
    mark = error.context_mark if opens else error.problem_mark
    for pattern, text in _SYNTAX:
        if found := re.search(pattern, said):
            said = found.expand(text)
            break
    return f"{name}:{mark.line + 1 if mark else 1}: {said}"


def _unfit(value: Any) -> str | None:
    """Return why a single value cannot be in a mix; None where it can."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"expected a finite number, got {value}"
    if isinstance(value, int) and abs(value) >= 2**63:
        return "expected a whole number below 2^63"
    if not isinstance(value, str):
        return None
    if "\0" in value or any("\ud800" <= sign <= "\udfff" for sign in value):
        return "text that holds a NUL or half of a surrogate pair"
    found = secret_in(value)
    return f"{found}: secrets come from the environment only, see docs/security.md" if found else None


class _Reader:
    """Turns the nodes of one file into plain data, with the lines of keys and what is wrong."""

    def __init__(self, loader: yaml.SafeLoader, name: str) -> None:
        self._loader, self._name, self._open, self._left = loader, name, set[int](), _MOST_NODES
        self.lines: dict[Path_, int] = {}
        self.mistakes: list[str] = []

    def plain(self, node: yaml.Node, path: Path_) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        self._left -= 1
        if self._left < 0:
            raise InputError(f"{self._name}:1: more than {_MOST_NODES} keys and values, aliases counted")
        if id(node) in self._open:
            self._wrong(node, f"`{dotted(path)}` is an alias of what it stands in")
            return None
        self._open.add(id(node))
        try:
            if isinstance(node, yaml.MappingNode) and node.tag.endswith(":map"):
                return self._mapping(node, path)
            if isinstance(node, yaml.SequenceNode) and node.tag.endswith(":seq"):
                return [self.plain(child, (*path, i)) for i, child in enumerate(node.value)]
            return self._scalar(node, path)
        finally:
            self._open.discard(id(node))

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE:  # `<<: *defaults`, or a list of them, of which the first counts
                for each in reversed(value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]):
                    added = self.plain(each, path)
                    if isinstance(added, dict):
                        merged |= added
                    else:
                        self._wrong(each, "`<<` expects a mapping")
        for key_node, value_node in node.value:
            if key_node.tag == _MERGE or (key := self._key(key_node)) is None:
                continue
            if key in result:
                first = self.lines[(*path, key)]
                self._wrong(key_node, f"key `{dotted((*path, key))}` stands twice (first on line {first})")
                continue
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            result[key] = self.plain(value_node, (*path, key))
        return merged | result

    def _key(self, node: yaml.Node) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._wrong(node, f"a key must be text, not {'a list' if node.tag.endswith(':seq') else 'a mapping'}")
            return None
        told = len(self.mistakes)
        key = self._scalar(node)
        if isinstance(key, str):
            return key
        if len(self.mistakes) > told:
            return None
        self._wrong(node, f"key `{node.value}` is read as {kind_of(key)} and must be text; put it in quotes")
        return None

    def _scalar(self, node: yaml.Node, path: Path_ = ()) -> Any:
        if node.tag == _AS_WRITTEN and isinstance(node, yaml.ScalarNode):
            return node.value
        if node.tag not in _PLAIN or not isinstance(node, yaml.ScalarNode):
            name = node.tag.removeprefix("tag:yaml.org,2002:")
            self._wrong(node, f"tag `{'!!' if name != node.tag else ''}{name}`: only plain data is read")
            return None
        try:
            value = self._loader.construct_object(node)
        except (ValueError, KeyError, yaml.YAMLError):  # KeyError: `!!bool x`
            said = node.value[:40]
            self._wrong(node, f"`{said}` cannot be read as {node.tag.removeprefix('tag:yaml.org,2002:')}")
            return None
        if wrong := _unfit(value):
            self._wrong(node, f"`{dotted(path)}`: {wrong}" if path else wrong)
            return None
        return value

    def _wrong(self, node: yaml.Node, text: str) -> None:
        self.mistakes.append(f"{self._name}:{node.start_mark.line + 1}: {text}")

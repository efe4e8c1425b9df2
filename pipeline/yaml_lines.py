"""Read YAML into plain data and remember the line of every key, for error messages."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import InputError
from pipeline.redaction import secret_in

Path_ = tuple[str | int, ...]
"""Keys from the top of a YAML file to one place in it."""

MAX_BYTES = 4_000_000
"""Of a file: a mix of a thousand sources has a tenth."""
MAX_VALUES = 200_000
"""Values that a file holds, at most; aliases of aliases make a few lines into billions."""


class YamlDocument:
    """Plain data of one YAML file and where each key stands.

    Attributes: `data` (dict), `name` (path as given), `lines` (path of keys → 1-based line).
    """

    def __init__(self, name: str, data: dict[str, Any], lines: dict[Path_, int]) -> None:
        self.name, self.data, self.lines = name, data, lines

    def place(self, path: Path_) -> str:
        """Return `file:line`, of the key itself or of the nearest parent that stands in the file."""
        path = tuple(path)
        while path and path not in self.lines:
            path = path[:-1]
        return f"{self.name}:{self.lines.get(path, 1)}"


def dotted(path: Path_) -> str:
    """Return a key path as `a.b[2].c`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else (f".{part}" if text else str(part))
    return text


def read_yaml(path: Path) -> YamlDocument:
    """Read one YAML mapping, with the safe loader only.

    Raises InputError for a missing, unreadable or very large file, bad syntax, a repeated key, values that are not
    plain (text, finite numbers, true, false, null), secrets, and a top that is no mapping.
    """
    try:
        with open(path, "rb") as file:
            raw = file.read(MAX_BYTES + 1)
        text = raw.decode()
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    if len(raw) > MAX_BYTES:
        raise InputError(f"{path}: over {MAX_BYTES:,} bytes, which is no mix")
    try:
        loader = yaml.SafeLoader(text)
        try:
            node = loader.get_single_node()
            reading = _Reading(loader, str(path))
            data = reading.plain(node, ()) if node is not None else {}
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise InputError(f"{path}:{mark.line + 1 if mark else 1}: {error.problem or 'not YAML'}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {error}") from None
    except RecursionError:
        raise InputError(f"{path}: nested too deeply, or an alias inside itself") from None
    if not isinstance(data, dict):
        raise InputError(f"{path}:1: expected a mapping of keys, got {type(data).__name__}")
    return YamlDocument(str(path), data, reading.lines)


class _Reading:
    """Makes plain data of a file's nodes; `lines` is where each stands."""

    def __init__(self, loader: yaml.SafeLoader, name: str) -> None:
        self._loader, self._name = loader, name
        self._values = 0
        self.lines: dict[Path_, int] = {}

    def plain(self, node: yaml.Node, path: Path_) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self._values += 1
        if self._values > MAX_VALUES:
            raise self._wrong(line, f"over {MAX_VALUES:,} values, counting those of aliases each time")
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node)
        if node.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
            self._loader.construct_object(node, deep=True)  # names the tag, if it is one of another language
            raise self._wrong(line, f"expected a mapping or a list, not `{node.tag}`")
        if isinstance(node, yaml.SequenceNode):
            return [self.plain(child, (*path, i)) for i, child in enumerate(node.value)]
        assert isinstance(node, yaml.MappingNode)
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._scalar(key_node) if isinstance(key_node, yaml.ScalarNode) else "[…]"
            if not isinstance(key, str) or not isinstance(key_node, yaml.ScalarNode):
                raise self._wrong(line, f"key {key!r} must be text; put it in quotes")
            if key in result:
                first = self.lines[(*path, key)]
                raise self._wrong(line, f"key `{dotted((*path, key))}` stands twice (first on line {first})")
            self.lines[(*path, key)] = line
            result[key] = self.plain(value_node, (*path, key))
        return result

    def _scalar(self, node: yaml.ScalarNode) -> Any:
        line = node.start_mark.line + 1
        try:
            value = self._loader.construct_object(node, deep=True)
        except (ValueError, KeyError, AttributeError, OverflowError) as error:  # `!!int x`, 2020-99-99, 5000 digits
            raise self._wrong(line, f"`{node.value[:40]}` is no {node.tag.rpartition(':')[2]}: {error}") from None
        if not isinstance(value, (str, bool, int, float, type(None))):
            raise self._wrong(
                line, f"expected text, a number, true, false or null, not a {type(value).__name__}; quote it"
            )
        if (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, int) and abs(value) >= 2**63):
            raise self._wrong(line, f"expected a finite number, whole ones below 2^63, got {node.value[:40]}")
        if isinstance(value, str) and _is_broken(value):
            raise self._wrong(line, "text that holds a NUL or half of a surrogate pair")
        if isinstance(value, str) and (found := secret_in(value)):
            raise self._wrong(line, f"{found}: secrets come from the environment only, see docs/security.md")
        return value

    def _wrong(self, line: int, message: str) -> InputError:
        return InputError(f"{self._name}:{line}: {message}")


def _is_broken(text: str) -> bool:
    return "\0" in text or any("\ud800" <= sign <= "\udfff" for sign in text)

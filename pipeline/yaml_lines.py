"""Read YAML into plain data and remember the line of every key, for error messages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from pipeline.errors import InputError

Path_ = tuple[str | int, ...]
"""Keys from the top of a YAML file to one place in it."""


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

    Raises InputError for a missing or unreadable file, bad syntax, a repeated key, or a top that is no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        lines: dict[Path_, int] = {}
        data = _plain(loader, node, (), lines, str(path)) if node is not None else {}
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise InputError(f"{path}:{mark.line + 1 if mark else 1}: {error.problem or 'not YAML'}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}: not YAML: {error}") from None
    finally:
        loader.dispose()
    if not isinstance(data, dict):
        raise InputError(f"{path}:1: expected a mapping of keys, got {type(data).__name__}")
    return YamlDocument(str(path), data, lines)


def _plain(loader: yaml.SafeLoader, node: yaml.Node, path: Path_, lines: dict[Path_, int], name: str) -> Any:
    lines.setdefault(path, node.start_mark.line + 1)
    if not isinstance(node, yaml.ScalarNode) and node.tag not in ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"):
        loader.construct_object(node, deep=True)  # raises for every tag that is not plain data
    if isinstance(node, yaml.MappingNode):
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = loader.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise InputError(f"{name}:{line}: key {key!r} must be text; put it in quotes")
            if key in result:
                first = lines[(*path, key)]
                raise InputError(f"{name}:{line}: key `{dotted((*path, key))}` stands twice (first on line {first})")
            lines[(*path, key)] = line
            result[key] = _plain(loader, value_node, (*path, key), lines, name)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [_plain(loader, child, (*path, i), lines, name) for i, child in enumerate(node.value)]
    return loader.construct_object(node, deep=True)

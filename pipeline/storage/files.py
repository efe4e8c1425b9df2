"""Files of a store: listed with their sizes, written whole or not at all, found damaged."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.storage.names import inside


@dataclass(frozen=True)
class Entry:
    """A file below the root: its name, bytes and time of change (seconds since 1970)."""

    name: str
    size: int
    changed: float


class Damaged(Exception):
    """A file of an artefact is not there, or not of the size that the manifest says."""

    def __init__(self, name: str, size: int) -> None:
        super().__init__(name, size)
        self.name, self.size = name, size


def sizes_of(folder: Path) -> dict[str, int]:
    """Return name → bytes of the files in a folder and its sub-folders. Raises ValueError for a link."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            raise ValueError(f"{path}: a link, which an artefact cannot hold")
        if path.is_file():
            found[inside(name)] = path.stat().st_size
    return found


def entries_of(root: Path, top: Path) -> Iterator[Entry]:
    """Yield the files below `top`, named from `root`."""
    for directory, _, names in os.walk(top):
        for name in names:
            path = Path(directory) / name
            stat = path.lstat()
            yield Entry(path.relative_to(root).as_posix(), stat.st_size, stat.st_mtime)


def write_whole(target: str, write: Callable[[Path], object], create: bool = False) -> bool:
    """Let `write` fill a temporary file beside the target, then move it there, and return whether it was.

    create: not where there is one.
    """
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    staging = Path(f"{target}.{uuid.uuid4().hex}.tmp")
    try:
        write(staging)
        if not create:
            os.replace(staging, target)
            return True
        try:
            os.link(staging, target)
        except FileExistsError:
            return False
        except OSError:  # a file system without hard links: the last writer wins there
            os.replace(staging, target)
        return True
    finally:
        staging.unlink(missing_ok=True)


def sizes_in(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Return name → bytes of an artefact's files; nothing where its manifest was written before sizes were kept."""
    files: Any = manifest["files"]
    return {inside(name): size for name, size in files.items()} if isinstance(files, dict) else {}


def to_json(value: Any) -> str:
    """Return JSON text with sorted keys and a final newline; NaN is refused (ValueError)."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"

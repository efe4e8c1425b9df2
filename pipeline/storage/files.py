"""Files of a store: listed with their sizes, written whole or not at all, found damaged."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.storage.names import inside, is_inside


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
    """Yield the files below `top`, named from `root`, but for names that no store has."""
    for directory, _, names in os.walk(top):
        for name in names:
            path = Path(directory) / name
            try:
                stat = path.lstat()
            except FileNotFoundError:  # a run at work has moved or removed it
                continue
            if is_inside(path.relative_to(root).as_posix()):
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


def read_manifest(data: bytes) -> dict[str, Any]:
    """Return a manifest from its bytes. Raises ValueError for what cannot be one, names that lead out of the store too:
    others may write to a shared store."""
    try:
        manifest = json.loads(data)
    except RecursionError:
        raise ValueError("no JSON: nested too deeply") from None
    if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict | list):
        raise ValueError("no manifest: it names no files")
    inside(str(manifest.get("attempt", "none")))
    sizes_in(manifest)
    return manifest


def sizes_in(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Return name → bytes of an artefact's files; nothing where its manifest was written before sizes were kept.

    Raises ValueError for a name that leads out of the artefact and a size that is none.
    """
    files: Any = manifest["files"]
    if not isinstance(files, dict):
        return {}
    if any(type(size) is not int or size < 0 for size in files.values()):
        raise ValueError("a manifest with sizes that are none")
    return {inside(name): size for name, size in files.items()}


def to_json(value: Any) -> str:
    """Return JSON text with sorted keys and a final newline; NaN is refused (ValueError)."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"

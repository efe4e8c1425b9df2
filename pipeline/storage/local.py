"""The half of the store that is a local folder: artefacts are filled under a temporary name and moved."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.storage.files import Damaged, Entry, entries_of, read_manifest, sizes_in, sizes_of, to_json, write_whole
from pipeline.storage.names import inside

_MOST_KNOWN = 10_000
_KNOWN: dict[str, Mapping[str, int]] = {}
"""Folder of an artefact → name → bytes of its files, of those that this process has used: they never change."""


@dataclass(frozen=True)
class LocalStore:
    """Methods as in `pipeline.store.Store`; `base` is an absolute path."""

    base: str

    def path(self, name: str) -> str:
        return f"{self.base}/{inside(name)}"

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder. Raises FileNotFoundError where it is absent."""
        return os.listdir(self.path(folder))

    def read(self, name: str) -> bytes:
        """Raises FileNotFoundError where it is absent."""
        with open(self.path(name), "rb") as file:
            return file.read()

    def local(self, ref: str, manifest: Callable[[], Mapping[str, Any]]) -> Path:
        """Return the artefact's folder; its manifest is asked for once a process. Raises Damaged."""
        place = self.path(f"data/{inside(ref)}")
        sizes = _KNOWN.get(place)
        if sizes is None or _damage(place, sizes):
            sizes = sizes_in(manifest())
            if found := _damage(place, sizes):
                raise found
            if len(_KNOWN) >= _MOST_KNOWN:
                _KNOWN.clear()
            _KNOWN[place] = sizes
        return Path(place)

    def is_whole(self, ref: str) -> bool:
        try:
            return not _damage(
                self.path(f"data/{inside(ref)}"), sizes_in(read_manifest(self.read(f"manifests/{ref}.json")))
            )
        except (FileNotFoundError, ValueError):
            return False

    def file_of(self, ref: str, name: str, manifest: Callable[[], Mapping[str, Any]]) -> str:
        """Return the name, below the root, of one file of an artefact."""
        return f"data/{inside(ref)}/{inside(name)}"

    def workspace(self) -> Path:
        parent = Path(self.base) / "tmp"
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=parent))

    def scratch(self, ref: str) -> Path:
        return Path(self.path(f"scratch/{inside(ref)}"))

    def publish(self, ref: str, folder: Path, manifest: Mapping[str, Any]) -> None:
        target = Path(self.path(f"data/{inside(ref)}"))
        target.parent.mkdir(parents=True, exist_ok=True)
        files = sizes_of(folder)
        if target.exists() and sizes_of(target) != files:
            # cut off by a power failure: out of the way in one move, for another driver may look at the same moment
            target.rename(self.workspace() / "damaged")
        try:
            os.rename(folder, target)
        except OSError:  # another driver was first; as for its files, same key, same bytes
            if not target.is_dir():
                raise
        self.write_text(f"manifests/{ref}.json", to_json({**manifest, "files": sizes_of(target)}), create=True)

    def write_text(self, name: str, text: str, create: bool = False) -> bool:
        return write_whole(self.path(name), lambda staging: staging.write_text(text, encoding="utf-8"), create)

    def copy_in(self, file: Path, name: str) -> None:
        write_whole(self.path(name), lambda staging: shutil.copyfile(file, staging))

    def exists(self, name: str) -> bool:
        return os.path.exists(self.path(name))

    def entries(self, folder: str) -> Iterator[Entry]:
        return entries_of(Path(self.base), Path(self.path(folder)))

    def folders(self, folder: str = "") -> list[str]:
        try:
            return sorted(
                entry.name for entry in os.scandir(self.path(folder) if folder else self.base) if entry.is_dir()
            )
        except FileNotFoundError:
            return []

    def remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            os.unlink(self.path(name))

    def remove_empty_folders(self, removed: Iterable[str], limit: float) -> None:
        emptied = {str(parent) for name in removed for parent in Path(self.path(name)).parents}
        for kind in ("data", "scratch", "tmp", "units", "cache"):
            for directory, *_ in os.walk(Path(self.base) / kind, topdown=False):
                with suppress(OSError):  # not empty, or gone
                    if directory in emptied or os.stat(directory).st_mtime <= limit:
                        os.rmdir(directory)


def _damage(place: str, sizes: Mapping[str, int]) -> Damaged | None:
    """Return the first file that is not there, or has another size."""
    for name, size in sizes.items():
        try:
            if os.stat(f"{place}/{name}").st_size != size:
                return Damaged(name, size)
        except (FileNotFoundError, NotADirectoryError):
            return Damaged(name, size)
    return None

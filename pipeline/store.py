"""The store: artefacts by key, published whole or not at all, on any fsspec URL.

    ROOT/data/<stage>/<key>/…                     the files of one artefact, where the root is a local folder
    ROOT/data/<stage>/<key>/<attempt>/…           the same on an object store
    ROOT/manifests/<stage>/<key>.json             written last: an artefact exists when its manifest does
    ROOT/pins/<scope>/<name>.json                 which artefact a pinned name stands for
    ROOT/units/<run folder>/<stage>.json          which artefacts a run refers to
    ROOT/scratch/<stage>/<key>/…                  how far an unfinished unit has come, where the root is a local folder

`storage/local.py` is how that is done in a folder, `storage/objects.py` on an object store. Either way a crash leaves
no half artefact, only files that no manifest names.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import fsspec

from pipeline.storage.files import Damaged, Entry, read_manifest, to_json
from pipeline.storage.local import LocalStore
from pipeline.storage.names import inside
from pipeline.storage.objects import ObjectStore
from pipeline.storage.retry import StoreError


@dataclass(frozen=True)
class Store:
    """A folder (`root` without `://`) or an object-store URL that holds artefacts.

    Names below the root that could lead out of it raise ValueError. Calls to an object store are tried again while
    their failure may pass; StoreError where it does not.
    """

    root: str

    @cached_property
    def _half(self) -> LocalStore | ObjectStore:
        if "://" not in self.root or self.root.startswith(("file://", "local://")):
            return LocalStore(fsspec.core.url_to_fs(self.root)[1].rstrip("/"))
        return ObjectStore(self.root)

    @property
    def folder(self) -> Path | None:
        """The local folder that the store is; None where it is an object store."""
        return Path(self._half.base) if isinstance(self._half, LocalStore) else None

    @property
    def is_local(self) -> bool:
        return self.folder is not None

    def finished(self, stage: str) -> set[str]:
        """Return the keys of the stage's artefacts, with one listing."""
        try:
            names = self._half.names(f"manifests/{inside(stage)}")
        except FileNotFoundError:
            return set()
        return {name.rpartition("/")[2][: -len(".json")] for name in names if name.endswith(".json")}

    def manifest(self, ref: str) -> dict[str, Any]:
        """Return the manifest of `stage/key`. Raises FileNotFoundError where there is none.

        One that cannot be read is removed, so that its unit is done again, and raises StoreError.
        """
        path = f"manifests/{inside(ref)}.json"
        try:
            return read_manifest(self._half.read(path))
        except ValueError:
            self.discard(ref)
            raise StoreError(
                f"{self.root}: the manifest of {ref} was damaged and is removed; the same command makes it again"
            ) from None

    def local(self, ref: str) -> Path:
        """Return a local folder that holds the artefact's files; remote ones are copied once per machine.

        An artefact whose files have lost their size is taken out of the store, so that its unit is done again, and
        raises StoreError.
        """
        try:
            return self._half.local(ref, partial(self.manifest, ref))
        except Damaged as damaged:
            self.discard(ref)
            raise StoreError(
                f"{self.root}: `{damaged.name}` of {ref} was damaged (not there, or not of {damaged.size} bytes) and "
                "the artefact is taken out of the store; the same command makes it again"
            ) from None

    def is_whole(self, ref: str) -> bool:
        """Tell whether a finished artefact's files have the sizes in its manifest: a machine that lost power may have
        cut them short. Objects of an object store are whole."""
        return self._half.is_whole(ref)

    def discard(self, ref: str) -> None:
        """Forget a damaged artefact, so that its unit is done again; the same key gives the same bytes."""
        self.remove(f"manifests/{inside(ref)}.json")

    def workspace(self) -> Path:
        """Return a new empty folder to fill, on the store's own disk where that is a local folder."""
        return self._half.workspace()

    def scratch(self, ref: str) -> Path:
        """Return the folder, perhaps absent, in which the unit `stage/key` keeps what outlives a killed worker.

        Beside the artefacts where they are in a local folder, so that any machine that sees it goes on; of an object
        store on the worker's own disk, so that only the same machine does.
        """
        return self._half.scratch(ref)

    def publish(self, ref: str, folder: Path, manifest: Mapping[str, Any]) -> None:
        """Put the files of `folder` and its sub-folders into the store as `stage/key`, then write the manifest.

        Publishing a key that exists already changes nothing, also if that happens at the same moment: the first one
        whose manifest is written stays. `folder` is removed.
        """
        if not self._half.exists(f"manifests/{inside(ref)}.json"):
            self._half.publish(ref, folder, manifest)
        shutil.rmtree(folder, ignore_errors=True)

    def write_text(self, path: str, text: str, create: bool = False) -> bool:
        """Write a small file below the root, whole or not at all, and return whether it was.

        create: only where there is none, so that of several writers the first one wins. On object stores that do not
        offer it the last one does.
        """
        return self._half.write_text(path, text, create)

    def copy_in(self, file: Path, path: str) -> None:
        """Copy a local file below the root, whole or not at all."""
        self._half.copy_in(file, path)

    def read_text(self, path: str) -> str | None:
        """Return a small file below the root, or None where it is absent."""
        content = self.read_bytes(path)
        return None if content is None else content.decode()

    def read_bytes(self, path: str) -> bytes | None:
        """The same for a file that is no text."""
        try:
            return self._half.read(path)
        except FileNotFoundError:
            return None

    def read_json(self, ref: str, name: str) -> Any:
        """Return one JSON file of an artefact."""
        return json.loads(self._half.read(self._half.file_of(ref, name, partial(self.manifest, ref))))

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield all files below a folder of the store, also in sub-folders, but for names that could lead out of it."""
        return self._half.entries(folder)

    def folders(self, folder: str = "") -> list[str]:
        """Return the names of the folders right below one of the store (the root), sorted; none if it is absent."""
        return self._half.folders(folder)

    def remove(self, path: str) -> None:
        """Remove one file below the root; nothing where it is absent."""
        self._half.remove(path)

    def remove_empty_folders(self, removed: Iterable[str], limit: float) -> None:
        """Remove folders without files from what the store itself fills: those that held the removed files, and others
        that did not change after `limit`, for a unit at work may be about to fill one. Object stores have none."""
        self._half.remove_empty_folders(removed, limit)


def write_json(path: Path, value: Any) -> None:
    path.write_text(to_json(value), encoding="utf-8")

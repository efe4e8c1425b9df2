"""The half of the store that is an object store, by any of fsspec's drivers.

There is no rename: every attempt to publish an artefact has a folder of its own, and the manifest, one put that fails
where another came first, says whose counts. Calls are tried again while their failure may pass.
"""

from __future__ import annotations

import errno
import json
import tempfile
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import fsspec

from pipeline.storage.cache import copied, held, machine_folder
from pipeline.storage.files import Damaged, Entry, sizes_of, to_json
from pipeline.storage.names import inside, is_inside
from pipeline.storage.retry import StoreError, Truncated, is_refused, patiently


@dataclass(frozen=True)
class ObjectStore:
    """Methods as in `pipeline.store.Store`; `root` is a URL."""

    root: str

    @cached_property
    def fs(self) -> fsspec.AbstractFileSystem:
        # what other machines write is seen at once, and what is not there is not remembered as missing
        return fsspec.core.url_to_fs(self.root, use_listings_cache=False)[0]

    @cached_property
    def base(self) -> str:
        return fsspec.core.url_to_fs(self.root)[1].rstrip("/")

    def path(self, name: str) -> str:
        return f"{self.base}/{inside(name)}"

    def names(self, folder: str) -> list[str]:
        """Return the names in a folder. Raises FileNotFoundError where it is absent."""
        path = self.path(folder)
        return [str(each) for each in patiently(lambda: self.fs.ls(path, detail=False, refresh=True), path)]

    def read(self, name: str) -> bytes:
        """Raises FileNotFoundError where it is absent."""
        path = self.path(name)
        return bytes(patiently(lambda: self.fs.cat_file(path), path))  # type: ignore[arg-type]

    def local(self, ref: str, manifest: Callable[[], Mapping[str, Any]]) -> Path:
        """Return a folder on this machine with the artefact's files, copied once. Raises Damaged."""
        if (place := held(self.root, ref)) is not None:
            return place
        found = manifest()
        folder = _folder(ref, found)

        def copy(name: str, path: Path) -> None:
            source, size = self.path(f"{folder}/{name}"), found["files"][name]

            def once() -> None:
                self.fs.get_file(source, str(path))
                if path.stat().st_size != size:
                    if self.fs.info(source)["size"] != size:
                        raise Damaged(name, size)
                    raise Truncated(f"{path.stat().st_size} of {size} bytes")

            try:
                patiently(once, source)
            except FileNotFoundError:
                raise Damaged(name, size) from None

        return copied(self.root, ref, found["files"], copy)

    def is_whole(self, ref: str) -> bool:
        """An object is whole or absent."""
        return True

    def file_of(self, ref: str, name: str, manifest: Callable[[], Mapping[str, Any]]) -> str:
        """Return the name, below the root, of one file of an artefact."""
        return f"{_folder(ref, manifest())}/{inside(name)}"

    def workspace(self) -> Path:
        parent = machine_folder("work", self.root)
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=parent))

    def scratch(self, ref: str) -> Path:
        return machine_folder("scratch", self.root) / inside(ref)

    def publish(self, ref: str, folder: Path, manifest: Mapping[str, Any]) -> None:
        attempt = uuid.uuid4().hex
        files = sizes_of(folder)
        place = _folder(ref, {"attempt": attempt})
        for name, size in files.items():
            target = self.path(f"{place}/{name}")
            self._put(target, lambda name=name, target=target: self.fs.put_file(str(folder / name), target))
            if (there := patiently(lambda target=target: self.fs.info(target)["size"], target)) != size:
                raise StoreError(f"{target}: {there} of {size} bytes arrived")
        text = to_json({**manifest, "attempt": attempt, "files": files})
        created = self.write_text(f"manifests/{ref}.json", text, create=True)
        # a put whose answer was lost is tried again and finds itself: then these files are the artefact's
        if not created and json.loads(self.read(f"manifests/{ref}.json")).get("attempt") != attempt:
            for name in files:
                self.remove(f"{place}/{name}")

    def write_text(self, name: str, text: str, create: bool = False) -> bool:
        target = self.path(name)
        if create:
            try:
                self._put(target, lambda: self.fs.pipe_file(target, text.encode(), mode="create"))
                return True
            except FileExistsError:
                return False
            except (OSError, TypeError, NotImplementedError) as error:
                if is_refused(error):
                    return False
                if isinstance(error, OSError) and error.errno not in (errno.ENOSYS, errno.EINVAL):
                    raise
        self._put(target, lambda: self.fs.pipe_file(target, text.encode()))
        return True

    def copy_in(self, file: Path, name: str) -> None:
        target = self.path(name)
        self._put(target, lambda: self.fs.put_file(str(file), target))

    def exists(self, name: str) -> bool:
        """Tell whether a small file is there. An error is not taken for an absent file."""
        try:
            self.read(name)
        except FileNotFoundError:
            return False
        return True

    def entries(self, folder: str) -> Iterator[Entry]:
        top = self.path(folder)
        found: Any = patiently(lambda: self.fs.find(top, detail=True), top)
        for path, info in found.items():
            changed = info.get("LastModified") or info.get("created") or info.get("updated") or info.get("mtime")
            stamp = changed.timestamp() if hasattr(changed, "timestamp") else float(changed or 0)
            if is_inside(name := path.removeprefix(f"{self.base}/").lstrip("/")):
                yield Entry(name, info["size"], stamp)

    def folders(self, folder: str = "") -> list[str]:
        top = self.path(folder) if folder else self.base
        try:
            found: Any = patiently(lambda: self.fs.ls(top, detail=True), top)
        except FileNotFoundError:
            return []
        return sorted(entry["name"].rstrip("/").rpartition("/")[2] for entry in found if entry["type"] == "directory")

    def remove(self, name: str) -> None:
        path = self.path(name)
        try:
            patiently(lambda: self.fs.rm_file(path), path)
        except FileNotFoundError:
            return

    def remove_empty_folders(self, removed: Iterable[str], limit: float) -> None:
        """There are none."""

    def _put(self, target: str, call: Callable[[], object]) -> None:
        try:
            patiently(call, target)
        except FileNotFoundError:
            raise StoreError(f"{self.root}: cannot be written: its bucket does not exist") from None


def _folder(ref: str, manifest: Mapping[str, Any]) -> str:
    """Return where the files of an artefact lie."""
    return f"data/{inside(ref)}/{inside(manifest['attempt'])}"

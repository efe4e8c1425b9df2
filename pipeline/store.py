"""The store: artefacts by key, published whole or not at all, on any fsspec URL.

    ROOT/data/<stage>/<key>/…                     the files of one artefact, where the root is a local folder
    ROOT/data/<stage>/<key>/<attempt>/…           the same on an object store
    ROOT/manifests/<stage>/<key>.json             written last: an artefact exists when its manifest does
    ROOT/pins/<scope>/<name>.json                 which artefact a pinned name stands for
    ROOT/units/<run folder>/<stage>.json          which artefacts a run refers to
    ROOT/scratch/<stage>/<key>/…                  how far an unfinished unit has come, where the root is a local folder

A local folder is filled under a temporary name and moved. Object stores have no rename: every attempt to publish an
artefact has a folder of its own there, and the manifest, one put that fails where another came first, says whose
counts. Either way a crash leaves no half artefact, only files that no manifest names.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import fsspec

from pipeline.storage.cache import copied, held, machine_folder
from pipeline.storage.files import Entry, entries_of, read_manifest, sizes_in, sizes_of, write_whole
from pipeline.storage.names import inside, is_inside
from pipeline.storage.retry import StoreError, Truncated, is_refused, patiently

T = TypeVar("T")


@dataclass(frozen=True)
class Store:
    """A folder (`root` without `://`) or an object-store URL that holds artefacts.

    Names below the root that could lead out of it raise ValueError. Calls to an object store are tried again while
    their failure may pass; StoreError where it does not.
    """

    root: str

    @cached_property
    def _fs(self) -> fsspec.AbstractFileSystem:
        # what other machines write is seen at once, and what is not there is not remembered as missing
        return fsspec.core.url_to_fs(self.root, use_listings_cache=False)[0]

    @cached_property
    def _base(self) -> str:
        return fsspec.core.url_to_fs(self.root)[1].rstrip("/")

    @property
    def is_local(self) -> bool:
        return "://" not in self.root or self.root.startswith(("file://", "local://"))

    def finished(self, stage: str) -> set[str]:
        """Return the keys of the stage's artefacts, with one listing."""
        folder = f"{self._base}/manifests/{inside(stage)}"
        try:
            names = (
                os.listdir(folder)
                if self.is_local
                else self._patiently(folder, lambda: self._fs.ls(folder, detail=False, refresh=True))
            )
        except FileNotFoundError:
            return set()
        return {Path(name).name[: -len(".json")] for name in names if str(name).endswith(".json")}

    def manifest(self, ref: str) -> dict[str, Any]:
        """Return the manifest of `stage/key`. Raises FileNotFoundError where there is none.

        One that cannot be read is removed, so that its unit is done again, and raises StoreError.
        """
        path = f"manifests/{inside(ref)}.json"
        try:
            return read_manifest(self._cat(path))
        except ValueError:
            self.remove(path)
            raise StoreError(
                f"{self.root}: the manifest of {ref} was damaged and is removed; the same command makes it again"
            ) from None

    def local(self, ref: str) -> Path:
        """Return a local folder that holds the artefact's files; remote ones are copied once per machine.

        An artefact whose files have lost their size is taken out of the store, so that its unit is done again, and
        raises StoreError.
        """
        if self.is_local:
            place = Path(self._base) / "data" / inside(ref)
            for name, size in sizes_in(self.manifest(ref)).items():
                path = place / name
                if not path.is_file() or path.stat().st_size != size:
                    self._damaged(ref, name, size)
            return place
        if (place := held(self.root, ref)) is not None:
            return place
        manifest = self.manifest(ref)
        folder = _folder(ref, manifest)

        def copy(name: str, path: Path) -> None:
            source, size = f"{self._base}/{folder}/{name}", manifest["files"][name]

            def once() -> None:
                self._fs.get_file(source, str(path))
                if path.stat().st_size != size:
                    if self._fs.info(source)["size"] != size:
                        self._damaged(ref, name, size)
                    raise Truncated(f"{path.stat().st_size} of {size} bytes")

            try:
                self._patiently(source, once)
            except FileNotFoundError:
                self._damaged(ref, name, size)

        return copied(self.root, ref, manifest["files"], copy)

    def _damaged(self, ref: str, name: str, size: int) -> None:
        self.remove(f"manifests/{ref}.json")
        raise StoreError(
            f"{self.root}: `{name}` of {ref} was damaged (not there, or not of {size} bytes) and the artefact is taken "
            "out of the store; the same command makes it again"
        )

    def workspace(self) -> Path:
        """Return a new empty folder to fill, on the store's own disk where that is a local folder."""
        parent = Path(self._base) / "tmp" if self.is_local else machine_folder("work", self.root)
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=parent))

    def scratch(self, ref: str) -> Path:
        """Return the folder, perhaps absent, in which the unit `stage/key` keeps what outlives a killed worker.

        Beside the artefacts where they are in a local folder, so that any machine that sees it goes on; of an object
        store on the worker's own disk, so that only the same machine does.
        """
        if self.is_local:
            return Path(self._base) / "scratch" / inside(ref)
        return machine_folder("scratch", self.root) / inside(ref)

    def publish(self, ref: str, folder: Path, manifest: Mapping[str, Any]) -> None:
        """Put the files of `folder` and its sub-folders into the store as `stage/key`, then write the manifest.

        Publishing a key that exists already changes nothing, also if that happens at the same moment: the first one
        whose manifest is written stays. `folder` is removed.
        """
        if not self._exists(f"manifests/{inside(ref)}.json"):
            (self._move if self.is_local else self._upload)(ref, folder, manifest)
        shutil.rmtree(folder, ignore_errors=True)

    def _move(self, ref: str, folder: Path, manifest: Mapping[str, Any]) -> None:
        target = Path(self._base) / "data" / ref
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

    def _upload(self, ref: str, folder: Path, manifest: Mapping[str, Any]) -> None:
        attempt = uuid.uuid4().hex
        files = sizes_of(folder)
        place = _folder(ref, {"attempt": attempt})
        for name, size in files.items():
            target = f"{self._base}/{place}/{name}"
            self._put(target, lambda name=name, target=target: self._fs.put_file(str(folder / name), target))
            if (there := self._patiently(target, lambda target=target: self._fs.info(target)["size"])) != size:
                raise StoreError(f"{target}: {there} of {size} bytes arrived")
        text = to_json({**manifest, "attempt": attempt, "files": files})
        created = self.write_text(f"manifests/{ref}.json", text, create=True)
        # a put whose answer was lost is tried again and finds itself: then these files are the artefact's
        if not created and self.manifest(ref).get("attempt") != attempt:
            for name in files:
                self.remove(f"{place}/{name}")

    def write_text(self, path: str, text: str, create: bool = False) -> bool:
        """Write a small file below the root, whole or not at all, and return whether it was.

        create: only where there is none, so that of several writers the first one wins. On object stores that do not
        offer it the last one does.
        """
        target = f"{self._base}/{inside(path)}"
        if self.is_local:
            return write_whole(target, lambda staging: staging.write_text(text, encoding="utf-8"), create)
        if create:
            try:
                self._put(target, lambda: self._fs.pipe_file(target, text.encode(), mode="create"))
                return True
            except FileExistsError:
                return False
            except (OSError, TypeError, NotImplementedError) as error:
                if is_refused(error):
                    return False
                if isinstance(error, OSError) and error.errno not in (errno.ENOSYS, errno.EINVAL):
                    raise
        self._put(target, lambda: self._fs.pipe_file(target, text.encode()))
        return True

    def copy_in(self, file: Path, path: str) -> None:
        """Copy a local file below the root, whole or not at all."""
        target = f"{self._base}/{inside(path)}"
        if not self.is_local:
            self._put(target, lambda: self._fs.put_file(str(file), target))
            return
        write_whole(target, lambda staging: shutil.copyfile(file, staging))

    def read_text(self, path: str) -> str | None:
        """Return a small file below the root, or None where it is absent."""
        try:
            return self._cat(inside(path)).decode()
        except FileNotFoundError:
            return None

    def read_json(self, ref: str, name: str) -> Any:
        """Return one JSON file of an artefact."""
        folder = f"data/{inside(ref)}" if self.is_local else _folder(ref, self.manifest(ref))
        return json.loads(self._cat(f"{folder}/{inside(name)}"))

    def entries(self, folder: str) -> Iterator[Entry]:
        """Yield all files below a folder of the store, also in sub-folders, but for names that could lead out of it."""
        top = f"{self._base}/{inside(folder)}"
        if self.is_local:
            yield from entries_of(Path(self._base), Path(top))
            return
        found: Any = self._patiently(top, lambda: self._fs.find(top, detail=True))
        for path, info in found.items():
            changed = info.get("LastModified") or info.get("created") or info.get("updated") or info.get("mtime")
            stamp = changed.timestamp() if hasattr(changed, "timestamp") else float(changed or 0)
            if is_inside(name := path.removeprefix(f"{self._base}/").lstrip("/")):
                yield Entry(name, info["size"], stamp)

    def folders(self, folder: str = "") -> list[str]:
        """Return the names of the folders right below one of the store (the root), sorted; none if it is absent."""
        top = f"{self._base}/{inside(folder)}" if folder else self._base
        try:
            found = self._patiently(top, lambda: self._fs.ls(top, detail=True))
        except FileNotFoundError:
            return []
        return sorted(entry["name"].rstrip("/").rpartition("/")[2] for entry in found if entry["type"] == "directory")

    def remove(self, path: str) -> None:
        """Remove one file below the root; nothing where it is absent."""
        target = f"{self._base}/{inside(path)}"
        try:
            self._patiently(target, lambda: self._fs.rm_file(target))
        except FileNotFoundError:
            return

    def remove_empty_folders(self) -> None:
        """Remove folders without files from what the store itself fills; object stores have none."""
        for kind in ("data", "scratch", "tmp", "units", "cache") if self.is_local else ():
            for directory, *_ in os.walk(Path(self._base) / kind, topdown=False):
                with suppress(OSError):  # not empty
                    os.rmdir(directory)

    def _exists(self, path: str) -> bool:
        """Whether a file is there. An error is not taken for an absent file."""
        if self.is_local:
            return os.path.exists(f"{self._base}/{path}")
        return self.read_text(path) is not None

    def _cat(self, path: str) -> bytes:
        target = f"{self._base}/{path}"
        return bytes(self._patiently(target, lambda: self._fs.cat_file(target)))  # type: ignore[arg-type]

    def _patiently(self, target: str, call: Callable[[], T]) -> T:
        return call() if self.is_local else patiently(call, target)

    def _put(self, target: str, call: Callable[[], object]) -> None:
        try:
            self._patiently(target, call)
        except FileNotFoundError:
            raise StoreError(f"{self.root}: cannot be written: its bucket does not exist") from None


def _folder(ref: str, manifest: Mapping[str, Any]) -> str:
    """Return where the files of a remote artefact lie."""
    return f"data/{inside(ref)}/{inside(manifest['attempt'])}"


def to_json(value: Any) -> str:
    """Return JSON text with sorted keys and a final newline; NaN is refused (ValueError)."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    path.write_text(to_json(value), encoding="utf-8")

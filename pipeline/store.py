"""The store: artefacts by key, published whole or not at all, on any fsspec URL.

    ROOT/data/<stage>/<key>/…           the files of one artefact
    ROOT/manifests/<stage>/<key>.json   written last: an artefact exists when its manifest does
    ROOT/pins/<scope>/<name>.json       which artefact a pinned name stands for
    ROOT/scratch/<stage>/<key>/…        how far an unfinished unit has come, where the root is a local folder

Files are written under a temporary name and moved; object stores have no rename, but there an object appears whole
when its upload ends. Either way a crash leaves no half artefact, only files that no manifest names.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import fsspec


@dataclass(frozen=True)
class Store:
    """A folder (`root` without `://`) or an object-store URL that holds artefacts."""

    root: str

    @cached_property
    def _fs(self) -> fsspec.AbstractFileSystem:
        return fsspec.core.url_to_fs(self.root)[0]

    @cached_property
    def _base(self) -> str:
        return fsspec.core.url_to_fs(self.root)[1].rstrip("/")

    @property
    def is_local(self) -> bool:
        return "://" not in self.root or self.root.startswith("file://")

    def finished(self, stage: str) -> set[str]:
        """Return the keys of the stage's artefacts, with one listing."""
        folder = f"{self._base}/manifests/{stage}"
        try:
            names = self._fs.ls(folder, detail=False, refresh=True) if not self.is_local else os.listdir(folder)
        except FileNotFoundError:
            return set()
        return {Path(name).name[: -len(".json")] for name in names if str(name).endswith(".json")}

    def manifest(self, ref: str) -> dict[str, Any]:
        """Return the manifest of `stage/key`. Raises FileNotFoundError where there is none."""
        return json.loads(self._fs.cat_file(f"{self._base}/manifests/{ref}.json"))

    def local(self, ref: str) -> Path:
        """Return a local folder that holds the artefact's files; remote ones are copied once per machine."""
        if self.is_local:
            return Path(self._base) / "data" / ref
        cache = Path(tempfile.gettempdir()) / "mixwright-cache" / self.root.replace("/", "_") / ref
        if not cache.exists():
            staging = cache.with_name(f"{cache.name}.{uuid.uuid4().hex}")
            staging.parent.mkdir(parents=True, exist_ok=True)
            for name in self.manifest(ref)["files"]:
                self._fs.get_file(f"{self._base}/data/{ref}/{name}", str(staging / name))
            try:
                staging.rename(cache)
            except OSError:  # another worker of this machine was first; the bytes are the same
                shutil.rmtree(staging, ignore_errors=True)
        return cache

    def workspace(self) -> Path:
        """Return a new empty folder to fill, on the store's own disk where that is a local folder."""
        parent = Path(self._base) / "tmp" if self.is_local else Path(tempfile.gettempdir()) / "mixwright-work"
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(dir=parent))

    def scratch(self, ref: str) -> Path:
        """Return the folder, perhaps absent, in which the unit `stage/key` keeps what outlives a killed worker.

        Beside the artefacts where they are in a local folder, so that any machine that sees it goes on; of an object
        store on the worker's own disk, so that only the same machine does.
        """
        if self.is_local:
            return Path(self._base) / "scratch" / ref
        return Path(tempfile.gettempdir()) / "mixwright-scratch" / self.root.replace("/", "_") / ref

    def publish(self, ref: str, folder: Path, manifest: Mapping[str, Any]) -> None:
        """Move the files of `folder` into the store as `stage/key`, then write the manifest.

        Publishing a key that exists already changes nothing: same key, same bytes.
        """
        names = sorted(path.name for path in folder.iterdir())
        target = f"{self._base}/data/{ref}"
        if self.is_local:
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            if not self._fs.exists(f"{self._base}/manifests/{ref}.json"):
                shutil.rmtree(target, ignore_errors=True)  # left by a crash between move and manifest
                try:
                    os.rename(folder, target)
                except OSError:  # a second driver published the same key at the same moment
                    if not Path(target).is_dir():
                        raise
            shutil.rmtree(folder, ignore_errors=True)
        else:
            for name in names:
                self._fs.put_file(str(folder / name), f"{target}/{name}")
            shutil.rmtree(folder, ignore_errors=True)
        self.write_text(f"manifests/{ref}.json", to_json({**manifest, "files": names}))

    def write_text(self, path: str, text: str) -> None:
        """Write a small file below the root, whole or not at all."""
        target = f"{self._base}/{path}"
        if not self.is_local:
            self._fs.pipe_file(target, text.encode())
            return
        _whole(target, lambda staging: staging.write_text(text, encoding="utf-8"))

    def copy_in(self, file: Path, path: str) -> None:
        """Copy a local file below the root, whole or not at all."""
        target = f"{self._base}/{path}"
        if not self.is_local:
            self._fs.put_file(str(file), target)
            return
        _whole(target, lambda staging: shutil.copyfile(file, staging))

    def read_text(self, path: str) -> str | None:
        """Return a small file below the root, or None where it is absent."""
        try:
            return bytes(self._fs.cat_file(f"{self._base}/{path}")).decode()  # type: ignore[arg-type]
        except FileNotFoundError:
            return None

    def read_json(self, ref: str, name: str) -> Any:
        """Return one JSON file of an artefact."""
        return json.loads(self._fs.cat_file(f"{self._base}/data/{ref}/{name}"))


def _whole(target: str, write: Callable[[Path], object]) -> None:
    """Let `write` fill a temporary file beside the target, then move it there."""
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    staging = Path(f"{target}.{uuid.uuid4().hex}.tmp")
    write(staging)
    os.replace(staging, target)


def to_json(value: Any) -> str:
    """Return JSON text with sorted keys and a final newline; NaN is refused (ValueError)."""
    return json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False) + "\n"


def write_json(path: Path, value: Any) -> None:
    path.write_text(to_json(value), encoding="utf-8")

"""Copies of remote artefacts on this machine: each copied once, used only when whole, the oldest removed.

    FOLDER/<hash of the root>/<stage>/<key>/       a whole copy: renamed here when all of its files have their size
    FOLDER/<hash of the root>/<stage>/<key>.lock   held by the worker that copies; others of the machine wait for it

FOLDER is `mixwright-<user>/cache` under the system's folder for temporary files (`TMPDIR`); `MIXWRIGHT_CACHE_GB`
bounds it, by default half of what is free there and in it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pipeline.errors import InputError
from pipeline.storage.names import inside
from pipeline.units import digest

IN_USE = 3600.0
"""Seconds for which a copy that was asked for stays, however full the cache: a worker may be about to open it."""
COPYING = 24 * 3600.0
"""The same for a copy that is not whole: its worker may still be at it, later it is what a killed one left."""


def machine_folder(kind: str, root: str) -> Path:
    """Return this user's folder for what is kept of a store on this machine. Raises InputError if another owns it."""
    own = Path(tempfile.gettempdir()) / f"mixwright-{os.getuid()}"
    own.mkdir(mode=0o700, exist_ok=True)
    if own.is_symlink() or own.stat().st_uid != os.getuid():
        raise InputError(f"{own}: belongs to another user; set TMPDIR to a folder of your own")
    return own / kind / digest(root.rstrip("/"), 16)


def copied(root: str, ref: str, files: Mapping[str, int], copy: Callable[[str, Path], None]) -> Path:
    """Return a local folder with the artefact's files, made by `copy(name, path)` unless it is there already."""
    place = machine_folder("cache", root) / inside(ref)
    if not _is_there(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        with locked(place.with_name(f"{place.name}.lock")):
            if not _is_there(place):
                make_room(place.parents[2], sum(files.values()))
                _fill(place, files, copy)
    return place


def held(root: str, ref: str) -> Path | None:
    """Return the copy of an artefact on this machine; None where there is none."""
    place = machine_folder("cache", root) / inside(ref)
    return place if _is_there(place) else None


def make_room(cache: Path, wanted: int) -> None:
    """Remove copies, those not asked for longest first, until `wanted` bytes fit; none of the last IN_USE seconds."""
    with locked(cache / "room.lock"):
        copies = sorted((path.stat().st_mtime, path) for path in cache.glob("*/*/*") if path.is_dir())
        sizes = {path: _size(path) for _, path in copies}
        used = sum(sizes.values())
        limit = _limit(cache, used)
        for asked, path in copies:
            if used + wanted <= limit:
                return
            if time.time() - asked > (COPYING if path.suffix else IN_USE):
                # renamed first: nobody finds half of it
                going = path.with_name(f"{path.stem}.{uuid.uuid4().hex}")
                path.rename(going)
                shutil.rmtree(going, ignore_errors=True)
                used -= sizes[path]


def _size(folder: Path) -> int:
    """Return a folder's bytes; what another worker moves away meanwhile counts as none."""
    total = 0
    for directory, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += os.stat(os.path.join(directory, name)).st_size
    return total


def _limit(cache: Path, used: int) -> float:
    text = os.environ.get("MIXWRIGHT_CACHE_GB")
    if text is None:
        return (shutil.disk_usage(cache).free + used) / 2
    try:
        return float(text) * 1e9
    except ValueError:
        raise InputError(f"MIXWRIGHT_CACHE_GB: `{text}` is no number of gigabytes") from None


def _is_there(place: Path) -> bool:
    """Whether a copy is there; it then counts as just asked for."""
    try:
        os.utime(place)
    except FileNotFoundError:
        return False
    return True


def _fill(place: Path, files: Mapping[str, int], copy: Callable[[str, Path], None]) -> None:
    staging = place.with_name(f"{place.name}.{uuid.uuid4().hex}")
    try:
        staging.mkdir()
        for name in files:
            path = staging / inside(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            copy(name, path)
        staging.rename(place)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock that the system lets go of when this process ends, however it ends."""
    import fcntl

    with open(path, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield

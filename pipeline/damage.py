"""Finished artefacts whose files are not as long as their manifest says: what a machine leaves that lost power.

They are found as a run looks up its units, so that they are done again before anything reads them.
"""

from __future__ import annotations

from pathlib import Path

from pipeline.storage.files import read_manifest, sizes_in
from pipeline.store import Store


def is_whole(store: Store, ref: str) -> bool:
    """Tell whether a finished artefact's files have the sizes in its manifest. Objects of an object store are whole."""
    if not store.is_local:
        return True
    root = root_of(store)
    try:
        sizes = sizes_in(read_manifest((root / "manifests" / f"{ref}.json").read_bytes()))
        return all((root / "data" / ref / name).stat().st_size == size for name, size in sizes.items())
    except (FileNotFoundError, ValueError):
        return False


def discard(store: Store, ref: str) -> None:
    """Forget a damaged artefact, so that its unit is done again; the same key gives the same bytes."""
    store.remove(f"manifests/{ref}.json")


def root_of(store: Store) -> Path:
    """Return the folder of a local store."""
    return store.scratch("stage/key").parents[2]

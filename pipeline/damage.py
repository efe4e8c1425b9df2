"""Artefacts whose files are not as long as their manifest says: what a machine leaves that lost power."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.store import Store


def is_whole(store: Store, ref: str) -> bool:
    """Tell whether a finished artefact's files have the sizes in its manifest. Objects of an object store always do."""
    if not store.is_local:
        return True
    try:
        sizes = store.manifest(ref).get("sizes", {})
        folder = store.local(ref)
        return all((folder / name).stat().st_size == size for name, size in sizes.items())
    except (FileNotFoundError, json.JSONDecodeError, UnicodeDecodeError):
        return False


def discard(store: Store, ref: str) -> None:
    """Forget a damaged artefact, so that its unit is done again; the same key gives the same bytes."""
    (manifests_of(store) / f"{ref}.json").unlink(missing_ok=True)


def manifests_of(store: Store) -> Path:
    """Return the folder of a local store's manifests."""
    return store.local("stage/key").parents[2] / "manifests"

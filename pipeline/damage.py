"""Damaged artefacts, as the driver finds them when it looks up a stage's units."""

from __future__ import annotations

from pipeline.store import Store


def discard(store: Store, ref: str) -> None:
    """Forget a damaged artefact."""
    store.discard(ref)

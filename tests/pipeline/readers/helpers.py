"""What the tests of readers share."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pipeline.readers.base import BadRecord, Item, Piece, Record, Shard, Skipped
from pipeline.readers.registry import FORMATS, format_named_like, read_shard


def read(path: Path, form: str | None = None, params: dict[str, Any] | None = None, **options: Any) -> list[Item]:
    """Return what a file's reader gives."""
    form = form or format_named_like(str(path))
    assert form is not None
    chosen = FORMATS[form].params.model_validate(params or {})
    return list(read_shard(form, Shard(str(path), path.name, params=chosen, **options)))


def pieces(path: Path, step: int, form: str | None = None, params: dict[str, Any] | None = None) -> list[Piece]:
    """Return where a file would be cut."""
    form = form or format_named_like(str(path))
    assert form is not None
    cut = FORMATS[form].cut
    assert cut is not None
    return cut(str(path), step, FORMATS[form].params.model_validate(params or {}))


def read_pieces(path: Path, step: int, form: str | None = None, params: dict[str, Any] | None = None) -> list[Item]:
    """Return what the pieces of a file give, one after the other."""
    found = pieces(path, step, form, params)
    return [item for piece in found for item in read(path, form, params, piece=piece)]


def good(items: list[Item]) -> list[Record]:
    return [item for item in items if isinstance(item, Record)]


def bad(items: list[Item]) -> list[tuple[int, str]]:
    """Return (row, reason up to its colon) of the bad records."""
    return [(item.row, item.reason.partition(":")[0]) for item in items if isinstance(item, BadRecord)]


def without_rows(items: list[Item]) -> list[Record | str]:
    """Return what the items are, wherever they stand."""
    return [item if isinstance(item, Record) else item.reason for item in items]


def skipped(items: list[Item]) -> list[str]:
    return [item.reason for item in items if isinstance(item, Skipped)]

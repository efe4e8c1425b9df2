"""Files of good and of bad documents, as `mixwright classifier` reads them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import fsspec
import polars as pl

from classifiers.labelled import Documents
from pipeline.config import Source
from pipeline.errors import BadDataError, InputError, nearest
from pipeline.readers.base import Record, Shard, Skipped
from pipeline.readers.listing import source_files
from pipeline.readers.registry import FORMATS, format_named_like, read_shard

MOST_BAD = 0.05
"""Above this share of unreadable records of a side the command stops."""
_BATCH = 1000


@dataclass(frozen=True)
class Fields:
    """Names of the fields that hold the text and, if any, what groups documents."""

    text: str = "text"
    group: str | None = None


def read_documents(paths: Sequence[str], fields: Fields, condition: str | None = None) -> Documents:
    """Read all records of some files or globs, or those for which a SQL condition over their fields holds.

    Their origin lists every file with a hash of its bytes and how many of its records were taken. Raises InputError for
    a path without a file, an unknown ending, a bad condition, or where nothing is left; BadDataError where more than a
    twentieth of the records cannot be read.
    """
    wanted = None if condition is None else _parsed(condition)
    texts: list[str] = []
    groups: list[str] = []
    origin: list[dict[str, Any]] = []
    bad = total = 0
    columns = tuple(dict.fromkeys(filter(None, (fields.text, fields.group))))
    for file, form in _files(paths):
        taken = 0
        items = read_shard(form, Shard(path=file, name=Path(file).name, columns=columns))
        stream = (item for item in items if not isinstance(item, Skipped))
        while records := list(islice(stream, _BATCH)):
            good = [each for each in records if isinstance(each, Record) and _is_text(each.get(fields.text))]
            total += len(records)
            bad += len(records) - len(good)
            for record in good if wanted is None else _matching(good, wanted, file):
                texts.append(record[fields.text])
                groups.append(_group(record, fields, file, taken))
                taken += 1
        origin.append({"file": Path(file).name, **_bytes(file), "documents": taken})
    if bad > MOST_BAD * total:
        raise BadDataError(
            f"{', '.join(paths)}: {bad} of {total} records are unreadable or have no text in `{fields.text}`"
        )
    if not texts:
        raise InputError(f"{', '.join(paths)}: no document" + ("" if condition is None else f" with {condition}"))
    if condition is not None:
        origin.append({"condition": condition})
    if bad:
        origin.append({"unreadable": bad})
    return Documents(texts, groups if fields.group else None, origin)


def _files(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield (file, its format)."""
    for path in paths:
        found = source_files(Source(path=path))  # type: ignore[call-arg]
        if not found:
            raise InputError(f"{path}: no such file")
        for file in found:
            form = format_named_like(file)
            if form is None:
                known = ", ".join(name for name, each in FORMATS.items() if each.names)
                raise InputError(f"{file}: no reader for this ending (formats: {known})")
            yield file, form


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _group(record: Record, fields: Fields, file: str, number: int) -> str:
    if fields.group is None:
        return ""
    if record.get(fields.group) is None:
        raise InputError(f"{file}: document {number} has no `{fields.group}`{nearest(fields.group, record)}")
    return str(record[fields.group])


def _parsed(condition: str) -> pl.Expr:
    try:
        return pl.sql_expr(condition)
    except Exception as error:  # polars raises several types for bad SQL
        raise InputError(f"`{condition}` is not an SQL expression: {str(error).splitlines()[0]}") from None


def _matching(records: list[Record], condition: pl.Expr, file: str) -> list[Record]:
    """Return the records for which the condition is true."""
    if not records:
        return []
    known = sorted({name for record in records for name in record})
    for name in condition.meta.root_names():
        if name not in known:
            raise InputError(f"{file}: there is no field `{name}`{nearest(name, known)}")
    columns = {name: [each.get(name) for each in records] for name in condition.meta.root_names()}
    try:
        holds = pl.DataFrame(columns, strict=False).select(holds=condition.fill_null(False))["holds"].to_list()
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{file}: the condition does not fit its fields: {str(error).splitlines()[0]}") from None
    return [record for record, chosen in zip(records, holds, strict=True) if chosen]


def _bytes(file: str) -> dict[str, Any]:
    """Size of a file and a hash of its bytes."""
    with fsspec.open(file, "rb") as stream:
        found = hashlib.blake2b(digest_size=16)
        size = 0
        while part := stream.read(1 << 20):  # type: ignore[attr-defined]
            found.update(part)
            size += len(part)
    return {"bytes": size, "blake2b": found.hexdigest()}

"""Files of good and of bad documents, as `mixwright classifier` reads them: as sources are read."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import fsspec
import polars as pl
from pydantic import ValidationError

from classifiers.labelled import Documents
from pipeline.conditions import BadCondition, columns_of
from pipeline.config import Source
from pipeline.errors import BadDataError, InputError, nearest
from pipeline.ids import IdSet
from pipeline.readers.base import BadRecord, Record, Shard, Skipped
from pipeline.readers.listing import source_files
from pipeline.readers.registry import FORMATS, format_named_like, read_shard
from pipeline.readers.source_code import code_files
from pipeline.redaction import redacted
from pipeline.sources import faults_of, get_field

MOST_BAD = 0.05
"""Above this share of bad records of a side the command stops."""
_BATCH = 1000
_SHOWN = 3


@dataclass(frozen=True)
class Reading:
    """How files become documents.

    text, group: fields that hold the text and, if any, what groups documents; `meta.url` is url inside meta.
    form: format of folders and of files whose ending tells none. params: settings of formats, each for those that
    have it.
    """

    text: str = "text"
    group: str | None = None
    form: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


def check_params(paths: Sequence[str], how: Reading) -> None:
    """Raise InputError for a setting that the formats of none of these files have."""
    forms = {form for _, form in _files(paths, how)}
    known = {name for form in forms for name in FORMATS[form].params.model_fields}
    for name in how.params:
        if name not in known:
            raise InputError(f"{', '.join(sorted(forms))}: no setting `{name}`{nearest(name, known)}")


def read_documents(paths: Sequence[str], how: Reading, condition: str | None = None) -> Documents:
    """Read all records of some files, folders or globs, or those for which a SQL condition over their fields holds.

    Their origin lists every file with a hash of its bytes and how many of its records were taken. Raises InputError for
    a path without a file, an unknown ending, a bad condition, or where nothing is left; BadDataError where more than a
    twentieth of the records cannot be read, hold no text or have no group.
    """
    wanted = None if condition is None else _parsed(condition)
    texts: list[str] = []
    groups: list[str] = []
    origin: list[dict[str, Any]] = []
    bad, total = Counter[str](), 0
    for file, form in _files(paths, how):
        shard = _shard(file, form, how)
        taken, seen = 0, IdSet()
        items = read_shard(form, shard)
        while batch := list(islice(items, _BATCH)):
            good: list[Record] = []
            for item in batch:
                fault = faults_of(item, shard, how.text, seen) if isinstance(item, Record) else item
                total += fault.records if isinstance(fault, BadRecord) else not isinstance(fault, Skipped)
                if isinstance(item, Record) and fault is None:
                    good.append(item)
                elif isinstance(fault, BadRecord):
                    bad[fault.reason] += fault.records
            for record in good if wanted is None else _matching(good, wanted, file):
                group = get_field(record, how.group) if how.group else ""
                if group is None:
                    bad[f"no `{how.group}`{nearest(str(how.group), record)}"] += 1
                    continue
                texts.append(get_field(record, how.text))
                groups.append(str(group))
                taken += 1
        origin.append({"file": redacted(Path(file).name), **_bytes(shard), "documents": taken})
    _check_bad(paths, bad, total)
    if not texts:
        raise InputError(f"{', '.join(paths)}: no document" + ("" if condition is None else f" with {condition}"))
    if condition is not None:
        origin.append({"condition": condition})
    if bad:
        origin.append({"unreadable": bad.total()})
    return Documents(texts, groups if how.group else None, origin)


def _check_bad(paths: Sequence[str], bad: Counter[str], total: int) -> None:
    if bad.total() > MOST_BAD * total:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in bad.most_common(_SHOWN))
        raise BadDataError(f"{', '.join(paths)}: {bad.total()} of {total} records are unreadable: {reasons}")


def _files(paths: Sequence[str], how: Reading) -> Iterator[tuple[str, str]]:
    """Yield (file or folder, its format)."""
    if how.form is not None and how.form not in FORMATS:
        raise InputError(f"unknown format `{how.form}`{nearest(how.form, FORMATS)}")
    for path in paths:
        found = source_files(Source(path=path))  # type: ignore[call-arg]
        if not found:
            raise InputError(f"{path}: no such file")
        for file in found:
            is_folder = "://" not in file and os.path.isdir(file)
            form = how.form if is_folder else format_named_like(file) or how.form
            if form is None or FORMATS[form].of != ("folder" if is_folder else "file"):
                kind = "folder" if is_folder else "file"
                known = ", ".join(name for name, each in FORMATS.items() if each.of == kind)
                what = "a folder" if is_folder else "no reader for this ending"
                raise InputError(f"{file}: {what}; name its format with --format ({known})")
            yield file, form


def _shard(file: str, form: str, how: Reading) -> Shard:
    spec = FORMATS[form]
    own = {name: value for name, value in how.params.items() if name in spec.params.model_fields}
    try:
        params = spec.params.model_validate(own)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{file}: {form}: {first['loc'][0]}: {first['msg']}, got {first['input']!r}") from None
    return Shard(
        path=file,
        name=Path(file).name,
        columns=tuple(dict.fromkeys(filter(None, (how.text, how.group)))),
        params=params,
        files=tuple(code_files(file)) if spec.of == "folder" else (),
    )


def _parsed(condition: str) -> pl.Expr:
    try:
        columns_of(condition)
    except BadCondition as error:
        raise InputError(f"`{condition[:200]}` is {error}") from None
    return pl.sql_expr(condition)


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


def _bytes(shard: Shard) -> dict[str, Any]:
    """Size of a file, or of all files of a folder, and a hash of the bytes."""
    found = hashlib.blake2b(digest_size=16)
    size = 0
    for name in shard.files or (None,):
        found.update(b"" if name is None else f"{name}\0".encode())
        with fsspec.open(shard.path if name is None else os.path.join(shard.path, name), "rb") as stream:
            while part := stream.read(1 << 20):  # type: ignore[attr-defined]
                found.update(part)
                size += len(part)
    return {"bytes": size, "blake2b": found.hexdigest()}

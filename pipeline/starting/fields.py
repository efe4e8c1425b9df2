"""Which fields of a source's records hold what, by their names and what a sample of them holds."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from pipeline.config import Source
from pipeline.readers.base import Record, Shard
from pipeline.readers.registry import FORMATS, format_named_like, read_shard
from pipeline.readers.source_code import code_files
from pipeline.readers.streams import codec_of
from pipeline.starting.files import Group

LOOKED_AT = 200
"""Records of a source that are read, from the start of its first file."""
_PACKED = 3.5
"""Times that text usually grows when it is decompressed."""
_TEXT = ("text", "content", "body", "raw_content", "document", "article", "code", "passage", "abstract", "markdown")
_ID = ("id", "doc_id", "docid", "document_id", "uuid", "_id", "key", "hexsha", "url", "uri", "warc_record_id")
_GROUP = (
    "group",
    "thread_id",
    "thread",
    "repository",
    "repo",
    "repo_name",
    "max_stars_repo_name",
    "book",
    "book_id",
    "host",
)
_TRUTH = ("truth", "ground_truth", "gold_text")
_LICENSE = ("license", "licence", "license_type")


@dataclass(frozen=True)
class Look:
    """What a sample of a source's records holds.

    fields: keys of `sources.<name>` → field, or None (`id: null`). texts: of the sample. size: bytes of text in all, a
    guess. wrong: why nothing could be read.
    """

    fields: Mapping[str, str | None]
    texts: Sequence[str] = ()
    documents: int | None = None
    size: float = 0
    wrong: str | None = None


def look_at(group: Group) -> Look:
    """Read the first records of a source and guess its fields."""
    form = group.form or format_named_like(group.files[0])
    assert form is not None
    files = tuple(code_files(group.path)[:LOOKED_AT]) if form == "code" else ()
    path = group.path if form in ("code", "huggingface") else group.files[0]
    shard = Shard(path, path, columns=(), files=files, params=FORMATS[form].params())
    try:
        items = list(itertools.islice(read_shard(form, shard), LOOKED_AT))
    except Exception as error:  # a reader's libraries raise their own; the user hears it
        return Look({}, wrong=f"{type(error).__name__}: {error}")
    records = [_flat(item) for item in items if isinstance(item, Record)]
    if not records:
        said = next((item.reason for item in items if not isinstance(item, Record)), "it holds no record")
        return Look({}, wrong=said)
    text = _text_field(records)
    if text is None:
        return Look({}, wrong="no field holds text")
    texts = [record[text] for record in records if isinstance(record.get(text), str)]
    fields = {"text": text, **_others(records, text, FORMATS[form].fields)}
    documents, size = _sizes(group, form, records, texts)
    return Look(fields, texts, documents, size)


def _flat(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record with the fields of its objects as paths (`meta.url`)."""
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            found[name] = value
    return found


def _named(records: Sequence[Mapping[str, Any]], names: Sequence[str], kinds: tuple[type, ...]) -> list[str]:
    """Return the fields that are called so, maybe inside an object, and hold such values in nearly every record."""
    known = dict.fromkeys(name for record in records for name in record)
    fitting = [each for name in names for each in known if each.rpartition(".")[2].lower() == name]
    return [name for name in fitting if _share(records, name, kinds) > 0.9]


def _share(records: Sequence[Mapping[str, Any]], name: str, kinds: tuple[type, ...]) -> float:
    return sum(isinstance(record.get(name), kinds) and record[name] != "" for record in records) / len(records)


def _text_field(records: Sequence[Mapping[str, Any]]) -> str | None:
    if found := _named(records, _TEXT, (str,)):
        return found[0]
    lengths = {
        name: sum(len(str(record[name])) for record in records if isinstance(record.get(name), str))
        for name in dict.fromkeys(name for record in records for name in record)
        if _share(records, name, (str,)) > 0.5
    }
    return max(lengths, key=lambda name: lengths[name]) if lengths else None


def _others(records: Sequence[Mapping[str, Any]], text: str, given: Mapping[str, str]) -> dict[str, str | None]:
    """Return the other fields that are there; those that the format gives itself need not be said."""
    ids = [
        name
        for name in _named(records, _ID, (str, int))
        if len({r[name] for r in records if name in r}) == len(records)
    ]
    found: dict[str, str | None] = {"id": ids[0] if ids else None}
    for key, names in (("group", _GROUP), ("truth", _TRUTH), ("license_field", _LICENSE)):
        fitting = [name for name in _named(records, names, (str, int) if key == "group" else (str,)) if name != text]
        if fitting and key not in given:
            found[key] = fitting[0]
    return found


def _sizes(
    group: Group, form: str, records: Sequence[Mapping[str, Any]], texts: Sequence[str]
) -> tuple[int | None, float]:
    """Return documents, where they can be counted, and bytes of text, from the sizes of files and the sample."""
    mean = sum(len(each.encode(errors="replace")) for each in texts) / len(texts)
    if form == "parquet":
        try:
            rows = sum(pq.read_metadata(file).num_rows for file in group.files)
        except Exception:  # damaged ones are set aside when the run reads them
            return None, float(group.bytes)
        return rows, rows * mean
    whole = sum(len(str(value).encode(errors="replace")) for record in records for value in record.values())
    share = mean * len(texts) / max(whole, 1)
    grown = sum(size * (_PACKED if codec_of(file) else 1) for file, size in _file_sizes(group))
    return (len(group.files) if FORMATS[form].names_documents and form != "text" else None), grown * share


def _file_sizes(group: Group) -> list[tuple[str, int]]:
    return [(file, Group("", "", (file,)).bytes) for file in group.files]


DEFAULTS = {"text": Source.model_fields["text"].default, "id": Source.model_fields["id"].default}
"""Fields that need not be said where they are called so."""

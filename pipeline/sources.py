"""Stage `sources`: read a raw shard into the document table; bad records are set aside and counted."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from classifiers.masking import MASKS
from pipeline.config import Source
from pipeline.crashed import CRASHED, CRASHED_DOCUMENTS, without_crashed
from pipeline.documents import SCHEMA, TableWriter
from pipeline.errors import BadDataError
from pipeline.ids import IdSet
from pipeline.readers.base import MAX_DOCUMENT_BYTES, BadRecord, Piece, Record, Shard, Skipped, too_long
from pipeline.readers.listing import params_of
from pipeline.readers.registry import FORMATS, read_shard
from pipeline.readers.text import place
from pipeline.run import Run
from pipeline.shards import Part, parts
from pipeline.units import Job, Unit

VERSION = 1
_QUARANTINE = pa.schema([("row", pa.int64()), ("records", pa.int64()), ("reason", pa.string())])
_QUARANTINE_BYTES = _QUARANTINE.insert(1, pa.field("byte", pa.int64()))
"""Of a piece that is cut by bytes: rows count from its start, byte is where the record starts in the file."""
_SHOWN = 3


def units(run: Run) -> list[Unit]:
    """One unit per shard, keyed by the shard's bytes and the fields that are read from it."""
    units = [
        Unit(
            stage="sources",
            name=f"{name}/{part.label}",
            version=VERSION,
            args=_args(name, source, part),
            place={
                "path": part.path,
                "format": part.form,
                "name": part.name,
                "first_row": part.piece.first_row if part.piece else 0,
                "files": part.files,
            },
        )
        for name, source in run.config.sources.items()
        for part in parts(run, name, source)
    ]
    return without_crashed(run, units)


def _args(name: str, source: Source, part: Part) -> dict[str, Any]:
    """Return what the documents depend on. What was not asked for is left out, so that the keys of whole JSONL files
    are those of before there was anything else."""
    spec = FORMATS[part.form]
    fields = source.model_dump(include={"text", "id", "group", "truth", "license", "license_field"})
    for key, column in spec.fields.items():
        if fields[key] is None and not (key == "license_field" and source.license):
            fields[key] = column
    args: dict[str, Any] = {"source": name, "content": part.content, "fields": fields}
    if spec.version:
        params = params_of(source, part.form).model_dump(mode="json")
        args["reader"] = {"format": part.form, "version": spec.version, "params": params}
    if part.piece:
        args["piece"] = [part.piece.start, part.piece.end]
    if spec.names_documents or source.id is None:
        args["file"] = part.name
    if source.max_document_bytes != MAX_DOCUMENT_BYTES:
        args["max_document_bytes"] = source.max_document_bytes
    if source.mask:
        args["mask"] = sorted(set(source.mask))
    return args


def _shard(job: Job) -> tuple[str, Shard]:
    """Return a job's format and what its reader gets."""
    reader = job.args.get("reader")
    form = reader["format"] if reader else job.place["format"]
    start, end = job.args.get("piece", (0, 0))
    piece = Piece(start, end, job.place["first_row"]) if "piece" in job.args else None
    fields = job.args["fields"]
    mapped = (fields[key] for key in ("text", "id", "group", "truth", "license_field"))
    return form, Shard(
        path=job.place["path"],
        name=job.place["name"],
        piece=piece,
        columns=tuple(dict.fromkeys(column for column in mapped if column)),
        limit=job.args.get("max_document_bytes", MAX_DOCUMENT_BYTES),
        params=FORMATS[form].params.model_validate(reader["params"] if reader else {}),
        files=tuple(job.place["files"]),
    )


def work(job: Job) -> dict[str, Any]:
    """Write `documents.parquet` and `quarantine.parquet` of one shard; return counts.

    `documents` + `quarantined` + the `skipped` are the shard's records; `reasons` counts the quarantined by the part of
    their reason before a colon, `unread` the places behind which an unknown number of records is lost.
    """
    form, shard = _shard(job)
    counts = {"documents": 0, "bytes": 0, "quarantined": 0}
    masks, crashed = job.args.get("mask", []), job.args.get(CRASHED_DOCUMENTS, {})
    skipped, reasons, unread, masked = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    seen = IdSet()
    by_bytes = shard.piece is not None and FORMATS[form].by_bytes
    with (
        TableWriter(job.out / "documents.parquet", SCHEMA) as documents,
        TableWriter(job.out / "quarantine.parquet", _QUARANTINE_BYTES if by_bytes else _QUARANTINE) as quarantine,
    ):
        crash = [BadRecord(-1, job.args[CRASHED], uncounted=True)] if CRASHED in job.args else None
        for item in crash or read_shard(form, shard):
            document = _document(item, shard, job.args["fields"], seen) if isinstance(item, Record) else item
            if isinstance(item, Record) and isinstance(document, dict) and document["id"] in crashed:
                document = BadRecord(item.row, crashed[document["id"]], item.byte)
            if isinstance(document, BadRecord):
                quarantine.add({key: getattr(document, key) for key in ("row", "byte", "records", "reason")})
                counts["quarantined"] += document.records
                reasons[document.reason.partition(":")[0]] += document.records
                unread[document.reason] += document.uncounted
            elif isinstance(document, Skipped):
                skipped[document.reason] += 1
            else:
                _mask(document, masks, masked)
                documents.add(document)
                counts["documents"] += 1
                counts["bytes"] += len(document["text"].encode())
    found = {"reasons": dict(reasons), "skipped": dict(skipped), "unread": dict(+unread)}
    return counts | {key: each for key, each in found.items() if each} | _masked(masks, masked)


def _mask(document: dict[str, Any], kinds: list[str], masked: Counter[str]) -> None:
    """Replace personal data in a document's text and ground truth, before anything is known about it."""
    for kind in kinds:
        for field in ("text", "truth"):
            if document[field]:
                document[field], count = MASKS[kind](document[field])
                masked[kind] += count


def _masked(kinds: list[str], masked: Counter[str]) -> dict[str, dict[str, int]]:
    return {"masked": {kind: masked[kind] for kind in kinds}} if kinds else {}


def _document(
    record: Record, shard: Shard, fields: dict[str, Any], seen: IdSet
) -> dict[str, Any] | BadRecord | Skipped:
    """Return the row of the document table that a record gives, or why it gives none.

    Empty texts and repeated ids are common in sound data: they are skipped, which no share of bad records limits.
    """
    rest = dict(record)

    def bad(reason: str) -> BadRecord:
        return BadRecord(record.row, reason, record.byte)

    text = _take(rest, fields["text"])
    name = _take(rest, fields["id"]) if fields["id"] else place(shard, record.row, record.byte)
    truth = _take(rest, fields["truth"]) if fields["truth"] else None
    if not isinstance(text, str):
        return bad(f"field `{fields['text']}` holds no text")
    if not text.strip():
        return Skipped(record.row, "empty text")
    if name is None:
        return bad(f"field `{fields['id']}` is missing")
    if truth is not None and not isinstance(truth, str):
        return bad(f"field `{fields['truth']}` holds no text")
    group = get_field(rest, fields["group"]) if fields["group"] else None
    license_ = fields["license"] or (get_field(rest, fields["license_field"]) if fields["license_field"] else None)
    document = {
        "id": str(name),
        "text": text,
        "group": str(name if group is None else group),
        "license": None if license_ in (None, "") else str(license_),
        "truth": truth,
        "fields": json.dumps({k: v for k, v in rest.items() if isinstance(v, str | int | float | bool)}),
    }
    try:
        size = max(len(value.encode()) for value in document.values() if value is not None)
    except UnicodeEncodeError:
        return bad("half a surrogate pair: it has no UTF-8")
    if size > shard.limit:
        return too_long(record.row, size, shard.limit, record.byte)
    if "\0" in text:
        return bad("a NUL character in the text")
    if not seen.add(document["id"]):
        return Skipped(record.row, "repeated id")
    return document


def get_field(record: dict[str, Any], path: str) -> Any:
    """Return a field by its name, or by a path of names with dots; None where it is absent."""
    if path in record:
        return record[path]
    value: Any = record
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _take(record: dict[str, Any], path: str) -> Any:
    """Return a field and remove it where it stands at the top."""
    return record.pop(path) if path in record else get_field(record, path)


def faults_of(record: Record, shard: Shard, text: str, seen: IdSet) -> BadRecord | Skipped | None:
    """Return why a record gives no document with the field `text`, None where it gives one; ids do not matter."""
    fields = dict.fromkeys(("id", "group", "truth", "license", "license_field")) | {"text": text}
    found = _document(record, shard, fields, seen)
    return None if isinstance(found, dict) else found


def check(run: Run) -> None:
    """Raise where a source has no document, or more bad records than its `max_bad_fraction`; note files that were not
    read whole, for these weigh little among the records however much they held."""
    for name, source in run.config.sources.items():
        mine = [unit for unit in run.of("sources") if unit.args["source"] == name]
        counts = [run.manifest(unit)["counts"] for unit in mine]
        good, bad = sum(c["documents"] for c in counts), sum(c["quarantined"] for c in counts)
        if bad > source.max_bad_fraction * (good + bad):
            raise BadDataError(
                f"source `{name}`: {bad} of {good + bad} records are unreadable, "
                f"above max_bad_fraction {source.max_bad_fraction}; see quarantine.parquet in "
                + ", ".join(str(run.store.local(unit.ref)) for unit in mine)
                + "".join(f"\n  {line}" for line in _first_bad(run, mine))
            )
        lost = [unit for unit in mine if CRASHED in unit.args]
        if len(lost) > source.max_bad_fraction * len(mine):  # nobody knows how many records they hold
            raise BadDataError(
                f"source `{name}`: {len(lost)} of {len(mine)} shards are left out, above max_bad_fraction "
                f"{source.max_bad_fraction}:"
                + "".join(f"\n  {unit.name} ({unit.place['path']}): {unit.args[CRASHED]}" for unit in lost)
            )
        if good == 0:
            raise run.mix.error(("sources", name, "path"), f"`{source.path}` holds no document")
        _note_unread(run, name, mine)


def _note_unread(run: Run, source: str, units: list[Unit]) -> None:
    unread = {unit.place["path"]: run.manifest(unit)["counts"].get("unread") for unit in units}
    places = [f"{path}: {reason}" for path, reasons in unread.items() for reason in reasons or ()]
    if places:
        number = sum(map(bool, unread.values()))
        what = f"1 file of `{source}` was" if number == 1 else f"{number} files of `{source}` were"
        shown = places[:_SHOWN] + ["…"] * (len(places) > _SHOWN)
        run.notes.append(f"sources: {what} not read whole: " + "\n  ".join(shown))


def _first_bad(run: Run, units: list[Unit]) -> list[str]:
    """Return `file: row N: reason` of the first quarantined records."""
    shown = []
    for unit in units:
        if len(shown) < _SHOWN and run.manifest(unit)["counts"]["quarantined"]:
            rows = pq.read_table(run.store.local(unit.ref) / "quarantine.parquet").slice(0, _SHOWN - len(shown))
            for row in rows.to_pylist():
                where = f"byte {row['byte']}" if row.get("byte") is not None else f"row {row['row']}"
                shown.append(f"{unit.place['path']}: {where if row['row'] >= 0 else 'whole file'}: {row['reason']}")
    return shown

"""Stage `sources`: read a raw shard into the document table; bad records are set aside and counted."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import fsspec
import pyarrow as pa

from classifiers.masking import MASKS
from pipeline.checks.data import source_files
from pipeline.config import Source
from pipeline.documents import SCHEMA, TableWriter
from pipeline.errors import BadDataError
from pipeline.readers import BadRecord, Record, read_shard
from pipeline.run import Run
from pipeline.units import Job, Unit

VERSION = 1
_QUARANTINE = pa.schema([("row", pa.int64()), ("reason", pa.string())])


def units(run: Run) -> list[Unit]:
    """One unit per shard, keyed by the shard's bytes and the fields that are read from it."""
    return [
        Unit(
            stage="sources",
            name=f"{name}/{i:03d}",
            version=VERSION,
            args={"source": name, "content": fingerprint(run, file), "fields": _fields(source), **_masks(source)},
            place={"path": file},
        )
        for name, source in run.config.sources.items()
        for i, file in enumerate(source_files(source.path))
    ]


def _fields(source: Source) -> dict[str, str | None]:
    return source.model_dump(include={"text", "id", "group", "truth", "license", "license_field"})


def _masks(source: Source) -> dict[str, list[str]]:
    return {"mask": sorted(set(source.mask))} if source.mask else {}


def fingerprint(run: Run, path: str) -> str:
    """Return a name for a file's content: a hash of its bytes, or what an object store says of it.

    Hashes are remembered by path, size and time of change, so that a large file is read once.
    """
    if "://" in path:
        fs, base = fsspec.core.url_to_fs(path)
        return str(fs.checksum(base))
    stat = Path(path).stat()
    stamp = f"{Path(path).resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
    if stamp not in run.fingerprints:
        with open(path, "rb") as file:
            run.fingerprints[stamp] = hashlib.file_digest(file, "blake2b").hexdigest()[:32]
    return run.fingerprints[stamp]


def work(job: Job) -> dict[str, Any]:
    """Write `documents.parquet` and `quarantine.parquet` of one shard; return counts."""
    fields = job.args["fields"]
    counts = {"documents": 0, "bytes": 0, "quarantined": 0}
    masks = job.args.get("mask", [])
    masked = Counter[str]()
    seen: set[str] = set()
    with (
        TableWriter(job.out / "documents.parquet", SCHEMA) as documents,
        TableWriter(job.out / "quarantine.parquet", _QUARANTINE) as quarantine,
    ):
        for row, record in enumerate(read_shard(job.place["path"])):
            document = _document(row, record, fields, seen)
            if isinstance(document, BadRecord):
                quarantine.add({"row": document.row, "reason": document.reason})
                counts["quarantined"] += 1
            else:
                seen.add(document["id"])
                _mask(document, masks, masked)
                documents.add(document)
                counts["documents"] += 1
                counts["bytes"] += len(document["text"].encode())
    return {**counts, "masked": {kind: masked[kind] for kind in masks}} if masks else counts


def _mask(document: dict[str, Any], kinds: list[str], masked: Counter[str]) -> None:
    """Replace personal data in a document's text and ground truth, before anything is known about it."""
    for kind in kinds:
        for field in ("text", "truth"):
            if document[field]:
                document[field], count = MASKS[kind](document[field])
                masked[kind] += count


def _document(row: int, record: Record | BadRecord, fields: dict[str, Any], seen: set[str]) -> dict | BadRecord:
    if isinstance(record, BadRecord):
        return record
    rest = dict(record)
    text, name = rest.pop(fields["text"], None), rest.pop(fields["id"], None)
    truth = rest.pop(fields["truth"], None) if fields["truth"] else None
    if not isinstance(text, str):
        return BadRecord(row, f"field `{fields['text']}` holds no text")
    if not text.strip():
        return BadRecord(row, "empty text")
    if name is None:
        return BadRecord(row, f"field `{fields['id']}` is missing")
    if str(name) in seen:
        return BadRecord(row, "repeated id")
    return {
        "id": str(name),
        "text": text,
        "group": str(rest.get(fields["group"], name)) if fields["group"] else str(name),
        "license": fields["license"] or _text_or_none(rest.get(fields["license_field"])),
        "truth": truth,
        "fields": json.dumps({k: v for k, v in rest.items() if isinstance(v, str | int | float | bool)}),
    }


def _text_or_none(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)


def check(run: Run) -> None:
    """Raise where a source has no document, or more bad records than its `max_bad_fraction`."""
    for name, source in run.config.sources.items():
        manifests = [run.manifest(unit) for unit in run.of("sources") if unit.args["source"] == name]
        good = sum(m["counts"]["documents"] for m in manifests)
        bad = sum(m["counts"]["quarantined"] for m in manifests)
        if bad > source.max_bad_fraction * (good + bad):
            raise BadDataError(
                f"source `{name}`: {bad} of {good + bad} records are unreadable, "
                f"above max_bad_fraction {source.max_bad_fraction}; see quarantine.parquet in "
                + ", ".join(str(run.store.local(u.ref)) for u in run.of("sources") if u.args["source"] == name)
            )
        if good == 0:
            raise run.mix.error(("sources", name, "path"), f"`{source.path}` holds no document")

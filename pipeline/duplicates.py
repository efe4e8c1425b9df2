"""Stages `matches` and `duplicates`: which documents repeat an earlier one, across shards and sources.

Sources come in the YAML's order, shards and documents in theirs, and the first document of a cluster of near duplicates
survives; no copy of it is on either side of the held-out split. A source is compared with itself and with all that
stand before it, so one that is added at the end changes nothing before it: what survived there stays, also where a new
document is like two of them. A document whose licence is not allowed is no copy of anything, or an allowed one would go
for its sake.

The comparison falls into parts by ranges of keys, so that no process holds the signatures of everything.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import polars as pl
import pyarrow.parquet as pq

from pipeline.run import Run
from pipeline.store import to_json
from pipeline.units import Job, Unit

MATCHES_VERSION = 1
VERSION = 2

PART_BYTES = 2**29
"""Bytes of raw files to a part, over the sources compared: up to a million documents of 2 kB in compressed files."""

_ROWS = 20_000  # signatures read at a time (5 MB)


# matches: pairs of documents that are alike


def matches_units(run: Run) -> list[Unit]:
    """One unit per source and part; its inputs are the sources before it by name, then its own shards in order."""
    signatures = {u.name.removesuffix("/duplicates"): u for u in run.of("annotate") if u.name.endswith("/duplicates")}
    allow = run.config.licenses.allow
    units, before, size = [], [], 0
    for name in run.config.sources:
        own = [shard for shard in run.of("sources") if shard.args["source"] == name]
        size += sum(map(_size, {shard.place["path"] for shard in own}))
        inputs = {}
        for shard in (*sorted(before, key=lambda each: each.name), *own):
            inputs[f"{shard.name}/documents"] = shard.ref
            inputs[f"{shard.name}/signatures"] = signatures[shard.name].ref
        parts = 1 + size // PART_BYTES
        args = {"source": name, "parts": parts} | ({"licenses": sorted(allow)} if allow is not None else {})
        units += _beside_removed(run, _parts(name, args, inputs))
        before += own
    return units


def _size(path: str) -> int:
    if "://" in path:
        fs, base = fsspec.core.url_to_fs(path)
        return int(fs.size(base) or 0)
    return os.path.getsize(path)


def _parts(source: str, args: Mapping[str, Any], inputs: Mapping[str, str]) -> list[Unit]:
    return [
        Unit("matches", f"{source}/{part}", MATCHES_VERSION, {**args, "part": part}, inputs)
        for part in range(args["parts"])
    ]


def _beside_removed(run: Run, units: list[Unit]) -> list[Unit]:
    """Return a source's units with their earlier references where the YAML only dropped sources before it.

    They keep their copies, or a removed source would change the text, and with it the proxies, of all that stand after.
    """
    unit = units[0]
    text = run.store.read_text(_references(run, unit))
    if text is None or all(map(run.is_done, units)):
        return units
    pinned = json.loads(text)
    earlier = dict(pinned["inputs"])
    dropped = {role.split("/")[0] for role in earlier.keys() - unit.inputs.keys()}
    kept = _parts(unit.args["source"], {**unit.args, "parts": pinned["parts"]}, earlier)
    same = unit.inputs.items() <= earlier.items() and not dropped & set(run.config.sources)
    return kept if same and all(map(run.is_done, kept)) else units


def remember_references(run: Run) -> None:
    """Remember what every source was compared with, in order."""
    for unit in run.of("matches"):
        text = to_json({"parts": unit.args["parts"], "inputs": list(unit.inputs.items())})
        if unit.args["part"] == 0 and run.store.read_text(_references(run, unit)) != text:
            run.store.write_text(_references(run, unit), text)


def _references(run: Run, unit: Unit) -> str:
    return f"pins/{run.mix.stem}/matches-{unit.args['source']}.json"


def find_matches(job: Job) -> dict[str, Any]:
    """Write `pairs.npy`: [pairs, 2] numbers of the later and the earlier document, counted over the inputs."""
    from classifiers.duplicates import similar_pairs

    shards = _shards(job.inputs)
    starts = _starts(job.inputs, shards)
    own = _first_own(shards, job.args["source"])

    def read() -> Iterator[tuple[np.ndarray, pl.DataFrame]]:
        for name, start in zip(shards, starts[:-1], strict=True):
            yield from _signatures(job, name, start)

    pairs = similar_pairs(read, starts[-1], starts[own], job.args["part"], job.args["parts"])
    np.save(job.out / "pairs.npy", pairs)
    return {"pairs": len(pairs), "compared": starts[-1]}


def _shards(inputs: Mapping[str, Path]) -> list[str]:
    """Return the names of the shards among the inputs, in order."""
    return [role.removesuffix("/documents") for role in inputs if role.endswith("/documents")]


def _starts(inputs: Mapping[str, Path], shards: Sequence[str]) -> list[int]:
    """Return the number of each shard's first document, and that of all documents."""
    rows = [pq.read_metadata(inputs[f"{name}/documents"] / "documents.parquet").num_rows for name in shards]
    return [0, *np.cumsum(rows).tolist()]


def _first_own(shards: Sequence[str], source: str) -> int:
    """Return the place of the source's first shard; its shards are the last ones."""
    return next(i for i, name in enumerate(shards) if name.split("/")[0] == source)


def _signatures(job: Job, shard: str, start: int) -> Iterator[tuple[np.ndarray, pl.DataFrame]]:
    """Yield numbers and signatures of a shard's documents that may be used."""
    allow = job.args.get("licenses")
    documents = job.inputs[f"{shard}/documents"] / "documents.parquet"
    licenses = pl.read_parquet(documents, columns=["license"])["license"] if allow is not None else None
    file = pq.ParquetFile(job.inputs[f"{shard}/signatures"] / "attributes.parquet")
    row = 0
    for batch in file.iter_batches(batch_size=_ROWS):
        frame = pl.from_arrow(batch)
        assert isinstance(frame, pl.DataFrame)
        numbers = np.arange(start + row, start + row + len(frame))
        if licenses is not None:
            usable = licenses[row : row + len(frame)].is_in(allow or []).fill_null(False)
            frame, numbers = frame.filter(usable), numbers[usable.to_numpy()]
        row += batch.num_rows
        yield numbers, frame


# duplicates: the clusters that pairs make, and which document of each survives


def duplicates_units(run: Run) -> list[Unit]:
    """One unit per source: what all parts found."""
    units = []
    for name in run.config.sources:
        parts = [unit for unit in run.of("matches") if unit.args["source"] == name]
        documents = {role: ref for role, ref in parts[0].inputs.items() if role.endswith("/documents")}
        found = {f"part {unit.args['part']}": unit.ref for unit in parts}
        units.append(Unit("duplicates", name, VERSION, {"source": name}, {**documents, **found}))
    return units


def mark_duplicates(job: Job) -> dict[str, Any]:
    """Write for each shard of the source `<shard>.parquet`: the rows that repeat an earlier document, and its name
    (`source:id`)."""
    from classifiers.duplicates import clusters

    shards = _shards(job.inputs)
    starts = _starts(job.inputs, shards)
    pairs = [np.load(folder / "pairs.npy") for role, folder in job.inputs.items() if role.startswith("part ")]
    documents, first = clusters(np.unique(np.concatenate(pairs), axis=0))
    names = _names(job.inputs, shards, starts, np.unique(first))
    own = _first_own(shards, job.args["source"])
    copies = (documents != first) & (documents >= starts[own])
    for shard, start, end in zip(shards[own:], starts[own:-1], starts[own + 1 :], strict=True):
        mine = copies & (documents >= start) & (documents < end)
        frame = pl.DataFrame(
            {"row": documents[mine] - start, "duplicate_of": [names[number] for number in first[mine].tolist()]},
            schema={"row": pl.Int64, "duplicate_of": pl.String},
        )
        frame.write_parquet(job.out / f"{shard.partition('/')[2]}.parquet")
    return {"duplicates": int(copies.sum()), "clusters": len(np.unique(first[copies]))}


def _names(
    inputs: Mapping[str, Path], shards: Sequence[str], starts: Sequence[int], wanted: np.ndarray
) -> dict[int, str]:
    """Return number → `source:id` of the wanted documents (ascending)."""
    names = {}
    for shard, start, end in zip(shards, starts[:-1], starts[1:], strict=True):
        mine = wanted[np.searchsorted(wanted, start) : np.searchsorted(wanted, end)]
        if len(mine):
            ids = pl.read_parquet(inputs[f"{shard}/documents"] / "documents.parquet", columns=["id"])["id"]
            source = shard.split("/")[0]
            names |= {number: f"{source}:{ids[number - start]}" for number in mine.tolist()}
    return names


def repeated_rows(folder: Path, shard: str) -> set[int]:
    """Return the rows of a shard that repeat an earlier document, from what `mark_duplicates` wrote."""
    return set(pl.read_parquet(folder / f"{shard.partition('/')[2]}.parquet")["row"].to_list())

"""Find the document that ends the process of a unit, by halving the shard."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow.parquet as pq

from pipeline.apart import NATIVE, Died, apart
from pipeline.documents import BATCH
from pipeline.store import Store
from pipeline.units import Unit

DOCUMENTS = "documents"
"""Role of the input whose rows are documents."""


def poisoned_document(root: str, unit: Unit) -> str | None:
    """Return the id of a document that alone ends the process of this unit by native code; None where none does, or the
    unit reads no documents.

    About log2 of the shard's documents children, each with half as many documents as the one before.
    """
    if DOCUMENTS not in unit.inputs:
        return None
    inputs = {role: Store(root).local(ref) for role, ref in unit.inputs.items()}
    rows = _rows(inputs[DOCUMENTS] / "documents.parquet")
    row = culprit(rows, lambda first, end: _dies(root, unit, inputs, rows, first, end))
    if row is None:
        return None
    return _slice(inputs[DOCUMENTS] / "documents.parquet", row, row + 1)["id"].item()


def culprit(rows: int, dies: Callable[[int, int], bool]) -> int | None:
    """Return a row that `dies` alone, where the rows [0, `rows`) do; None where only several rows together die."""
    first, end = 0, rows
    while end - first > 1:
        middle = (first + end) // 2
        first, end = (first, middle) if dies(first, middle) else (middle, end)
    return first if rows and dies(first, end) else None


def _dies(root: str, unit: Unit, inputs: Mapping[str, Path], rows: int, first: int, end: int) -> bool:
    with tempfile.TemporaryDirectory(prefix="mixwright-part-") as folder:
        parts = {role: _part(path, Path(folder) / role, rows, first, end) for role, path in inputs.items()}
        found = apart(_work, root, unit, parts, Path(folder) / "out")
    return isinstance(found, Died) and found.by in NATIVE


def _work(root: str, unit: Unit, inputs: Mapping[str, Path], out: Path) -> None:
    """Do the unit on other inputs, for what it may end by alone."""
    from pipeline.execute import job_of
    from pipeline.stages import WORK

    job = job_of(Store(root), unit)
    shutil.rmtree(job.out)
    out.mkdir()
    with suppress(Exception):
        WORK[unit.stage](replace(job, inputs=inputs, out=out, scratch=None))


def _part(source: Path, target: Path, rows: int, first: int, end: int) -> Path:
    """Link an artefact's files into a new folder; tables with a row for each document are cut to some of them."""
    target.mkdir()
    for file in source.rglob("*"):
        to = target / file.relative_to(source)
        if file.is_dir():
            to.mkdir()
        elif file.suffix == ".parquet" and _rows(file) == rows:
            _slice(file, first, end).write_parquet(to, row_group_size=BATCH)  # batches stay side by side
        else:
            to.symlink_to(file)
    return target


def _rows(file: Path) -> int:
    return pq.ParquetFile(file).metadata.num_rows


def _slice(file: Path, first: int, end: int) -> pl.DataFrame:
    """Return rows [first, end) of a table."""
    return pl.scan_parquet(file).slice(first, end - first).collect()

"""The funnel: documents in and out by stage, source and reason. The counts of a source always add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from pipeline.errors import InputError, nearest
from pipeline.run import Run

STAGES = ("sources", "select", "rewrite", "tokenize")
SCHEMA = {
    "stage": pl.String,
    "name": pl.String,  # source or domain
    "outcome": pl.String,  # kept, dropped, quarantined, skipped (no document), rejected (parts that a rewriter refused)
    "reason": pl.String,
    "documents": pl.Int64,
    "bytes": pl.Int64,
    "tokens": pl.Int64,
}


def funnel_frame(entries: Iterable[tuple[str, str, dict[str, Any]]]) -> pl.DataFrame:
    """Return the funnel from (stage, unit name, counts) of every unit of the four stages.

    For each source: read = trained on + held out + dropped, and read + quarantined + skipped = records in the shards.
    """
    total: dict[tuple[str, str, str, str], Counter[str]] = {}

    def add(stage: str, name: str, outcome: str, reason: str, documents: int, size: int = 0, tokens: int = 0) -> None:
        cell = total.setdefault((stage, name, outcome, reason), Counter())
        cell.update(documents=documents, bytes=size, tokens=tokens)

    for stage, unit, counts in entries:
        name = unit.split("/")[0]
        if stage == "sources":
            add(stage, name, "kept", "read", counts["documents"], counts["bytes"])
            for reason, records in sorted((counts.get("reasons") or {"unreadable": counts["quarantined"]}).items()):
                if records:
                    add(stage, name, "quarantined", reason, records)
            for reason, records in sorted(counts.get("skipped", {}).items()):
                add(stage, name, "skipped", reason, records)
        elif stage == "select":
            for reason, documents in sorted(counts["outcome"].items()):
                kept = reason in ("train", "heldout")
                add(stage, name, "kept" if kept else "dropped", reason, documents, counts["bytes"][reason])
        elif stage == "rewrite":
            made = counts.get("rewritten", 0)
            add(stage, name, "kept", "rewritten", made, counts.get("bytes", 0))
            if nothing := counts.get("documents_in", 0) - made:
                add(stage, name, "dropped", "nothing accepted", nothing)
            for reason, parts in sorted(counts["rejected"].items()):
                add(stage, name, "rejected", reason, parts)
        elif stage == "tokenize":
            add(stage, name, "kept", "tokenized", counts["documents"], counts["bytes"], counts["tokens"])
    _estimate_tokens(total)
    rows = [
        (*key, cell["documents"], cell["bytes"], cell["tokens"])
        for key, cell in sorted(total.items(), key=lambda item: (STAGES.index(item[0][0]), *item[0][1:]))
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def _estimate_tokens(total: dict[tuple[str, str, str, str], Counter[str]]) -> None:
    """Fill in the tokens of text that was not tokenized, by its bytes and the tokens per byte of its source's text."""
    rates: dict[str, Counter[str]] = {}
    for (stage, name, *_), cell in total.items():
        if stage == "tokenize":
            rates.setdefault(name.split(".")[0], Counter()).update(cell)
    for (stage, name, *_), cell in total.items():
        rate = rates.get(name.split(".")[0])
        if stage != "tokenize" and rate and rate["bytes"]:
            cell["tokens"] = round(cell["bytes"] * rate["tokens"] / rate["bytes"])


def funnel(run: Run) -> pl.DataFrame:
    """Return the funnel of a run whose curation is finished."""
    return funnel_frame((stage, unit.name, run.manifest(unit)["counts"]) for stage in STAGES for unit in run.of(stage))


def read_funnel(path: str, sets: Sequence[str] = ()) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the funnel and the examples of a run folder or its URL, or of a mix YAML whose curation is finished.

    Raises InputError where there is neither.
    """
    from pipeline.driver import open_run
    from pipeline.examples import examples
    from pipeline.load import load_mix
    from pipeline.plan import plan
    from pipeline.run_folder import find_run_folder

    if "://" in path or Path(path).is_dir():
        folder = find_run_folder(path, "funnel.parquet", "examples.parquet")
        return pl.read_parquet(folder / "funnel.parquet"), pl.read_parquet(folder / "examples.parquet")
    run = open_run(load_mix(Path(path), sets))
    for stage in plan(run):
        if stage.stage in STAGES and (stage.todo or stage.waits_for):
            raise InputError(
                f"{path}: its curation is not finished; `mixwright curate {path}` goes on from where it is"
            )
    return funnel(run), examples(run)


def chosen(frame: pl.DataFrame, column: str, name: str | None) -> pl.DataFrame:
    """Return the rows of one source (and its variants), or reason; all where no name is given.

    Raises InputError where there is none of that name.
    """
    if name is None:
        return frame
    found = frame.filter((pl.col(column) == name) | pl.col(column).str.starts_with(f"{name}."))
    if found.is_empty():
        names = frame[column].unique().sort().to_list()
        what = "source or domain" if column == "name" else column
        raise InputError(f"there is no {what} `{name}`{nearest(name, names)}")
    return found


def funnel_text(frame: pl.DataFrame, width: int | None = None) -> str:
    """Return the funnel as aligned plain text. width: columns of a terminal; where they are too few the numbers stand
    below what they count."""
    columns = ("stage", "source or domain", "outcome", "reason")
    widths = [max(len(head), *(len(value) for value in frame[:, i])) for i, head in enumerate(columns)]

    def line(cells: Sequence[str], documents: str, size: str, tokens: str) -> str:
        named = " ".join(cell.ljust(wide) for cell, wide in zip(cells, widths, strict=True))
        numbers = f"{documents:>10} {size:>8} {tokens:>12}"
        if width is not None and len(named) + len(numbers) >= width:
            return f"{' '.join(' '.join(cells).split())}\n{numbers}".rstrip()
        return f"{named} {numbers}".rstrip()

    lines = [line(columns, "documents", "MB", "tokens")]
    for *cells, documents, size, tokens in frame.iter_rows():
        about = "" if cells[0] == "tokenize" else "~"
        lines.append(line(cells, f"{documents:,}", f"{size / 1e6:.2f}", f"{about}{tokens:,}" if tokens else ""))
    return "\n".join([*lines, "~ by its bytes: only what is trained on is tokenized."])

"""The funnel: documents in and out by stage, source and reason. The counts of a source always add up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import polars as pl

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
            add(stage, name, "dropped", "nothing accepted", counts.get("documents_in", 0) - made)
            for reason, parts in sorted(counts["rejected"].items()):
                add(stage, name, "rejected", reason, parts)
        elif stage == "tokenize":
            add(stage, name, "kept", "tokenized", counts["documents"], counts["bytes"], counts["tokens"])
    rows = [
        (*key, cell["documents"], cell["bytes"], cell["tokens"])
        for key, cell in sorted(total.items(), key=lambda item: (STAGES.index(item[0][0]), *item[0][1:]))
    ]
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def funnel(run: Run) -> pl.DataFrame:
    """Return the funnel of a run whose curation is finished."""
    return funnel_frame((stage, unit.name, run.manifest(unit)["counts"]) for stage in STAGES for unit in run.of(stage))


def funnel_text(frame: pl.DataFrame) -> str:
    """Return the funnel as aligned plain text."""
    heads = f"{'stage':<9} {'source or domain':<18} {'outcome':<11} {'reason':<18}"
    lines = [f"{heads} {'documents':>10} {'MB':>8} {'tokens':>11}"]
    for stage, name, outcome, reason, documents, size, tokens in frame.iter_rows():
        lines.append(
            f"{stage:<9} {name:<18} {outcome:<11} {reason:<18} {documents:>10,} {size / 1e6:>8.2f} {tokens or '':>11}"
        )
    return "\n".join(lines)

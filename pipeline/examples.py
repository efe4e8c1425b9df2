"""What filters removed, for people: ten seeded examples of every reason."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import polars as pl

from pipeline.run import Run
from pipeline.select import EXAMPLES


def examples(run: Run) -> pl.DataFrame:
    """Return ten seeded examples of what was dropped, by source and reason: source, reason, id, bytes, text (its first
    characters)."""
    shards = ((unit.name, run.store.local(unit.ref) / "examples.parquet") for unit in run.of("select"))
    return examples_frame(shards)


def examples_frame(shards: Iterable[tuple[str, Path]]) -> pl.DataFrame:
    """Return the examples of all shards of each source, of which those with the least draws stay."""
    frames = [pl.read_parquet(path).with_columns(source=pl.lit(name.split("/")[0])) for name, path in shards]
    together = pl.concat(frames).sort("source", "reason", "draw", "id")
    kept = together.group_by("source", "reason", maintain_order=True).head(EXAMPLES)
    return kept.select("source", "reason", "id", "bytes", "text")


def examples_text(frame: pl.DataFrame, characters: int = 300) -> str:
    """Return the examples as plain text, shortened, each with its id."""
    from pipeline.report.text import visible

    lines = []
    for (source, reason), rows in frame.group_by("source", "reason", maintain_order=True):
        lines += ["", f"{source}, dropped as {reason}: {len(rows)} examples"]
        for name, size, text in rows.select("id", "bytes", "text").iter_rows():
            shown = visible(" ".join(text.split()))[:characters]
            lines.append(f"- {visible(name)} ({size:,} bytes): {shown}")
    return "\n".join(lines) or "nothing was dropped"

"""Tables as data: the page, the Markdown and the charts' text versions are all written from these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Bar:
    """A bar behind a number. share, low, high: 0..1 of the cell's width; low and high draw the interval."""

    share: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Cell:
    """One cell.

    text: as shown. value: the number behind it, for scripts. note: a second, smaller line. tone: `good`,
    `bad`, `warn` or `dim`. shade: -1..1, colours the ground (negative is better, as for all scores).
    rows: how many rows the cell spans.
    """

    text: str
    value: float | None = None
    note: str = ""
    tone: str = ""
    shade: float | None = None
    bar: Bar | None = None
    rows: int = 1
    strong: bool = False


@dataclass(frozen=True)
class Column:
    """label: the heading; gloss: one short line that explains it; text: words, aligned left."""

    label: str
    gloss: str = ""
    text: bool = False


@dataclass(frozen=True)
class Table:
    """rows: a cell a column; None where a cell above spans. The first cell of a row is its heading.

    foot: rows of totals, which stay last when the table is sorted.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell | None, ...], ...]
    notes: tuple[str, ...] = field(default=())
    foot: tuple[tuple[Cell | None, ...], ...] = field(default=())

    def __post_init__(self) -> None:
        uneven = [row for row in (*self.rows, *self.foot) if len(row) != len(self.columns)]
        if uneven:
            raise ValueError(
                f"table {self.caption!r}: a row of {len(uneven[0])} cells under {len(self.columns)} columns"
            )


MOST = 100
"""Rows of the tables that have one a run."""


def cut(rows: Sequence[Sequence[Cell | None]], most: int = MOST) -> tuple[Sequence[Sequence[Cell | None]], list[str]]:
    """Return the first rows of a table with one row a run, and a note that says where the others are."""
    if len(rows) <= most:
        return rows, []
    return rows[:most], [f"{len(rows) - most} more runs: ratios.csv and metrics.csv beside this file."]


def table(
    caption: str,
    columns: Sequence[Column],
    rows: Sequence[Sequence[Cell | None]],
    *notes: str,
    foot: Sequence[Sequence[Cell | None]] = (),
) -> Table:
    return Table(caption, tuple(columns), tuple(map(tuple, rows)), notes, tuple(map(tuple, foot)))

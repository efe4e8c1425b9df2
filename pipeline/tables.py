"""Tables of runs, CSV or Parquet by their ending: an id column, and a number in every other cell.

`write_table` and `read_table` are for Mixwright's own; `read_cells` and `numbers` are for a user's, who is told the
file, the row and the column of what is wrong.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from pipeline.errors import InputError

ID_COLUMNS = ("run", "run_id", "name", "index")
"""Names of the column that names a run; where a table has several (as olmix writes them) the first is taken."""
ENDINGS = (".csv", ".parquet")


def write_table(path: Path, rows: Mapping[str, Mapping[str, float]]) -> None:
    """Write run → column → value with the column `run` first, as CSV (every bit kept) or Parquet."""
    columns = list(next(iter(rows.values())))
    if ending_of(path) == ".parquet":
        import polars as pl

        table = {"run": list(rows)} | {column: [float(row[column]) for row in rows.values()] for column in columns}
        pl.DataFrame(table).write_parquet(path)
        return
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["run", *columns])
        for run, row in rows.items():
            writer.writerow([run, *(repr(float(row[column])) for column in columns)])


def read_table(path: Path) -> dict[str, dict[str, float]]:
    """Read a CSV that `write_table` wrote."""
    with open(path, newline="", encoding="utf-8") as file:
        return {row.pop("run"): {k: float(v) for k, v in row.items()} for row in csv.DictReader(file)}


@dataclass(frozen=True)
class Cells:
    """A table as it stands in its file; `places` names each row, as `FILE:LINE` (CSV) or `FILE: row N` (Parquet)."""

    path: Path
    columns: tuple[str, ...]
    rows: tuple[tuple[object, ...], ...]
    places: tuple[str, ...]

    @property
    def ids(self) -> list[str]:
        """The id columns that the table has."""
        return [name for name in ID_COLUMNS if name in self.columns]


@dataclass(frozen=True)
class Table:
    """n runs with unique names; values: (n, c), all finite; places as in Cells."""

    path: Path
    runs: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray
    places: tuple[str, ...]

    def rows(self) -> dict[str, dict[str, float]]:
        """Return run → column → value."""
        return {
            run: dict(zip(self.columns, row, strict=True))
            for run, row in zip(self.runs, self.values.tolist(), strict=True)
        }


def ending_of(path: Path) -> str:
    """Return `.csv` or `.parquet`. Raises InputError for another ending."""
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise InputError(f"{path}: expected a table that ends in {' or '.join(ENDINGS)}")
    return ending


def read_cells(path: Path) -> Cells:
    """Read a user's table. Raises InputError where it is missing, unreadable, ragged, empty or has no id column."""
    ending = ending_of(path)
    if not path.exists():
        raise InputError(f"{path}: no such file")
    try:
        cells = _read_csv(path) if ending == ".csv" else _read_parquet(path)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    for i, column in enumerate(cells.columns):
        if not column or column.startswith("__index_level_"):
            raise InputError(f"{path}: column {i + 1} has no name (from pandas, write the table with index=False)")
        if column in cells.columns[:i]:
            raise InputError(f"{path}: column `{column}` stands twice")
    shown = ", ".join(f"`{column}`" for column in cells.columns)
    if not cells.ids:
        raise InputError(f"{path}: no column names the runs; expected one of {', '.join(ID_COLUMNS)} among: {shown}")
    if len(cells.ids) == len(cells.columns):
        raise InputError(f"{path}: there are no columns of numbers beside: {shown}")
    if not cells.rows:
        raise InputError(f"{path}: the table has no rows")
    return cells


def _read_csv(path: Path) -> Cells:
    header: tuple[str, ...] = ()
    rows, places = [], []
    with open(path, newline="", encoding="utf-8-sig") as file:
        reader = csv.reader(file)
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if not header:
                header = tuple(cell.strip() for cell in row)
                continue
            place = f"{path}:{reader.line_num}"
            if len(row) != len(header):
                raise InputError(f"{place}: {len(row)} cells in this row, expected {len(header)} as in the header")
            rows.append(tuple(row))
            places.append(place)
    if not header:
        raise InputError(f"{path}: the file is empty")
    return Cells(path, header, tuple(rows), tuple(places))


def _read_parquet(path: Path) -> Cells:
    import polars as pl

    try:
        frame = pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path}: not a Parquet file: {str(error).splitlines()[0]}") from None
    places = tuple(f"{path}: row {i + 1}" for i in range(len(frame)))
    return Cells(path, tuple(name.strip() for name in frame.columns), tuple(frame.rows()), places)


def numbers(cells: Cells, id_column: str) -> Table:
    """Return the table's numbers; other id columns are left out.

    Raises InputError for an empty or repeated id and for a cell that is no finite number.
    """
    at = cells.columns.index(id_column)
    kept = [i for i, column in enumerate(cells.columns) if column not in ID_COLUMNS]
    first: dict[str, str] = {}
    values = np.empty((len(cells.rows), len(kept)))
    for r, (row, place) in enumerate(zip(cells.rows, cells.places, strict=True)):
        run = _id(row[at])
        if not run:
            raise InputError(f"{place}: column `{id_column}`: the run has no id")
        if run in first:
            raise InputError(f"{place}: column `{id_column}`: the id `{run}` stands twice (first at {first[run]})")
        first[run] = place
        for c, i in enumerate(kept):
            values[r, c] = _number(row[i], f"{place}: column `{cells.columns[i]}`", run)
    return Table(cells.path, tuple(first), tuple(cells.columns[i] for i in kept), values, cells.places)


def _id(cell: object) -> str:
    """Return an id as text; a whole number that Parquet holds as a float is written as one."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return "" if cell is None or cell != cell else str(cell).strip()


def _number(cell: object, where: str, run: str) -> float:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        raise InputError(f"{where}: the cell of run `{run}` is empty, expected a number (leave unfinished runs out)")
    value = math.nan
    if isinstance(cell, str | int | float | Decimal) and not isinstance(cell, bool):
        try:
            value = float(cell)
        except ValueError:
            value = math.nan
    if not math.isfinite(value):
        raise InputError(f"{where}: expected a finite number in run `{run}`, got `{cell}`")
    return value


def few(names: Sequence[str], most: int = 5) -> str:
    """Return the first names and how many more there are, for a message."""
    shown = ", ".join(f"`{name}`" for name in names[:most])
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")

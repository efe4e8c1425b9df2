"""Read a swarm from two tables, joined by id: what each run was trained on, and what it measured."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.errors import InputError, nearest
from pipeline.mixture.table import Swarm, join
from pipeline.own_swarm.names import Names, names_of
from pipeline.tables import ID_COLUMNS, Cells, Table, few, numbers, read_cells

SUMS = (0.996, 1.003)
"""Published weights are rounded to three digits: rows that sum to this are renormalised, others refused."""
_SLACK = 1e-9


@dataclass(frozen=True)
class OwnSwarm:
    """The finished runs; planned: runs that have weights, finished or not; notes: what was recognised or mended."""

    swarm: Swarm
    domains: Names
    tasks: Names
    planned: int
    notes: tuple[str, ...]


def read_swarm(ratios: Path, metrics: Path) -> OwnSwarm:
    """Read and join both tables. Raises InputError, one line, for whatever does not fit."""
    weights_cells, metrics_cells = read_cells(ratios), read_cells(metrics)
    ids = _id_columns(weights_cells, metrics_cells)
    weights, notes = mixes(numbers(weights_cells, ids[0]))
    measured = numbers(metrics_cells, ids[1])
    if len(weights.columns) < 2:
        raise InputError(f"{ratios}: a mix needs at least two domains, there is only {few(weights.columns)}")
    unknown = [i for i, run in enumerate(measured.runs) if run not in weights.runs]
    if unknown:
        names = few([measured.runs[i] for i in unknown])
        raise InputError(f"{measured.places[unknown[0]]}: metrics of runs that have no weights in {ratios}: {names}")
    _require_change(measured)
    found = [_ids_note(cells, name) for cells, name in zip((weights_cells, metrics_cells), ids, strict=True)]
    domains, tasks = names_of(weights.columns), names_of(measured.columns)
    found += [domains.note("domains"), tasks.note("tasks"), *notes]
    if len(measured.runs) < len(weights.runs):
        share = len(measured.runs) / len(weights.runs)
        found.append(
            f"the swarm is unfinished: {len(measured.runs)} of {len(weights.runs)} runs have metrics ({share:.0%}); "
            "the rest are left out"
        )
    unused = [name for name, column in zip(weights.columns, weights.values.T, strict=True) if not column.any()]
    if unused:
        found.append(f"no run has any weight on {few(unused)}: nothing can be known of it")
    swarm = join(weights.rows(), measured.rows())
    return OwnSwarm(swarm, domains, tasks, len(weights.runs), tuple(note for note in found if note))


def read_mixes(path: Path, domains: Sequence[str], absent: Collection[str] = ()) -> tuple[Table, tuple[str, ...]]:
    """Read a table of mixes over exactly these domains, in any order; returns it in their order, and notes.

    A column of `absent` may be missing: no mix has any of it then.
    """
    cells = read_cells(path)
    table = numbers(cells, cells.ids[0])
    for column in table.columns:
        if column not in domains:
            raise InputError(f"{path}: column `{column}` is no domain of the fit{nearest(column, domains)}")
    missing = [name for name in domains if name not in table.columns and name not in absent]
    if missing:
        raise InputError(f"{path}: no column for {few(missing)}, expected all {len(domains)} domains of the fit")
    values = np.zeros((len(table.runs), len(domains)))
    values[:, [list(domains).index(column) for column in table.columns]] = table.values
    table, notes = mixes(replace(table, columns=tuple(domains), values=values))
    return table, tuple(note for note in (_ids_note(cells, cells.ids[0]), *notes) if note)


def mixes(table: Table) -> tuple[Table, list[str]]:
    """Check that every row is a mix and let it sum to exactly 1; notes say how many rows were off by rounding."""
    for row, column in np.argwhere(table.values < 0):
        raise InputError(
            f"{table.places[row]}: column `{table.columns[column]}`: expected a weight of 0 or more in run "
            f"`{table.runs[row]}`, got {table.values[row, column]:g}"
        )
    sums = table.values.sum(axis=1)
    for row in np.flatnonzero((sums < SUMS[0] - _SLACK) | (sums > SUMS[1] + _SLACK)):
        raise InputError(
            f"{table.places[row]}: the weights of run `{table.runs[row]}` sum to {sums[row]:.6g}, expected 1 "
            f"({SUMS[0]} to {SUMS[1]} is taken for rounding)"
        )
    off = np.abs(sums - 1) > _SLACK
    if not off.any():
        return table, []
    found = f"{off.sum()} of {len(sums)} rows of {table.path.name} sum to {sums.min():.4g}–{sums.max():.4g}, not to 1"
    return replace(table, values=table.values / sums[:, None]), [f"{found}, and were renormalised"]


def _id_columns(ratios: Cells, metrics: Cells) -> tuple[str, str]:
    """The first id column that both tables have, or else each one's own first."""
    both = [name for name in ID_COLUMNS if name in ratios.ids and name in metrics.ids]
    return (both[0], both[0]) if both else (ratios.ids[0], metrics.ids[0])


def _ids_note(cells: Cells, taken: str) -> str | None:
    others = [name for name in cells.ids if name != taken]
    return f"runs of {cells.path.name} are named by `{taken}`; {few(others)} left out" if others else None


def _require_change(measured: Table) -> None:
    """A task that never changes teaches nothing, and every score of a law on it would be 0 / 0."""
    for column, values in zip(measured.columns, measured.values.T, strict=True):
        if np.ptp(values) == 0:
            raise InputError(
                f"{measured.path}: column `{column}` is {values[0]:g} in all {len(values)} runs: nothing can be "
                "learned from it, leave it out"
            )

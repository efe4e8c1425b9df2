"""The swarm as arrays: realised weights and measured tasks, joined by run id and never by position."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

# Published ratios are rounded: rows that sum to this are renormalised, others refused.
_SUMS = (0.996, 1.004)
# Realised weights of two runs of one mix differ by less than this (largest weight difference).
SAME_MIX = 2e-3


@dataclass(frozen=True)
class Swarm:
    """n runs. weights: (n, d) realised shares, rows sum to 1; values: (n, t) metrics; blocks: (n,) int labels."""

    runs: tuple[str, ...]
    domains: tuple[str, ...]
    tasks: tuple[str, ...]
    weights: np.ndarray
    values: np.ndarray
    blocks: np.ndarray

    @property
    def groups(self) -> np.ndarray:
        """(n,) int: runs of the same mix share a number, numbered by first appearance."""
        return group_rows(self.weights)


def group_rows(weights: np.ndarray, tolerance: float = SAME_MIX) -> np.ndarray:
    """(n, d) -> (n,) int: rows within `tolerance` of a group's first row join it."""
    labels = np.empty(len(weights), dtype=int)
    firsts: list[int] = []
    for i, row in enumerate(weights):
        same = np.flatnonzero(np.abs(weights[firsts] - row).max(axis=1, initial=0.0) <= tolerance)
        if not len(same):
            firsts.append(i)
        labels[i] = same[0] if len(same) else len(firsts) - 1
    return labels


def join(
    ratios: Mapping[str, Mapping[str, float]],
    metrics: Mapping[str, Mapping[str, float]],
    blocks: Mapping[str, int] | None = None,
) -> Swarm:
    """ratios: run -> domain -> weight; metrics: run -> task -> value; blocks: run -> seed block (default: all one).

    Runs without metrics are left out (an unfinished swarm may be fitted); order is that of `ratios`. ValueError for
    metrics of a run without ratios, rows with other columns, NaN, negative weights, and rows that do not sum to 1.
    """
    unknown = [run for run in metrics if run not in ratios]
    if unknown:
        raise ValueError(f"metrics of runs without ratios: {_few(unknown)}")
    runs = tuple(run for run in ratios if run in metrics)
    if not runs:
        raise ValueError("no run has both ratios and metrics")
    domains, weights = _matrix({run: ratios[run] for run in runs}, "ratios")
    tasks, values = _matrix({run: metrics[run] for run in runs}, "metrics")
    if np.any(weights < 0):
        raise ValueError(f"negative weight in run {runs[int(np.argwhere((weights < 0).any(axis=1))[0, 0])]}")
    sums = weights.sum(axis=1)
    off = [run for run, total in zip(runs, sums, strict=True) if not _SUMS[0] <= total <= _SUMS[1]]
    if off:
        raise ValueError(f"weights must sum to 1 (within {_SUMS[0]}-{_SUMS[1]}); they do not in: {_few(off)}")
    if blocks is not None:
        missing = [run for run in runs if run not in blocks]
        if missing:
            raise ValueError(f"runs without a seed block: {_few(missing)}")
    labels = np.array([blocks[run] if blocks is not None else 0 for run in runs], dtype=int)
    return Swarm(runs, domains, tasks, weights / sums[:, None], values, labels)


def _matrix(rows: Mapping[str, Mapping[str, float]], what: str) -> tuple[tuple[str, ...], np.ndarray]:
    columns = tuple(next(iter(rows.values())))
    for run, row in rows.items():
        if set(row) != set(columns):
            odd = sorted(set(row) ^ set(columns))
            raise ValueError(f"{what} of run {run} have other columns than the first run: {_few(odd)}")
        bad = [c for c in columns if not np.isfinite(row[c])]
        if bad:
            raise ValueError(f"{what} of run {run} hold no finite number in: {_few(bad)}")
    return columns, np.array([[float(row[c]) for c in columns] for row in rows.values()])


def _few(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")

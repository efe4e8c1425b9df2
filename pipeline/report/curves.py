"""Whether the order of the mixes had settled: their bits per byte along the training (`proxy.curve`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.stats import rankdata

from pipeline.report.figures import Chart, axis, chart, dots
from pipeline.report.table import Cell, Column, Table, table
from pipeline.report.text import number

MOST_TASKS = 12
"""Tasks in the chart; the table has all."""
COLOURS = tuple(f"--c{i}" for i in range(1, 9))
SETTLED = 0.9
"""A rank correlation between the last two points from which the order counts as settled."""


def rank_correlation(one: Sequence[float], two: Sequence[float]) -> float | None:
    """Return Spearman's correlation; None where one side does not vary."""
    if len(set(one)) < 2 or len(set(two)) < 2:
        return None
    return float(np.corrcoef(rankdata(one), rankdata(two))[0, 1])


def curves_table(data: dict[str, Any]) -> Table | None:
    """Return task × point of the training: how the mixes' order there agrees with the order at the end.

    None where no curve was asked for.
    """
    curves = data["curves"]
    if not curves:
        return None
    shares = sorted({share for run in curves.values() for points in run.values() for share in points}, key=float)
    rows = []
    for task in next(iter(curves.values())):
        last = [run[task]["1"] for run in curves.values()]
        cells = [Cell(task), Cell(number(float(np.mean(last)), 3), float(np.mean(last)))]
        for share in shares[:-1]:
            points = [run[task][share] for run in curves.values()]
            found = rank_correlation(points, last)
            mean = f"{number(float(np.mean(points)), 3)} bits"
            tone = "warn" if share == shares[-2] and (found is None or found < SETTLED) else ""
            cells.append(Cell("?" if found is None else number(found, 2), found, note=mean, tone=tone))
        rows.append(cells)
    columns = [
        Column("Task", text=True),
        Column("At the end", "bits per byte on a few steer items, mean over the mixes"),
        *(Column(f"At {100 * float(share):g} %", "rank correlation with the end") for share in shares[:-1]),
    ]
    return table(f"Had the order of the {len(curves)} runs settled?", columns, rows, verdict(data))


def curves_chart(data: dict[str, Any]) -> Chart | None:
    """The rank correlation with the end, along the training, a line a task; None where no curve was asked for."""
    curves = data["curves"]
    if not curves:
        return None
    tasks = list(next(iter(curves.values())))
    shares = sorted(next(iter(curves.values()))[tasks[0]], key=float)
    traces = []
    for i, task in enumerate(tasks[:MOST_TASKS]):
        last = [run[task]["1"] for run in curves.values()]
        y = [rank_correlation([run[task][share] for run in curves.values()], last) for share in shares]
        x = [100 * float(share) for share in shares]
        colour = COLOURS[i % len(COLOURS)]
        hover = "%{x} %: %{y:.2f}<extra>%{fullData.name}</extra>"
        lines = {"mode": "lines+markers", "line": {"color": colour, "width": 1.5}, "hovertemplate": hover}
        traces.append(dots(x, y, colour, size=7, name=task) | lines)
    return chart(
        "curves",
        "Learning curves: when the order of the mixes had settled",
        "Each line is a held-out task: how the runs' order at a point of the training agrees with that at its end.",
        traces,
        300,
        legend=True,
        xaxis=axis("% of the training"),
        yaxis={"automargin": True},
    )


def verdict(data: dict[str, Any]) -> str:
    """Return one sentence on whether the order still moved at the last point before the end; empty without curves."""
    curves = data["curves"]
    if not curves:
        return ""
    tasks = list(next(iter(curves.values())))
    before = sorted(next(iter(curves.values()))[tasks[0]], key=float)[-2]
    found = {
        task: rank_correlation([run[task][before] for run in curves.values()], [r[task]["1"] for r in curves.values()])
        for task in tasks
    }
    moved = [task for task, value in found.items() if value is None or value < SETTLED]
    at = f"{100 * float(before):g} %"
    if not moved:
        return f"From {at} of the training to its end the mixes keep their order on every held-out task (≥ {SETTLED})."
    return (
        f"The order of the mixes still moved after {at} of the training (rank correlation under {SETTLED}) on "
        f"{len(moved)} of {len(tasks)} held-out tasks: {', '.join(moved[:5])}{' …' if len(moved) > 5 else ''}."
    )

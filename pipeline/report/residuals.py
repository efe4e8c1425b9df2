"""Residuals: what the laws miss on mixes that they were not fitted on, and whether their intervals hold it."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.report.figures import Chart, axis, chart, dots, label, names_axis
from pipeline.report.measures import charted_tasks, tasks_of
from pipeline.report.regression import chosen_score
from pipeline.report.table import Cell, Column, Table, table
from pipeline.report.text import number, percent, signed

Z = 1.645


def residuals(task: dict[str, Any]) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Return runs, measured less predicted (n,), and the same in calibrated SDs (n,); out of fold."""
    score = chosen_score(task)
    runs = list(task["measured"])
    off = np.array([task["measured"][run] - score["predicted"][run] for run in runs])
    sds = task["scale"] * np.array([score["std"][run] for run in runs])
    return runs, off, off / np.maximum(sds, 1e-300)


def residuals_table(data: dict[str, Any]) -> Table:
    """Return task × mean and SD of the residuals, the run that is furthest off, and how many intervals hold."""
    rows = []
    for name in tasks_of(data):
        task = data["fit"]["tasks"][name]
        runs, off, z = residuals(task)
        worst = int(np.abs(z).argmax())
        noise = task["seed_sd"]
        ratio = float(off.std()) / noise if noise else None
        held = float(np.mean(np.abs(z) <= Z))
        rows.append(
            [
                Cell(name),
                Cell(signed(float(off.mean()), 4), float(off.mean())),
                Cell(number(float(off.std())), float(off.std())),
                Cell("unknown" if ratio is None else number(ratio, 1), ratio),
                Cell(percent(held, 0), held, tone="warn" if held < 0.8 else ""),
                Cell(signed(float(z[worst]), 1), float(z[worst]), note=runs[worst]),
            ]
        )
    columns = [
        Column("Task", text=True),
        Column("Mean", "measured less predicted"),
        Column("SD"),
        Column("In noise floors", "SD over that of another seed: 1 is all that a law can do"),
        Column("Held", "runs inside their 90 % interval"),
        Column("Furthest off", "in SDs of the interval, and which run"),
    ]
    return table("Residuals on mixes that the law was not fitted on", columns, rows)


def residuals_chart(data: dict[str, Any]) -> Chart:
    """Every run's residual in SDs, a row a task."""
    names = charted_tasks(data)
    traces = []
    for name in names:
        runs, _, z = residuals(data["fit"]["tasks"][name])
        hover = "%{text}: %{x:.1f} SDs<extra>%{y}</extra>"
        traces.append(
            dots(
                z.round(2).tolist(),
                [label(name)] * len(runs),
                "--c1",
                size=6,
                marker={"opacity": 0.5},
                text=[label(run) for run in runs],
                hovertemplate=hover,
            )
        )
    return chart(
        "residuals",
        "Residuals in SDs of the interval",
        "Each dot is a run, measured less predicted; nine of ten should lie within 1.645 of zero.",
        traces,
        110 + 24 * len(names),
        xaxis=axis("SDs", zeroline=True),
        yaxis=names_axis(names),
    )

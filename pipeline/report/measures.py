"""The measured proof in detail: every seed, every task."""

from __future__ import annotations

from typing import Any

from pipeline.report.decision import others_of
from pipeline.report.objective import marked, side, sign, unit
from pipeline.report.table import Cell, Column, Table, table
from pipeline.report.text import number, percent, signed, words

MOST_TASKS = 12
"""Tasks of which charts are drawn; the tables hold all."""


def seeds_table(mix: dict[str, Any]) -> Table:
    """Return the objective of every mix on every fresh seed."""
    names = ["proposal", *others_of(mix)]
    rows = []
    for i in range(len(mix["measured"]["proposal"]["seeds"])):
        values = [mix["measured"][name]["seeds"][i] for name in names]
        cells = [Cell(f"seed {i + 1}")]
        cells += [Cell(number(value), value, strong=value == min(values)) for value in values]
        rows.append(cells)
    columns = [Column("Seed", text=True), *(Column(words(name)) for name in names)]
    return table("Objective of each mix on each fresh seed (lowest in bold)", columns, rows)


def change(mix: dict[str, Any], part: str, name: str, task: str) -> float:
    """Return a mix's task value relative to natural's, minus 1. part: `measured` or `predicted`."""
    return mix[part][name]["tasks"][task] / mix[part]["natural"]["tasks"][task] - 1


def noise_of(data: dict[str, Any], task: str) -> float | None:
    """Return the standard error of a task's change against natural, from the swarm's seed SD and the number
    of fresh seeds. None where the swarm has no replicates."""
    sd = data["fit"]["tasks"][task]["seed_sd"]
    if sd is None:
        return None
    natural = data["mix"]["measured"]["natural"]
    return sd * (2 / len(natural["seeds"])) ** 0.5 / natural["tasks"][task]


def tasks_of(data: dict[str, Any]) -> list[str]:
    """Return the tasks, those that count first, then by name."""
    weights = data["mix"]["objective"]["weights"]
    return sorted(weights, key=lambda task: (weights[task] == 0, task))


def charted_tasks(data: dict[str, Any]) -> list[str]:
    """Return the tasks that charts show, those of most weight, in the order of `tasks_of`."""
    weights, tasks = data["mix"]["objective"]["weights"], tasks_of(data)
    heaviest = sorted(tasks, key=lambda task: -weights[task])[:MOST_TASKS]
    return [task for task in tasks if task in heaviest]


def charts_note(data: dict[str, Any]) -> str:
    """Return how many tasks have no chart; empty where all have one."""
    count = len(tasks_of(data))
    if count <= MOST_TASKS:
        return ""
    return f"Charts of the {MOST_TASKS} tasks of {count} that weigh most; tables hold all."


def tasks_table(data: dict[str, Any]) -> Table:
    """Return task × mix: change against natural in percent, and the metric itself of natural and the proposal."""
    mix = data["mix"]
    others = [name for name in others_of(mix) if name != "natural"]
    largest = max(
        (abs(change(mix, "measured", name, t)) for t in tasks_of(data) for name in ["proposal", *others]),
        default=0,
    )
    rows = []
    for task in tasks_of(data):
        weight, error = mix["objective"]["weights"][task], noise_of(data, task)
        natural, proposal = (mix["measured"][name]["tasks"][task] for name in ("natural", "proposal"))
        expected = change(mix, "predicted", "proposal", task)
        cells = [Cell(marked(mix, task)), Cell(percent(weight), weight, tone="" if weight else "dim")]
        for name in ["proposal", *others]:
            value = change(mix, "measured", name, task)
            blurred = error is not None and abs(value) < 2 * error
            shade = 0.0 if blurred or not largest else sign(mix, task) * value / largest
            tone = "dim" if blurred else ""
            cells.append(Cell(signed(100 * value), value, tone=tone, shade=shade, strong=name == "proposal"))
            if name == "proposal":
                cells.append(Cell(signed(100 * expected), expected))
        cells.append(Cell("unknown") if error is None else Cell(number(100 * error, 2), error, tone="dim"))
        cells += [Cell(number(natural, 3), natural), Cell(number(proposal, 3), proposal)]
        rows.append(cells)
    columns = [
        Column("Task", text=True),
        Column("Weight", "share in the objective"),
        Column("proposal", "measured, %"),
        Column("(predicted)", "by the laws, %"),
        *(Column(words(name), "measured, %") for name in others),
        Column("± noise", "standard error of a change, from the swarm's seeds, %"),
        Column("natural", unit(mix)),
        Column("proposal", unit(mix)),
    ]
    return table(
        f"Each task: change against the natural mix in %, {side(mix)} (grey: under twice the noise)",
        columns,
        rows,
    )

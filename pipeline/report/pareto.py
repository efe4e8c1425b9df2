"""The Pareto front between task families: what a gain in one costs in another, and where the known mixes stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.report.figures import Chart, Trace, axis, chart, dots, label
from pipeline.report.table import Cell, Column, Table, table
from pipeline.report.text import number, percent, words

LARGEST = 4
"""Domains of a mix that the table names."""
MARKS = (
    ("proposal", "--c1", "diamond"),
    ("natural", "--c2", "square"),
    ("uniform", "--c4", "triangle-up"),
    ("best_observed", "--c5", "star"),
)


def families_of(mix: Mapping[str, Any]) -> list[str]:
    """Return the families with a weight, the heaviest first; mix: mix.json or proposal.json."""
    total: dict[str, float] = {}
    for task, weight in mix["objective"]["weights"].items():
        family = task.split("/", 1)[0]
        total[family] = total.get(family, 0.0) + weight
    named = mix["predicted"]["proposal"]["families"]
    return sorted(named, key=lambda family: (-round(total[family], 9), family))


def known_mixes(mix: Mapping[str, Any]) -> list[str]:
    """Return the mixes to show beside the front: proposal, baselines, then the user's references."""
    first = [name for name, _, _ in MARKS]
    return first + sorted(name for name in mix["predicted"] if name not in first)


def points_of(mix: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the front by falling weight of the heaviest family, then of the next."""
    families = families_of(mix)
    return sorted(mix["pareto"], key=lambda point: [-point["family_weights"][family] for family in families])


def asked(weights: Mapping[str, float], families: list[str]) -> str:
    """Return what a mix of the front was asked for, e.g. `70 : 30`."""
    return " : ".join(f"{100 * weights[family]:.0f}" for family in families)


def front_chart(mix: Mapping[str, Any]) -> Chart | None:
    """Return the front over the two heaviest families with the known mixes; None where there is one family."""
    families = families_of(mix)
    if not mix["pareto"]:
        return None
    pair = families[:2]

    def trace(values: list[Mapping[str, Any]], colour: str, **more: Any) -> Trace:
        x, y = ([each[family]["predicted"] for each in values] for family in pair)
        bars = {
            f"error_{side}": {
                "type": "data",
                "array": [each[family]["se"] for each in values],
                "color": colour,
                "thickness": 1,
                "width": 0,
            }
            for side, family in zip("xy", pair, strict=True)
        }
        return {**dots(x, y, colour, **more), **bars}

    points = sorted(mix["pareto"], key=lambda point: point["families"][pair[0]]["predicted"])
    hover = f"{label(pair[0])} %{{x:.4f}}<br>{label(pair[1])} %{{y:.4f}}<extra>%{{text}}</extra>"
    line = {"mode": "lines+markers", "line": {"color": "--line", "width": 1}} if len(families) == 2 else {}
    texts = [f"weights {asked(point['family_weights'], families)}" for point in points]
    on_front = [point["families"] for point in points]
    traces = [trace(on_front, "--c3", name="front", text=texts, hovertemplate=hover) | line]
    given = [(name, "--c6", "hexagon") for name in known_mixes(mix)[len(MARKS) :]]
    for name, colour, symbol in [*MARKS, *given]:
        look = {"size": 11, "marker": {"symbol": symbol}, "text": [label(words(name))], "hovertemplate": hover}
        traces.append(trace([mix["predicted"][name]["families"]], colour, name=words(name), **look))
    others = "" if len(families) == 2 else " The other families are not drawn; a mix may be good for one of them."
    return chart(
        "pareto",
        f"What {pair[0]} and {pair[1]} cost each other",
        "Each round dot is the mix that is predicted best for some weights of the families; bars are standard errors. "
        f"Left and down is better, natural is about 1.{others}",
        traces,
        420,
        legend=True,
        xaxis=axis(label(pair[0])),
        yaxis=axis(label(pair[1]), automargin=True),
    )


def front_table(mix: Mapping[str, Any]) -> Table | None:
    """Return the front's mixes and the known ones with what is predicted for every family; None for one family."""
    families = families_of(mix)
    if not mix["pareto"]:
        return None
    rows = []
    for point in points_of(mix):
        cells = [Cell(asked(point["family_weights"], families)), *value_cells(point["families"], families)]
        rows.append([*cells, Cell(largest(point["weights"]))])
    for name in known_mixes(mix):
        weights = mix["weights"] if name == "proposal" else mix["baselines"][name]
        cells = [Cell(words(name), strong=True), *value_cells(mix["predicted"][name]["families"], families)]
        rows.append([*cells, Cell(largest(weights))])
    columns = [
        Column("Families' weights", " : ".join(families), text=True),
        *(Column(family, "predicted, natural is about 1, lower is better") for family in families),
        Column("Largest domains", text=True),
    ]
    note = "Mixes that another one beats in every family are left out. mix.json has all weights (`pareto`)."
    return table("Between the families: the best predicted mix for each weighting of them", columns, rows, note)


def value_cells(values: Mapping[str, Any], families: list[str]) -> list[Cell]:
    found = []
    for family in families:
        each = values[family]
        found.append(Cell(f"{number(each['predicted'])} ± {number(each['se'])}", each["predicted"]))
    return found


def largest(weights: Mapping[str, float]) -> str:
    """Return the heaviest domains of a mix with their shares."""
    first = sorted(weights.items(), key=lambda pair: (-pair[1], pair[0]))[:LARGEST]
    return ", ".join(f"{name} {percent(weight, 0)}" for name, weight in first if weight > 0)


def plain_rows(mix: Mapping[str, Any], families: list[str], most: int, known: Sequence[str]) -> list[list[str]]:
    """Return rows of text: at most `most` mixes of the front, evenly chosen, and then `known` ones."""
    points = points_of(mix)
    count = min(most, len(points))
    chosen = [points[round(i * (len(points) - 1) / max(count - 1, 1))] for i in range(count)]
    every = families_of(mix)
    rows = [(asked(point["family_weights"], every), point["families"]) for point in chosen]
    rows += [(f"({words(name)})", mix["predicted"][name]["families"]) for name in known]
    return [
        [name, *(f"{number(values[family]['predicted'])} ± {number(values[family]['se'])}" for family in families)]
        for name, values in rows
    ]

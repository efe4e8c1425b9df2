"""The charts, as plotly.js figures (data and layout). Each shows what a table beside it says in numbers.

A colour that begins with `--` is a variable of page.css: page.js puts in its value, so that charts follow the theme.
plotly.js reads some HTML in texts, so every name goes through `label`.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.report.curation import cells_of, documents, reasons_of
from pipeline.report.decision import others_of, outcome_cell
from pipeline.report.measures import change, tasks_of
from pipeline.report.regression import contrasts, out_of_fold
from pipeline.report.runs import coverage, domains_of, ranked
from pipeline.report.text import visible, words

COLOURS = ("--c1", "--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8")
SYMBOLS = ("circle-open", "square-open", "triangle-up-open", "x-thin-open", "star-open", "cross-thin-open")
MOST_TASKS = 12
"""Tasks of which a panel of their own is drawn, the heaviest first; the tables hold all."""


@dataclass(frozen=True)
class Chart:
    """figure: what plotly.js draws; None where there is nothing to draw. alt: the chart in one sentence."""

    key: str
    title: str
    alt: str
    figure: dict[str, Any]
    height: int


def label(text: str) -> str:
    """Return text that plotly.js shows as it is."""
    return html.escape(visible(text), quote=False)


def chart(
    key: str, title: str, alt: str, traces: list[dict[str, Any]], height: int, *, legend: bool = False, **layout: Any
) -> Chart:
    figure = {"data": traces, "layout": {"showlegend": legend, **layout}}
    return Chart(key, title, alt, figure, height)


def axis(title: str, **more: Any) -> dict[str, Any]:
    return {"title": {"text": title}, **more}


def names_axis(names: Sequence[str], **more: Any) -> dict[str, Any]:
    """An axis of names, the first on top."""
    order = [label(name) for name in reversed(names)]
    return {"type": "category", "categoryorder": "array", "categoryarray": order, "automargin": True, **more}


def pairs(data: dict[str, Any]) -> list[Chart]:
    """For each other mix: its objective and the proposal's on every fresh seed, joined by seed."""
    mix = data["mix"]
    ours = mix["measured"]["proposal"]["seeds"]
    panels = []
    for name in others_of(mix):
        theirs = mix["measured"][name]["seeds"]
        x = [label(words(name)), "proposal"]
        traces: list[dict[str, Any]] = [
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": x,
                "y": list(pair),
                "line": {"color": "--c3" if pair[1] < pair[0] else "--c5", "width": 1.5},
                "marker": {"size": 7},
                "hovertemplate": f"seed {i + 1}, %{{x}}: %{{y:.4f}}<extra></extra>",
            }
            for i, pair in enumerate(zip(theirs, ours, strict=True))
        ]
        means = [mix["measured"][name]["mean"], mix["measured"]["proposal"]["mean"]]
        traces.append({"type": "scatter", "mode": "markers", "x": x, "y": means, "hovertemplate": "mean %{y:.4f}<extra></extra>",
                       "marker": {"color": "--ink", "size": 26, "symbol": "line-ew-open", "line": {"width": 2.5}}})  # fmt: skip
        panels.append(
            chart(
                f"pairs-{len(panels)}",
                f"against {words(name)}: {outcome_cell(mix, name).text}",
                f"Objective of {words(name)} and of the proposal on each seed; a line that falls is a seed on which the "
                "proposal is better.",
                traces,
                220,
                xaxis={"type": "category", "range": [-0.35, 1.35], "showgrid": False},
                yaxis={"nticks": 5, "automargin": True},
            )
        )
    return panels


def task_changes(data: dict[str, Any]) -> Chart:
    """Change of every task against natural: proposal measured and predicted, and the other mixes."""
    mix = data["mix"]
    tasks = tasks_of(data)
    y = [label(task) for task in tasks]

    def trace(part: str, name: str, title: str, marker: dict[str, Any]) -> dict[str, Any]:
        return {
            "type": "scatter",
            "mode": "markers",
            "name": label(title),
            "x": [100 * change(mix, part, name, task) for task in tasks],
            "y": y,
            "marker": marker,
            "hovertemplate": "%{y}: %{x:.2f} %<extra>%{fullData.name}</extra>",
        }

    others = [name for name in others_of(mix) if name != "natural"]
    traces = [
        trace("measured", name, words(name), {"color": COLOURS[1 + i % 7], "size": 8, "symbol": SYMBOLS[i % len(SYMBOLS)],
              "line": {"width": 1.5}})
        for i, name in enumerate(others)
    ]  # fmt: skip
    traces.append(trace("predicted", "proposal", "proposal, predicted", {"color": "--c1", "size": 11, "symbol": "diamond-open"}))
    traces.append(trace("measured", "proposal", "proposal", {"color": "--c1", "size": 10, "symbol": "diamond"}))
    return chart(
        "task-changes",
        "Each task against the natural mix",
        "Points left of zero are tasks on which a mix is better than natural.",
        traces,
        130 + 24 * len(tasks),
        legend=True,
        xaxis=axis("% against natural (left is better)", zeroline=True),
        yaxis=names_axis(tasks),
    )


def prediction_panels(data: dict[str, Any]) -> list[Chart]:
    """Out-of-fold prediction against measure: the objective, then the heaviest tasks."""
    panels = []
    for name in [None, *tasks_of(data)[:MOST_TASKS]]:
        found = out_of_fold(data, name)
        predicted, measured = [p for p, _ in found.values()], [m for _, m in found.values()]
        least, most = min(predicted + measured), max(predicted + measured)
        margin = 0.05 * (most - least)
        ends = [least - margin, most + margin]
        line = {"type": "scatter", "mode": "lines", "x": ends, "y": ends, "line": {"color": "--line", "width": 1},
                "hoverinfo": "skip"}  # fmt: skip
        dots = {
            "type": "scatter",
            "mode": "markers",
            "x": predicted,
            "y": measured,
            "text": [label(run) for run in found],
            "marker": {"color": "--c1", "size": 6, "opacity": 0.7},
            "hovertemplate": "%{text}<br>predicted %{x:.4f}<br>measured %{y:.4f}<extra></extra>",
        }
        panels.append(
            chart(
                f"predicted-{len(panels)}",
                name or "objective",
                f"Measured against predicted {name or 'objective'}: the closer to the line, the better the law.",
                [line, dots],
                190,
                xaxis={"range": ends, "nticks": 4},
                yaxis={"range": ends, "nticks": 4, "automargin": True},
            )
        )
    return panels


def contrast_panels(data: dict[str, Any]) -> list[Chart]:
    """Effect of one more point of each domain with its 95 % interval, for the heaviest tasks."""
    domains = domains_of(data)
    panels = []
    for name in tasks_of(data)[:MOST_TASKS]:
        effects = {each["domain"]: each for each in contrasts(data, name)}
        rows = [effects[domain] for domain in domains]
        trace = {
            "type": "scatter",
            "mode": "markers",
            "x": [each["effect"] for each in rows],
            "y": [label(domain) for domain in domains],
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": [each["high"] - each["effect"] for each in rows],
                "arrayminus": [each["effect"] - each["low"] for each in rows],
                "color": "--c1",
                "thickness": 1.5,
                "width": 0,
            },
            "marker": {"color": "--c1", "size": 7},
            "hovertemplate": "%{y}: %{x:.2f} %<extra></extra>",
        }
        panels.append(
            chart(
                f"contrast-{len(panels)}",
                name,
                f"Change of {name} in percent for one more point of each domain; left of zero is better.",
                [trace],
                90 + 20 * len(domains),
                xaxis=axis("% (left is better)", zeroline=True, nticks=5),
                yaxis=names_axis(domains),
            )
        )
    return panels


def swarm_map(data: dict[str, Any]) -> Chart:
    """Weights of every run as a heat map, the best run on top, with its objective at the right."""
    order = ranked(data)
    domains = domains_of(data)
    runs = [label(run) for run, _ in order]
    weights = [[100 * data["ratios"][run][domain] for domain in domains] for run, _ in order]
    traces: list[dict[str, Any]] = [
        {
            "type": "heatmap",
            "x": [label(domain) for domain in domains],
            "y": runs,
            "z": [[round(value, 2) for value in row] for row in weights],
            "colorscale": [[0, "--heat0"], [1, "--heat1"]],
            "zmin": 0,
            "showscale": False,
            "xgap": 1,
            "ygap": 1 if len(order) <= 100 else 0,
            "hovertemplate": "%{y}<br>%{x}: %{z:.1f} %<extra></extra>",
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": [value for _, value in order],
            "y": runs,
            "xaxis": "x2",
            "marker": {"color": "--c1", "size": 7},
            "hovertemplate": "%{y}: %{x:.4f}<extra></extra>",
        },
    ]
    return chart(
        "swarm",
        "The swarm, the best run on top",
        "Each row is a run; the darker a cell, the more of that domain; the dot at the right is the run's objective.",
        traces,
        120 + max(2, min(18, 900 // len(order))) * len(order),
        xaxis={"domain": [0, 0.7], "automargin": True, "tickangle": -45, "showgrid": False},
        xaxis2={"domain": [0.74, 1], "title": {"text": "objective"}, "nticks": 4, "anchor": "y"},
        yaxis=names_axis([run for run, _ in order], showgrid=False),
    )


def coverage_chart(data: dict[str, Any]) -> Chart:
    """The range of weights tried of each domain, with natural's and the proposal's weight."""
    mix, domains = data["mix"], domains_of(data)
    y = [label(domain) for domain in domains]
    ranges = [coverage(data, domain) for domain in domains]
    low, high = mix["uncertainty"]["interval"]["low"], mix["uncertainty"]["interval"]["high"]
    weights = [100 * mix["weights"][domain] for domain in domains]
    natural = [100 * data["swarm"]["natural"][domain] for domain in domains]
    interval = {
        "type": "data",
        "symmetric": False,
        "array": [100 * high[d] - w for d, w in zip(domains, weights, strict=True)],
        "arrayminus": [w - 100 * low[d] for d, w in zip(domains, weights, strict=True)],
        "color": "--c1",
        "thickness": 1.5,
    }
    hover = "%{y}: %{x:.1f} %<extra></extra>"
    traces: list[dict[str, Any]] = [
        {
            "type": "bar",
            "orientation": "h",
            "name": "tried by the swarm",
            "base": [100 * least for least, _, _ in ranges],
            "x": [100 * (most - least) for least, most, _ in ranges],
            "y": y,
            "marker": {"color": "--soft"},
            "hoverinfo": "skip",
        },
        {"type": "scatter", "mode": "markers", "name": "natural", "x": natural, "y": y, "hovertemplate": hover,
         "marker": {"color": "--c2", "size": 9, "symbol": "line-ns-open", "line": {"width": 2}}},
        {"type": "scatter", "mode": "markers", "name": "proposal, and mixes not told from the best", "x": weights, "y": y,
         "hovertemplate": hover, "error_x": interval, "marker": {"color": "--c1", "size": 10, "symbol": "diamond"}},
    ]  # fmt: skip
    return chart(
        "coverage",
        "Weights that were tried, and the proposal",
        "The grey bar is the range of weights that the swarm tried; the diamond is the proposal.",
        traces,
        130 + 26 * len(domains),
        legend=True,
        xaxis=axis("weight, %", rangemode="tozero"),
        yaxis=names_axis(domains),
    )


def funnel_chart(data: dict[str, Any]) -> Chart:
    """Share of each source's records by what became of them."""
    read, selected = cells_of(data, "sources"), cells_of(data, "select")
    names = list(read)
    reasons = reasons_of(selected.values(), "dropped")
    fates = [("trained on", "kept", "train", "--c1"), ("held out", "kept", "heldout", "--c3")]
    fates += [(words(reason), "dropped", reason, COLOURS[(3 + i) % 8]) for i, reason in enumerate(reasons)]
    y = [label(name) for name in names]
    traces = []
    for title, outcome, reason, colour in [*fates, ("unreadable", "quarantined", "unreadable", "--ink")]:
        source = read if outcome == "quarantined" else selected
        shares = []
        for name in names:
            total = sum(row["documents"] for row in read[name].values())
            shares.append(100 * documents(source.get(name, {}), (outcome, reason)) / total if total else 0.0)
        traces.append({"type": "bar", "orientation": "h", "name": label(title), "x": shares, "y": y,
                       "marker": {"color": colour}, "hovertemplate": "%{y}: %{x:.1f} %<extra>%{fullData.name}</extra>"})  # fmt: skip
    return chart(
        "funnel",
        "What became of the documents",
        "Each bar is a source's records, split into trained on, held out and dropped by reason.",
        traces,
        130 + 26 * len(names),
        legend=True,
        barmode="stack",
        xaxis=axis("% of the source's records", range=[0, 100]),
        yaxis=names_axis(names),
    )

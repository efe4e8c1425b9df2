"""The charts of the page. Each shows what a table beside it says in numbers."""

from __future__ import annotations

from typing import Any

from pipeline.report.curation import cells_of, documents, outcome_total, reasons_of
from pipeline.report.decision import others_of, outcome_cell
from pipeline.report.figures import Chart, Trace, axis, bars, chart, dots, label, names_axis, spread
from pipeline.report.measures import change, charted_tasks, tasks_of
from pipeline.report.objective import marked, sign
from pipeline.report.regression import contrasts, out_of_fold
from pipeline.report.runs import coverage, domains_of, ranked, tried_domains
from pipeline.report.text import words

COLOURS = ("--c2", "--c3", "--c4", "--c5", "--c6", "--c7", "--c8")
SYMBOLS = ("circle-open", "square-open", "triangle-up-open", "x-open", "star-open", "hexagon-open")


def pairs(data: dict[str, Any]) -> list[Chart]:
    """For each other mix: its objective and the proposal's on every fresh seed, joined by seed."""
    mix = data["mix"]
    ours = mix["measured"]["proposal"]
    panels = []
    for name in others_of(mix):
        theirs = mix["measured"][name]
        x = [label(words(name)), "proposal"]
        traces: list[Trace] = []
        for i, pair in enumerate(zip(theirs["seeds"], ours["seeds"], strict=True)):
            colour = "--c3" if pair[1] < pair[0] else "--c5" if pair[1] > pair[0] else "--dim"
            hover = f"seed {i + 1}, %{{x}}: %{{y:.4f}}<extra></extra>"
            line = {"mode": "lines+markers", "line": {"color": colour, "width": 1.5}, "hovertemplate": hover}
            traces.append(dots(x, pair, colour, size=7) | line)
        bar = {"symbol": "line-ew-open", "line": {"width": 2.5}}
        means = [theirs["mean"], ours["mean"]]
        traces.append(dots(x, means, "--ink", size=26, marker=bar, hovertemplate="mean %{y:.4f}<extra></extra>"))
        panels.append(
            chart(
                f"pairs-{len(panels)}",
                f"against {words(name)}: {outcome_cell(mix, name).text}",
                f"Objective of {words(name)} and of the proposal on each seed; a line that falls is a "
                "seed on "
                "which the proposal is better.",
                traces,
                220,
                xaxis={"type": "category", "range": [-0.35, 1.35], "showgrid": False},
                yaxis={"nticks": 5, "automargin": True},
            )
        )
    return panels


def task_changes(data: dict[str, Any]) -> Chart:
    """Change of every task against natural: proposal measured and predicted, and the other mixes.

    Tasks that are better when higher are mirrored, so that left is better everywhere.
    """
    mix, tasks = data["mix"], tasks_of(data)
    names = [marked(mix, task) for task in tasks]
    mirrored = " Tasks marked ↑, which are better when higher, are mirrored." if mix["objective"]["maximise"] else ""

    def trace(part: str, name: str, title: str, colour: str, size: int, marker: dict[str, Any]) -> Trace:
        x = [100 * sign(mix, task) * change(mix, part, name, task) for task in tasks]
        hover = "%{y}: %{x:.2f} %<extra>%{fullData.name}</extra>"
        y = [label(each) for each in names]
        return dots(x, y, colour, size=size, name=title, marker=marker, hovertemplate=hover)

    traces = []
    for i, name in enumerate(name for name in others_of(mix) if name != "natural"):
        marker = {"symbol": SYMBOLS[i % len(SYMBOLS)], "line": {"width": 1.5}}
        traces.append(trace("measured", name, words(name), COLOURS[i % len(COLOURS)], 8, marker))
    traces.append(trace("predicted", "proposal", "proposal, predicted", "--c1", 11, {"symbol": "diamond-open"}))
    traces.append(trace("measured", "proposal", "proposal", "--c1", 10, {"symbol": "diamond"}))
    return chart(
        "task-changes",
        "Each task against the natural mix",
        f"Points left of zero are tasks on which a mix is better than natural.{mirrored}",
        traces,
        130 + 24 * len(tasks),
        legend=True,
        xaxis=axis("% against natural (left is better)", zeroline=True),
        yaxis=names_axis(names),
    )


def prediction_panels(data: dict[str, Any]) -> list[Chart]:
    """Out-of-fold prediction against measure: the objective, then the heaviest tasks."""
    panels = []
    for name in [None, *charted_tasks(data)]:
        found = out_of_fold(data, name)
        predicted, measured = [p for p, _ in found.values()], [m for _, m in found.values()]
        least, most = min(predicted + measured), max(predicted + measured)
        margin = 0.05 * (most - least)
        ends = [least - margin, most + margin]
        line = {"mode": "lines", "line": {"color": "--line", "width": 1}, "hoverinfo": "skip"}
        hover = "%{text}<br>predicted %{x:.4f}<br>measured %{y:.4f}<extra></extra>"
        runs = [label(run) for run in found]
        panels.append(
            chart(
                f"predicted-{len(panels)}",
                name or "objective",
                f"Measured against predicted {name or 'objective'}: the closer to the line, the better.",
                [
                    dots(ends, ends, "--line") | line,
                    dots(
                        predicted,
                        measured,
                        "--c1",
                        size=6,
                        marker={"opacity": 0.7},
                        text=runs,
                        hovertemplate=hover,
                    ),
                ],
                190,
                xaxis={"range": ends, "nticks": 4},
                yaxis={"range": ends, "nticks": 4, "automargin": True},
            )
        )
    return panels


def contrast_panels(data: dict[str, Any]) -> list[Chart]:
    """Effect of one more point of each domain with its 95 % interval, for the heaviest tasks."""
    panels = []
    for name in charted_tasks(data):
        effects = {each["domain"]: each for each in contrasts(data, name)}
        better = "left" if sign(data["mix"], name) > 0 else "right"
        domains = [domain for domain in domains_of(data) if domain in effects]
        domains += [group for group in effects if group not in domains]  # frozen groups have one effect together
        middle, low, high = ([effects[d][key] for d in domains] for key in ("effect", "low", "high"))
        trace = dots(
            middle,
            [label(domain) for domain in domains],
            "--c1",
            size=7,
            error_x=spread(middle, low, high, "--c1", width=0),
            hovertemplate="%{y}: %{x:.2f} %<extra></extra>",
        )
        panels.append(
            chart(
                f"contrast-{len(panels)}",
                marked(data["mix"], name),
                f"Change of {name} in percent for one more point of each domain; {better} of zero is better.",
                [trace],
                90 + 20 * len(domains),
                xaxis=axis(f"% ({better} is better)", zeroline=True, nticks=5),
                yaxis=names_axis(domains),
            )
        )
    return panels


def swarm_map(data: dict[str, Any]) -> Chart:
    """Weights of every run as a heat map, the best run on top, with its objective at the right."""
    order = ranked(data)
    domains = tried_domains(data)
    runs = [label(run) for run, _ in order]
    weights = [[round(100 * data["ratios"][run][domain], 2) for domain in domains] for run, _ in order]
    heat = {
        "type": "heatmap",
        "x": [label(domain) for domain in domains],
        "y": runs,
        "z": weights,
        "colorscale": [[0, "--heat0"], [1, "--heat1"]],
        "zmin": 0,
        "showscale": False,
        "xgap": 1,
        "ygap": 1 if len(order) <= 100 else 0,
        "hovertemplate": "%{y}<br>%{x}: %{z:.1f} %<extra></extra>",
    }
    objective = [value for _, value in order]
    return chart(
        "swarm",
        "The swarm, the best run on top",
        "Each row is a run: the stronger a cell's colour, the more of that domain; the dot is its objective.",
        [
            heat,
            dots(objective, runs, "--c1", size=7, xaxis="x2", hovertemplate="%{y}: %{x:.4f}<extra></extra>"),
        ],
        120 + max(2, min(18, 900 // len(order))) * len(order),
        xaxis={"domain": [0, 0.7], "automargin": True, "tickangle": -45, "showgrid": False},
        xaxis2={"domain": [0.74, 1], "title": {"text": "objective"}, "nticks": 4, "anchor": "y"},
        yaxis=names_axis([run for run, _ in order], showgrid=False),
    )


def coverage_chart(data: dict[str, Any]) -> Chart:
    """The range of weights tried of each domain, with natural's and the proposal's weight."""
    mix, domains = data["mix"], domains_of(data)
    y = [label(domain) for domain in domains]
    tried = [coverage(data, domain) for domain in domains]
    low, high = ([100 * mix["uncertainty"]["interval"][side][domain] for domain in domains] for side in ("low", "high"))
    weights = [100 * mix["weights"][domain] for domain in domains]
    natural = [100 * data["swarm"]["natural"][domain] for domain in domains]
    hover = "%{y}: %{x:.1f} %<extra></extra>"
    mark = {"symbol": "line-ns-open", "line": {"width": 2}}
    return chart(
        "coverage",
        "Weights that were tried, and the proposal",
        "The bar is the range of weights that the swarm tried; the diamond is the proposal.",
        [
            bars(
                [100 * (most - least) for least, most, _ in tried],
                y,
                "--soft",
                name="tried by the swarm",
                base=[100 * least for least, _, _ in tried],
                hoverinfo="skip",
            ),
            dots(natural, y, "--c2", size=9, name="natural", marker=mark, hovertemplate=hover),
            dots(
                weights,
                y,
                "--c1",
                size=10,
                name="proposal, and mixes not told from the best",
                marker={"symbol": "diamond"},
                error_x=spread(weights, low, high, "--c1"),
                hovertemplate=hover,
            ),
        ],
        130 + 26 * len(domains),
        legend=True,
        xaxis=axis("weight, %", rangemode="tozero"),
        yaxis=names_axis(domains),
    )


def funnel_chart(data: dict[str, Any]) -> Chart:
    """Share of each source's records by what became of them."""
    read, selected = cells_of(data, "sources"), cells_of(data, "select")
    names = list(read)
    fates: list[tuple[str, str, str | None, str]]
    fates = [("trained on", "kept", "train", "--c1"), ("held out", "kept", "heldout", "--c3")]
    for i, reason in enumerate(reasons_of(selected.values(), "dropped")):
        fates.append((words(reason), "dropped", reason, COLOURS[(2 + i) % len(COLOURS)]))
    fates.append(("unreadable", "quarantined", None, "--ink"))
    if any(outcome_total(cells, "skipped") for cells in read.values()):
        fates.append(("skipped", "skipped", None, COLOURS[(2 + len(fates)) % len(COLOURS)]))
    traces = []
    for title, outcome, reason, colour in fates:
        shares = []
        for name in names:
            total = sum(row["documents"] for row in read[name].values())
            fate = (
                documents(selected.get(name, {}), (outcome, reason)) if reason else outcome_total(read[name], outcome)
            )
            shares.append(100 * fate / total if total else 0.0)
        hover = "%{y}: %{x:.1f} %<extra>%{fullData.name}</extra>"
        traces.append(bars(shares, [label(name) for name in names], colour, name=title, hovertemplate=hover))
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

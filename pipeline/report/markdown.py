"""The report's essentials as Markdown: at most 120 lines of 80 columns, for a terminal or a pull request."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any

import yaml

from pipeline.report import method
from pipeline.report.curation import cells_of, documents, outcome_total
from pipeline.report.decision import decide, ordered_domains, others_of, outcome_cell
from pipeline.report.measures import change, tasks_of
from pipeline.report.objective import marked, side, unit
from pipeline.report.pareto import families_of, plain_rows
from pipeline.report.regression import chosen_score
from pipeline.report.text import count, listed, number, p_value, signed, visible, words

WIDTH = 79
ROWS, TASKS, CAVEATS = 9, 12, 5
"""Rows of a table, of the tasks', and caveats at most; what is left out is counted, and the page has it."""
LINES = 120
FRONT, FAMILIES = 4, 3
"""Mixes of the Pareto front and families shown at most; the front is left out where the page would be too long."""
REFERENCES = 3
"""The user's own mixes shown at most."""
NAME = 20


def render_markdown(data: dict[str, Any]) -> str:
    """Return Markdown for the data of `pipeline.report.collect`; the first line says whether it won."""
    decision = decide(data)
    parts = [
        f"# {escaped(decision.headline)}",
        wrapped(decision.trust),
        f"Mix report: {escaped(data['title'])}",
    ]
    parts += ["## The mix", *mix_parts(data), "## Measured", *measured_parts(data)]
    parts += [
        "## What limits this",
        "\n".join(wrapped(each, "- ", "  ") for each in limits_of(decision.caveats)),
    ]
    parts += ["## Tasks", *task_parts(data)]
    rest = ["## Curation", *funnel_parts(data), "## How it was done"]
    rest.append("\n".join(wrapped(f"{what}: {how}" if what else how, "- ", "  ") for what, how in method.facts(data)))
    rest.append("All tables and charts: report.html beside this file.")
    front = front_parts(data["mix"])
    whole, short = (text_of([*parts, *between, *rest]) for between in (front, []))
    return whole if whole.count("\n") <= LINES else short


def text_of(parts: Sequence[str]) -> str:
    return "\n\n".join(parts) + "\n"


def front_parts(mix: dict[str, Any]) -> list[str]:
    """Return the Pareto front between the heaviest families in a few rows; nothing where there is one family."""
    if not mix["pareto"]:
        return []
    every = families_of(mix)
    families = every[:FAMILIES]
    text = (
        f"The best predicted mix for some weights of the families ({' : '.join(every)}, in percent): each family's "
        "value and standard error, natural is about 1, lower is better."
    )
    rows = plain_rows(mix, families, FRONT, ("proposal", "natural"))
    return ["## Between families", wrapped(text), aligned(["Weights", *families], rows, most=len(rows))]


def mix_parts(data: dict[str, Any]) -> list[str]:
    mix = data["mix"]
    interval = mix["uncertainty"]["interval"]
    cap = yaml.safe_load(data["config"])["propose"]["max_repetition"]
    origins = ordered_domains(mix)
    first = {names[0]: origin for origin, names in origins}
    domains = [name for _, names in origins for name in names]

    def points(weights: dict[str, float], name: str) -> str:
        return f"{100 * weights[name]:.1f}"

    rows = []
    for name in domains:
        row = [
            name,
            points(mix["weights"], name),
            f"{points(interval['low'], name)}-{points(interval['high'], name)}",
        ]
        row += [points(mix["baselines"][other], name) for other in ("natural", "uniform", "best_observed")]
        rows.append([*row, number(mix["repetition"]["proposal"][first[name]], 2) if name in first else ""])
    parts = [
        wrapped(
            "Percent of the target run's tokens. Range: mixes that the swarm cannot tell from the "
            "best. Best: the "
            "swarm's best run. Epochs: times the run reads an origin, raw and rewritten together "
            f"(cap {cap:g})."
        ),
        aligned(["Domain", "Proposal", "Range", "natural", "uniform", "best", "Epochs"], rows),
    ]
    given = others_of(mix)[3:]
    if given:
        shown = given[:REFERENCES]
        rows = [
            [name, *(points(mix["baselines"][other], name) for other in shown)]
            for name in domains
            if any(mix["baselines"][other][name] for other in shown)
        ]
        parts += [
            f"Your references{more(given, shown)}, domains without weight left out:",
            aligned(["Domain", *shown], rows, most=5),
        ]
    return parts


def measured_parts(data: dict[str, Any]) -> list[str]:
    mix = data["mix"]
    measured, predicted = mix["measured"], mix["predicted"]
    rows = []
    for name in ["proposal", *others_of(mix)]:
        row = [words(name), number(measured[name]["mean"]), number(predicted[name]["objective"])]
        if name == "proposal":
            rows.append([*row, "", "", "", ""])
            continue
        gains = [signed(measured[name]["gain"], 4), signed(predicted[name]["gain"], 4)]
        rows.append([*row, *gains, p_value(measured[name]["p_value"]), outcome_cell(mix, name).text])
    seeds = len(measured["proposal"]["seeds"])
    gain_se = max((each.get("gain_se", 0.0) for each in measured.values()), default=0.0)
    text = (
        f"The objective on {seeds} fresh seeds: tasks relative to natural, lower is better. "
        "Standard error "
        f"± {number(measured['proposal']['se'])} of a mean, ± {number(gain_se)} of a gain. Gain: how "
        "much better the "
        "proposal is. Pred.: what the laws expected."
    )
    return [
        wrapped(text),
        aligned(["Mix", "Measured", "Pred.", "Gain", "(pred.)", "p", "Proposal"], rows, name=13),
    ]


def limits_of(caveats: Sequence[str]) -> list[str]:
    """Return the first caveats, and the last, which says what proxies cannot tell."""
    if len(caveats) <= CAVEATS:
        return list(caveats)
    return [*caveats[: CAVEATS - 2], f"{len(caveats) - CAVEATS + 1} more in report.html.", caveats[-1]]


def task_parts(data: dict[str, Any]) -> list[str]:
    mix, fits = data["mix"], data["fit"]["tasks"]
    rows, used = [], Counter(words(task["law"]) for task in fits.values())
    for name in tasks_of(data):
        values = [("measured", "proposal"), ("predicted", "proposal"), ("measured", "best_observed")]
        row = [marked(mix, name), f"{100 * mix['objective']['weights'][name]:.1f}"]
        row += [signed(100 * change(mix, *value, name)) for value in values]
        task = fits[name]
        ratio = number(task["mixture_sd"] / task["seed_sd"], 1) if task["seed_sd"] else "?"
        rows.append([*row, number(chosen_score(task)["r2"], 2), ratio + (" !" if task["noisy"] else "")])
    laws = listed([f"{law} ({n})" for law, n in used.most_common()])
    text = (
        f"Change of {unit(mix)} against natural in percent, {side(mix)}. R2: share of the "
        "differences between "
        "left-out mixes that the law predicts. Signal: SD between mixes over SD between seeds (! "
        "noise). Laws used, each "
        f"the best of those tried on left-out mixes unless forced: {laws}."
    )
    header = ["Task", "Weight", "Proposal", "Pred.", "best", "R2", "Signal"]
    return [wrapped(text), aligned(header, rows, most=TASKS)]


def funnel_parts(data: dict[str, Any]) -> list[str]:
    read, selected = cells_of(data, "sources"), cells_of(data, "select")
    skips = any(outcome_total(cells, "skipped") for cells in read.values())
    rows = []
    for name, cells in read.items():
        bad, skipped = outcome_total(cells, "quarantined"), outcome_total(cells, "skipped")
        records = bad + skipped + documents(cells, ("kept", "read"))
        fates = selected.get(name, {})
        heldout, train = documents(fates, ("kept", "heldout")), documents(fates, ("kept", "train"))
        dropped = sum(row["documents"] for (outcome, _), row in fates.items() if outcome == "dropped")
        rows.append([name, *map(count, (records, bad, *([skipped] if skips else []), dropped, heldout, train))])
    header = ["Source", "Records", "Unreadable", *(["Skipped"] if skips else []), "Dropped", "Held out", "Trained on"]
    return [aligned(header, rows, most=8)]


def more(given: Sequence[str], shown: Sequence[str]) -> str:
    return f" ({len(given) - len(shown)} more in report.html)" if len(given) > len(shown) else ""


def escaped(text: str) -> str:
    """Return text on one line that Markdown shows as it is, with no HTML in it."""
    plain = re.sub(r"([\\`*|\[\]])", r"\\\1", " ".join(text.split()))
    return visible(re.sub(r"<(?=[A-Za-z/!?])", "&lt;", re.sub(r"&(?=#?\w+;)", "&amp;", plain)))


def wrapped(text: str, first: str = "", rest: str = "") -> str:
    return textwrap.fill(escaped(text), WIDTH, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)


def aligned(header: list[str], rows: Sequence[Sequence[str]], *, name: int = NAME, most: int = ROWS) -> str:
    """Return a Markdown table that lines up; the first column is cut to `name` characters, rows to `most`."""
    cells = [[shortened(row[0], name), *(shortened(each, 16) for each in row[1:])] for row in rows[:most]]
    if len(rows) > most:
        cells.append([f"+ {len(rows) - most} more", *[""] * (len(header) - 1)])
    lines = [[escaped(each) for each in row] for row in [header, *cells]]
    widths = [max(3, *(len(row[i]) for row in lines)) for i in range(len(header))]

    def line(row: Sequence[str]) -> str:
        padded = [
            each.ljust(w) if i == 0 else each.rjust(w) for i, (each, w) in enumerate(zip(row, widths, strict=True))
        ]
        return "| " + " | ".join(padded) + " |"

    rule = "|" + "|".join("-" * (w + 2) if i == 0 else "-" * (w + 1) + ":" for i, w in enumerate(widths)) + "|"
    return "\n".join([line(lines[0]), rule, *map(line, lines[1:])])


def shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"

"""A fit in words: the first line, the table for a terminal, and report.md."""

from __future__ import annotations

from typing import Any

from pipeline.mixture.recipes import RECIPES
from pipeline.report.markdown import aligned, escaped, wrapped
from pipeline.report.objective import marked, side
from pipeline.report.pareto import families_of, known_mixes, plain_rows
from pipeline.report.text import listed, number, percent, signed, visible, words

NAMED = 3
"""Domains that the first line names; the table has the rest."""
ROWS = 24
"""Domains in the terminal's table at most."""
WIDEST = 60


def headline(record: dict[str, Any]) -> str:
    """Return what is proposed and what it is predicted to gain."""
    used = [(name, weight) for name, weight in by_weight(record) if weight >= 0.0005]
    shares = [f"{percent(weight)} {visible(name)}" for name, weight in used[:NAMED]]
    if len(used) > NAMED:
        shares.append(f"{len(used) - NAMED} more")
    natural = record["predicted"]["natural"]
    gain, error = (100 * natural[key] / natural["objective"] for key in ("gain", "se"))
    what = "natural" if record["natural"] == "tokens" else f"natural (here the {record['natural']})"
    return (
        f"Proposed: {listed(shares)}. Predicted gain over {what}: {signed(gain)} % ± {number(error, 2)} (SE) of the "
        "objective. Predicted, not proven: no model was trained on it."
    )


def summary(record: dict[str, Any]) -> str:
    """Return the first line and the table of domains, for a terminal."""
    return f"{headline(record)}\n\n{weights_table(record, ('natural',), ROWS)}"


def by_weight(record: dict[str, Any]) -> list[tuple[str, float]]:
    return sorted(record["weights"].items(), key=lambda pair: (-pair[1], pair[0]))


def weights_table(record: dict[str, Any], mixes: tuple[str, ...], most: int) -> str:
    """Return domain × proposal, range and some baselines, in percent, by falling weight."""
    low, high = record["interval"]["low"], record["interval"]["high"]
    rows = [
        [
            name,
            f"{100 * weight:.1f}",
            f"{100 * low[name]:.1f}-{100 * high[name]:.1f}",
            *(f"{100 * record['baselines'][mix][name]:.1f}" for mix in mixes),
        ]
        for name, weight in by_weight(record)
    ]
    return aligned(["Domain", "Proposal %", "Range", *map(words, mixes)], rows, name=WIDEST, most=most)


def render_report(record: dict[str, Any], fitted: dict[str, Any]) -> str:
    """Return report.md: the mix, what is predicted, how far each task is predictable, and what limits all that."""
    mixes = tuple(record["baselines"])
    runs = fitted["runs"]
    parts = [
        f"# {escaped(headline(record))}",
        "## The mix",
        "Percent of tokens. Range: mixes that the swarm cannot tell from the best.",
        weights_table(record, mixes, len(record["weights"])),
        *([wrapped(f"Recipe: {RECIPES[record['recipe']].says}.")] if record["recipe"] else []),
        "## Predicted",
        wrapped(
            "The objective is a weighted mean of tasks, lower is better; 1 is natural, or the mean of all runs where "
            "none of them is natural. Gain: how much better the proposal is, ± SE. Best observed is run "
            f"{record['best_observed']['run']}, which measured {number(record['best_observed']['measured'])}."
        ),
        predicted_table(record),
        "## Tasks",
        wrapped(
            "The law of each task, and its error on mixes that the fit did not see. Change: predicted for the proposal "
            f"against natural, in percent, {side(record)}. fit.json has the errors of all laws and the linear law's "
            "coefficients."
        ),
        tasks_table(record, fitted),
    ]
    if record["pareto"]:
        families = families_of(record)
        rows = plain_rows(record, families, len(record["pareto"]), known_mixes(record))
        text = (
            f"The best predicted mix for weights of the families ({' : '.join(families)}, in percent) and what is "
            "predicted for each family, ± SE: natural is about 1, lower is better. proposal.json has the mixes."
        )
        table = aligned(["Weights", *families], rows, name=WIDEST, most=len(rows))
        parts += ["## Between families", wrapped(text), table]
    if record["repetition"]:
        epochs = record["repetition"]["proposal"]
        rows = [
            [name, *(number(record["repetition"][mix][name], 2) for mix in ("proposal", "natural"))] for name in epochs
        ]
        parts += ["## Epochs", aligned(["Domain", "Proposal", "natural"], rows, name=WIDEST, most=len(rows))]
    parts += [
        "## What limits this",
        "\n".join(
            wrapped(each.replace("`", ""), "- ", "  ")  # quoted names read badly once they are escaped
            for each in [
                *record["warnings"],
                *fitted["notes"],
                f"Fitted on {runs['finished']} of {runs['planned']} runs. Nothing was trained on the proposal: prove "
                "it beside natural and best observed before you rely on it.",
            ]
        ),
    ]
    return "\n\n".join(parts) + "\n"


def predicted_table(record: dict[str, Any]) -> str:
    rows = []
    for name, each in record["predicted"].items():
        gain = "" if name == "proposal" else f"{signed(each['gain'], 4)} ± {number(each['se'])}"
        rows.append([words(name), number(each["objective"]), gain])
    rows.sort(key=lambda row: (row[0] != "proposal", row[0] not in ("natural", "uniform", "best observed")))
    return aligned(["Mix", "Objective", "Gain"], rows, name=WIDEST, most=len(rows))


def tasks_table(record: dict[str, Any], fitted: dict[str, Any]) -> str:
    proposal, natural = (record["predicted"][name]["tasks"] for name in ("proposal", "natural"))
    rows = []
    for name, task in fitted["tasks"].items():
        score = next(each for each in task["scores"] if each["law"] == task["law"])
        rows.append(
            [
                marked(record, name),
                f"{100 * task['weight']:.1f}",
                signed(100 * (proposal[name] / natural[name] - 1)),
                words(task["law"]),
                *(number(score[key], 3) for key in ("rmse", "r2", "spearman")),
            ]
        )
    header = ["Task", "Weight %", "Change %", "Law", "RMSE", "R2", "Spearman"]
    return aligned(header, rows, name=WIDEST, most=len(rows))

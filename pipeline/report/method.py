"""How it was done: proxies, evals, limits."""

from __future__ import annotations

from typing import Any

import yaml

from pipeline.mixture.pull import SHARE_OF_NOISE
from pipeline.mixture.recipes import RECIPES
from pipeline.report.curves import verdict
from pipeline.report.measures import tasks_of
from pipeline.report.provenance import licenses_text
from pipeline.report.table import Cell, Column, Table, cut, table
from pipeline.report.text import count, number, size, words
from pipeline.tasks import requests_of


def facts(data: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (what, how) of everything that is one line."""
    config, mix = yaml.safe_load(data["config"]), data["mix"]
    plan, kl = data["numerics"]["plan"], mix["uncertainty"]["kl"]
    swarm = [run for run in data["proxies"] if run in data["metrics"]]
    larger = [data["proxies"][run] for run in data["larger"]]
    tokens = sum(proxy["tokens"] for run, proxy in data["proxies"].items() if run not in data["larger"])
    count_small = len(data["proxies"]) - len(larger)
    pull = {"inf": "as strong as can be: the prior itself is within the error", 0: "none"}.get(
        kl["strength"], f"strength {kl['strength']:.3g}" if kl["strength"] != "inf" else ""
    )
    recipe = mix["recipe"]
    by_rule = (
        "the recipe's"
        if recipe
        else "the strongest that costs no more than one standard error, "
        f"and {100 * SHARE_OF_NOISE:g} % of what another seed changes"
    )
    how = by_rule if config["propose"]["kl"] is None else "set by hand"
    region = "mixes between those that the swarm tried"
    if recipe or config["propose"]["extrapolate"]:
        region = "any mix, as the recipe searches" if recipe else "any mix"
    found = [
        ("Target run", f"{size(config['target']['tokens'])} tokens"),
        (
            "Proxies",
            f"{count_small}: {len(swarm)} in the swarm over {config['swarm']['blocks']} seed "
            "blocks, "
            f"{count_small - len(swarm)} for the proof; preset {config['proxy']['preset']}, "
            f"{size(config['proxy']['tokens'])} tokens each, {size(tokens)} in all",
        ),
        (
            "Numbers",
            f"{plan['dtype']} on {plan['device']}, {plan['attention']} attention, torch {plan['torch']}",
        ),
        ("", data["numerics"]["reason"]),
        ("Repetition cap", f"{config['propose']['max_repetition']:g} epochs of an origin in the target run"),
        ("Licences", f"of the proposal, by tokens: {licenses_text(mix['licenses']['proposal'], most=3)}"),
        ("Region", f"{region}; expected regret {number(mix['uncertainty']['regret'])}"),
        (
            "Pull to the prior",
            f"{pull} ({how}); the proposal is {kl['nats']:.3f} nats away (KL divergence, 0 is the prior)",
        ),
        (
            "Noise of the proof",
            f"SD {number(mix['uncertainty']['pooled_sd'])} of one measurement after mix and seed, "
            "pooled over all mixes "
            f"({mix['uncertainty']['freedom']} degrees of freedom)",
        ),
    ]
    if data["curves"]:
        found.append(("Learning curves", verdict(data)))
    if data["diverged"]:
        found.insert(
            2,
            (
                "Left out",
                f"{len(data['diverged'])} proxies whose loss was no number: {', '.join(data['diverged'][:20])}",
            ),
        )
    if larger:
        preset = config["validate"]["transfer"]["preset"]
        each = f"preset {preset}, {size(larger[0]['tokens'])} tokens each"
        found.insert(2, ("Larger proxies", f"{len(larger)}, to see whether they rank the mixes alike; {each}"))
    if recipe:
        found.insert(2, ("Recipe", RECIPES[recipe].says))
    for name, bound in config["propose"]["bounds"].items():
        found.append((f"Bound on {name}", f"{100 * bound['min']:g} to {100 * bound['max']:g} %"))
    return found


def evals_table(data: dict[str, Any]) -> Table:
    """Return per task the items of both sides, their bytes, and what was cut or left out."""
    rows = []
    for name in tasks_of(data):
        sides = data["requests"][requests_of(name)]
        cells = [Cell(name), Cell(number(data["mix"]["objective"]["reference"][name], 3))]
        for side in ("steer", "confirm"):
            for key in ("items", "bytes"):
                cells.append(Cell(count(sides[side][key]), sides[side][key]))
        cut = sum(sides[side]["truncated"] for side in ("steer", "confirm"))
        cells.append(Cell(count(cut), cut, tone="warn" if cut else "dim"))
        dropped = sides.get("contaminated", 0)
        cells.append(Cell(count(dropped), dropped, tone="warn" if dropped else "dim"))
        rows.append(cells)
    columns = [
        Column("Task", text=True),
        Column("Natural", "metric of the natural mix on steer items, the objective's unit"),
        Column("Steer items", "seen by fit and proposal"),
        Column("Steer bytes"),
        Column("Confirm items", "seen by the proof only"),
        Column("Confirm bytes"),
        Column("Truncated", "items longer than the proxy's context, cut on the left"),
        Column("Left out", "items that training text contains"),
    ]
    return table("Evals: bits per byte, lower is better, or the accuracy that the task's name ends in", columns, rows)


def proxies_table(data: dict[str, Any]) -> Table:
    """Return every proxy with its tokens, its loss at the start and the end, and its largest repetition."""
    rows = []
    for run, proxy in data["proxies"].items():
        most = max(proxy["repetition"], key=proxy["repetition"].__getitem__)
        rows.append(
            [
                Cell(run),
                Cell("swarm" if run in data["metrics"] else "transfer" if run in data["larger"] else "proof"),
                Cell(count(proxy["tokens"]), proxy["tokens"]),
                Cell(number(proxy["first_loss"], 3), proxy["first_loss"]),
                Cell(number(proxy["last_loss"], 3), proxy["last_loss"]),
                Cell(number(proxy["repetition"][most], 2), proxy["repetition"][most], note=words(most)),
            ]
        )
    columns = [
        Column("Proxy", text=True),
        Column("For", text=True),
        Column("Tokens"),
        Column("First loss", "nats per token"),
        Column("Last loss", "nats per token"),
        Column("Most epochs", "of its own subsample, as the target run would repeat it"),
    ]
    shown, notes = cut(rows)
    return table("Every proxy", columns, shown, *notes)

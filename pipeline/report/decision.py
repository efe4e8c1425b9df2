"""The first screen: did the proposal win, is it to be trusted, and what is it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml

from pipeline.report.sizes import size_caveat
from pipeline.report.table import Bar, Cell, Column, Table, table
from pipeline.report.text import listed, number, p_value, percent, signed, size, words

BASELINES = ("natural", "uniform", "best_observed")
"""Order of the baselines; the user's references follow by name."""
AGREE = 2.0
"""Predicted and measured gain agree when they differ by at most this many standard errors."""


@dataclass(frozen=True)
class Decision:
    """status: `won` (beats every other mix, no better one is predicted), `partly` or `lost` (beats none).

    headline: the first line. accuracies: some task is better when higher.
    """

    status: str
    headline: str
    trust: str
    caveats: tuple[str, ...]
    weights: Table
    measured: Table
    epochs: Table
    accuracies: bool


def others_of(mix: dict[str, Any]) -> list[str]:
    """Return the mixes that the proposal was compared with, in the order shown."""
    measured = [name for name in mix["measured"] if name != "proposal"]
    return sorted(measured, key=lambda name: (BASELINES.index(name) if name in BASELINES else len(BASELINES), name))


def decide(data: dict[str, Any]) -> Decision:
    """Return the first screen of the report's data (see `pipeline.report.collect`)."""
    mix = data["mix"]
    compared = {name: mix["measured"][name] for name in others_of(mix)}
    won = [name for name, each in compared.items() if each["wins"]]
    status = "won" if len(won) == len(compared) else "partly" if won else "lost"
    prefix = "Not a clear win. " if status == "partly" and not mix["successor"] else ""
    return Decision(
        status="partly" if won and mix["successor"] else status,
        headline=prefix + mix["headline"],
        trust=trust_of(mix, compared, status),
        caveats=caveats_of(data),
        weights=weights_of(data),
        measured=measured_of(mix),
        epochs=epochs_of(data),
        accuracies=bool(mix["objective"]["maximise"]),
    )


# trust


def is_same(mix: dict[str, Any], name: str) -> bool:
    """Tell whether a baseline is the proposal's own mix."""
    return mix["baselines"][name] == mix["weights"]


def trust_of(mix: dict[str, Any], compared: dict[str, Any], status: str) -> str:
    """Return one plain sentence on whether to trust the proposal, and why."""
    seeds = len(mix["measured"]["proposal"]["seeds"])
    tested = {name: each for name, each in compared.items() if not is_same(mix, name)}
    how = f"on {seeds} fresh seeds and items that neither fit nor proposal saw"
    if not tested:
        return "There is nothing to trust or to doubt: every baseline is the proposal's own mix."
    if status == "won":
        worst = max(each["p_value"] for each in tested.values())
        natural = {name: each for name, each in tested.items() if name == "natural"}
        first = f"{gains(natural)} and every other mix" if natural and len(tested) > 1 else gains(tested)
        agreement = agreement_of(mix)
        but = (
            f", though {agreement}: trust the order of the mixes, not the predicted size of the gain"
            if agreement
            else (", and the gain over natural is the one that was predicted")
        )
        return (
            f"Trust it at the proxies' size: {how} it beat {first} (largest p {p_value(worst)}, the chance of such a "
            f"gain if there were none){but}."
        )
    open_ = {name: each for name, each in compared.items() if not each["wins"]}
    closest = min(open_, key=lambda name: open_[name]["gain"])
    gain, error = open_[closest]["gain"], open_[closest]["gain_se"]
    if is_same(mix, closest):
        why = f"it is {words(closest)} itself"
    elif gain < -error:
        why = f"{words(closest)} measured {number(-gain)} ± {number(error)} better"
    else:
        why = (
            f"its gain over {words(closest)}, {signed(gain, 4)} ± {number(error)}, could be chance "
            f"(p {p_value(open_[closest]['p_value'])})"
        )
    rest = {name: each for name, each in compared.items() if name not in open_}
    proven = f"; that it beats {gains(rest)} is proven" if rest else ""
    return f"Do not take it in place of {listed([words(name) for name in open_])}: {how}, {why}{proven}."


def gains(compared: dict[str, Any]) -> str:
    """Return by how much the proposal measured better than other mixes, with standard errors."""
    return listed([f"{words(name)} by {number(e['gain'])} ± {number(e['gain_se'])}" for name, e in compared.items()])


def agreement_of(mix: dict[str, Any]) -> str:
    """Return how predicted and measured gain over natural disagree; empty where they agree."""
    predicted, measured = mix["predicted"]["natural"], mix["measured"]["natural"]
    error = (predicted["se"] ** 2 + measured["gain_se"] ** 2) ** 0.5
    if abs(predicted["gain"] - measured["gain"]) <= AGREE * error:
        return ""
    expected, found = number(predicted["gain"]), number(measured["gain"])
    return f"a gain of {expected} over natural was predicted and {found} measured"


def caveats_of(data: dict[str, Any]) -> tuple[str, ...]:
    """Return what speaks against the proposal, or limits what it says."""
    mix, config = data["mix"], yaml.safe_load(data["config"])
    found = list(mix["warnings"])
    cap = config["propose"]["max_repetition"]
    full = [name for name, epochs in mix["repetition"]["proposal"].items() if epochs > 0.99 * cap]
    if full:
        found.append(
            f"The cap of {cap:g} epochs binds for {listed(full)}: with more of it the mix would look different."
        )
    noisy = {name: task["weight"] for name, task in data["fit"]["tasks"].items() if task["noisy"]}
    text = "the mixes differ there by less than twice what another seed does"
    if aside := [name for name, weight in noisy.items() if weight == 0]:
        found.append(f"Set aside as noise: {listed(aside)} ({text}, so it cannot steer).")
    if forced := [name for name, weight in noisy.items() if weight > 0]:
        found.append(f"Noise, but forced into the objective: {listed(forced)} ({text}, so chance steers with it).")
    if any(task["seed_sd"] is None for task in data["fit"]["tasks"].values()):
        found.append("No mix of the swarm ran on two seeds, so its noise is unknown.")
    found += data["fit"]["notes"]
    if data["unread"]:
        shards = [f"{shard} ({reason})" for shard, reason in sorted(data["unread"].items())]
        shown = "; ".join(shards[:3]) + (f" and {len(shards) - 3} more" if len(shards) > 3 else "")
        found.append(f"Shards that were not read whole, so that part of their text is missing: {shown}.")
    found.append(size_caveat(data))
    return tuple(dict.fromkeys(found))


# tables


def ordered_domains(mix: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Return (origin, its domains): origins by falling weight in the proposal, the raw parent first."""
    members: dict[str, list[str]] = {}
    for name in sorted(mix["weights"]):
        members.setdefault(name.split(".")[0], []).append(name)
    return sorted(members.items(), key=lambda item: (-sum(mix["weights"][name] for name in item[1]), item[0]))


def weights_of(data: dict[str, Any]) -> Table:
    """Return the table domain × mix, with the proposal's interval and the epochs of each origin."""
    mix = data["mix"]
    columns_of = {name: mix["baselines"][name] for name in others_of(mix)}
    if mix["successor"]:
        columns_of["not_proven"] = mix["successor"]["weights"]
    low, high = mix["uncertainty"]["interval"]["low"], mix["uncertainty"]["interval"]["high"]
    cap = yaml.safe_load(data["config"])["propose"]["max_repetition"]
    top = max(
        [
            *high.values(),
            *mix["weights"].values(),
            *(w for weights in columns_of.values() for w in weights.values()),
        ]
    )
    rows: list[list[Cell | None]] = []
    for origin, names in ordered_domains(mix):
        for i, name in enumerate(names):
            weight = mix["weights"][name]
            cells: list[Cell | None] = [Cell(name)]
            bar = Bar(weight / top, low[name] / top, high[name] / top)
            cells.append(Cell(percent(weight), weight, bar=bar, strong=True))
            cells.append(Cell(f"{100 * low[name]:.1f} to {100 * high[name]:.1f} %", high[name], tone="dim"))
            for other in columns_of:
                share = columns_of[other][name]
                cells.append(Cell(percent(share), share, bar=Bar(share / top), tone="" if share else "dim"))
            cells.append(epochs_cell(mix["repetition"]["proposal"][origin], cap, len(names)) if i == 0 else None)
            rows.append(cells)
    columns = [
        Column("Domain", text=True),
        Column("Proposal", "share of the target run's tokens"),
        Column("Range", "mixes that the swarm cannot tell from the best have weights in this range"),
        *(Column(words(name), MEANING.get(name, "your own mix, from `references`")) for name in columns_of),
        Column("Epochs", "times the target run reads the origin, raw and rewritten text together"),
    ]
    return table("The mix: share of tokens per domain", columns, rows)


MEANING = {
    "proposal": "the mix that is recommended",
    "natural": "raw sources by their tokens",
    "uniform": "every domain alike",
    "best_observed": "the swarm's best run",
    "not_proven": "predicted to be better on the evals as they are now",
}


def epochs_cell(epochs: float, cap: float, rows: int = 1) -> Cell:
    tone = "warn" if epochs > 0.99 * cap else ""
    return Cell(number(epochs, 2), epochs, note=f"cap {cap:g}", tone=tone, rows=rows)


def measured_of(mix: dict[str, Any]) -> Table:
    """Return the table of mixes: measured objective, the proposal's gain, p, and what was predicted."""
    rows = []
    for name in ["proposal", *others_of(mix)]:
        measured, predicted = mix["measured"][name], mix["predicted"][name]
        gains = [Cell("")] * 2 if name == "proposal" else [gain_cell(measured, "gain_se"), gain_cell(predicted, "se")]
        chance = Cell("") if name == "proposal" else Cell(percent(predicted["probability"]), predicted["probability"])
        p = Cell("") if name == "proposal" else Cell(p_value(measured["p_value"]), measured["p_value"])
        mean = f"{number(measured['mean'])} ± {number(measured['se'])}"
        rows.append(
            [
                Cell(words(name), strong=name == "proposal"),
                Cell("") if name == "proposal" else outcome_cell(mix, name),
                Cell(mean, measured["mean"], strong=name == "proposal"),
                gains[0],
                p,
                Cell(number(predicted["objective"]), predicted["objective"]),
                gains[1],
                chance,
            ]
        )
    freedom = mix["uncertainty"]["freedom"]
    columns = [
        Column("Mix", text=True),
        Column("The proposal", text=True),
        Column("Measured", "objective on fresh seeds ± standard error of the mean"),
        Column("Gain", "of the proposal over the mix ± standard error; above 0 the proposal is better"),
        Column("p", f"chance of such a gain if there were none (one-sided t-test, {freedom} degrees of freedom)"),
        Column("Predicted", "objective that the laws expected"),
        Column("Predicted gain", "the same from the laws"),
        Column("Chance", "that the proposal is better, from the swarm alone"),
    ]
    return table("Measured: the objective, natural is about 1, lower is better", columns, rows)


def gain_cell(each: dict[str, Any], error: str) -> Cell:
    return Cell(f"{signed(each['gain'], 4)} ± {number(each[error])}", each["gain"])


def outcome_cell(mix: dict[str, Any], name: str) -> Cell:
    each = mix["measured"][name]
    if is_same(mix, name):
        return Cell("is this mix", tone="warn")
    if each["wins"]:
        return Cell("wins", tone="good")
    if each["gain"] < -each["gain_se"]:
        return Cell("loses", tone="bad")
    return Cell("unproven", tone="warn")


def epochs_of(data: dict[str, Any]) -> Table:
    """Return the table origin × mix of epochs in the target run."""
    mix, config = data["mix"], yaml.safe_load(data["config"])
    cap = config["propose"]["max_repetition"]
    names = ["proposal", *others_of(mix)]
    rows = []
    for origin, domains in ordered_domains(mix):
        cells = [Cell(origin), Cell(", ".join(f"{d} {size(data['swarm']['tokens'][d])}" for d in domains))]
        for name in names:
            epochs = mix["repetition"][name][origin]
            cells.append(Cell(number(epochs, 2), epochs, tone="warn" if epochs > 0.99 * cap else ""))
        rows.append(cells)
    columns = [
        Column("Origin", text=True),
        Column("Tokens there are", text=True),
        *(Column(words(n)) for n in names),
    ]
    budget = size(config["target"]["tokens"])
    return table(f"Epochs of each origin in a run of {budget} tokens (cap {cap:g})", columns, rows)

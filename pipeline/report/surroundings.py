"""The objective around the proposal, as the laws see it: what each weight does, and which domains help each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.report.figures import Chart, axis, chart, dots, label, names_axis
from pipeline.report.predictor import Laws
from pipeline.report.table import Cell, Column, Table, table
from pipeline.report.text import percent, signed

STEPS = (-0.05, -0.02, 0.02, 0.05)
"""Changes of a weight, in shares of all tokens."""
PAIR = 0.02
"""What both domains of a pair gain."""
MOST = 16
"""Domains in the table of pairs, the heaviest first: pairs of all would be thousands of cells."""


@dataclass(frozen=True)
class Around:
    """single: (d, steps) change of the objective, nan where the weight would be below 0. pairs: (k, k) change by both
    beyond what each does alone, of the domains `heaviest` (k,)."""

    domains: tuple[str, ...]
    weights: np.ndarray
    single: np.ndarray
    heaviest: tuple[int, ...]
    pairs: np.ndarray


def around(laws: Laws, proposal: dict[str, float]) -> Around:
    """Predict the objective around the proposal (domain → weight); other weights shrink or grow in proportion."""
    weights = np.array([proposal.get(name, 0.0) for name in laws.domains])
    d = len(weights)
    heaviest = tuple(int(i) for i in np.argsort(-weights, kind="stable")[:MOST])
    mixes = [weights]
    mixes += [moved(weights, {i: step}) for i in range(d) for step in STEPS]
    mixes += [moved(weights, {i: PAIR}) for i in heaviest]
    mixes += [moved(weights, {i: PAIR, j: PAIR}) for i in heaviest for j in heaviest if i < j]
    values = laws.objective(laws.means(np.maximum(np.array(mixes), 0.0)))
    values -= values[0]
    single = values[1 : 1 + d * len(STEPS)].reshape(d, len(STEPS))
    single[weights[:, None] + np.array(STEPS) < -1e-12] = np.nan
    alone = dict(zip(heaviest, values[1 + d * len(STEPS) :], strict=False))
    both = iter(values[1 + d * len(STEPS) + len(heaviest) :])
    pairs = np.zeros((len(heaviest), len(heaviest)))
    for a, i in enumerate(heaviest):
        for b, j in enumerate(heaviest):
            if i < j:
                pairs[a, b] = pairs[b, a] = next(both) - alone[i] - alone[j]
    return Around(laws.domains, weights, single, heaviest, pairs)


def moved(weights: np.ndarray, by: dict[int, float]) -> np.ndarray:
    """Change some weights; the others keep their proportions. (d,) -> (d,), sum 1."""
    found = weights.copy()
    others = np.ones(len(weights), dtype=bool)
    for i, step in by.items():
        found[i] += step
        others[i] = False
    rest = weights[others].sum()
    found[others] *= (rest - sum(by.values())) / rest if rest > 0 else 0.0
    return found


def sensitivity_table(found: Around) -> Table:
    """Return domain × change of its weight: change of the objective in percent, at the proposal."""
    rows = []
    for i in np.argsort(-found.weights, kind="stable"):
        cells = [Cell(found.domains[i]), Cell(percent(float(found.weights[i])), float(found.weights[i]))]
        for value in found.single[i]:
            known = bool(np.isfinite(value))
            cells.append(Cell(signed(100 * value), float(value)) if known else Cell("–", tone="dim"))
        rows.append(cells)
    columns = [
        Column("Domain", text=True),
        Column("Proposal"),
        *(Column(f"{100 * step:+g} points") for step in STEPS),
    ]
    return table(
        "Change of the objective in % when one weight moves from the proposal (below 0 is better)",
        columns,
        rows,
        "Predicted by the laws in use; all other weights shrink or grow in proportion. Caps and the region that the "
        "swarm covered are not looked at: a better mix here may not be allowed, or the laws only guess there.",
    )


def sensitivity_chart(found: Around) -> Chart:
    """The objective's change by two points less and two points more of each domain."""
    order = [int(i) for i in np.argsort(-found.weights, kind="stable")]
    names = [found.domains[i] for i in order]
    traces = []
    for step, colour, symbol in ((-0.02, "--c2", "triangle-left"), (0.02, "--c1", "triangle-right")):
        column = STEPS.index(step)
        kept = [i for i in order if np.isfinite(found.single[i, column])]
        x = [100 * float(found.single[i, column]) for i in kept]
        y = [label(found.domains[i]) for i in kept]
        title = f"{abs(100 * step):g} points {'less' if step < 0 else 'more'}"
        hover = "%{y}: %{x:.3f} %<extra>%{fullData.name}</extra>"
        traces.append(dots(x, y, colour, size=9, name=title, marker={"symbol": symbol}, hovertemplate=hover))
    return chart(
        "sensitivity",
        "What each weight does at the proposal",
        "The predicted objective with two points less and two points more of each domain; left of zero is better.",
        traces,
        120 + 24 * len(names),
        legend=True,
        xaxis=axis("change of the objective, % (left is better)", zeroline=True),
        yaxis=names_axis(names),
    )


def pairs_table(found: Around) -> Table:
    """Return domain × domain: what both do beyond what each does alone."""
    names = [found.domains[i] for i in found.heaviest]
    largest = float(np.abs(found.pairs).max()) or 1.0
    rows = []
    for a, name in enumerate(names):
        cells = [Cell(name)]
        for b in range(len(names)):
            value = float(found.pairs[a, b])
            shade = value / largest if a != b else None
            cells.append(Cell("", tone="dim") if a == b else Cell(signed(1e4 * value, 1), value, shade=shade))
        rows.append(cells)
    more = len(found.domains) - len(names)
    shown = f" Of the {len(names)} heaviest domains." if more else ""
    return table(
        "Interactions: what two more points of both domains change in the objective, beyond what each does alone "
        "(hundredths of a percent; below 0 they help each other)",
        [Column("Domain", text=True), *map(Column, names)],
        rows,
        f"By the laws in use, at the proposal. Above 0 one stands in for the other.{shown}",
    )


def sections(laws: Laws, mix: dict[str, Any]) -> tuple[Table, Chart, Table]:
    """Return sensitivity as table and chart, and the pairs."""
    found = around(laws, mix["weights"])
    return sensitivity_table(found), sensitivity_chart(found), pairs_table(found)

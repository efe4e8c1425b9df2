"""Which mixes the swarm tries: baselines, one-at-a-time corners, and a spread choice of Dirichlet draws."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.mixture.polytope import project, require_nonempty, toward, whole_simplex
from pipeline.mixture.spaces import Domain, Limits, limits, natural, prior, uniform

# Dirichlet concentrations (alpha = strength * centre), counted per domain so that they mean the same for 5 domains as
# for 50: from even over the simplex to close around the centre. Each strength gives as many mixes as the others. A law
# must be right near the optimum, which with balanced evals lies inside: on the quickstart's proxies a design of far
# mixes alone (as RegMix's 0.1-5 times the prior) left an error there larger than what was to be gained.
_STRENGTHS = (1.0, 2.0, 4.0, 8.0)
# The centres go from the prior (1) to uniform (0) as prior^t: around the prior alone, a domain of 1 % of the tokens is
# hardly ever tried above 10 %.
_TEMPERS = (1.0, 0.5, 0.0)
_CANDIDATES = 1500


@dataclass(frozen=True)
class Mix:
    """One run of the swarm. `name` is unique; runs with the same `mix` share weights (d,) and differ in `block`."""

    name: str
    weights: np.ndarray
    block: int
    mix: str


def swarm(
    domains: Sequence[Domain],
    runs: int,
    *,
    seed: int,
    within: Limits | None = None,
    blocks: int = 4,
    replicates: int = 2,
    corner_share: float = 0.35,
    apart: float = 0.03,
) -> list[Mix]:
    """`runs` runs in all, replicates included; the same arguments give the same list.

    Natural, uniform and a third, distant mix run on `replicates` blocks each: they measure the noise. Then one corner a
    domain: it is lifted to `corner_share`, or as far as the limits allow, the others keep the prior's proportions. The
    rest are Dirichlet draws of several strengths in turn, chosen greedily where a Gaussian process on w^(1/4) that has
    seen the others would be least sure (the greedy log-determinant design). All but natural and uniform satisfy
    `within`, which only says what a proposal may be. `apart`: smallest total-variation distance between two mixes.
    ValueError where `runs` is too few or the limits allow no mix.
    """
    if blocks < 1 or not 1 <= replicates <= blocks:
        raise ValueError(f"replicates must lie between 1 and the {blocks} seed blocks, got {replicates}")
    least = 3 * replicates
    if runs < least:
        raise ValueError(
            f"{runs} runs are too few: natural, uniform and a third mix on {replicates} blocks need {least}"
        )
    within = within if within is not None else limits(domains)
    require_nonempty(whole_simplex(within))
    rng = np.random.default_rng(seed)
    centre = prior(domains)
    if not within.allow(centre):
        centre = project(whole_simplex(within), centre)
    chosen: list[tuple[str, np.ndarray]] = [("natural", natural(domains)), ("uniform", uniform(domains))]
    wanted = runs - 3 * (replicates - 1)
    if np.abs(chosen[0][1] - chosen[1][1]).max() < 1e-12:  # one raw domain, or all of a size: one baseline, twice named
        chosen, wanted = chosen[:1], runs - 2 * (replicates - 1)
    for i, domain in enumerate(domains):
        corner = _lift(within, centre, i, corner_share)
        if len(chosen) < wanted and _is_apart(corner, chosen, apart):
            chosen.append((f"corner-{domain.name}", corner))
    candidates, strengths = _candidates(within, centre, rng)
    for i, row in enumerate(_spread(candidates, strengths, [w for _, w in chosen], wanted - len(chosen), apart)):
        chosen.append((f"dirichlet-{i:03d}", row))
    if len(chosen) < wanted:
        raise ValueError(
            f"only {len(chosen)} mixes at least {apart:g} apart fit inside the limits, {wanted} are wanted: "
            "loosen the limits or ask for fewer runs"
        )
    return _assign(chosen, blocks, replicates)


def _lift(within: Limits, centre: np.ndarray, i: int, share: float) -> np.ndarray:
    """From the centre straight toward domain i alone: the other domains keep their proportions."""
    end = np.eye(len(centre))[i]
    end = centre + (share - centre[i]) / (1 - centre[i]) * (end - centre) if centre[i] < share else centre
    return toward(within, centre, end[None])[0]


def _candidates(within: Limits, centre: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Dirichlet draws around tempered centres, pulled back toward the centre where the limits say so.

    Returns the mixes (_CANDIDATES, d) and the index of each one's strength (_CANDIDATES,).
    """
    d = len(centre)
    draws, strengths = [], []
    for i in range(_CANDIDATES):
        tempered = np.maximum(centre, 1e-6) ** _TEMPERS[i % len(_TEMPERS)]
        strengths.append((i // len(_TEMPERS)) % len(_STRENGTHS))
        row = rng.dirichlet(np.maximum(_STRENGTHS[strengths[-1]] * d * tempered / tempered.sum(), 0.02))
        draws.append(np.where(row < 1e-3, 0.0, row))  # a share that a proxy could not realise is none
    points = np.array(draws)
    return toward(within, centre, points / points.sum(axis=1, keepdims=True)), np.array(strengths)


def _spread(
    candidates: np.ndarray, strengths: np.ndarray, taken: list[np.ndarray], count: int, apart: float
) -> list[np.ndarray]:
    """Greedy maximisation of the log-determinant of a Gaussian process's covariance over the chosen mixes.

    Each step takes the candidate of largest posterior variance (pivoted Cholesky; Chen et al. 2018) among those of the
    strength whose turn it is, or among all where that strength has none left.
    """
    points = np.vstack([taken, candidates])
    group = np.concatenate([np.full(len(taken), -1), strengths])
    features = points**0.25
    # Length scale: the root mean square distance between candidates, so that it needs no tuning to d.
    scale = 2 * features.var(axis=0).sum() + 1e-12
    noise = 0.01
    variance = np.ones(len(points))
    factor = np.zeros((len(points), len(taken) + count))
    free = np.ones(len(points), dtype=bool)
    picked: list[np.ndarray] = []

    def condition(row: int, step: int) -> None:
        kernel = np.exp(-0.5 * ((features - features[row]) ** 2).sum(axis=1) / scale)
        column = (kernel - factor[:, :step] @ factor[row, :step]) / np.sqrt(variance[row] + noise)
        factor[:, step] = column
        variance[:] = np.maximum(variance - column**2, 0.0)
        free[0.5 * np.abs(points - points[row]).sum(axis=1) < apart] = False

    for step in range(len(taken)):
        condition(step, step)
    for step in range(len(taken), len(taken) + count):
        if not free.any():
            break
        turn = free & (group == step % len(_STRENGTHS))
        row = int(np.argmax(np.where(turn if turn.any() else free, variance, -1.0)))
        picked.append(points[row])
        condition(row, step)
    return picked


def _is_apart(weights: np.ndarray, chosen: list[tuple[str, np.ndarray]], apart: float) -> bool:
    return all(0.5 * np.abs(weights - other).sum() >= apart for _, other in chosen)


def _assign(chosen: list[tuple[str, np.ndarray]], blocks: int, replicates: int) -> list[Mix]:
    """Noise mixes on blocks 0 .. replicates-1, the rest in turn over all blocks, the emptiest first."""
    baselines = [i for i, (name, _) in enumerate(chosen) if name in ("natural", "uniform")]
    others = [i for i in range(len(chosen)) if i not in baselines]
    repeated = list(baselines)
    if others:
        anchors = [chosen[i][1] for i in baselines]
        repeated.append(max(others, key=lambda i: min(np.abs(chosen[i][1] - a).sum() for a in anchors)))
    filled = [0] * blocks
    result: list[Mix] = []
    for i in repeated:
        for block in range(replicates):
            filled[block] += 1
            result.append(Mix(f"{chosen[i][0]}-b{block}", chosen[i][1], block, chosen[i][0]))
    for i in range(len(chosen)):
        if i not in repeated:
            block = int(np.argmin(filled))
            filled[block] += 1
            result.append(Mix(f"{chosen[i][0]}-b{block}", chosen[i][1], block, chosen[i][0]))
    return result

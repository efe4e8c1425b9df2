"""The default: corners, then a choice of tempered Dirichlet draws far apart as a Gaussian process sees them."""

import numpy as np

from pipeline.mixture.designs.base import NONE, Named, Request, realisable
from pipeline.mixture.designs.corners import lifted
from pipeline.mixture.polytope import toward

# Dirichlet concentrations (alpha = strength * centre), counted per domain so that they mean the same for 5 domains as
# for 50: from even over the simplex to close around the centre. Each strength gives as many mixes as the others. A law
# must be right near the optimum, which with balanced evals lies inside: on the quickstart's proxies a design of far
# mixes alone (as RegMix's 0.1-5 times the prior) left an error there larger than what was to be gained.
STRENGTHS = (1.0, 2.0, 4.0, 8.0)
# The centres go from the prior (1) to uniform (0) as prior^t: around the prior alone, a domain of 1 % of the tokens is
# hardly ever tried above 10 %.
TEMPERS = (1.0, 0.5, 0.0)
CANDIDATES = 1500


def spread(request: Request, rng: np.random.Generator) -> list[Named]:
    """One corner a domain to be lifted, then draws of several strengths in turn.

    Each is chosen greedily where a Gaussian process on w^(1/4) that has seen the others would be least sure.
    """
    chosen = lifted(request, request.count)
    candidates, strengths = _candidates(request, rng)
    taken = np.array([w for _, w in (*request.taken, *chosen)])
    rows = greedy(np.vstack([taken, candidates]), len(taken), request.count - len(chosen), request.apart, strengths)
    points = np.vstack([taken, candidates])
    return [*chosen, *((f"dirichlet-{i:03d}", points[row]) for i, row in enumerate(rows))]


def _candidates(request: Request, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Dirichlet draws around tempered centres, pulled back toward the centre where the limits say so.

    Returns the mixes (m, d) and the index of each one's strength (m,); m is CANDIDATES less those not realisable.
    """
    d = len(request.centre)
    draws, strengths = [], []
    for i in range(CANDIDATES):
        tempered = np.maximum(request.centre, 1e-6) ** TEMPERS[i % len(TEMPERS)]
        strengths.append((i // len(TEMPERS)) % len(STRENGTHS))
        row = rng.dirichlet(np.maximum(STRENGTHS[strengths[-1]] * d * tempered / tempered.sum(), 0.02))
        draws.append(np.where(row < NONE, 0.0, row))
    points = np.array(draws)
    points = toward(request.within, request.centre, points / points.sum(axis=1, keepdims=True))
    mixes = [realisable(point, request, request.min_weight) for point in points]
    kept = [i for i, mix in enumerate(mixes) if mix is not None]
    return np.array([mixes[i] for i in kept]).reshape(-1, d), np.array(strengths)[kept]


def greedy(
    points: np.ndarray,
    taken: int,
    count: int,
    apart: float = 0.0,
    turns: np.ndarray | None = None,
    power: float = 0.25,
) -> list[int]:
    """Rows of `points` (n, d), whose first `taken` are chosen already, of at most `count` more.

    Greedy maximisation of the log-determinant of the covariance, over the chosen mixes, of a Gaussian process on
    w^power: each step takes the row of largest posterior variance (pivoted Cholesky; Chen et al. 2018) among those
    whose turn it is (`turns`, (n - taken,) from 0 up), or among all where those are used up. No two lie nearer than
    `apart` in total variation.
    """
    group = np.concatenate([np.full(taken, -1), np.zeros(len(points) - taken, dtype=int) if turns is None else turns])
    rounds = max(int(group.max(initial=0)) + 1, 1)
    features = points**power
    # Length scale: the root mean square distance between candidates, so that it needs no tuning to d.
    scale = 2 * features.var(axis=0).sum() + 1e-12
    noise = 0.01
    variance = np.ones(len(points))
    factor = np.zeros((len(points), taken + count))
    free = np.ones(len(points), dtype=bool)
    picked: list[int] = []

    def condition(row: int, step: int) -> None:
        kernel = np.exp(-0.5 * ((features - features[row]) ** 2).sum(axis=1) / scale)
        column = (kernel - factor[:, :step] @ factor[row, :step]) / np.sqrt(variance[row] + noise)
        factor[:, step] = column
        variance[:] = np.maximum(variance - column**2, 0.0)
        free[0.5 * np.abs(points - points[row]).sum(axis=1) < apart] = False
        free[row] = False

    for step in range(taken):
        condition(step, step)
    for step in range(taken, taken + count):
        if not free.any():
            break
        turn = free & (group == step % rounds)
        row = int(np.argmax(np.where(turn if turn.any() else free, variance, -1.0)))
        picked.append(row)
        condition(row, step)
    return picked

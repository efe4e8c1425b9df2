"""The mix to recommend: the least predicted objective, drawn to the prior as far as the data cannot object."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.mixture.objective import Objective
from pipeline.mixture.optimise import descend, minimise, sample
from pipeline.mixture.polytope import Polytope, interior, minimise_quadratic, require_nonempty, whole_simplex
from pipeline.mixture.selection import TaskFit, without_blocks
from pipeline.mixture.spaces import Limits, kl
from pipeline.mixture.surface import Surface, surface
from pipeline.mixture.table import Swarm

_STARTS = 6
_POOL = 400
# Two-sided 90 % of a normal, one side: a mix is told from the best when it is this many SEs worse.
_REGION_Z = 1.645
# log w has no slope at 0; this share stands in for none in the divergence's derivative.
_KL_FLOOR = 1e-6


@dataclass(frozen=True)
class Compared:
    """A baseline: its weights (d,), predicted objective, the proposal's predicted gain over it and the gain's SE."""

    weights: np.ndarray
    predicted: float
    gain: float
    se: float


@dataclass(frozen=True)
class BestObserved:
    """The run whose mix measured best; measured: its steer objective, blocks taken off, mean over its runs."""

    run: str
    weights: np.ndarray
    measured: float


@dataclass(frozen=True)
class Proven:
    """A proposal (d,) whose proof is trained already, the pull that gave it, and the best observed run of then."""

    weights: np.ndarray
    kl_strength: float
    best_observed: str


@dataclass(frozen=True)
class Proposal:
    """weights (d,) sum 1; predicted: their objective (natural is about 1, lower is better).

    low, high: (d,) range of each weight over the mixes that the data cannot tell from the best; optimum: (d,) before
    KL; kl: nats to the prior; kl_strength: factor on KL that gave the proposal. successor: the mix that would be
    proposed in place of a proven one that is kept, with its gain over that, where the data can tell that from the best.
    """

    weights: np.ndarray
    predicted: float
    optimum: np.ndarray
    optimum_predicted: float
    low: np.ndarray
    high: np.ndarray
    kl: float
    kl_strength: float
    baselines: dict[str, Compared]
    best_observed: BestObserved
    binding: tuple[str, ...]
    warnings: tuple[str, ...]
    successor: Compared | None = None


def best_observed(swarm: Swarm, fits: Sequence[TaskFit], objective: Objective, run: str | None = None) -> BestObserved:
    """The mix of the lowest measured objective, or `run`'s: blocks' effects taken off, mean over the mix's runs."""
    measured = objective.value(without_blocks(swarm, fits))
    groups = swarm.groups
    means = np.array([measured[groups == g].mean() for g in range(groups.max() + 1)])
    winner = int(np.argmin(means)) if run is None else groups[swarm.runs.index(run)]
    row = int(np.flatnonzero(groups == winner)[0])
    return BestObserved(swarm.runs[row], swarm.weights[row], float(means[winner]))


def propose(
    swarm: Swarm,
    fits: Sequence[TaskFit],
    objective: Objective,
    limits: Limits,
    prior: np.ndarray,
    *,
    baselines: dict[str, np.ndarray],
    seed: int,
    kl_strength: float | None = None,
    kl_errors: float = 1.0,
    extrapolate: bool = False,
    proven: Proven | None = None,
) -> Proposal:
    """Minimise predicted objective + strength * KL(w || prior) over the limits and the hull of the swarm's mixes.

    `kl_strength` None takes the largest strength whose optimum is predicted within `kl_errors` standard errors (of the
    difference) of the optimum without it; 0 switches it off. `extrapolate` leaves the hull. baselines: name -> weights
    (d,), compared with the proposal; best_observed joins them. `proven` stays the proposal, whatever the laws think
    best now; that is its `successor` where the data can tell the two apart. ValueError naming the limits that collide.
    """
    model = surface(swarm, fits, objective)
    distinct = swarm.weights[np.unique(swarm.groups, return_index=True)[1]]
    space = whole_simplex(limits) if extrapolate else Polytope(distinct, limits)
    require_nonempty(space)
    rng = np.random.default_rng(seed)
    inside = interior(space)
    optimum = minimise(space, model.mean, model.gradient, inside, rng, 1 if model.convex else _STARTS)
    if kl_strength is None:
        weights, kl_strength = _within_errors(space, model, optimum, prior, kl_errors)
    else:
        weights = _drawn_to_prior(space, model, optimum, prior, kl_strength) if kl_strength > 0 else optimum
    low, high = _region(space, model, optimum, weights, inside, rng)
    best = best_observed(swarm, fits, objective)
    successor, warnings = None, []
    if proven is not None:
        if indistinguishable(model, proven.weights[None], optimum)[0]:
            low, high = np.minimum(low, proven.weights), np.maximum(high, proven.weights)
        else:
            gain, se = _gap(model, proven.weights, weights)
            successor = Compared(weights, float(model.mean(weights[None])[0]), gain, se)
        weights, kl_strength = proven.weights, proven.kl_strength
        if best.run != proven.best_observed:
            warnings.append(
                f"run {best.run} measures best on the evals as they are now; the proof holds {proven.best_observed}"
            )
        best = best_observed(swarm, fits, objective, proven.best_observed)
    compared = {
        name: _compare(model, weights, other) for name, other in {**baselines, "best_observed": best.weights}.items()
    }
    predicted = model.mean(np.stack([weights, optimum]))
    slack = (limits.b - limits.A @ weights) / np.maximum(np.abs(limits.A).max(axis=1, initial=0.0), 1e-12)
    return Proposal(
        weights=weights,
        predicted=float(predicted[0]),
        optimum=optimum,
        optimum_predicted=float(predicted[1]),
        low=low,
        high=high,
        kl=kl(weights, prior),
        kl_strength=kl_strength,
        baselines=compared,
        best_observed=best,
        binding=tuple(n for n, s in zip(limits.names, slack, strict=True) if s < 1e-4),
        warnings=(*warnings, *_warnings(model, compared)),
        successor=successor,
    )


def _drawn_to_prior(
    space: Polytope, model: Surface, start: np.ndarray, prior: np.ndarray, strength: float
) -> np.ndarray:
    def value(w: np.ndarray) -> float:
        return float(model.mean(w[None])[0]) + strength * kl(w, prior)

    def gradient(w: np.ndarray) -> np.ndarray:
        return model.gradient(w) + strength * (np.log(np.maximum(w, _KL_FLOOR) / prior) + 1.0)

    return descend(space, value, gradient, start)


def _within_errors(
    space: Polytope, model: Surface, optimum: np.ndarray, prior: np.ndarray, errors: float
) -> tuple[np.ndarray, float]:
    """The strongest pull whose mix is predicted no more than `errors` SEs of the difference above the optimum."""

    def allowed(w: np.ndarray) -> bool:
        gap, se = _gap(model, w, optimum)
        return gap <= errors * se

    nearest = _nearest_in_kl(space, prior, optimum)
    if allowed(nearest):
        return nearest, float("inf")
    spread = max(float(np.ptp(model.mean(space.corners))), 1e-9)
    low, high = -5.0, 1.0  # log10 of strength / spread of the objective over the swarm
    kept, strength, current = optimum, 0.0, optimum
    for _ in range(9):
        middle = (low + high) / 2
        current = _drawn_to_prior(space, model, kept, prior, spread * 10**middle)
        if allowed(current):
            low, kept, strength = middle, current, spread * 10**middle
        else:
            high = middle
    return kept, strength


def _nearest_in_kl(space: Polytope, prior: np.ndarray, start: np.ndarray) -> np.ndarray:
    """The mix of least KL to the prior that the set holds, by Newton steps (the Hessian is 1 / w)."""
    w = start
    for _ in range(30):
        at = np.maximum(w, _KL_FLOOR)
        step = minimise_quadratic(space, np.diag(1 / at), np.log(at / prior) + 1.0, w) - w
        size, now = 1.0, kl(w, prior)
        while size > 1e-4 and kl(np.maximum(w + size * step, 0.0), prior) > now:
            size /= 2
        w = np.maximum(w + size * step, 0.0)
        w = w / w.sum()
        if now - kl(w, prior) < 1e-9:
            break
    return w


def _gap(model: Surface, w: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """Predicted objective of w minus that of other, and the SE of that difference."""
    pair = np.stack([w, other])
    mean, covariance = model.mean(pair), model.covariance(pair)
    variance = covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1]
    return float(mean[0] - mean[1]), float(np.sqrt(max(variance, 0.0)))


def _compare(model: Surface, weights: np.ndarray, other: np.ndarray) -> Compared:
    gain, se = _gap(model, other, weights)
    return Compared(other, float(model.mean(other[None])[0]), gain, se)


def indistinguishable(model: Surface, points: np.ndarray, optimum: np.ndarray) -> np.ndarray:
    """(m, d) -> (m,) bool: predicted less than _REGION_Z SEs of the difference above the optimum."""
    every = np.vstack([optimum[None], points])
    mean, covariance = model.mean(every), model.covariance(every)
    variance = np.diag(covariance) + covariance[0, 0] - 2 * covariance[0]
    return (mean - mean[0])[1:] <= _REGION_Z * np.sqrt(np.maximum(variance[1:], 0.0)) + 1e-12


def _region(
    space: Polytope,
    model: Surface,
    optimum: np.ndarray,
    weights: np.ndarray,
    inside: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Range of each weight over sampled mixes of the set that the data cannot tell from the optimum."""
    far = sample(space, inside, _POOL, rng)
    near = optimum + rng.uniform(0.0, 1.0, (_POOL, 1)) ** 2 * (sample(space, inside, _POOL, rng) - optimum)
    points = np.vstack([far, near])
    kept = np.vstack([weights[None], optimum[None], points[indistinguishable(model, points, optimum)]])
    return kept.min(axis=0), kept.max(axis=0)


def _warnings(model: Surface, compared: dict[str, Compared]) -> tuple[str, ...]:
    found = []
    for name, other in compared.items():
        if name != "best_observed" and other.gain < 1.645 * other.se:
            found.append(
                f"the swarm cannot tell the proposal from {name}: predicted gain {other.gain:.4f}, SE {other.se:.4f}"
            )
    for fit in model.fits:
        if fit.score.r2 < 0.25:
            found.append(f"{fit.task} is hardly predictable: out-of-fold R2 {fit.score.r2:.2f} with law {fit.law}")
        if fit.law == "linear":
            found.append(f"{fit.task} is proposed from the linear law, the best out of fold")
    return tuple(found)

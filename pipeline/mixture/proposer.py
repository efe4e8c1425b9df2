"""The mix to recommend: the least predicted objective, drawn to the prior as far as the data cannot object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.mixture.face import on_face, without
from pipeline.mixture.guards import allowed, guards
from pipeline.mixture.objective import Objective
from pipeline.mixture.optimise import sample
from pipeline.mixture.pareto import Estimate, FrontPoint, families_at, front
from pipeline.mixture.polytope import Polytope, interior, require_nonempty, whole_simplex
from pipeline.mixture.posterior import Posterior, posterior
from pipeline.mixture.pull import drawn_to_prior, within_errors
from pipeline.mixture.recipes import Recipe
from pipeline.mixture.selection import TaskFit, without_blocks
from pipeline.mixture.spaces import Limits, kl
from pipeline.mixture.surface import Surface, family_surfaces, surface
from pipeline.mixture.table import Swarm
from pipeline.mixture.worth import Worth, worths

_STARTS = 4
_POOL = 400
# One-sided 5 %: a proven mix that is predicted this many SEs worse than the best needs a successor.
_TOLD_APART = 1.645
# A recipe's mix further than this from what the swarm covered (in some weight) is called an extrapolation.
_OUTSIDE = 0.01


@dataclass(frozen=True)
class Compared:
    """A baseline: its weights (d,), predicted objective, the proposal's predicted gain over it and the gain's SE.

    probability: that the proposal is better, given the swarm.
    """

    weights: np.ndarray
    predicted: float
    gain: float
    se: float
    probability: float


@dataclass(frozen=True)
class BestObserved:
    """The run whose mix measured best; measured: its steer objective, blocks taken off, mean over its runs.

    altered: some of what it had is no longer on offer, and weights (d,) are the rest.
    """

    run: str
    weights: np.ndarray
    measured: float
    altered: bool = False


@dataclass(frozen=True)
class Proven:
    """A proposal (d,) whose proof is trained already, the pull that gave it, and the best observed run of then."""

    weights: np.ndarray
    kl_strength: float
    best_observed: str


@dataclass(frozen=True)
class Proposal:
    """weights (d,) sum 1; predicted: their objective (natural is about 1, lower is better).

    regret: expected loss against the best mix allowed, given the swarm. low, high: (d,) range of each weight over the
    mixes that the data cannot tell from the best; optimum: (d,) before KL; kl: nats to the prior; kl_strength: factor
    on KL that gave the proposal. families: mix ("proposal" or a baseline) -> task family -> what is predicted; front:
    the Pareto front between the families, empty for one. binding: limits and guards at whose edge the proposal stands.
    beliefs: joint draws at the optimum, the proposal and more. worths: what each variant that has a share adds.
    successor: the mix that would be proposed in place of a proven one that is kept, with its gain over that, where the
    data can tell that from the best.
    """

    weights: np.ndarray
    predicted: float
    optimum: np.ndarray
    optimum_predicted: float
    regret: float
    low: np.ndarray
    high: np.ndarray
    kl: float
    kl_strength: float
    baselines: dict[str, Compared]
    best_observed: BestObserved
    families: dict[str, dict[str, Estimate]]
    front: tuple[FrontPoint, ...]
    binding: tuple[str, ...]
    warnings: tuple[str, ...]
    beliefs: Posterior
    worths: dict[str, Worth]
    successor: Compared | None = None


def _best_offered(swarm: Swarm, measured: np.ndarray, run: str | None, gone: int) -> BestObserved:
    """The best of the runs that have nothing of what is gone; where there is none, what is left of the best of all."""
    if gone == 0:
        return _best_measured(swarm, measured, run)
    left, rows = without(swarm.weights, gone)
    whole = swarm.weights[rows, len(swarm.domains) - gone :].sum(axis=1) == 0
    kept = whole if whole.any() else np.ones(len(rows), dtype=bool)
    runs = tuple(swarm.runs[row] for row in rows[kept])
    offered = replace(swarm, runs=runs, domains=swarm.domains[:-gone], weights=left[kept])
    return replace(_best_measured(offered, measured[rows[kept]], run), altered=not whole.any())


def _best_measured(swarm: Swarm, measured: np.ndarray, run: str | None) -> BestObserved:
    """The mix of the lowest measured objective (n,), mean over the mix's runs; or the mix of `run`."""
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
    recipe: Recipe | None = None,
    proven: Proven | None = None,
    no_worse_than: Mapping[str, str] | None = None,
    gone: int = 0,
    variants: Mapping[str, str] | None = None,
) -> Proposal:
    """Minimise predicted objective + strength * KL(w || prior) over the limits and the hull of the swarm's mixes.

    `kl_strength` None takes the largest strength whose optimum is predicted within `kl_errors` standard errors (of the
    difference) of the optimum without it, and within a twentieth of a run's noise SD; 0 switches it off. `extrapolate`
    leaves the hull. `recipe` finds the mix in another project's way, hull and guards or not; `fits` must be of its law.
    baselines: name -> weights (d,), compared with the proposal; best_observed joins them. `proven` stays the proposal,
    whatever the laws think best now; that is its `successor` where the data can tell the two apart. `no_worse_than`:
    task or family -> name of a baseline; the task, or each task of the family, is predicted no worse for the proposal
    than for that mix; a proven proposal that breaks this is kept with a warning. `gone`: that many of the last domains
    of the swarm and of `fits` are no longer on offer; limits, prior, mixes and the proposal are over the others, and
    the hull is of the swarm's mixes without them (see `face.without`). `variants`: variant -> origin, of which `worths`
    are asked. ValueError naming the limits, or the guards, that collide.
    """
    # of one block no effect is known: the laws would be asked for nothing
    measured = objective.value(without_blocks(swarm, fits) if len(np.unique(swarm.blocks)) > 1 else swarm.values)
    fits = on_face(fits, gone)
    model = surface(swarm, fits, objective)
    distinct, _ = without(swarm.weights[np.unique(swarm.groups, return_index=True)[1]], gone)
    space = whole_simplex(limits) if extrapolate else Polytope(distinct, limits)
    require_nonempty(space)
    rng = np.random.default_rng(seed)
    inside = interior(space)
    kept = guards(no_worse_than or {}, fits, objective, baselines)
    within = allowed(space, kept, inside, baselines.values(), seed)
    optimum = within.minimise(model.mean, model.gradient, inside, rng, 1 if model.convex else _STARTS)
    if recipe is not None:
        own_unit = replace(model, factors=(objective.weights * objective.signs)[objective.weights > 0])
        weights, kl_strength = recipe.find(own_unit, limits, prior, kl_strength, np.random.default_rng(seed))
        optimum = min(optimum, weights, key=lambda w: float(model.mean(w[None])[0]))  # it searched elsewhere
    elif kl_strength is None:
        weights, kl_strength = within_errors(within, model, optimum, prior, kl_errors)
    else:
        weights = drawn_to_prior(within, model, optimum, prior, kl_strength) if kl_strength > 0 else optimum
    fresh = weights
    if proven is not None:
        weights, kl_strength = proven.weights, proven.kl_strength
    best = _best_offered(swarm, measured, proven.best_observed if proven else None, gone)
    others = {**baselines, "best_observed": best.weights}
    # in this order, so that a row's number says what it is
    named = np.stack([optimum, weights, fresh, *others.values()])
    around = _near_and_far(space, optimum, inside, rng)
    around = around[kept.hold(around)]
    beliefs = posterior(model, np.vstack([named, around]), rng)
    region = np.vstack([named[[0, 2]], around[beliefs.held[len(named) :]]])
    is_kept = proven is None or bool(beliefs.gaps[1] <= _TOLD_APART)
    if is_kept:
        region = np.vstack([region, weights])
    compared = {name: _compare(beliefs, 3 + i) for i, name in enumerate(others)}
    families = family_surfaces(swarm, fits, objective)
    by_family = families_at(families, np.stack([weights, *others.values()]))
    slack = (limits.b - limits.A @ weights) / np.maximum(np.abs(limits.A).max(axis=1, initial=0.0), 1e-12)
    return Proposal(
        weights=weights,
        predicted=float(beliefs.mean[1]),
        optimum=optimum,
        optimum_predicted=float(beliefs.mean[0]),
        regret=beliefs.regret(1),
        low=region.min(axis=0),
        high=region.max(axis=0),
        kl=kl(weights, prior),
        kl_strength=kl_strength,
        baselines=compared,
        best_observed=best,
        families=dict(zip(["proposal", *others], by_family, strict=True)),
        front=front(within, families, np.vstack([optimum, fresh, around])),
        binding=(*(n for n, s in zip(limits.names, slack, strict=True) if s < 1e-4), *kept.binding(weights)),
        warnings=(
            *_warnings_of_proof(_best_offered(swarm, measured, None, gone).run, proven),
            *_warnings_of_best(best),
            *(f"the proposal breaks a guard: {name}" for name in kept.broken(weights)),
            *_warnings_of_recipe(recipe, Polytope(distinct, limits), weights),
            *_warnings(model, compared),
        ),
        beliefs=beliefs,
        worths=worths(model, distinct, weights, swarm.domains[: len(swarm.domains) - gone], variants or {}),
        successor=None if is_kept else _successor(beliefs),
    )


def _near_and_far(space: Polytope, optimum: np.ndarray, inside: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(2 _POOL, d) mixes of the set: all over it, and drawn toward the optimum."""
    far, ends = sample(space, inside, _POOL, rng), sample(space, inside, _POOL, rng)
    return np.vstack([far, optimum + rng.uniform(0.0, 1.0, (_POOL, 1)) ** 2 * (ends - optimum)])


def _compare(beliefs: Posterior, row: int) -> Compared:
    """The baseline at `row` of the posterior's points, against the proposal at row 1."""
    other, weights = beliefs.points[row], beliefs.points[1]
    gain, se = beliefs.model.gap(other, weights)
    return Compared(other, float(beliefs.mean[row]), gain, se, beliefs.beats(1, row))


def _successor(beliefs: Posterior) -> Compared:
    """The mix that would be proposed now (row 2), with its gain over the proven one (row 1)."""
    gain, se = beliefs.model.gap(beliefs.points[1], beliefs.points[2])
    return Compared(beliefs.points[2], float(beliefs.mean[2]), gain, se, beliefs.beats(2, 1))


def _warnings_of_proof(now: str, proven: Proven | None) -> tuple[str, ...]:
    """now: the run that measures best by the evals as they are."""
    if proven is None or now == proven.best_observed:
        return ()
    return (f"run {now} measures best on the evals as they are now; the proof holds {proven.best_observed}",)


def _warnings_of_best(best: BestObserved) -> tuple[str, ...]:
    if not best.altered:
        return ()
    return (f"every run has some of what is no longer on offer: best observed is run {best.run} without it",)


def _warnings_of_recipe(recipe: Recipe | None, covered: Polytope, weights: np.ndarray) -> tuple[str, ...]:
    if recipe is None or covered.contains(weights, _OUTSIDE):
        return ()
    return ("the recipe's mix lies outside the mixes that the swarm covered: its prediction is an extrapolation",)


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

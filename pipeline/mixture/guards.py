"""Guards: tasks whose predicted metric must not be worse than at a baseline mix.

Only predicted means are guarded, not their uncertainty. A guard is a constraint on a law, which need not be convex, so
it is kept by an augmented Lagrangian (Hestenes 1969, Powell 1969; for inequalities Rockafellar 1973): squared hinges
whose strength and shift grow until they hold. What the last digits leave open is closed by a retreat to a mix that
satisfies all of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.errors import nearest
from pipeline.mixture import optimise
from pipeline.mixture.objective import Objective, tasks_named
from pipeline.mixture.optimise import STEPS, Function, Gradient, descend, sample, starts_of
from pipeline.mixture.polytope import Polytope, interior
from pipeline.mixture.selection import TaskFit
from pipeline.mixture.together import Together

TOLERANCE = 1e-7
"""A mix may be predicted this much worse than the baseline (the task's own change, relative to natural)."""
_BINDING = 1e-4
# What an augmented Lagrangian aims at: enough room for its own error, too little to cost anything.
_ROOM = 1e-6
_ROUNDS = 8
# What a round's descent may leave: the next round begins where it ended.
_INNER = 1e-7
_STRENGTH = 1000.0
# A mix this far inside all guards is looked for first: from there the way to a guard's edge is short.
_SLACK = 1e-3
_POOL = 400


@dataclass(frozen=True)
class Guards:
    """g guards. fits: their tasks' laws; factors: (g,) sign / reference; levels: (g,) what each may reach at most."""

    names: tuple[str, ...]
    fits: tuple[TaskFit, ...]
    factors: np.ndarray
    levels: np.ndarray

    def excess(self, weights: np.ndarray) -> np.ndarray:
        """(m, d) -> (m, g): how much worse than its baseline each task is predicted, relative to natural."""
        if not self.names:
            return np.zeros((len(weights), 0))
        if len(weights) == 1:
            predicted = np.array([[law.mean(weights[0]) for law in self._apart]])
        else:
            predicted = np.stack([fit.model.predict(weights) for fit in self.fits], axis=1)
        return predicted * self.factors - self.levels

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        """(d,) -> (g, d)"""
        rows = [factor * law.gradient(weights) for law, factor in zip(self._apart, self.factors, strict=True)]
        return np.array(rows).reshape(len(rows), len(weights))

    @cached_property
    def _apart(self) -> tuple[Together, ...]:
        """Each guard's law, quick for the single mixes of a search."""
        return tuple(Together([1.0], [fit.model]) for fit in self.fits)

    def hold(self, weights: np.ndarray) -> np.ndarray:
        """(m, d) -> (m,) bool"""
        return self.excess(weights).max(axis=1, initial=-np.inf) <= TOLERANCE

    def binding(self, weights: np.ndarray) -> tuple[str, ...]:
        """Names of the guards that mix (d,) stands at the edge of."""
        return self._where(self.excess(weights[None])[0] > -_BINDING)

    def broken(self, weights: np.ndarray) -> tuple[str, ...]:
        """Names of the guards that mix (d,) does not satisfy."""
        return self._where(self.excess(weights[None])[0] > TOLERANCE)

    def only(self, rows: Sequence[int]) -> Guards:
        kept = list(rows)
        return Guards(
            tuple(self.names[i] for i in kept),
            tuple(self.fits[i] for i in kept),
            self.factors[kept],
            self.levels[kept],
        )

    def _where(self, chosen: np.ndarray) -> tuple[str, ...]:
        return tuple(name for name, each in zip(self.names, chosen, strict=True) if each)


def guards(
    wanted: Mapping[str, str], fits: Sequence[TaskFit], objective: Objective, mixes: Mapping[str, np.ndarray]
) -> Guards:
    """One guard a task of `wanted`: task or family -> name of a mix in `mixes` (d,).

    A task named itself and through its family has two guards. ValueError for an unknown task, family or mix.
    """
    unknown = [name for name in wanted.values() if name not in mixes]
    if unknown:
        raise ValueError(f"no_worse_than: there is no mix `{unknown[0]}`{nearest(unknown[0], mixes)}")
    pairs = [(task, wanted[name]) for name, tasks in tasks_named(wanted, objective.tasks).items() for task in tasks]
    pairs = list(dict.fromkeys(pairs))
    rows = [objective.tasks.index(task) for task, _ in pairs]
    factors = (objective.signs / objective.reference)[rows]
    predicted = [float(fits[row].model.predict(mixes[mix][None])[0]) for row, (_, mix) in zip(rows, pairs, strict=True)]
    return Guards(
        tuple(f"{task} no worse than {mix}" for task, mix in pairs),
        tuple(fits[row] for row in rows),
        factors,
        factors * np.array(predicted),
    )


@dataclass(frozen=True)
class Allowed:
    """The mixes that may be proposed: those of `space` that satisfy all guards; `feasible` (d,) is one of them."""

    space: Polytope
    guards: Guards
    feasible: np.ndarray

    def descend(
        self,
        value: Function,
        gradient: Gradient,
        start: np.ndarray,
        steps: int = STEPS,
        tolerance: float = optimise.TOLERANCE,
    ) -> np.ndarray:
        """A local minimum of `value` from `start` (d,), a point of the space that need not satisfy the guards."""
        if not self.guards.names:
            return descend(self.space, value, gradient, start, steps, tolerance)
        pressure, strength = np.zeros(len(self.guards.names)), _STRENGTH
        w, last = start, np.inf
        for _ in range(_ROUNDS):
            w = self._penalised(value, gradient, w, pressure, strength, steps, max(tolerance, _INNER))
            room = self.guards.excess(w[None])[0] + _ROOM
            pressure = np.maximum(0.0, pressure + strength * room)
            off = float(np.where(pressure > 0, np.abs(room), np.maximum(room, 0.0)).max())
            if off <= 0.5 * _ROOM:
                break
            if off > 0.25 * last:
                strength *= 5
            last = off
        return min((self._retreated(w), self.feasible), key=value)

    def minimise(
        self,
        mean: Callable[[np.ndarray], np.ndarray],
        gradient: Gradient,
        inside: np.ndarray,
        rng: np.random.Generator,
        starts: int,
    ) -> np.ndarray:
        """The best of `starts` descents (see `optimise.starts_of`). mean: (m, d) -> (m,); inside: (d,)."""

        def penalised(weights: np.ndarray) -> np.ndarray:
            over = np.maximum(self.guards.excess(weights), 0.0)
            return mean(weights) + _STRENGTH / 2 * (over**2).sum(axis=1)

        def value(w: np.ndarray) -> float:
            return float(mean(w[None])[0])

        begin = starts_of(self.space, penalised, inside, rng, starts)
        return min((self.descend(value, gradient, start) for start in begin), key=value)

    def _penalised(
        self,
        value: Function,
        gradient: Gradient,
        start: np.ndarray,
        pressure: np.ndarray,
        strength: float,
        steps: int,
        tolerance: float,
    ) -> np.ndarray:
        """Minimise value + sum max(0, pressure + strength (excess + room))^2 / (2 strength)."""

        def pushed(w: np.ndarray) -> np.ndarray:
            return np.maximum(0.0, pressure + strength * (self.guards.excess(w[None])[0] + _ROOM))

        return descend(
            self.space,
            lambda w: value(w) + float(np.sum(pushed(w) ** 2)) / (2 * strength),
            lambda w: gradient(w) + pushed(w) @ self.guards.gradient(w),
            start,
            steps,
            tolerance,
        )

    def _retreated(self, w: np.ndarray) -> np.ndarray:
        """The farthest mix found on the way from `feasible` to w (d,) that satisfies all guards."""

        def at(share: float) -> np.ndarray:
            return self.feasible + share * (w - self.feasible)

        shares = np.append(1.0, 1 - np.geomspace(1e-9, 1.0, 60))  # finest near w; the last is 0
        good = np.flatnonzero(self.guards.hold(np.stack([at(share) for share in shares])))
        first = int(good[0]) if len(good) else len(shares) - 1
        low, high = float(shares[first]), float(shares[max(first - 1, 0)])
        while high - low > 1e-12:
            middle = (low + high) / 2
            low, high = (middle, high) if self.guards.hold(at(middle)[None])[0] else (low, middle)
        return at(low)


def unguarded(space: Polytope) -> Allowed:
    """All mixes of the space."""
    return Allowed(space, Guards((), (), np.zeros(0), np.zeros(0)), interior(space))


def allowed(space: Polytope, kept: Guards, inside: np.ndarray, mixes: Iterable[np.ndarray], seed: int) -> Allowed:
    """The mixes of the space that satisfy the guards. ValueError naming guards for which none was found.

    inside: (d,) a point of the space; mixes: others to begin at, such as the baselines.
    """
    if not kept.names:
        return Allowed(space, kept, inside)
    begin = list(mixes)
    found = _satisfy(space, kept, inside, begin, seed)
    if found is not None:
        return Allowed(space, kept, found)
    rows = list(range(len(kept.names)))
    for row in list(rows):  # deletion filter, as in polytope.collisions
        fewer = [each for each in rows if each != row]
        if fewer and _satisfy(space, kept.only(fewer), inside, begin, seed) is None:
            rows = fewer
    names = "; ".join(kept.only(rows).names)
    raise ValueError(f"no mix within the limits and the region of the search is predicted to keep: {names}")


def _satisfy(
    space: Polytope, kept: Guards, inside: np.ndarray, mixes: Sequence[np.ndarray], seed: int
) -> np.ndarray | None:
    """A mix with the largest slack found, at most _SLACK in every guard; None where none satisfies all."""
    pool = np.vstack([inside[None], *(mix for mix in mixes if space.contains(mix, 1e-9))])
    pool = np.vstack([pool, sample(space, inside, _POOL, np.random.default_rng(seed))])
    worst = kept.excess(pool).max(axis=1)
    starts = pool[np.argsort(worst, kind="stable")[:3]]

    def short(w: np.ndarray) -> np.ndarray:
        return np.maximum(0.0, kept.excess(w[None])[0] + _SLACK) / _SLACK

    ends = [
        descend(
            space,
            lambda w: float(np.sum(short(w) ** 2)),
            lambda w: 2 * short(w) @ kept.gradient(w) / _SLACK,
            start,
        )
        for start in starts
    ]
    every = np.vstack([starts, ends])
    slack = kept.excess(every).max(axis=1)
    best = int(np.argmin(slack))
    return every[best] if slack[best] <= TOLERANCE else None

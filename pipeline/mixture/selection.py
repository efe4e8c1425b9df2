"""Which law to believe, task by task: by the error on mixes that the fit did not see."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from pipeline.mixture.laws import EVERY, LAWS, Law
from pipeline.mixture.table import Swarm

# Leave-one-mix-out up to this many mixes, K folds above.
_LEAVE_ONE_OUT = 48
_FOLDS = 10


@dataclass(frozen=True)
class Score:
    """Out-of-fold quality of one law on one task. predicted: (n,) out-of-fold means, seed block included."""

    law: str
    rmse: float
    r2: float
    spearman: float
    predicted: np.ndarray


@dataclass(frozen=True)
class TaskFit:
    """The law chosen for a task, fitted on all runs, and the scores of every law tried, best first."""

    task: str
    law: str
    model: Law
    scores: tuple[Score, ...]

    @property
    def score(self) -> Score:
        return next(s for s in self.scores if s.law == self.law)


def folds_of(groups: np.ndarray, seed: int) -> list[np.ndarray]:
    """Row indices held out together; all runs of one mix are in the same fold, because one would betray the other."""
    labels = np.unique(groups)
    count = len(labels) if len(labels) <= _LEAVE_ONE_OUT else _FOLDS
    order = np.random.default_rng(seed).permutation(labels)
    return [np.flatnonzero(np.isin(groups, order[i::count])) for i in range(count)]


def choose(
    swarm: Swarm, *, seed: int, laws: Sequence[str] = tuple(LAWS), force: str | None = None
) -> tuple[TaskFit, ...]:
    """One TaskFit a task, in the order of swarm.tasks; the law of least out-of-fold RMSE, or `force`.

    ValueError for an unknown law, a task that never changes, or fewer runs than every law needs.
    """
    unknown = [name for name in [*laws, *([force] if force else [])] if name not in EVERY]
    if unknown:
        raise ValueError(f"unknown law: {', '.join(unknown)}; known: {', '.join(LAWS)}")
    if force and force not in laws:
        laws = (*laws, force)
    folds = folds_of(swarm.groups, seed)
    fits = []
    for t, task in enumerate(swarm.tasks):
        y = swarm.values[:, t]
        if np.ptp(y) == 0:
            raise ValueError(f"task {task} has the same value in every run: nothing can be learned from it")
        scores = sorted((_score(name, swarm, y, folds) for name in laws), key=lambda s: s.rmse)
        chosen = force or scores[0].law
        model = EVERY[chosen]().fit(swarm.weights, y, swarm.blocks)
        fits.append(TaskFit(task, chosen, model, tuple(scores)))
    return tuple(fits)


def _score(name: str, swarm: Swarm, y: np.ndarray, folds: list[np.ndarray]) -> Score:
    predicted = np.empty(len(y))
    for held in folds:
        seen = np.setdiff1d(np.arange(len(y)), held)
        model = EVERY[name]().fit(swarm.weights[seen], y[seen], swarm.blocks[seen])
        predicted[held] = model.predict(swarm.weights[held], swarm.blocks[held])
    error = y - predicted
    constant = np.ptp(predicted) == 0
    rank = 0.0 if constant else float(np.corrcoef(rankdata(y), rankdata(predicted))[0, 1])
    return Score(
        law=name,
        rmse=float(np.sqrt(np.mean(error**2))),
        r2=float(1 - np.sum(error**2) / np.sum((y - y.mean()) ** 2)),
        spearman=rank,
        predicted=predicted,
    )


def without_blocks(swarm: Swarm, fits: Sequence[TaskFit]) -> np.ndarray:
    """(n, t) measured values with the fitted effect of each run's seed block taken off."""
    effects = [f.model.predict(swarm.weights, swarm.blocks) - f.model.predict(swarm.weights) for f in fits]
    return swarm.values - np.stack(effects, axis=1)

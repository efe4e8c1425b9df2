"""Which law to believe, task by task, and how far: by the error on mixes that the fit did not see."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import numpy as np
from scipy.stats import rankdata

from pipeline.mixture.laws import EVERY, LAWS, PEERS, Law
from pipeline.mixture.laws.blend import Blend, members_for, shares_of
from pipeline.mixture.laws.mirrored import Mirrored
from pipeline.mixture.laws.out_of_fold import LEAVE_ONE_OUT, folds_of, out_of_fold
from pipeline.mixture.table import Swarm

# Cross-validation is repeated on other folds up to this many mixes: there the folds' luck could choose the law.
_REPEATED = 192
_REPEATS = 2
# Squared errors count exp(-z / 2) where laws are compared, z the SDs by which a run is worse than the mean, within
# +-2: a proposal needs the law that is right among good mixes, and the worst runs have errors that drown the others.
# Flat weights gave larger errors on unseen mixes (all of them, and the good ones), exp(-z) more luck in small swarms.
_STEEPNESS, _FARTHEST = 0.5, 2.0
# A blend is taken in place of a law whose error is not smaller by more than this factor.
_CLOSE = 1.05
# The share of unseen values that a calibrated interval of +- _Z SDs holds.
_LEVEL, _Z = 0.9, 1.645


def law_of(name: str, shares: Mapping[str, float], maximised: bool = False) -> Law:
    """The law of that name, to be fitted: a blend with the shares that it was chosen with.

    A metric that is better when higher follows a law upside down; the peers' laws are fitted as the peers fit them.
    """
    law = Blend(shares) if shares else EVERY[name]()
    return Mirrored(law) if maximised and name not in PEERS else law


@dataclass(frozen=True)
class Score:
    """Out-of-fold quality of one law on one task, over all repeats of the cross-validation.

    error: RMSE, good mixes weighted more, by which laws are compared; rmse: the plain one; both in the task's unit.
    predicted: (n,) means, seed block included; std: (n,) SDs of one measurement, as the law states them (not
    calibrated). shares: law -> share of a blend, empty for other laws.
    """

    law: str
    error: float
    rmse: float
    r2: float
    spearman: float
    predicted: np.ndarray
    std: np.ndarray
    shares: Mapping[str, float]

    def unfitted(self, maximised: bool = False) -> Law:
        """The law, to be fitted: a blend keeps its shares."""
        return law_of(self.law, self.shares, maximised)

    def to_json(self, runs: Sequence[str]) -> dict[str, Any]:
        """What JSON can hold, arrays as run -> value; `from_json` reads it."""
        return {
            "law": self.law,
            "error": self.error,
            "rmse": self.rmse,
            "r2": self.r2,
            "spearman": self.spearman,
            "predicted": dict(zip(runs, self.predicted.tolist(), strict=True)),
            "std": dict(zip(runs, self.std.tolist(), strict=True)),
            "shares": dict(self.shares),
        }

    @classmethod
    def from_json(cls, held: Mapping[str, Any], runs: Sequence[str]) -> Self:
        """Rows in the order of `runs`. KeyError for a run that is not there."""
        arrays = {key: np.array([held[key][run] for run in runs]) for key in ("predicted", "std")}
        return cls(**{**held, **arrays})


@dataclass(frozen=True)
class TaskFit:
    """The law chosen for a task, fitted on all runs, and the scores of every law tried, best first.

    scale: factor on the law's SDs after which 90 % of the runs lay within +- 1.645 SDs of their out-of-fold prediction.
    """

    task: str
    law: str
    model: Law
    scores: tuple[Score, ...]
    scale: float

    @property
    def score(self) -> Score:
        return next(s for s in self.scores if s.law == self.law)

    def predict(self, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(m, d) -> mean (m,) and calibrated SD (m,) of one measurement there, averaged over seed blocks."""
        mean, std = self.model.predict(weights, return_std=True)
        return mean, self.scale * std


def choose(
    swarm: Swarm,
    *,
    seed: int,
    laws: Sequence[str] | None = None,
    force: str | None = None,
    maximise: Collection[str] = (),
) -> tuple[TaskFit, ...]:
    """One TaskFit a task, in the order of swarm.tasks: `force`, or the law of least out-of-fold error, or the blend
    where its error is at most 5 % larger.

    The error is an RMSE in which a mix two SDs better than the mean counts e times. A low value is a good one, but for
    the tasks in `maximise`.
    Leave-one-mix-out up to 48 mixes, 10-fold up to 256 (twice up to 192), then 5-fold. `laws` None takes all (trees
    from 128 runs on) that can be fitted on so few; a blend is of the other laws tried. ValueError for an unknown law, a
    task that never changes, or fewer runs than a law asked for, or any law, needs.
    """
    unknown = [name for name in [*(laws or ()), *([force] if force else [])] if name not in EVERY]
    if unknown:
        raise ValueError(f"unknown law: {', '.join(unknown)}; known: {', '.join(LAWS)}")
    repeats = _repeats(swarm.groups, seed)
    runs = len(swarm.runs)
    able = members_for(runs, runs - max(len(held) for folds in repeats for held in folds))
    if not able:
        raise ValueError(f"{runs} runs are too few: no law can be fitted on those that a fold leaves")
    names = list(laws or (*able, Blend.name))
    if force and force not in names:
        names.append(force)
    members = [name for name in names if name != Blend.name] or list(able)
    fits = []
    for t, task in enumerate(swarm.tasks):
        y = swarm.values[:, t]
        if np.ptp(y) == 0:
            raise ValueError(f"task {task} has the same value in every run: nothing can be learned from it")
        raised = task in maximise
        importance = _importance(-y if raised else y)
        left_out = {name: _left_out(partial(law_of, name, {}, raised), swarm, y, repeats) for name in members}
        scores = [_score(name, y, importance, *found) for name, found in left_out.items()]
        if Blend.name in names:
            scores.append(_blend(y, importance, left_out, repeats))
        scores.sort(key=lambda score: score.error)
        name = force or _preferred(scores)
        chosen = next(score for score in scores if score.law == name)
        model = chosen.unfitted(raised).fit(swarm.weights, y, swarm.blocks)
        fits.append(TaskFit(task, chosen.law, model, tuple(scores), _calibration(y, chosen)))
    return tuple(fits)


def _preferred(scores: Sequence[Score]) -> str:
    """The law of least error; the blend where it is close, because only its SDs know how far the laws disagree."""
    close = [score.law for score in scores if score.error <= _CLOSE * scores[0].error]
    return Blend.name if Blend.name in close else scores[0].law


def _repeats(groups: np.ndarray, seed: int) -> list[list[np.ndarray]]:
    """The folds of every repeat; leaving each mix out once needs none, and many mixes average the luck themselves."""
    count = _REPEATS if LEAVE_ONE_OUT < groups.max() + 1 <= _REPEATED else 1
    return [folds_of(groups, seed + repeat) for repeat in range(count)]


def _left_out(
    law: Callable[[], Law], swarm: Swarm, y: np.ndarray, repeats: Sequence[Sequence[np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """Out-of-fold means and SDs, (repeats, n) each."""
    found = [out_of_fold(law, swarm.weights, y, swarm.blocks, folds) for folds in repeats]
    return np.stack([mean for mean, _ in found]), np.stack([std for _, std in found])


def _blend(
    y: np.ndarray,
    importance: np.ndarray,
    left_out: Mapping[str, tuple[np.ndarray, np.ndarray]],
    repeats: Sequence[Sequence[np.ndarray]],
) -> Score:
    """The blend's score: a fold is predicted with shares that its own errors had no part in."""
    means = np.stack([mean for mean, _ in left_out.values()])  # (laws, repeats, n)
    variances = np.stack([std**2 for _, std in left_out.values()])
    squares = (means - y) ** 2 * importance
    mean, variance = np.empty(means.shape[1:]), np.empty(means.shape[1:])
    for r, folds in enumerate(repeats):
        for held in folds:
            portions = _portions(left_out, np.delete(squares, held, axis=2))[:, None]
            mean[r, held] = (portions * means[:, r, held]).sum(axis=0)
            apart = (means[:, r, held] - mean[r, held]) ** 2
            variance[r, held] = (portions * (variances[:, r, held] + apart)).sum(axis=0)
    portions = _portions(left_out, squares)
    shares = {name: float(share) for name, share in zip(left_out, portions, strict=True) if share > 0}
    return _score(Blend.name, y, importance, mean, np.sqrt(variance), shares)


def _portions(names: Iterable[str], squares: np.ndarray) -> np.ndarray:
    """Weighted squared errors (laws, ...) -> share of each law (laws,)."""
    names = list(names)
    shares = shares_of({name: float(each.mean()) for name, each in zip(names, squares, strict=True)})
    return np.array([shares.get(name, 0.0) for name in names])


def _score(
    name: str,
    y: np.ndarray,
    importance: np.ndarray,
    means: np.ndarray,
    stds: np.ndarray,
    shares: Mapping[str, float] | None = None,
) -> Score:
    """y, importance: (n,); means, stds: (repeats, n).

    Errors are those of single repeats: their average would flatter an unstable law.
    """
    predicted = means.mean(axis=0)
    constant = np.ptp(predicted) == 0
    squares = (means - y) ** 2
    return Score(
        law=name,
        error=float(np.sqrt(np.mean(squares * importance))),
        rmse=float(np.sqrt(np.mean(squares))),
        r2=float(1 - np.mean(squares) / np.mean((y - y.mean()) ** 2)),
        spearman=0.0 if constant else float(np.corrcoef(rankdata(y), rankdata(predicted))[0, 1]),
        predicted=predicted,
        std=np.sqrt(np.mean(stds**2, axis=0)),
        shares=shares or {},
    )


def _importance(losses: np.ndarray) -> np.ndarray:
    """(n,) weights of squared errors, mean 1; losses: (n,) better when lower."""
    weights = np.exp(-_STEEPNESS * np.clip((losses - losses.mean()) / losses.std(), -_FARTHEST, _FARTHEST))
    return weights / weights.mean()


def _calibration(y: np.ndarray, score: Score) -> float:
    """Split-conformal quantile (Vovk et al. 2005; Papadopoulos 2002) of |error| / SD, in units of what a normal has.

    With n runs the quantile taken is the ceil(0.9 (n + 1))-th least, as exchangeable values ask.
    """
    std = np.maximum(score.std, 1e-9 * np.std(y))
    ratios = np.sort(np.abs(y - score.predicted) / std)
    rank = min(int(np.ceil(_LEVEL * (len(y) + 1))), len(y))
    return float(ratios[rank - 1]) / _Z


def without_blocks(swarm: Swarm, fits: Sequence[TaskFit]) -> np.ndarray:
    """(n, t) measured values with the fitted effect of each run's seed block taken off."""
    effects = [f.model.predict(swarm.weights, swarm.blocks) - f.model.predict(swarm.weights) for f in fits]
    return swarm.values - np.stack(effects, axis=1)

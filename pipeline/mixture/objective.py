"""What is minimised: a weighted mean of tasks, each relative to the natural mix, with noisy tasks set aside."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.mixture.table import SAME_MIX, Swarm

# A task whose mixes differ by less than this many seed SDs says more about seeds than about mixes.
SIGNAL_TO_NOISE = 2.0


@dataclass(frozen=True)
class TaskSignal:
    """mixture_sd: SD over the distinct mixes; seed_sd: SD over seeds of one mix (NaN without replicates), same unit.

    `weight` is the task's share of the objective; `noisy` says that it fell short of the needed signal.
    """

    task: str
    family: str
    mixture_sd: float
    seed_sd: float
    freedom: int
    noisy: bool
    weight: float

    @property
    def ratio(self) -> float:
        return self.mixture_sd / self.seed_sd if self.seed_sd > 0 else float("nan")


@dataclass(frozen=True)
class Objective:
    """value = sum_t weight_t (1 + sign_t (y_t / reference_t - 1)): lower is better, natural is about 1.

    weights (t,) sum to 1; signs (t,) are 1, and -1 for tasks whose metric is better when higher: there 1 % more counts
    as 1 % less of another. reference (t,) > 0.
    """

    tasks: tuple[str, ...]
    weights: np.ndarray
    reference: np.ndarray
    signs: np.ndarray
    signals: tuple[TaskSignal, ...]
    notes: tuple[str, ...]

    @property
    def factors(self) -> np.ndarray:
        """(t,): value = factors . metrics + offset."""
        return self.weights * self.signs / self.reference

    @property
    def offset(self) -> float:
        return float(np.sum(self.weights * (1 - self.signs)))

    @property
    def maximised(self) -> tuple[str, ...]:
        """The tasks whose metric is better when higher."""
        return tuple(task for task, sign in zip(self.tasks, self.signs, strict=True) if sign < 0)

    @property
    def families(self) -> dict[str, np.ndarray]:
        """Family -> (t,) weights of its tasks inside it, summing to 1; only families with a weight."""
        names = [family_of(task) for task in self.tasks]
        inside = {name: self.weights * [each == name for each in names] for name in dict.fromkeys(names)}
        return {name: weights / weights.sum() for name, weights in inside.items() if weights.sum() > 0}

    def value(self, metrics: np.ndarray) -> np.ndarray:
        """metrics (..., t) in the order of `tasks` -> (...)."""
        return metrics @ self.factors + self.offset


def family_of(task: str) -> str:
    """The part before the first slash: `heldout/code` -> `heldout`."""
    return task.split("/", 1)[0]


def tasks_named(names: Iterable[str], tasks: Sequence[str]) -> dict[str, list[str]]:
    """Name of a task or family -> the tasks meant, in their order. ValueError for a name that is neither."""
    families = list(dict.fromkeys(family_of(task) for task in tasks))
    found: dict[str, list[str]] = {}
    unknown = []
    for name in names:
        # a task goes first: one without a slash is its own family, beside others of that family
        found[name] = [name] if name in tasks else [task for task in tasks if family_of(task) == name]
        if not found[name]:
            unknown.append(name)
    if unknown:
        raise ValueError(
            f"objective names unknown tasks or families: {', '.join(unknown)}; known: {', '.join([*tasks, *families])}"
        )
    return found


def build(
    swarm: Swarm,
    natural: np.ndarray,
    *,
    weights: Mapping[str, float] | None = None,
    force: Sequence[str] = (),
    maximise: Sequence[str] = (),
    predicted: np.ndarray | None = None,
) -> Objective:
    """natural: (d,) the mix that tasks are relative to; metrics are better when lower, but for those of `maximise`.

    `weights` names tasks or families (default: families equal, tasks equal within one; a task's own weight is taken
    inside its family). Tasks under SIGNAL_TO_NOISE get weight 0 unless named in `force`; noise never scales a task.
    Where no run is the natural mix, `predicted` (t,), what laws say of it, stands in; without it the mean of all runs.
    `force` and `maximise` name tasks or families too. ValueError for unknown names, negative weights, a minimised
    metric that is not positive, a maximised one that is negative or 0 at natural, or when nothing is left.
    """
    given = dict(weights or {})
    families = [family_of(t) for t in swarm.tasks]
    named = tasks_named(dict.fromkeys([*given, *force, *maximise]), swarm.tasks)
    raised = {task for name in maximise for task in named[name]}
    if any(not (np.isfinite(v) and v >= 0) for v in given.values()):
        raise ValueError("objective weights must be finite and not negative")
    # An accuracy may be 0 in a bad run; bits per byte never are.
    least = np.array([0.0 if task in raised else np.nextafter(0, 1) for task in swarm.tasks])
    if np.any(swarm.values < least):
        task = swarm.tasks[int(np.argwhere(swarm.values < least)[0, 1])]
        raise ValueError(f"task {task} has values that are {'negative' if task in raised else 'not positive'}")
    notes: list[str] = []
    rows = np.abs(swarm.weights - natural).max(axis=1) <= SAME_MIX
    if rows.any():
        reference = swarm.values[rows].mean(axis=0)
    elif predicted is not None:
        notes.append("no run is the natural mix: tasks are relative to what the laws predict for it")
        reference = predicted
    else:
        notes.append("no run is the natural mix: tasks are relative to the mean over all runs instead")
        reference = swarm.values.mean(axis=0)
    if np.any(reference <= 0):
        task = swarm.tasks[int(np.argmin(reference))]
        raise ValueError(f"task {task} is 0 for the natural mix: nothing can be taken relative to it")
    mixture_sd, seed_sd, freedom = signal_and_noise(swarm)
    noisy = mixture_sd < SIGNAL_TO_NOISE * np.where(np.isnan(seed_sd), 0.0, seed_sd)
    if freedom == 0:
        notes.append("no mix was run on several seeds: noise is unknown and no task is set aside for it")
    kept = np.array([not n or t in force or f in force for n, t, f in zip(noisy, swarm.tasks, families, strict=True)])
    raw = np.zeros(len(swarm.tasks))
    for family in dict.fromkeys(families):
        members = [i for i, f in enumerate(families) if f == family]
        inside = np.array([given.get(swarm.tasks[i], 1.0) * kept[i] for i in members])
        if inside.sum() > 0:
            raw[members] = given.get(family, 1.0) * inside / inside.sum()
        elif not kept[members].any():
            notes.append(f"family {family} has no task above the noise and takes no part")
    if raw.sum() <= 0:
        raise ValueError("no task is left in the objective: all are noisy or have weight 0; force some, or add runs")
    shares = raw / raw.sum()
    signals = tuple(
        TaskSignal(t, families[i], float(mixture_sd[i]), float(seed_sd[i]), freedom, bool(noisy[i]), float(shares[i]))
        for i, t in enumerate(swarm.tasks)
    )
    signs = np.array([-1.0 if task in raised else 1.0 for task in swarm.tasks])
    return Objective(swarm.tasks, shares, reference, signs, signals, tuple(notes))


def signal_and_noise(swarm: Swarm) -> tuple[np.ndarray, np.ndarray, int]:
    """Mixture SD (t,), seed SD (t,) and the seed SD's degrees of freedom.

    Seed SD: residual of values = mix + block over the mixes run more than once; where that leaves under 2 degrees of
    freedom, of values = mix, which counts the blocks' effect as noise.
    """
    groups = swarm.groups
    means = np.array([swarm.values[groups == g].mean(axis=0) for g in np.unique(groups)])
    mixture_sd = means.std(axis=0, ddof=1) if len(means) > 1 else np.zeros(len(swarm.tasks))
    repeated = np.isin(groups, [g for g in np.unique(groups) if (groups == g).sum() > 1])
    if not repeated.any():
        return mixture_sd, np.full(len(swarm.tasks), np.nan), 0
    values, mixes = swarm.values[repeated], groups[repeated]
    by_mix = (mixes[:, None] == np.unique(mixes)).astype(float)
    by_block = (swarm.blocks[repeated][:, None] == np.unique(swarm.blocks[repeated])).astype(float)
    design = np.hstack([by_mix, by_block])
    freedom = len(values) - int(np.linalg.matrix_rank(design))
    if freedom < 2:
        design, freedom = by_mix, len(values) - by_mix.shape[1]
    residual = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return mixture_sd, np.sqrt((residual**2).sum(axis=0) / freedom), freedom

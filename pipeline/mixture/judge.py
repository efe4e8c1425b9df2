"""The measured proof: proposal and baselines trained again on fresh seeds, compared pairwise."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Measured:
    """One validated mix: mean objective over the seeds and its SE; per_seed in the order of the seeds."""

    mean: float
    se: float
    per_seed: tuple[float, ...]


@dataclass(frozen=True)
class Comparison:
    """gain: baseline minus proposal, > 0 where the proposal is better. p_value: one-sided, of no gain or worse.

    same: the baseline is the proposal's own mix, so there is nothing to test (gain 0, p_value 1).
    """

    gain: float
    se: float
    t: float
    p_value: float
    wins: bool
    same: bool
    verdict: str


@dataclass(frozen=True)
class Judgement:
    """sd: pooled SD of one measurement after mix and seed effects; freedom: its degrees of freedom."""

    mixes: dict[str, Measured]
    comparisons: dict[str, Comparison]
    sd: float
    freedom: int
    seeds: int
    headline: str


def judge(
    values: Mapping[str, Mapping[int, float]],
    *,
    proposal: str = "proposal",
    same_as_proposal: tuple[str, ...] = (),
    level: float = 0.025,
) -> Judgement:
    """values: mix -> fresh seed -> objective on confirm items (lower is better); every mix needs the same seeds.

    Two-way layout y_ij = mix_i + seed_j + e_ij with m mixes and n seeds: s^2 = sum e^2 / ((m - 1)(n - 1)); the mean of
    a mix has se = s / sqrt(n), a difference of two s * sqrt(2 / n), and t = gain / (s sqrt(2 / n)) is referred to
    Student's t with (m - 1)(n - 1) degrees of freedom. With two mixes that is the paired t-test.

    `same_as_proposal`: baselines that are the very mix of the proposal; they need no values of their own. ValueError
    for fewer than 2 seeds or 2 mixes, or seeds that are not the same for all.
    """
    if proposal not in values:
        raise ValueError(f"no measurement of {proposal}")
    names = [proposal] + [n for n in values if n != proposal and n not in same_as_proposal]
    seeds = sorted(values[proposal])
    uneven = [n for n in names if sorted(values[n]) != seeds]
    if uneven:
        raise ValueError(f"not measured on the seeds of {proposal}: {', '.join(uneven)}")
    table = np.array([[values[n][s] for s in seeds] for n in names])
    m, n = table.shape
    if not np.all(np.isfinite(table)):
        raise ValueError("a validated objective is not a finite number")
    if n < 2 or m < 2:
        raise ValueError(f"judging needs at least 2 mixes and 2 seeds, got {m} and {n}")
    residual = table - table.mean(axis=1, keepdims=True) - table.mean(axis=0) + table.mean()
    freedom = (m - 1) * (n - 1)
    sd = float(np.sqrt((residual**2).sum() / freedom))
    mixes = {
        name: Measured(float(row.mean()), sd / n**0.5, tuple(float(v) for v in row))
        for name, row in zip(names, table, strict=True)
    }
    comparisons = {
        name: _compare(name, mixes[name].mean - mixes[proposal].mean, sd * (2 / n) ** 0.5, freedom, level)
        for name in names[1:]
    }
    for name in same_as_proposal:
        mixes[name] = mixes[proposal]
        text = f"The proposal is {_words(name)} itself."
        comparisons[name] = Comparison(0.0, 0.0, 0.0, 1.0, False, True, text)
    return Judgement(mixes, comparisons, sd, freedom, n, _headline(comparisons))


def _compare(name: str, gain: float, se: float, freedom: int, level: float) -> Comparison:
    t = gain / se if se > 0 else float(np.sign(gain)) * np.inf if gain else 0.0
    p_value = float(stats.t.sf(t, freedom))
    wins = p_value < level
    if wins:
        verdict = f"The proposal beats {_words(name)} by {gain:.4f} (SE {se:.4f}, p = {p_value:.2g})."
    elif gain < -se:
        verdict = f"The proposal loses to {_words(name)} by {-gain:.4f} (SE {se:.4f}, p = {p_value:.2g})."
    else:
        verdict = f"The proposal is not told from {_words(name)}: gain {gain:.4f} (SE {se:.4f}, p = {p_value:.2g})."
    return Comparison(gain, se, float(t), p_value, wins, False, verdict)


def _headline(comparisons: Mapping[str, Comparison]) -> str:
    beaten = [_words(n) for n, c in comparisons.items() if c.wins]
    open_ = [_words(n) for n, c in comparisons.items() if not c.wins]
    if not open_:
        return f"The proposal wins: it beats {_list(beaten)}."
    if not beaten:
        return f"The proposal does not win: it beats none of {_list(open_)}."
    return f"The proposal beats {_list(beaten)}, but not {_list(open_)}."


def _words(name: str) -> str:
    return name.replace("_", " ")


def _list(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]

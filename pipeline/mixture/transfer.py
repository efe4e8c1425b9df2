"""Do larger proxies rank the mixes as the small ones do?"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from pipeline.mixture.judge import Judgement


@dataclass(frozen=True)
class Agreement:
    """The order of m distinct mixes by their mean objective, at two sizes.

    kendall (tau-b), spearman: -1 to 1; None where all mixes of one size measure the same. pairs: of mixes,
    m (m - 1) / 2; alike: those in the same order at both sizes. told: pairs that the small proxies tell apart
    (two-sided t-test at 5 %, pooled SD), kept: those of them that keep their order.
    """

    mixes: int
    kendall: float | None
    spearman: float | None
    pairs: int
    alike: int
    told: int
    kept: int


def agreement(small: Judgement, large: Judgement) -> Agreement:
    """Compare two judgements of the same mixes; a baseline that is the proposal itself is counted once.

    ValueError where the mixes are not the same.
    """
    names = [name for name in small.mixes if not (name in small.comparisons and small.comparisons[name].same)]
    if set(small.mixes) != set(large.mixes):
        odd = sorted(set(small.mixes) ^ set(large.mixes))
        raise ValueError(f"measured at one size only: {', '.join(odd)}")
    low = np.array([small.mixes[name].mean for name in names])
    high = np.array([large.mixes[name].mean for name in names])
    apart = small.sd * (2 / small.seeds) ** 0.5 * float(stats.t.ppf(0.975, small.freedom))
    first, second = np.triu_indices(len(names), 1)
    gaps, later = low[first] - low[second], high[first] - high[second]
    order, later_order = np.sign(gaps), np.sign(later)
    alike, told = order * later_order > 0, np.abs(gaps) > apart
    constant = np.ptp(low) == 0 or np.ptp(high) == 0
    untied = float(np.sqrt(np.sum(order**2) * np.sum(later_order**2)))
    return Agreement(
        mixes=len(names),
        kendall=None if constant else float(order @ later_order) / untied,
        spearman=None if constant else float(np.corrcoef(stats.rankdata(low), stats.rankdata(high))[0, 1]),
        pairs=len(gaps),
        alike=int(alike.sum()),
        told=int(told.sum()),
        kept=int((alike & told).sum()),
    )

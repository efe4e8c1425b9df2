"""Metrics from stored sums of log-probabilities: none of them needs the model.

`bpb` is of the gold continuations. The accuracies choose the likeliest choice of an item: by its log p (`acc`), by
log p a character or byte of the choice (`acc_per_char`, lm-evaluation-harness' acc_norm, and `acc_per_byte`), or by
how much the question adds to it (`acc_uncond`, log p with the question minus log p without; Brown et al. 2020,
arXiv:2005.14165, and OLMES, arXiv:2406.08446). The blank before a choice is no part of its length, as in the
harness and in OLMo's own evals.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from proxy_models.requests import RequestSet

if TYPE_CHECKING:
    from proxy_models.score import Scores

Metric = Literal["bpb", "acc", "acc_per_char", "acc_per_byte", "acc_uncond"]
METRICS: tuple[Metric, ...] = get_args(Metric)
ACCURACIES: tuple[Metric, ...] = METRICS[1:]
"""Better when higher, and told only where all choices of an item are scored."""


def metrics_of(scores: Scores, requests: RequestSet) -> dict[str, float]:
    """All metrics that a scored set allows, by name in the order of METRICS.

    Sets without choices have `bpb` alone, sets without rows without the question no `acc_uncond`.
    """
    found: dict[str, float] = {"bpb": bits_per_byte(scores, requests)}
    if requests.has_choices:
        found |= accuracies(scores.logprob, requests)
    return found


def bits_per_byte(scores: Scores, requests: RequestSet, keep: NDArray[np.bool_] | None = None) -> float:
    """Sum of -log2 p over the bytes of the gold, conditional requests (of them those in ``keep``, (R,) bool).

    Bytes are of the scored text, so tokenizers compare. Raises ValueError when nothing is left.
    """
    chosen = requests.gold & ~requests.unconditional
    if keep is not None:
        chosen = chosen & keep
    if not chosen.any():
        raise ValueError("no gold requests to take bits per byte of")
    return float(-scores.logprob[chosen].sum() / (math.log(2) * requests.bytes[chosen].sum()))


def accuracies(logprob: NDArray[np.float64], requests: RequestSet) -> dict[str, float]:
    """Share of items, 0 to 1, whose gold choice is the best one; of equals the first choice counts.

    logprob: (R,). Raises ValueError for a set that has no choices beside each other.
    """
    if requests.blank is None:
        raise ValueError("no item has several choices to be accurate about")
    rows = np.flatnonzero(~requests.unconditional & (requests.choice >= 0))
    rows = rows[np.lexsort((requests.choice[rows], requests.item[rows]))]
    values = {
        "acc": logprob[rows],
        "acc_per_char": logprob[rows] / np.maximum(requests.chars - requests.blank, 1)[rows],
        "acc_per_byte": logprob[rows] / np.maximum(requests.bytes - requests.blank, 1)[rows],
    }
    bare = {(requests.item[i], requests.choice[i]): i for i in np.flatnonzero(requests.unconditional)}
    if all((requests.item[i], requests.choice[i]) in bare for i in rows):
        values["acc_uncond"] = logprob[rows] - logprob[[bare[requests.item[i], requests.choice[i]] for i in rows]]
    starts = np.flatnonzero(np.diff(requests.item[rows], prepend=-1))
    gold = requests.gold[rows]
    return {name: _share_right(value, gold, starts) for name, value in values.items()}


def _share_right(value: NDArray[np.float64], gold: NDArray[np.bool_], starts: NDArray[np.int64]) -> float:
    """value, gold: (n,) over the choices of all items, an item's from its start to the next one's."""
    right = [gold[a + np.argmax(value[a:b])] for a, b in zip(starts, [*starts[1:], len(value)], strict=True)]
    return float(np.mean(right))

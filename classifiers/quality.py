"""Binary quality classifiers, trained in the run: which texts look like the positive examples?

`train` splits by document (20 % held out, exact duplicates removed first), balances the classes so that their
sizes do not matter, fits on the other 80 %, measures on the held-out part and writes the model beside a card.
The stored model is the one that was measured; it is not refitted on everything. A score is the classifier's
P(positive), in [0, 1], of the first `max_chars` characters of a text: the start of a long document stands for
all of it, in training as in scoring. Scores rank; they are not calibrated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import numpy as np
import polars as pl
from numpy.typing import NDArray

from classifiers.base import Scorer, ScorerParams
from classifiers.duplicates import exact_hash
from classifiers.fasttext_quality import FastTextParams, FastTextScorer, fit_fasttext
from classifiers.linear_quality import LinearParams, LinearScorer, fit_linear

Params = TypeVar("Params", bound=ScorerParams)
Kind = Literal["fasttext", "sklearn"]
CARD_FILE = "card.json"
HELD_OUT = 0.2
LEAST = 10  # documents per class; fewer leave one or two to measure on
_RESAMPLES = 1000


@dataclass(frozen=True)
class TrainedCard:
    """What was trained, on what, and how good it is. JSON: `dataclasses.asdict`."""

    kind: str
    positive: int  # documents given
    negative: int
    dropped: int  # exact duplicates of another document, of either class
    trained_positive: int
    trained_negative: int
    held_out_positive: int
    held_out_negative: int
    seed: int
    auc: float  # on the held-out documents
    auc_low: float  # 95 % bootstrap interval over held-out documents
    auc_high: float
    accuracy: float  # balanced: mean of the two classes' shares right at a score of 0.5
    params: dict[str, Any]
    versions: dict[str, str]


def train(
    kind: Kind,
    positive: Sequence[str],
    negative: Sequence[str],
    out: Path,
    seed: int,
    params: ScorerParams | None = None,
) -> TrainedCard:
    """Train a classifier and write its files and `card.json` into the folder `out`.

    Same texts, seed and versions give the same bytes. A text in both classes is dropped from both, a repeated
    one is kept once. Raises ValueError when fewer than 10 texts of a class remain.
    """
    if kind not in ("fasttext", "sklearn"):
        raise ValueError(f"unknown kind of classifier {kind!r}: expected fasttext or sklearn")
    kept = _distinct(positive, negative)
    for name, texts in zip(("positive", "negative"), kept, strict=True):
        if len(texts) < LEAST:
            raise ValueError(f"{len(texts)} distinct {name} texts, at least {LEAST} are needed")
    rng = np.random.default_rng(seed)
    (fit_pos, test_pos), (fit_neg, test_neg) = (_split(texts, rng) for texts in kept)
    out.mkdir(parents=True, exist_ok=True)
    scorer: Scorer
    if kind == "fasttext":
        used, versions = _checked(params, FastTextParams), _versions("fasttext-community")
        fit_fasttext(fit_pos, fit_neg, out, seed, used)
        scorer = FastTextScorer(used, out)
    else:
        used, versions = _checked(params, LinearParams), _versions("scikit-learn", "scipy")
        fit_linear(fit_pos, fit_neg, out, used)
        scorer = LinearScorer(used, out)
    scores = scorer.score(pl.Series([*test_pos, *test_neg], dtype=pl.String))["score"].to_numpy()
    above, below = scores[: len(test_pos)], scores[len(test_pos) :]
    low, high = auc_interval(above, below, rng)
    card = TrainedCard(
        kind=kind,
        positive=len(positive),
        negative=len(negative),
        dropped=len(positive) + len(negative) - len(kept[0]) - len(kept[1]),
        trained_positive=len(fit_pos),
        trained_negative=len(fit_neg),
        held_out_positive=len(test_pos),
        held_out_negative=len(test_neg),
        seed=seed,
        auc=auc(above, below),
        auc_low=low,
        auc_high=high,
        accuracy=float(((above >= 0.5).mean() + (below < 0.5).mean()) / 2),
        params=used.model_dump(mode="json"),
        versions=versions,
    )
    (out / CARD_FILE).write_text(json.dumps(asdict(card), indent=2, sort_keys=True) + "\n", encoding="utf-8")
    return card


def read_card(folder: Path) -> TrainedCard:
    """Read the card that `train` wrote."""
    return TrainedCard(**json.loads((folder / CARD_FILE).read_text(encoding="utf-8")))


def auc(above: NDArray[np.float64], below: NDArray[np.float64]) -> float:
    """Area under the ROC curve: P(a positive scores higher than a negative), ties count half.

    By the Mann-Whitney statistic; [positives] and [negatives] scores, at least one of each.
    """
    ordered = np.sort(below)
    wins = np.searchsorted(ordered, above, side="left") + np.searchsorted(ordered, above, side="right")
    return float(wins.mean() / 2 / len(below))


def auc_interval(
    above: NDArray[np.float64], below: NDArray[np.float64], rng: np.random.Generator
) -> tuple[float, float]:
    """95 % percentile bootstrap interval of the AUC, each class resampled by itself."""
    draws = [auc(rng.choice(above, len(above)), rng.choice(below, len(below))) for _ in range(_RESAMPLES)]
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)


def _distinct(positive: Sequence[str], negative: Sequence[str]) -> tuple[list[str], list[str]]:
    """Each text once, in order; none of those that are in both classes."""
    first = {exact_hash(text): text for text in positive}
    second = {exact_hash(text): text for text in negative}
    return (
        [text for key, text in first.items() if key not in second],
        [text for key, text in second.items() if key not in first],
    )


def _split(texts: list[str], rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Shuffle, then cut into what is fitted and what is held out."""
    order = rng.permutation(len(texts))
    cut = max(1, round(HELD_OUT * len(texts)))
    return [texts[i] for i in order[cut:]], [texts[i] for i in order[:cut]]


def _checked(params: ScorerParams | None, model: type[Params]) -> Params:
    if params is None:
        return model()
    if not isinstance(params, model):
        raise ValueError(f"expected {model.__name__}, not {type(params).__name__}")
    return params


def _versions(*packages: str) -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("numpy", *packages)}

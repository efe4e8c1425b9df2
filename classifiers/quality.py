"""Binary quality classifiers: which texts look like the positive examples?

`train` drops repeated texts, balances the classes so that their sizes do not matter, and measures on documents whose
group (question, book, repository; the document itself where none is given) the measured model never saw: one held-out
fifth, or every document once by cross-validation. It calibrates on those same held-out scores, and writes a model that
was measured beside a card. A score is the classifier's P(positive) at even odds, in [0, 1], of the first `max_chars`
characters of a text: the start of a long document stands for all of it, in training as in scoring.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import polars as pl

from classifiers.base import Scorer, ScorerParams
from classifiers.calibration import (
    Calibration,
    calibration_error,
    cross_calibrated,
    fit_calibration,
    load_calibration,
    reliability,
    save_calibration,
)
from classifiers.fasttext_quality import FEATURES_FILE as FASTTEXT_FEATURES
from classifiers.fasttext_quality import MODEL_FILE, FastTextParams, FastTextScorer, fit_fasttext
from classifiers.labelled import Documents, Labelled, folds_of, labelled
from classifiers.linear_quality import FEATURES_FILE, WEIGHTS_FILE, LinearParams, LinearScorer, fit_linear
from classifiers.model_card import CARD_FILE, Calibrated, Card, Evaluation, Side, Threshold, read_card, write_card
from classifiers.ranking import Flags, Scores, check_keep, keep_threshold, measures

Kind = Literal["fasttext", "sklearn"]
HELD_OUT = 5  # one part of so many is held out
LEAST = 10  # documents per class; fewer leave one or two to measure on
_SEEN_FILE = "seen.npy"


@dataclass(frozen=True)
class _Maker:
    """How one kind of classifier is made and loaded."""

    params: type[ScorerParams]
    fit: Callable[[list[str], list[str], Path, int, Any], None]
    load: Callable[[Any, Path | None], Scorer]
    packages: tuple[str, ...]  # whose versions the bytes depend on
    files: tuple[str, ...]  # without which a folder is no such model


_MAKERS: dict[str, _Maker] = {
    "fasttext": _Maker(
        FastTextParams, fit_fasttext, FastTextScorer, ("fasttext-community",), (MODEL_FILE, FASTTEXT_FEATURES)
    ),
    "sklearn": _Maker(LinearParams, fit_linear, LinearScorer, ("scikit-learn", "scipy"), (WEIGHTS_FILE, FEATURES_FILE)),
}


@dataclass(frozen=True)
class HeldOut:
    """Scores of documents by models that had not seen their groups. All arrays are [held-out documents]."""

    rows: np.ndarray  # places in the labelled documents
    scores: Scores
    positive: Flags
    groups: np.ndarray
    parts: np.ndarray  # two or more sets of whole groups: a calibration is measured on one and fitted on the others
    own: Flags  # scored by the model that is stored


def train(
    kind: Kind,
    positive: Documents,
    negative: Documents,
    out: Path,
    seed: int,
    params: ScorerParams | None = None,
    *,
    folds: int = 1,
    keep: float | None = None,
    pool: Documents | None = None,
) -> Card:
    """Train a classifier and write its files, `calibration.json`, `card.json` and `card.md` into the folder `out`.

    folds: 1 holds out a fifth and stores the model that was measured on it; k > 1 holds out every document once, in k
    models, and stores the first of them. keep: fraction of `pool` that the card's threshold keeps; where there is none,
    of the documents that the stored model did not learn from.

    Same texts, seed and versions give the same bytes. Raises ValueError when fewer than 10 texts of a class remain,
    when the groups are so few that a part lacks a class, or when training fails.
    """
    maker = _maker(kind)
    if params is not None and not isinstance(params, maker.params):
        raise ValueError(f"expected {maker.params.__name__}, not {type(params).__name__}")
    if getattr(params, "model", None) is not None:
        raise ValueError("`model` names a classifier from elsewhere, which is not trained: leave it out")
    if folds < 1:
        raise ValueError(f"folds must be 1 or more, not {folds}")
    if keep is not None:
        check_keep(keep)
    used = maker.params() if params is None else params
    data = labelled(positive, negative)
    for name, count in (("positive", data.positive.sum()), ("negative", (~data.positive).sum())):
        if count < LEAST:
            raise ValueError(f"{count} distinct {name} texts, at least {LEAST} are needed")
    out.mkdir(parents=True, exist_ok=True)
    held = _hold_out(maker, data, out, seed, used) if folds == 1 else out_of_fold(kind, data, used, seed, folds, out)
    seen = np.setdiff1d(np.arange(len(data.texts)), held.rows[held.own])
    np.save(out / _SEEN_FILE, np.sort(data.hashes[seen]))
    calibration = fit_calibration(held.scores, held.positive)
    save_calibration(calibration, out)
    probabilities = cross_calibrated(held.scores, held.positive, held.parts)
    bins = reliability(probabilities, held.positive)
    right = (held.scores >= 0.5) == held.positive
    card = Card(
        kind=kind,
        positive=_side(positive, data, data.positive),
        negative=_side(negative, data, ~data.positive),
        dropped=data.dropped,
        folds=folds,
        trained=len(seen),
        held_out=len(held.rows),
        seed=seed,
        measures=measures(held.scores, held.positive, held.groups, np.random.default_rng(seed)),
        accuracy=float((right[held.positive].mean() + right[~held.positive].mean()) / 2),
        calibration=Calibrated(
            stored=calibration,
            error=calibration_error(bins),
            raw_error=calibration_error(reliability(held.scores, held.positive)),
            reliability=bins,
        ),
        threshold=None if keep is None else _threshold(keep, pool, maker.load(used, out), held, calibration),
        params=used.model_dump(mode="json", exclude={"model", "label"}),
        versions=_versions(*maker.packages),
    )
    write_card(card, out)
    return card


def out_of_fold(
    kind: Kind, data: Labelled, params: ScorerParams, seed: int, folds: int, out: Path | None = None
) -> HeldOut:
    """Score every document by a model that is fitted on the other folds; groups stay whole. The model that did not see
    the first fold is written into `out`.

    Raises ValueError when the groups are so few that what is left to learn from, or the first fold, lacks a class.
    """
    maker = _maker(kind)
    fold = folds_of(data.groups, data.positive, folds, np.random.default_rng(seed))
    scores = np.empty(len(fold))
    _check_classes(data.positive[fold == 0], "held out")
    for part in range(folds):
        own = fold == part
        _check_classes(data.positive[~own], "left to learn from")
        with tempfile.TemporaryDirectory() as folder:
            path = out if out and part == 0 else Path(folder)
            maker.fit(*data.of(~own), path, seed, params)
            scores[own] = _scores(maker.load(params, path), [data.texts[i] for i in np.flatnonzero(own)])
    return _held_out(data, np.arange(len(fold)), scores, fold, fold == 0)


def evaluate(
    kind: Kind, params: ScorerParams, positive: Documents, negative: Documents, seed: int = 1, model: Path | None = None
) -> Evaluation:
    """Measure a classifier, by the path in `params.model` or the folder `model`, on labelled documents.

    Documents that a classifier made by `train` has learnt from are left out and counted; other documents of their
    groups are not known to it. Raises ValueError when one of the classes has no document left.
    """
    scorer = _maker(kind).load(params, model)
    folder = Path(getattr(params, "model", None) or model or "")
    data = labelled(positive, negative)
    seen_file = folder / _SEEN_FILE
    seen = np.isin(data.hashes, np.load(seen_file)) if seen_file.is_file() else np.zeros(len(data.texts), np.bool_)
    for name, side in (("positive", data.positive), ("negative", ~data.positive)):
        if not (side & ~seen).any():
            raise ValueError(f"no {name} document is left: {(side & seen).sum()} were in the training data")
    above, below = data.of(~seen)
    flags = np.repeat([True, False], [len(above), len(below)])
    scores = _scores(scorer, [*above, *below])
    _, groups = np.unique(data.groups[~seen], return_inverse=True)
    calibration = load_calibration(folder) if folder.is_dir() else None
    bins = None if calibration is None else reliability(calibration.probability(scores), flags)
    threshold = read_card(folder).threshold if (folder / CARD_FILE).is_file() else None
    return Evaluation(
        kind=kind,
        positive=len(above),
        negative=len(below),
        dropped=data.dropped,
        seen=int(seen.sum()),
        measures=measures(scores, flags, groups, np.random.default_rng(seed)),
        error=None if bins is None else calibration_error(bins),
        reliability=bins,
        threshold=None if threshold is None else threshold.score,
        positive_kept=None if threshold is None else float((scores[flags] >= threshold.score).mean()),
        negative_kept=None if threshold is None else float((scores[~flags] >= threshold.score).mean()),
    )


def folder_files(kind: str) -> tuple[str, ...]:
    """Return the files that a folder of a trained classifier holds at least. Raises ValueError for an unknown kind."""
    return _maker(kind).files


def params_of(kind: str) -> type[ScorerParams]:
    """Return the params model of a kind. Raises ValueError for an unknown one."""
    return _maker(kind).params


def _maker(kind: str) -> _Maker:
    if kind not in _MAKERS:
        raise ValueError(f"unknown kind of classifier {kind!r}: expected {' or '.join(_MAKERS)}")
    return _MAKERS[kind]


def _hold_out(maker: _Maker, data: Labelled, out: Path, seed: int, params: ScorerParams) -> HeldOut:
    """Fit on four fifths into `out` and score the last fifth."""
    fold = folds_of(data.groups, data.positive, 2 * HELD_OUT, np.random.default_rng(seed))  # two tenths are held out
    rows = np.flatnonzero(fold < 2)
    _check_classes(data.positive[rows], "held out")
    _check_classes(data.positive[fold >= 2], "left to learn from")
    maker.fit(*data.of(fold >= 2), out, seed, params)
    scores = _scores(maker.load(params, out), [data.texts[i] for i in rows])
    return _held_out(data, rows, scores, fold[rows], np.ones(len(rows), np.bool_))


def _held_out(data: Labelled, rows: np.ndarray, scores: Scores, parts: np.ndarray, own: Flags) -> HeldOut:
    _, groups = np.unique(data.groups[rows], return_inverse=True)
    return HeldOut(rows, scores, data.positive[rows], groups, parts, own)


def _check_classes(positive: Flags, what: str) -> None:
    for name, side in (("positive", positive), ("negative", ~positive)):
        if not side.any():
            raise ValueError(f"no {name} document is {what}: the groups are too few or too uneven to be split whole")


def _scores(scorer: Scorer, texts: list[str]) -> Scores:
    return scorer.score(pl.Series(texts, dtype=pl.String))["score"].to_numpy()


def _threshold(
    keep: float, pool: Documents | None, scorer: Scorer, held: HeldOut, calibration: Calibration
) -> Threshold:
    # other models' scores lie elsewhere: a threshold from them keeps another share
    own, positive = held.scores[held.own], held.positive[held.own]
    scores = own if pool is None else _scores(scorer, list(pool.texts))
    score = keep_threshold(scores, keep)
    return Threshold(
        keep=keep,
        of="the documents that the stored model did not see" if pool is None else "the pool",
        documents=len(scores),
        origin=[] if pool is None else list(pool.origin),
        score=score,
        kept=float((scores >= score).mean()),
        probability=float(calibration.probability(np.array([score]))[0]),
        positive_kept=float((own[positive] >= score).mean()),
        negative_kept=float((own[~positive] >= score).mean()),
    )


def _side(given: Documents, data: Labelled, side: Flags) -> Side:
    return Side(
        origin=list(given.origin),
        documents=len(given.texts),
        used=int(side.sum()),
        groups=len(np.unique(data.groups[side])),
    )


def _versions(*packages: str) -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("numpy", *packages)}

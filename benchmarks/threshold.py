"""What share of new documents does a threshold keep that was chosen without a pool, where 10 % are asked for?

    python benchmarks/threshold.py --data DIR [--draws N]

Labelled documents are drawn again and again, in two ways: 300 made texts of 40 words (half of them good: a share around
0.55 of their words comes from one list, 0.45 for the bad) with 3,000 new ones, and the answers to 30 % of the questions
in StackExchange dumps (good: a score of 5 or more; bad: 0 or less) with all other answers as new ones. Three ways:

- `all`: the stored model is fitted on all documents, scores are out of fold, by models on four fifths;
- `folds`: the stored model is the first fold's, scores are out of fold, by all five;
- `own`: the same, scores are that model's on the fold that it did not see. This is what `classifier train` does.

Printed by kind of classifier: mean share of new documents kept and root mean square error, in percent; AUC and
calibration error of the stored model on new documents, the calibration fitted on the same scores. The last line is one
JSON object.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from quality import DATA, answers, documents

from classifiers.base import Scorer
from classifiers.calibration import calibration_error, fit_calibration, reliability
from classifiers.fasttext_quality import FastTextParams, FastTextScorer, fit_fasttext
from classifiers.labelled import Documents, Labelled, labelled
from classifiers.linear_quality import LinearParams, LinearScorer, fit_linear
from classifiers.quality import Kind, out_of_fold
from classifiers.ranking import auc, keep_threshold

KEEP, FOLDS = 0.1, 5
SETTINGS: dict[str, tuple[Kind, Any]] = {
    "fasttext": ("fasttext", FastTextParams.model_validate({})),
    "fasttext, 5 passes": ("fasttext", FastTextParams.model_validate({"epochs": 5})),
    "sklearn": ("sklearn", LinearParams.model_validate({})),
}
GOOD = np.array(["the", "of", "and", "river", "mountain", "city", "science", "history", "language", "planet", "forest"])
BAD = np.array(["buy", "cheap", "click", "now", "free", "win", "casino", "deal", "offer", "best", "the", "of", "and"])


@dataclass(frozen=True)
class Draw:
    """Documents to train on, and new ones with their class [new documents]."""

    data: Labelled
    new: list[str]
    positive: np.ndarray


def made(draws: int) -> Iterator[Draw]:
    for seed in range(draws):
        rng = np.random.default_rng(seed)
        data = labelled(Documents(_texts(rng, 150, 0.55)), Documents(_texts(rng, 150, 0.45)))
        yield Draw(data, [*_texts(rng, 1500, 0.55), *_texts(rng, 1500, 0.45)], np.repeat([True, False], 1500))


def _texts(rng: np.random.Generator, count: int, mean: float) -> list[str]:
    shares = np.clip(rng.normal(mean, 0.1, (count, 1)), 0, 1)
    words = np.where(rng.random((count, 40)) < shares, rng.choice(GOOD, (count, 40)), rng.choice(BAD, (count, 40)))
    return [" ".join(row) for row in words]


def drawn_answers(folder: Path, draws: int) -> Iterator[Draw]:
    found = list(answers(folder))
    questions = sorted({each.question for each in found})
    for seed in range(draws):
        chosen = set(np.random.default_rng(seed).permutation(questions)[: int(0.3 * len(questions))].tolist())
        own = [each for each in found if each.question in chosen]
        rest = [each for each in found if each.question not in chosen]
        data = labelled(documents(own, True), documents(own, False))
        yield Draw(data, [each.text for each in rest], np.array([each.is_good for each in rest]))


def shares_kept(kind: Kind, params: Any, draw: Draw, seed: int) -> dict[str, list[float]]:
    """Return share kept, AUC and calibration error on the new documents of one draw, by the way to choose."""
    fit, load = (fit_fasttext, FastTextScorer) if kind == "fasttext" else (fit_linear, LinearScorer)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as whole:
        held = out_of_fold(kind, draw.data, params, seed, FOLDS, Path(first))
        fit(*draw.data.of(np.arange(len(draw.data.texts))), Path(whole), seed, params)
        of_first, of_whole = (_scores(load(params, Path(folder)), draw.new) for folder in (first, whole))
    every = np.ones(len(held.own), np.bool_)
    ways = {"all": (every, of_whole), "folds": (every, of_first), "own": (held.own, of_first)}
    found = {}
    for way, (rows, stored) in ways.items():
        kept = float((stored >= keep_threshold(held.scores[rows], KEEP)).mean())
        probability = fit_calibration(held.scores[rows], held.positive[rows]).probability(stored)
        found[way] = [kept, auc(stored, draw.positive), calibration_error(reliability(probability, draw.positive))]
    return found


def _scores(scorer: Scorer, texts: list[str]) -> np.ndarray:
    return scorer.score(pl.Series(texts, dtype=pl.String))["score"].to_numpy()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--draws", type=int, default=30, help="of made texts; of answers a fifth as many")
    arguments = parser.parse_args()
    sets = {"made": list(made(arguments.draws))}
    folder = arguments.data / "stackexchange"
    if folder.is_dir():
        sets["answers"] = list(drawn_answers(folder, arguments.draws // 5))
    result: dict[str, Any] = {}
    for name, draws in sets.items():
        for setting, (kind, params) in SETTINGS.items():
            each = [shares_kept(kind, params, draw, seed) for seed, draw in enumerate(draws, 1)]
            for way in each[0]:
                kept, area, error = np.array([found[way] for found in each]).T
                off = float(np.sqrt(((kept - KEEP) ** 2).mean()))
                figures = [100 * kept.mean(), 100 * off, area.mean(), error.mean()]
                result[f"{name}: {setting}: {way}"] = [round(float(value), 4) for value in figures]
                print(
                    f"{name}, {setting}, {way}: keeps {figures[0]:.1f} % (off by {figures[1]:.1f}), AUC "
                    f"{figures[2]:.3f}, calibration error {figures[3]:.3f}",
                    flush=True,
                )
    print(json.dumps(result))


if __name__ == "__main__":
    main()

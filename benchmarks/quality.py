"""Can the quality classifiers tell well-liked StackExchange answers from disliked ones?

    python benchmarks/quality.py --data DIR [--seeds N] [--keep DIR]

Positive: answers with a score of 5 or more; negative: 0 or less; those between are left out. The text is the answer's
own, HTML turned into text; neither its question, site, date nor author is seen. Every answer is scored out of fold, in
five folds that keep the answers of a question together, and the interval draws whole questions again. Beside both
classifiers stands a plain logistic regression over hashed words on the same folds. The chosen settings were compared by
cross-validation on 60 % of the questions only, so the others are reported by themselves too. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import resource
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from classifiers.base import ScorerParams
from classifiers.fasttext_quality import FastTextParams
from classifiers.labelled import Documents, Labelled, folds_of, labelled
from classifiers.linear_quality import LinearParams
from classifiers.quality import Kind, out_of_fold, train
from classifiers.ranking import auc, measures
from pipeline.readers.base import BadRecord, Record, Shard
from pipeline.readers.registry import read_shard

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"
GOOD, BAD = 5, 0
SETTINGS: dict[Kind, ScorerParams] = {
    "fasttext": FastTextParams.model_validate({"length": True}),
    "sklearn": LinearParams.model_validate({"length": True}),
}
FOLDS = 5


@dataclass(frozen=True)
class Answer:
    site: str
    question: str
    text: str
    is_good: bool


def answers(folder: Path) -> Iterator[Answer]:
    """Yield the answers of all dumps `SITE.Posts.xml.gz` in a folder that count as good or bad."""
    for file in sorted(folder.glob("*.Posts.xml.gz")):
        site = file.name.split(".")[0]
        for post in read_shard("stackexchange", Shard(str(file), file.name)):
            if isinstance(post, BadRecord):
                raise SystemExit(f"{file}: post {post.row}: {post.reason}")
            if isinstance(post, Record) and post["post_type"] == "answer" and not BAD < post["score"] < GOOD:
                yield Answer(site, f"{site}:{post['group']}", post["text"], post["score"] >= GOOD)


def documents(found: list[Answer], good: bool) -> Documents:
    chosen = [each for each in found if each.is_good == good]
    return Documents([each.text for each in chosen], [each.question for each in chosen])


def plain_regression(data: Labelled, seed: int) -> np.ndarray:
    """Out-of-fold scores of scikit-learn's logistic regression over its hashed words, all as it comes."""
    from sklearn.feature_extraction.text import HashingVectorizer
    from sklearn.linear_model import LogisticRegression

    fold = folds_of(data.groups, data.positive, FOLDS, np.random.default_rng(seed))
    words = HashingVectorizer().transform(data.texts)
    scores = np.empty(len(fold))
    for part in range(FOLDS):
        own = fold == part
        model = LogisticRegression(max_iter=1000).fit(words[~own], data.positive[~own])
        scores[own] = model.decision_function(words[own])
    return scores


def within_sites(scores: np.ndarray, positive: np.ndarray, sites: np.ndarray) -> float:
    """Mean AUC inside every site, weighted by its pairs of a good and a bad answer: the site itself tells nothing."""
    pairs = {site: int(positive[sites == site].sum() * (~positive[sites == site]).sum()) for site in np.unique(sites)}
    values = {site: auc(scores[sites == site], positive[sites == site]) for site, count in pairs.items() if count}
    return sum(values[site] * pairs[site] for site in values) / sum(pairs.values())


def figures(scores: np.ndarray, plain: np.ndarray, data: Labelled, found: list[Answer], seed: int) -> dict[str, Any]:
    """Return the figures of out-of-fold scores."""
    place = {each.text: each for each in found}
    sites = np.array([place[text].site for text in data.texts])
    other = np.array([not is_for_choosing(place[text].question) for text in data.texts])
    rng = np.random.default_rng(seed)
    every = measures(scores, data.positive, data.groups, rng)
    _, groups = np.unique(data.groups[other], return_inverse=True)
    rest = measures(scores[other], data.positive[other], groups, rng)
    return {
        "auc": [every.auc, every.auc_low, every.auc_high],
        "average_precision": every.average_precision,
        "within_sites": within_sites(scores, data.positive, sites),
        "other_questions": [rest.auc, rest.auc_low, rest.auc_high],
        "gain": gain(scores, plain, data, rng),
    }


def gain(scores: np.ndarray, plain: np.ndarray, data: Labelled, rng: np.random.Generator) -> list[float]:
    """AUC less that of the plain regression, and its 95 % interval: the same questions drawn again for both."""
    count = int(data.groups.max()) + 1
    draws = []
    for _ in range(500):
        times = np.bincount(rng.integers(count, size=count), minlength=count)[data.groups].astype(float)
        draws.append(auc(scores, data.positive, times) - auc(plain, data.positive, times))
    value = auc(scores, data.positive) - auc(plain, data.positive)
    return [value, *(float(each) for each in np.quantile(draws, (0.025, 0.975)))]


def is_for_choosing(question: str) -> bool:
    """Tell whether a question was among the 60 % that settings were compared on."""
    return int(hashlib.sha256(question.replace(":", "").encode()).hexdigest(), 16) % 10 < 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="folder for the trained classifiers and their cards")
    arguments = parser.parse_args()
    folder = arguments.data / "stackexchange"
    if not folder.is_dir():
        sys.exit(f"no StackExchange dumps in {folder}; give the folder that holds stackexchange/ with --data")
    found = list(answers(folder))
    good = sum(each.is_good for each in found)
    print(f"{len(found)} answers, {good} good, {len({each.question for each in found})} questions", flush=True)
    seeds = range(1, arguments.seeds + 1)
    data = labelled(documents(found, True), documents(found, False))
    result: dict[str, Any] = {"documents": len(data.texts)}
    plain = {seed: plain_regression(data, seed) for seed in seeds}
    for kind in ("plain", *SETTINGS):
        each = []
        for seed in seeds:
            scores = plain[seed] if kind == "plain" else out_of_fold(kind, data, SETTINGS[kind], seed, FOLDS).scores
            one = figures(scores, plain[seed], data, found, seed)
            (value, low, high), (rest, rest_low, rest_high) = one["auc"], one["other_questions"]
            print(
                f"{kind}, seed {seed}: AUC {value:.3f} ({low:.3f} to {high:.3f}), average precision "
                f"{one['average_precision']:.3f}, within sites {one['within_sites']:.3f}, other questions "
                f"{rest:.3f} ({rest_low:.3f} to {rest_high:.3f}), over plain "
                f"{one['gain'][0]:+.3f} ({one['gain'][1]:+.3f} to {one['gain'][2]:+.3f})",
                flush=True,
            )
            each.append(one)
        result[f"auc_{kind}"], result[f"auc_{kind}_low"], result[f"auc_{kind}_high"] = each[0]["auc"]
        result[f"auc_{kind}_least_low"] = min(one["auc"][1] for one in each)
        result[f"auc_{kind}_other_questions"] = each[0]["other_questions"]
        result[f"auc_{kind}_over_plain"] = each[0]["gain"]
        result[f"auc_{kind}_within_sites"] = each[0]["within_sites"]
    for kind, params in SETTINGS.items():
        with tempfile.TemporaryDirectory() as scratch:
            out = arguments.keep / kind if arguments.keep else Path(scratch)
            sides = documents(found, True), documents(found, False)
            card = train(kind, *sides, out, 1, params, folds=FOLDS, keep=0.1)
        result[f"calibration_error_{kind}"] = card.calibration.error
        result[f"calibration_error_{kind}_raw"] = card.calibration.raw_error
    result["cpu_s"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_utime, 1)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

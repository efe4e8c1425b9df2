"""Quality classifiers, really trained: they must tell prose from code, twice alike, and report honestly."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pytest

from classifiers.base import ScorerParams
from classifiers.calibration import load_calibration
from classifiers.duplicates import exact_hash
from classifiers.fasttext_quality import FastTextParams, FastTextScorer
from classifiers.labelled import Documents
from classifiers.linear_quality import LinearParams
from classifiers.model_card import CARD_TEXT, read_card
from classifiers.quality import Kind, evaluate, train
from classifiers.registry import SCORERS

KINDS = get_args(Kind)
QUICK: dict[str, ScorerParams] = {
    "fasttext": FastTextParams(epochs=10, buckets=1000),
    "sklearn": LinearParams(bucket_bits=12),
}


def chunks(texts: list[str], size: int = 1500) -> Documents:
    """Pieces of texts; those of one text are a group."""
    found = [(text[i : i + size], text) for text in texts for i in range(0, min(len(text), 4 * size), size)]
    return Documents([text for text, _ in found], [text for _, text in found])


@pytest.mark.parametrize("kind", KINDS)
def test_tells_prose_from_code(kind: Kind, prose: list[str], code: list[str], tmp_path: Path) -> None:
    card = train(kind, chunks(prose), chunks(code), tmp_path, seed=3)
    assert card.measures.auc > 0.95
    assert 0 <= card.measures.auc_low <= card.measures.auc <= card.measures.auc_high <= 1
    assert card.accuracy > 0.85
    assert read_card(tmp_path) == card
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 10_000_000
    scorer = SCORERS[kind].load(SCORERS[kind].params(), tmp_path)
    frame = scorer.score(pl.Series([prose[0], code[0], "", " \n"]))
    assert frame["score"][0] > 0.5 > frame["score"][1]
    assert frame["score"][2:].to_list() == [0.5, 0.5]
    assert frame["calibrated"][0] > frame["calibrated"][1]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("folds", [1, 3])
def test_same_seed_same_bytes(kind: Kind, folds: int, prose: list[str], code: list[str], tmp_path: Path) -> None:
    """Model, calibration and both cards; another seed splits otherwise."""
    folders = [tmp_path / name for name in "abc"]
    for folder, seed in zip(folders, (5, 5, 6), strict=True):
        train(kind, Documents(prose), Documents(code), folder, seed, QUICK[kind], folds=folds, keep=0.3)
    first, second, other = ({f.name: f.read_bytes() for f in folder.iterdir()} for folder in folders)
    assert first == second
    assert first != other


@pytest.mark.parametrize("kind", KINDS)
def test_class_sizes_do_not_matter(kind: Kind, prose: list[str], code: list[str], tmp_path: Path) -> None:
    """Many more of one class: still both sides of a score of 0.5 are right most of the time."""
    few = chunks(code)
    card = train(kind, chunks(prose), Documents(few.texts[:30]), tmp_path, seed=1)
    assert card.accuracy > 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_learn_shows(kind: Kind, code: list[str], tmp_path: Path) -> None:
    """Texts dealt at random to both classes give an AUC of one half; training on held-out texts gives 1.0.

    The mean of 16 deals: the AUC of one, on 17 held-out texts a class, has a spread of 0.11, so that its 95 %
    interval misses one half in one deal of twenty.
    """
    pieces = list(dict.fromkeys(chunks(code, 300).texts))
    half = len(pieces) // 2
    measured = []
    for seed in range(16):
        dealt = [pieces[i] for i in np.random.default_rng(seed).permutation(len(pieces))]
        card = train(kind, Documents(dealt[:half]), Documents(dealt[half:]), tmp_path, seed, QUICK[kind])
        measured.append(card.measures.auc)
    assert abs(np.mean(measured) - 0.5) < 4 * 0.11 / np.sqrt(len(measured))


@pytest.mark.parametrize("folds", [1, 4])
def test_groups_cannot_leak(folds: int, code: list[str], tmp_path: Path) -> None:
    """Pieces of a file are easily told by what others of the file say: with files dealt at random to both classes,
    only a split that keeps files whole sees that there is nothing to learn. Mean of four deals."""
    whole, apart = [], []
    for seed in range(4):
        deal = np.random.default_rng(seed).permutation(len(code))
        sides = [chunks([code[i] for i in deal[start::2]], 400) for start in (0, 1)]
        card = train("sklearn", *sides, tmp_path, 1, LinearParams(bucket_bits=14), folds=folds)
        assert card.positive.groups <= len(deal) / 2 + 1 < card.positive.used
        whole.append(card.measures.auc)
        alone = (Documents(each.texts) for each in sides)
        apart.append(train("sklearn", *alone, tmp_path, 1, LinearParams(bucket_bits=14), folds=folds).measures.auc)
    assert np.mean(apart) > 0.75
    assert 0.3 < np.mean(whole) < 0.65


def test_cross_validation_holds_out_everything(prose: list[str], code: list[str], tmp_path: Path) -> None:
    card = train("sklearn", Documents(prose), Documents(code), tmp_path, 1, LinearParams(bucket_bits=12), folds=4)
    assert card.held_out == card.positive.used + card.negative.used
    assert 0.7 < card.trained / card.held_out < 0.8, "the stored model saw three folds of four"
    once = train("sklearn", Documents(prose), Documents(code), tmp_path, 1, LinearParams(bucket_bits=12))
    assert once.held_out + once.trained == card.held_out
    assert 0.15 < once.held_out / card.held_out < 0.25
    assert card.measures.auc_high - card.measures.auc_low <= once.measures.auc_high - once.measures.auc_low


def test_duplicates_cannot_leak(prose: list[str], code: list[str], tmp_path: Path) -> None:
    """A repeated text could stand on both sides of the split; one in both classes teaches nothing."""
    positive, negative = Documents(prose[:30] * 3 + [code[0]]), Documents(code[:30])
    card = train("sklearn", positive, negative, tmp_path, seed=1)
    assert card.dropped == 60 + 2
    assert (card.positive.documents, card.positive.used) == (91, 30)
    assert (card.negative.documents, card.negative.used) == (30, 29)


@pytest.mark.parametrize("kind", KINDS)
def test_evaluating_leaves_out_what_was_learnt(kind: Kind, prose: list[str], code: list[str], tmp_path: Path) -> None:
    """On its own training files a classifier is measured on the held-out part only, and as the card says."""
    positive, negative = Documents(prose), Documents(code)
    card = train(kind, positive, negative, tmp_path, 1, QUICK[kind], keep=0.2)
    params = SCORERS[kind].params(model=tmp_path)  # type: ignore[call-arg]
    found = evaluate(kind, params, positive, negative)
    assert found.seen == card.trained
    assert found.positive + found.negative == card.held_out
    assert found.measures.auc == pytest.approx(card.measures.auc)
    assert card.threshold is not None
    assert found.positive_kept == pytest.approx(card.threshold.positive_kept)
    card = train(kind, positive, negative, tmp_path, 1, QUICK[kind], folds=3, keep=0.2)
    found = evaluate(kind, params, positive, negative)
    assert (found.seen, found.positive + found.negative) == (card.trained, card.held_out - card.trained)
    assert card.threshold is not None
    assert found.positive_kept == pytest.approx(card.threshold.positive_kept)
    assert found.negative_kept == pytest.approx(card.threshold.negative_kept)
    known = np.load(tmp_path / "seen.npy")
    learnt = [Documents([t for t in texts if exact_hash(t) in known]) for texts in (prose, code)]
    with pytest.raises(ValueError, match="were in the training data"):
        evaluate(kind, params, *learnt)


@pytest.mark.parametrize("kind", KINDS)
def test_loads_by_path(kind: Kind, prose: list[str], code: list[str], tmp_path: Path) -> None:
    """A folder as `model` scores as the same folder trained in the run does, whatever else the YAML says."""
    train(kind, Documents(prose), Documents(code), tmp_path, 1, QUICK[kind])
    texts = pl.Series([*prose[:5], *code[:5]])
    by_path = SCORERS[kind].load(SCORERS[kind].params(model=tmp_path, max_chars=7), None).score(texts)  # type: ignore[call-arg]
    assert by_path.equals(SCORERS[kind].load(SCORERS[kind].params(), tmp_path).score(texts))
    calibration = load_calibration(tmp_path)
    assert calibration is not None
    assert by_path["calibrated"].to_list() == calibration.probability(by_path["score"].to_numpy()).tolist()


def test_too_few_texts(tmp_path: Path) -> None:
    texts = Documents([f"text {i}" for i in range(50)])
    with pytest.raises(ValueError, match="positive"):
        train("sklearn", Documents(["one text"] * 50), texts, tmp_path, seed=1)
    with pytest.raises(ValueError, match="LinearParams"):
        train("sklearn", texts, texts, tmp_path, 1, FastTextParams())
    with pytest.raises(ValueError, match="unknown kind"):
        train("svm", texts, texts, tmp_path, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="leave it out"):
        train("sklearn", texts, texts, tmp_path, 1, LinearParams(model=tmp_path))
    one = Documents([f"other {i}" for i in range(50)], ["same"] * 50)
    for folds in (1, 2):
        with pytest.raises(
            ValueError, match="no negative document is (held out|left to learn from): the groups are too"
        ):
            train("sklearn", texts, one, tmp_path, 1, folds=folds)


@pytest.mark.parametrize("pool", [None, "code"])
def test_threshold_keeps_the_fraction(pool: str | None, prose: list[str], code: list[str], tmp_path: Path) -> None:
    """Scoring the pool with the stored model and comparing with the card's number keeps what was asked for."""
    given = None if pool is None else Documents(code[:40], origin=["code"])
    card = train("sklearn", Documents(prose), Documents(code), tmp_path, 1, QUICK["sklearn"], keep=0.25, pool=given)
    threshold = card.threshold
    assert threshold is not None
    assert threshold.kept == pytest.approx(0.25, abs=1 / threshold.documents)
    assert threshold.positive_kept >= threshold.negative_kept
    if given is not None:
        scores = SCORERS["sklearn"].load(LinearParams(), tmp_path).score(pl.Series(given.texts))["score"]
        assert (scores >= threshold.score).sum() == 10 == round(threshold.kept * threshold.documents)
    assert f"{threshold.score:.6f}" in (tmp_path / CARD_TEXT).read_text()
    assert float(f"{threshold.score:.6f}") == threshold.score


def test_a_threshold_without_a_pool_keeps_its_share_of_new_documents(tmp_path: Path) -> None:
    """It comes from scores of the stored model on documents that this model did not learn from. After few passes the
    scores of others lie elsewhere: by one fitted on all, a threshold from models on four fifths kept a third.

    The mean of 6 draws: of 60 documents the share that a threshold keeps has a spread of 0.04.
    """
    kept = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        good, bad = Documents(mixed(rng, 150, 0.55)), Documents(mixed(rng, 150, 0.45))
        card = train("fasttext", good, bad, tmp_path, seed, FastTextParams(epochs=5), folds=5, keep=0.1)
        assert card.threshold is not None
        new = pl.Series([*mixed(rng, 500, 0.55), *mixed(rng, 500, 0.45)])
        scores = FastTextScorer(FastTextParams(), tmp_path).score(new)["score"]
        kept.append((scores >= card.threshold.score).mean())
    assert abs(np.mean(kept) - 0.1) < 3 * 0.04 / np.sqrt(len(kept))


GOOD = np.array("the of and river mountain city science history language planet forest".split())  # noqa: SIM905
BAD = np.array("buy cheap click now free win casino deal offer best the of and".split())  # noqa: SIM905


def mixed(rng: np.random.Generator, count: int, mean: float) -> list[str]:
    """Texts of 40 words, of which a share around `mean` is of one kind and the rest of another."""
    shares = np.clip(rng.normal(mean, 0.1, (count, 1)), 0, 1)
    words = np.where(rng.random((count, 40)) < shares, rng.choice(GOOD, (count, 40)), rng.choice(BAD, (count, 40)))
    return [" ".join(row) for row in words]


def test_vocabulary_is_bounded(prose: list[str], code: list[str], tmp_path: Path) -> None:
    params = FastTextParams(max_words=100, buckets=1000, epochs=2)
    train("fasttext", Documents(prose), Documents(code), tmp_path, 1, params)
    words = FastTextScorer(FastTextParams(), tmp_path).model.get_words()
    assert 20 < len(words) <= 101  # fastText adds its end mark


def test_fasttext_sees_length_when_asked(prose: list[str], tmp_path: Path) -> None:
    """The same words, many or few: the mean of their vectors is the same, the marks of length are not."""
    words = " ".join(prose[:20]).split()
    rng = np.random.default_rng(0)
    long, short = ([" ".join(rng.choice(words, n)) for _ in range(80)] for n in (200, 60))
    for length in (False, True):
        params = FastTextParams(length=length, epochs=30, word_ngrams=1)
        card = train("fasttext", Documents(long), Documents(short), tmp_path, 1, params, folds=2)
        assert (card.measures.auc > 0.95) == length


def test_linear_sees_length_when_asked(tmp_path: Path) -> None:
    """A sentence repeated: scaled to length 1 its counts are the same however often, its length is not."""
    long, short = (["each word of this stands once in it " * n for n in range(k, k + 40)] for k in (41, 1))
    for length in (False, True):
        params = LinearParams(length=length, bucket_bits=12, word_ngrams=1)
        card = train("sklearn", Documents(long), Documents(short), tmp_path, 1, params, folds=2)
        assert (card.measures.auc > 0.8) == length


def test_card_holds_data_and_parameters(prose: list[str], code: list[str], tmp_path: Path) -> None:
    positive = Documents(prose, origin=[{"file": "prose.jsonl", "bytes": 12}, {"unreadable": 2}])
    card = train("sklearn", positive, Documents(code), tmp_path, 1, LinearParams(bucket_bits=12))
    assert card.params["bucket_bits"] == 12
    assert "scikit-learn" in card.versions
    assert card.positive.origin == positive.origin
    assert "| prose.jsonl, bytes 12; unreadable 2 |" in (tmp_path / CARD_TEXT).read_text()

"""Quality classifiers, really trained: they must tell prose from code, twice alike, and report honestly."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import get_args

import numpy as np
import polars as pl
import pytest

from classifiers.fasttext_quality import FastTextParams, FastTextScorer
from classifiers.linear_quality import LinearParams
from classifiers.quality import Kind, auc, auc_interval, read_card, train
from classifiers.registry import SCORERS

KINDS = get_args(Kind)
QUICK = {"fasttext": FastTextParams(epochs=10, buckets=1000), "sklearn": LinearParams(bucket_bits=12)}


def chunks(texts: list[str], size: int = 1500) -> list[str]:
    return [text[i : i + size] for text in texts for i in range(0, min(len(text), 4 * size), size)]


@pytest.mark.parametrize("kind", KINDS)
def test_tells_prose_from_code(kind: Kind, prose: list[str], code: list[str], tmp_path: Path) -> None:
    card = train(kind, chunks(prose), chunks(code), tmp_path, seed=3)
    assert card.auc > 0.95
    assert 0 <= card.auc_low <= card.auc <= card.auc_high <= 1
    assert card.accuracy > 0.85
    assert read_card(tmp_path) == card
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 10_000_000
    scorer = SCORERS[kind].load(SCORERS[kind].params(), tmp_path)
    scores = scorer.score(pl.Series([prose[0], code[0], "", " \n"]))["score"]
    assert scores[0] > 0.5 > scores[1]
    assert scores[2:].to_list() == [0.5, 0.5]


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_bytes(kind: Kind, prose: list[str], code: list[str], tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abc"]
    for folder, seed in zip(folders, (5, 5, 6), strict=True):
        train(kind, prose, code, folder, seed, QUICK[kind])
    first, second, other = ({f.name: f.read_bytes() for f in folder.iterdir()} for folder in folders)
    assert first == second
    assert first != other


@pytest.mark.parametrize("kind", KINDS)
def test_class_sizes_do_not_matter(kind: Kind, prose: list[str], code: list[str], tmp_path: Path) -> None:
    """Many more of one class: still both sides of a score of 0.5 are right most of the time."""
    card = train(kind, chunks(prose), chunks(code)[:30], tmp_path, seed=1)
    assert card.accuracy > 0.8


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_learn_shows(kind: Kind, code: list[str], tmp_path: Path) -> None:
    """Texts dealt at random to both classes give an AUC of one half; training on held-out texts gives 1.0.

    The mean of 16 deals: the AUC of one, on 17 held-out texts a class, has a spread of 0.11, so that its 95 %
    interval misses one half in one deal of twenty.
    """
    pieces = list(dict.fromkeys(chunks(code, 300)))
    half = len(pieces) // 2
    measured = []
    for seed in range(16):
        dealt = [pieces[i] for i in np.random.default_rng(seed).permutation(len(pieces))]
        measured.append(train(kind, dealt[:half], dealt[half:], tmp_path, seed, QUICK[kind]).auc)
    assert abs(np.mean(measured) - 0.5) < 4 * 0.11 / np.sqrt(len(measured))


def test_interval_covers_as_stated() -> None:
    """Scores without any signal: the 95 % interval misses one half about once in twenty times."""
    rng = np.random.default_rng(0)
    intervals = [auc_interval(rng.normal(size=40), rng.normal(size=40), rng) for _ in range(60)]
    missed = sum(not low <= 0.5 <= high for low, high in intervals)
    assert missed <= 9  # of a binomial with mean 3: more once in a thousand times


def test_duplicates_cannot_leak(prose: list[str], code: list[str], tmp_path: Path) -> None:
    """A repeated text could stand on both sides of the split; one in both classes teaches nothing."""
    positive, negative = prose[:30] * 3 + [code[0]], code[:30]
    card = train("sklearn", positive, negative, tmp_path, seed=1)
    assert card.dropped == 60 + 2
    assert card.trained_positive + card.held_out_positive == 30
    assert card.trained_negative + card.held_out_negative == 29


def test_too_few_texts(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="positive"):
        train("sklearn", ["one text"] * 50, [f"text {i}" for i in range(50)], tmp_path, seed=1)
    with pytest.raises(ValueError, match="LinearParams"):
        train("sklearn", list("abcdefghijkl"), list("mnopqrstuvwx"), tmp_path, 1, FastTextParams())
    with pytest.raises(ValueError, match="unknown kind"):
        train("svm", [], [], tmp_path, 1)  # type: ignore[arg-type]


def test_foreign_fasttext_model(prose: list[str], code: list[str], tmp_path: Path) -> None:
    """A model made elsewhere is used by path and label; a wrong label names those there are."""
    import fasttext

    lines = [f"__label__{name} {' '.join(t.split())}" for name, ts in (("hq", prose), ("lq", code)) for t in ts]
    (tmp_path / "train.txt").write_text("\n".join(lines))
    model = fasttext.train_supervised(
        str(tmp_path / "train.txt"), epoch=20, lr=0.5, dim=8, thread=1, bucket=1000, verbose=0
    )
    path = tmp_path / "foreign.bin"
    model.save_model(str(path))
    for label in ("hq", "__label__hq"):
        scorer = FastTextScorer(FastTextParams(model=path, label=label), None)
        scores = scorer.score(pl.Series([prose[0], code[0], ""]))["score"]
        assert scores[0] > 0.5 > scores[1]
        assert scores[2] == 0.5
    with pytest.raises(ValueError, match="__label__lq"):
        FastTextScorer(FastTextParams(model=path, label="best"), None)
    with pytest.raises(ValueError, match="belong together"):
        FastTextParams(model=path)


def test_vocabulary_is_bounded(prose: list[str], code: list[str], tmp_path: Path) -> None:
    train("fasttext", prose, code, tmp_path, 1, FastTextParams(max_words=100, buckets=1000, epochs=2))
    words = FastTextScorer(FastTextParams(), tmp_path).model.get_words()
    assert 20 < len(words) <= 101  # fastText adds its end mark


def test_card_holds_the_parameters(prose: list[str], code: list[str], tmp_path: Path) -> None:
    card = train("sklearn", prose, code, tmp_path, 1, LinearParams(bucket_bits=12))
    assert asdict(card)["params"]["bucket_bits"] == 12
    assert "scikit-learn" in card.versions


def test_auc_counts_pairs() -> None:
    above, below = np.array([0.9, 0.5, 0.5]), np.array([0.5, 0.1])
    assert auc(above, below) == pytest.approx((1 + 1 + 0.5 + 1 + 0.5 + 1) / 6)
    low, high = auc_interval(np.ones(5), np.zeros(5), np.random.default_rng(0))
    assert (low, high) == (1, 1)

"""fastText models from elsewhere, by path: DCLM's labels, FineWeb-Edu's numbers, any label by name."""

from __future__ import annotations

from pathlib import Path

import fasttext
import numpy as np
import polars as pl
import pytest

from classifiers.fasttext_labels import reading_of, score_of
from classifiers.fasttext_quality import FastTextParams, FastTextScorer


def foreign(path: Path, classes: dict[str, list[str]], **options: object) -> Path:
    """Train a plain fastText model, as another project would, on texts by label."""
    lines = [f"__label__{name} {' '.join(text.split())}" for name, texts in classes.items() for text in texts]
    (path.parent / "train.txt").write_text("\n".join(lines))
    options = {"epoch": 20, "lr": 0.5, "dim": 8, "thread": 1, "bucket": 1000, "verbose": 0, **options}
    fasttext.train_supervised(str(path.parent / "train.txt"), **options).save_model(str(path))
    return path


def score(texts: list[str], **params: object) -> list[float]:
    return FastTextScorer(FastTextParams(**params), None).score(pl.Series(texts))["score"].to_list()


def test_dclm_labels(prose: list[str], code: list[str], tmp_path: Path) -> None:
    """`hq` against `cc` needs no `label`; there is no calibration for it."""
    path = foreign(tmp_path / "dclm.bin", {"hq": prose, "cc": code})
    high, low, empty = score([prose[0], code[0], ""], model=path)
    assert high > 0.5 > low
    assert empty == 0.5
    assert score([prose[0]], model=path, label="hq") == [high]
    assert score([prose[0]], model=path, label="__label__cc")[0] == pytest.approx(1 - high, abs=1e-4)
    frame = FastTextScorer(FastTextParams(model=path), None).score(pl.Series([prose[0]]))
    assert frame["calibrated"].to_list() == [None]


def test_numbers_are_an_expected_score(prose: list[str], code: list[str], tmp_path: Path) -> None:
    """`__label__0` to `__label__5`: the sum of number times probability, as the model's own predictions say."""
    classes = {"0": code[:20], "2": code[20:40], "5": prose}
    path = foreign(tmp_path / "edu.bin", classes)
    model = fasttext.load_model(str(path))
    texts = [prose[0], code[0], code[30]]
    found = score(texts, model=path)
    for text, value in zip(texts, found, strict=True):
        (labels,), (chances,) = model.predict([" ".join(text[:4000].split())], k=-1)
        assert value == pytest.approx(sum(int(name[-1]) * p for name, p in zip(labels, chances, strict=True)), abs=1e-3)
    assert found[0] > 4 > 2.5 > found[1]
    assert score([""], model=path) == [0]
    (chance,) = score([prose[0]], model=path, label="5")
    assert 0.8 < chance <= 1


def test_unknown_labels_are_named(prose: list[str], code: list[str], tmp_path: Path) -> None:
    path = foreign(tmp_path / "other.bin", {"fine": prose, "poor": code})
    with pytest.raises(ValueError, match="__label__poor"):
        FastTextScorer(FastTextParams(model=path), None)
    with pytest.raises(ValueError, match="no label 'best'.*__label__fine"):
        FastTextScorer(FastTextParams(model=path, label="best"), None)
    with pytest.raises(ValueError, match="features.json"):
        FastTextScorer(FastTextParams(model=tmp_path), None)


def test_compressed_models(prose: list[str], code: list[str], tmp_path: Path) -> None:
    """A quantised `.ftz` ranks as its `.bin` does, nearly."""
    path = foreign(tmp_path / "big.bin", {"hq": prose, "cc": code}, bucket=200)
    model = fasttext.load_model(str(path))
    model.quantize(input=str(tmp_path / "train.txt"), cutoff=500, retrain=False)
    model.save_model(str(tmp_path / "small.ftz"))
    texts = [*prose[:20], *code[:20]]
    assert score(texts, model=tmp_path / "small.ftz")[0] > 0.5 > score(texts, model=tmp_path / "small.ftz")[-1]


def test_near_certainty_does_not_tie() -> None:
    """In single precision 1 - 1e-9 is 1; what the other label has still tells the documents apart."""
    reading = reading_of(["__label__hq", "__label__cc"], None, Path("m.bin"))
    rest = [np.float32(1e-5 + chance) for chance in (1e-8, 1e-9)]
    found = [score_of(reading, ["__label__hq", "__label__cc"], np.array([1.00001, each], np.float32)) for each in rest]
    assert 1 - 2e-8 < found[0] < found[1] < 1
    assert score_of(reading, ["__label__hq"], np.array([1.00001], np.float32)) == 1
    assert score_of(reading, ["__label__cc"], np.array([1.00001], np.float32)) == 0


def test_independent_labels_are_not_shared_out() -> None:
    """Loss `ova`: probabilities do not sum to 1, and the label's own is the score."""
    reading = reading_of(["__label__hq", "__label__cc"], None, Path("m.bin"))
    values = np.array([0.90001, 0.70001], np.float32)
    assert score_of(reading, ["__label__hq", "__label__cc"], values) == pytest.approx(0.9, abs=1e-6)

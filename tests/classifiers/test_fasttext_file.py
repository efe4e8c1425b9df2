"""A fastText file that is cut off or something else is told by its path; fastText itself may crash the process."""

from __future__ import annotations

from pathlib import Path

import pytest

from classifiers.fasttext_file import load_fasttext
from classifiers.fasttext_quality import MODEL_FILE, FastTextParams, FastTextScorer, fit_fasttext
from classifiers.language import MODEL, LanguageParams, LanguageScorer


@pytest.fixture(scope="module")
def dense(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model as `classifier train` writes it; `MODEL` is a quantized one."""
    folder = tmp_path_factory.mktemp("dense")
    texts = [[f"{word} {i}" for i in range(20)] for word in ("good", "bad")]
    fit_fasttext(*texts, folder, 1, FastTextParams(epochs=1, buckets=100))
    return folder / MODEL_FILE


def test_whole_models_are_loaded(dense: Path) -> None:
    assert len(load_fasttext(MODEL).get_labels()) == 176
    assert len(load_fasttext(dense).get_labels()) == 2


@pytest.mark.parametrize("kind", ["dense", "quantized"])
def test_a_model_that_is_cut_off_is_named(kind: str, dense: Path, tmp_path: Path) -> None:
    """Wherever it ends, in the header, among the words or one byte too early."""
    whole = (dense if kind == "dense" else MODEL).read_bytes()
    path = tmp_path / "cut.bin"
    for size in (4, 60, 100, 150, *(len(whole) * i // 20 for i in range(1, 20)), len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=f"{path}: a fastText model that is cut off"):
            load_fasttext(path)
    path.write_bytes(whole[:1000])
    for load in (lambda: LanguageScorer(LanguageParams(model=path)), lambda: FastTextScorer(_by_path(path), None)):
        with pytest.raises(ValueError, match="cut.bin: a fastText model that is cut off"):
            load()


def _by_path(path: Path) -> FastTextParams:
    return FastTextParams.model_validate({"model": path})


def test_what_is_no_model_is_named(tmp_path: Path) -> None:
    path = tmp_path / "model.bin"
    with pytest.raises(ValueError, match=f"{path}: No such file"):
        load_fasttext(path)
    path.write_bytes(b"no model at all")
    with pytest.raises(ValueError, match=f"{path}: no fastText model"):
        load_fasttext(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match=f"{path}: "):
        load_fasttext(path)

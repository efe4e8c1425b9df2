"""What every scorer must keep: alignment, order, determinism, strict parameters."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from classifier_texts import odd_texts
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from classifiers.base import Scorer
from classifiers.contamination import SUITE_FILE, build_suite, save_suite
from classifiers.labelled import Documents
from classifiers.quality import train
from classifiers.registry import SCORERS


@pytest.fixture(scope="session")
def scorers(prose: list[str], code: list[str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Scorer]:
    """All scorers of the registry, with models made from real texts."""
    loaded = {}
    for name, spec in SCORERS.items():
        folder: Path = tmp_path_factory.mktemp(name)
        if spec.trains:
            train(name, Documents(prose), Documents(code), folder, seed=1)  # type: ignore[arg-type]
        if name == "contamination":
            items = [("e", "a b the wo rd a b the wo rd"), ("f", prose[0])]
            save_suite(build_suite(items), folder / SUITE_FILE)
        loaded[name] = spec.load(spec.params(), folder)
    return loaded


@pytest.mark.parametrize("name", SCORERS)
def test_registered_under_its_name(name: str, scorers: dict[str, Scorer]) -> None:
    assert SCORERS[name].name == name
    assert SCORERS[name].columns == scorers[name].columns


@pytest.mark.parametrize("name", SCORERS)
@settings(max_examples=30, deadline=None)
@given(texts=st.lists(odd_texts, max_size=6), seed=st.randoms(use_true_random=False))
def test_rows_do_not_depend_on_their_neighbours(name: str, texts: list[str], seed, scorers) -> None:
    """Aligned, permutation equivariant, the same alone: so batches and shards do not matter."""
    scorer = scorers[name]
    frame = scorer.score(pl.Series(texts, dtype=pl.String))
    assert frame.columns == list(scorer.columns)
    assert len(frame) == len(texts)
    order = list(range(len(texts)))
    seed.shuffle(order)
    shuffled = scorer.score(pl.Series([texts[i] for i in order], dtype=pl.String))
    assert shuffled.equals(frame[order])
    for index, text in enumerate(texts[:2]):
        assert scorer.score(pl.Series([text])).equals(frame[index : index + 1])


@pytest.mark.parametrize("name", SCORERS)
def test_real_texts_alone_or_together(name: str, prose: list[str], code: list[str], scorers) -> None:
    """Batches are cut inside the scorers; the cut must not show."""
    texts = pl.Series(prose + code)
    whole = scorers[name].score(texts)
    parts = pl.concat([scorers[name].score(texts[i : i + 7]) for i in range(0, len(texts), 7)])
    assert whole.equals(parts)


@pytest.mark.parametrize("name", SCORERS)
def test_bad_input_is_refused(name: str, scorers: dict[str, Scorer]) -> None:
    with pytest.raises(ValueError, match="null"):
        scorers[name].score(pl.Series(["a", None]))
    with pytest.raises(ValueError, match="String"):
        scorers[name].score(pl.Series([1, 2]))
    with pytest.raises(ValidationError, match="no_such"):
        SCORERS[name].params(no_such=1)  # type: ignore[call-arg]


@pytest.mark.parametrize("name", ["fasttext", "sklearn", "contamination"])
def test_models_are_asked_for(name: str) -> None:
    with pytest.raises(ValueError):
        SCORERS[name].load(SCORERS[name].params(), None)

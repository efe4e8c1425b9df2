"""Contamination: eval items inside documents are found, everything else is left alone."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.contamination import (
    ContaminationParams,
    ContaminationScorer,
    build_suite,
    load_suite,
    save_suite,
)

LONG = "Which of these animals lays eggs, has fur, and lives in the rivers of eastern Australia and Tasmania?"
SHORT = "The capital of Burkina Faso is Ouagadougou."
TINY = "Yes, it is."
ITEMS = [("quiz", LONG), ("facts", SHORT), ("facts", TINY), ("facts", LONG)]


def score(items: list[tuple[str, str]], texts: list[str], **params: int) -> list[tuple[str | None, int]]:
    suite = build_suite(items, ContaminationParams(**params))  # type: ignore[arg-type]
    return ContaminationScorer(suite).score(pl.Series(texts, dtype=pl.String)).rows()


def test_items_inside_documents() -> None:
    texts = [
        f"Quiz night. {LONG} Answer below.",
        "we read that THE CAPITAL, of Burkina-Faso — is 'Ouagadougou'!",
        TINY,
        "the capital of Burkina Faso",
        "",
    ]
    words = len(LONG.split())
    assert score(ITEMS, texts) == [("quiz,facts", words - 12), ("facts", 1), (None, 0), (None, 0), (None, 0)]


def test_all_evals_are_named_in_the_suites_order() -> None:
    assert score([("b", LONG), ("a", SHORT), ("c", TINY)], [f"{SHORT} {LONG}"]) == [("b,a", len(LONG.split()) - 12 + 1)]
    interleaved = [("a", SHORT), ("b", LONG), ("a", LONG)]
    assert score(interleaved, [LONG, SHORT])[0][0] == "a,b"
    assert score(interleaved, [LONG, SHORT])[1][0] == "a"


def test_parameters() -> None:
    assert score(ITEMS, [TINY], n=3) == [("facts", 1)]
    assert score(ITEMS, [TINY], min_words=3) == [("facts", 1)]
    assert build_suite(ITEMS).items_skipped.tolist() == [0, 1]


def test_items_that_texts_hold_are_told() -> None:
    """For evals that come later: which of their items does the training text contain?"""
    found = ContaminationScorer(build_suite(ITEMS)).items(pl.Series([LONG.upper(), "nothing here"]))
    assert found.tolist() == [True, False, False, True]
    assert ContaminationScorer(build_suite([])).items(pl.Series([LONG])).tolist() == []


@settings(max_examples=50)
@given(st.data())
def test_planted_spans_are_found_exactly(data: st.DataObject) -> None:
    """Of an item of 20 words, 13 consecutive ones are enough and 12 are not, wherever they stand."""
    item = [f"w{i}" for i in range(20)]
    length = data.draw(st.integers(1, 20))
    start = data.draw(st.integers(0, 20 - length))
    filler = data.draw(st.lists(st.sampled_from(["x", "y", "z."]), max_size=20))
    place = data.draw(st.integers(0, len(filler)))
    text = " ".join(filler[:place] + item[start : start + length] + filler[place:])
    expected = max(length - 12, 0)
    assert score([("e", " ".join(item))], [text]) == [("e" if expected else None, expected)]


def test_real_texts(prose: list[str], code: list[str]) -> None:
    """Items cut from some texts are found in exactly those and in none of another kind."""
    items = [(f"e{i}", " ".join(text.split()[40:80])) for i, text in enumerate(prose[:20])]
    rows = score(items, prose[:20] + code)
    assert all(overlap > 0 for _, overlap in rows[:20])
    assert all(overlap == 0 for _, overlap in rows[20:])


def test_suites_are_stored_alike(tmp_path: Path) -> None:
    suite = build_suite(ITEMS)
    save_suite(suite, tmp_path / "a.npz")
    save_suite(load_suite(tmp_path / "a.npz"), tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = ContaminationScorer(load_suite(tmp_path / "b.npz"))
    assert again.score(pl.Series([LONG])).equals(ContaminationScorer(suite).score(pl.Series([LONG])))


def test_what_is_no_suite_is_refused(tmp_path: Path) -> None:
    for name, content in (("a", b"no suite"), ("b", b""), ("c", b"PK\x03\x04broken")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="not a contamination suite"):
            load_suite(tmp_path / name)

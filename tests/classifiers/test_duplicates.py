"""Duplicates: found when they are there, never made up, attributed to the earliest copy."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from classifier_texts import odd_texts
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.duplicates import BANDS, DuplicatesParams, DuplicatesScorer, find_duplicates

SCORER = DuplicatesScorer(DuplicatesParams())


def signed(texts: list[str], first: int = 0) -> pl.DataFrame:
    ids = [f"d{i}" for i in range(first, first + len(texts))]
    return SCORER.score(pl.Series(texts, dtype=pl.String)).insert_column(0, pl.Series("id", ids, dtype=pl.String))


def jaccard(left: list[str], right: list[str]) -> float:
    first, second = ({tuple(words[i : i + 5]) for i in range(len(words) - 4)} for words in (left, right))
    return len(first & second) / len(first | second)


def edited_pairs(count: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Texts in pairs, original then copy with 0 to 24 words changed, and each pair's true similarity."""
    rng = np.random.default_rng(seed)
    texts, similar = [], []
    for _ in range(count):
        words = [f"w{i}" for i in rng.integers(0, 5000, 300)]
        copy = list(words)
        for place in rng.integers(0, len(copy), rng.integers(0, 25)):
            copy[place] = f"x{rng.integers(1 << 40)}"
        texts += [" ".join(words), " ".join(copy)]
        similar.append(jaccard(words, copy))
    return texts, np.array(similar)


@given(st.lists(odd_texts, min_size=1, max_size=5))
def test_exact_copies_are_always_found(texts: list[str]) -> None:
    """Also with other case and whitespace; the copy is attributed to its first."""
    again = [f"  {text.upper().lower()}\n" for text in texts]
    first = signed([text.upper().lower() for text in texts])
    found = find_duplicates(signed(again, 100), first)
    assert found.null_count() == 0
    for index, text in enumerate(texts):
        original = int(found[index][1:])
        assert original <= index or again[original].split() == text.split()


def test_estimate_is_fair() -> None:
    """Unbiased, with the binomial error of 128 permutations."""
    texts, true = edited_pairs(300, seed=1)
    lanes = signed(texts)["minhash"].explode().to_numpy().reshape(-1, BANDS).view("<u2")
    error = (lanes[::2] == lanes[1::2]).mean(axis=1) - true
    expected = np.sqrt((true * (1 - true) / 128).mean())
    assert abs(error.mean()) < 4 * expected / np.sqrt(len(error))
    assert error.std() < 1.2 * expected


def test_near_copies_are_found_and_others_are_not() -> None:
    """Two standard errors of 0.035 from the threshold decisions must be right nearly always."""
    texts, true = edited_pairs(300, seed=2)
    found = find_duplicates(signed(texts))
    hit = np.array([found[2 * i + 1] == f"d{2 * i}" for i in range(len(true))])
    assert hit[true >= 0.88].mean() > 0.97
    assert hit[true == 1].all()
    assert hit[true <= 0.7].mean() < 0.02
    assert not hit[true < 0.6].any()
    assert found[::2].null_count() == len(true)


def test_no_pair_of_real_texts_is_merged_by_chance(prose: list[str], code: list[str]) -> None:
    texts = list(dict.fromkeys(prose + code))
    found = find_duplicates(signed(texts))
    for index in np.flatnonzero(found.is_not_null().to_numpy()):
        left, right = texts[index].lower().split(), texts[int(found[int(index)][1:])].lower().split()
        assert jaccard(left, right) > 0.6


def test_earliest_copy_wins_and_removed_ones_stay_references() -> None:
    """b repeats a; c repeats b but hardly a. c is a duplicate of b although b goes."""
    rng = np.random.default_rng(6)
    a = [f"w{i}" for i in rng.integers(0, 5000, 400)]
    b, c = list(a), list(a)
    b[:24] = [f"b{i}" for i in range(24)]
    c[:24], c[200:224] = b[:24], [f"c{i}" for i in range(24)]
    texts = [" ".join(words) for words in (a, b, c, b, a)]
    assert jaccard(a, b) > 0.85
    assert jaccard(b, c) > 0.85
    assert jaccard(a, c) < 0.8
    assert find_duplicates(signed(texts), threshold=0.82).to_list() == [None, "d0", "d1", "d0", "d0"]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(range(12)), min_size=1, max_size=20), st.integers(0, 20))
def test_batches_do_not_matter(picks: list[int], cut: int) -> None:
    """One call or two with what was seen before: the same answer, in the order given."""
    texts = [" ".join(f"{pick // 2}-{i}" for i in range(60 + 3 * (pick % 2))) for pick in picks]
    frame = signed(texts)
    cut = min(cut, len(frame))
    whole = find_duplicates(frame)
    parts = pl.concat([find_duplicates(frame[:cut]), find_duplicates(frame[cut:], frame[:cut])])
    assert whole.to_list() == parts.to_list()
    for index, pick in enumerate(picks):
        assert (whole[index] is None) == (index == 0 or pick // 2 not in {p // 2 for p in picks[:index]})


def test_texts_without_words_are_no_near_duplicates() -> None:
    frame = signed(["", "!!!", "???", " ", "one", "One", "two"])
    assert find_duplicates(frame).to_list() == [None, None, None, "d0", None, "d4", None]


def test_many_copies_stay_cheap() -> None:
    """Twenty thousand equal documents are no two hundred million pairs."""
    frame = pl.concat([signed(["a text that is everywhere, word for word"])] * 20_000)
    frame = frame.with_columns(pl.int_range(len(frame)).alias("id"))
    assert (find_duplicates(frame)[1:] == 0).all()


def test_signatures_never_change() -> None:
    """They are stored and compared with those of later runs."""
    row = signed(["the quick brown fox jumps over the lazy dog"]).row(0, named=True)
    assert row["exact"] == EXACT
    assert row["minhash"][0] == FIRST_BAND


EXACT, FIRST_BAND = 17_508_867_106_794_943_787, 9_093_955_462_611_331_106


def test_empty_input_and_wrong_threshold() -> None:
    assert find_duplicates(signed([])).to_list() == []
    assert find_duplicates(signed([]), signed(["a"])).to_list() == []
    with pytest.raises(ValueError, match="threshold"):
        find_duplicates(signed(["a"]), threshold=0)

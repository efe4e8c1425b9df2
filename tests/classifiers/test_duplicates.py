"""Duplicates: found when they are there, never made up, attributed to the first of their cluster."""

from __future__ import annotations

import numpy as np
import polars as pl
from classifier_texts import odd_texts
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.duplicates import FIRST, PERMUTATIONS, DuplicatesParams, DuplicatesScorer, clusters, similar_pairs

SCORER = DuplicatesScorer(DuplicatesParams())


def signed(texts: list[str]) -> pl.DataFrame:
    return SCORER.score(pl.Series(texts, dtype=pl.String))


def reading(frame: pl.DataFrame, size: int = 7):
    """Read a frame in pieces."""
    return lambda: ((np.arange(i, min(i + size, len(frame))), frame[i : i + size]) for i in range(0, len(frame), size))


def pairs_of(frame: pl.DataFrame, first_new: int = 0, parts: int = 1) -> set[tuple[int, int]]:
    found = [similar_pairs(reading(frame), len(frame), first_new, part, parts) for part in range(parts)]
    return set(map(tuple, np.concatenate(found).tolist()))


def firsts(frame: pl.DataFrame) -> list[int]:
    """Return for each document the first of its cluster."""
    found = list(range(len(frame)))
    for document, first in zip(*clusters(similar_pairs(reading(frame), len(frame))), strict=True):
        found[document] = int(first)
    return found


def words_of(rng: np.random.Generator, count: int) -> list[str]:
    return [f"w{i}" for i in rng.integers(0, 5000, count)]


def jaccard(left: list[str], right: list[str]) -> float:
    first, second = ({tuple(words[i : i + 5]) for i in range(len(words) - 4)} for words in (left, right))
    return len(first & second) / len(first | second)


def edited_pairs(count: int, seed: int) -> tuple[list[str], np.ndarray]:
    """Texts in pairs, original then copy with 0 to 24 words changed, and each pair's true similarity."""
    rng = np.random.default_rng(seed)
    texts, similar = [], []
    for _ in range(count):
        words = words_of(rng, 300)
        copy = list(words)
        for place in rng.integers(0, len(copy), rng.integers(0, 25)):
            copy[place] = f"x{rng.integers(1 << 40)}"
        texts += [" ".join(words), " ".join(copy)]
        similar.append(jaccard(words, copy))
    return texts, np.array(similar)


@given(st.lists(odd_texts, min_size=1, max_size=5))
def test_exact_copies_are_always_found(texts: list[str]) -> None:
    """Also with other case and whitespace, and also where no word is in them; the copy is attributed to its first."""
    folded = [text.upper().lower() for text in texts]
    found = firsts(signed([*folded, *(f"  {text}\n" for text in folded)]))
    for index, first in enumerate(found[len(texts) :]):
        assert first <= index
        assert found[index] == first


def test_estimate_is_fair() -> None:
    """Unbiased, with the binomial error of 128 permutations."""
    texts, true = edited_pairs(300, seed=1)
    minima = np.frombuffer(b"".join(signed(texts)["minhash"].to_list()), "<u2").reshape(-1, PERMUTATIONS)
    error = (minima[::2] == minima[1::2]).mean(axis=1) - true
    expected = np.sqrt((true * (1 - true) / 128).mean())
    assert abs(error.mean()) < 4 * expected / np.sqrt(len(error))
    assert error.std() < 1.2 * expected


def test_near_copies_are_found_and_others_are_not() -> None:
    """The estimate's standard error is 0.04 at the threshold of 0.73."""
    texts, true = edited_pairs(400, seed=2)
    pairs = pairs_of(signed(texts))
    hit = np.array([(2 * i + 1, 2 * i) in pairs for i in range(len(true))])
    assert len(pairs) == hit.sum(), "no pair but the planted ones"
    assert hit[true >= 0.8].mean() > 0.97
    assert hit[true == 1].all()
    assert not hit[true < 0.55].any()
    assert (true < 0.55).sum() > 20


def test_no_pair_of_real_texts_is_merged_by_chance(prose: list[str], code: list[str]) -> None:
    texts = list(dict.fromkeys(prose + code))
    for later, earlier in pairs_of(signed(texts)):
        assert jaccard(texts[later].lower().split(), texts[earlier].lower().split()) > 0.6


def test_a_cluster_is_kept_together_and_its_first_document_stands_for_it() -> None:
    """b repeats a; c repeats b but hardly a. All three are one cluster, in whatever order they come."""
    rng = np.random.default_rng(6)
    a = words_of(rng, 400)
    b, c = list(a), list(a)
    b[:36] = [f"b{i}" for i in range(36)]
    c[:36], c[200:236] = b[:36], [f"c{i}" for i in range(36)]
    assert jaccard(a, b) > 0.8
    assert jaccard(b, c) > 0.8
    assert pairs_of(signed([" ".join(words) for words in (a, b, c)])) == {(1, 0), (2, 1)}
    other = words_of(rng, 400)
    for order in ([a, b, c, other], [a, c, b, other], [c, other, a, b]):
        found = firsts(signed([" ".join(words) for words in order]))
        assert found == [i if order[i] is other else 0 for i in range(4)]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(range(12)), min_size=1, max_size=20), st.integers(0, 20), st.integers(1, 9))
def test_parts_make_the_whole_and_only_new_documents_are_judged(picks: list[int], cut: int, parts: int) -> None:
    """However the keys are parted and the documents are batched, the pairs are the same."""
    texts = [" ".join(f"{pick // 2}-{i}" for i in range(60 + 3 * (pick % 2))) for pick in picks]
    frame = signed(texts)
    whole = pairs_of(frame)
    assert pairs_of(frame, parts=parts) == whole
    new = pairs_of(frame, first_new=cut)
    assert new == {pair for pair in whole if pair[0] >= cut}
    for index, (pick, first) in enumerate(zip(picks, firsts(frame), strict=True)):
        assert first == next(i for i, other in enumerate(picks) if other // 2 == pick // 2), (index, pick)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=40))
def test_clusters_are_what_pairs_connect(edges: list[tuple[int, int]]) -> None:
    pairs = np.array(sorted({(max(e), min(e)) for e in edges if e[0] != e[1]}), np.int64).reshape(-1, 2)
    first = dict(zip(*(each.tolist() for each in clusters(pairs)), strict=True))
    label = list(range(31))
    for _ in range(31):
        for later, earlier in pairs.tolist():
            label[later] = label[earlier] = min(label[later], label[earlier])
    assert first == {each: label[each] for each in first}
    assert first.keys() == set(pairs.reshape(-1).tolist())


def test_numbers_may_have_gaps() -> None:
    """Documents that may not be used are left out of what is read, and keep their numbers."""
    frame = signed(["a text of several words"] * 4)
    read = lambda: iter([(np.array([1, 3]), frame[:2]), (np.array([8, 9]), frame[2:])])  # noqa: E731
    assert similar_pairs(read, 10).tolist() == [[3, 1], [8, 1], [9, 1]]


def test_texts_without_words_are_no_near_duplicates() -> None:
    assert firsts(signed(["", "!!!", "???", " ", "one", "One", "two"])) == [0, 1, 2, 0, 4, 4, 6]


def test_many_copies_stay_cheap() -> None:
    """Twenty thousand equal documents are no two hundred million pairs."""
    frame = pl.concat([signed(["a text that is everywhere, word for word"])] * 20_000)
    found = similar_pairs(reading(frame, 2000), len(frame))
    assert found.tolist() == [[i, 0] for i in range(1, 20_000)]


def test_in_a_crowded_bucket_copies_of_the_first_ones_are_still_found() -> None:
    """Texts with a large common part share bands; a copy of an early one is found, and nothing else is."""
    rng = np.random.default_rng(8)
    common = words_of(rng, 200)
    texts = [" ".join(common + words_of(rng, 200)) for _ in range(3 * FIRST)]
    frame = signed([*texts, texts[5] + " again"])
    assert pairs_of(frame) == {(len(texts), 5)}


def test_signatures_never_change() -> None:
    """They are stored and compared with those of later runs."""
    row = signed(["the quick brown fox jumps over the lazy dog"]).row(0, named=True)
    assert row["exact"] == EXACT
    assert row["minhash"][:8] == FIRST_MINIMA


EXACT, FIRST_MINIMA = 17_508_867_106_794_943_787, (9_093_955_462_611_331_106).to_bytes(8, "little")


def test_no_documents_are_no_pairs() -> None:
    assert pairs_of(signed([])) == set()
    assert clusters(np.zeros((0, 2), np.int64))[0].tolist() == []

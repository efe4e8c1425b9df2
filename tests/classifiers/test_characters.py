"""Splitting and hashing over arrays must agree with Python's own strings; stored hashes must never change."""

from __future__ import annotations

import re

import numpy as np
from classifier_texts import odd_texts
from hypothesis import given
from hypothesis import strategies as st

from classifiers import characters as ch

batches_of_texts = st.lists(odd_texts, min_size=1, max_size=5)


def pieces(texts: list[str], spans: ch.Spans) -> list[list[str]]:
    """The spans of a batch as strings, by document."""
    joined = "\n".join([*texts, ""])
    found: list[list[str]] = [[] for _ in texts]
    for start, end, doc in zip(spans.starts, spans.ends, spans.docs, strict=True):
        found[doc].append(joined[start:end])
    return found


@given(batches_of_texts)
def test_splitters_agree_with_python(texts: list[str]) -> None:
    batch = ch.read_batch(texts)
    assert pieces(texts, ch.whitespace_words(batch)) == [text.split() for text in texts]
    assert pieces(texts, ch.split_lines(batch)) == [text.splitlines() for text in texts]
    assert pieces(texts, ch.newline_pieces(batch)) == [re.split("\n+", text) for text in texts]
    paragraphs = ch.newline_pieces(ch.stripped(batch), least=2)
    assert pieces(texts, paragraphs) == [re.split("\n{2,}", text.strip()) for text in texts]


@given(batches_of_texts)
def test_other_words_hold_all_letters_and_no_space(texts: list[str]) -> None:
    batch = ch.read_batch(texts)
    for text, words in zip(texts, pieces(texts, ch.punctuation_words(batch)), strict=True):
        assert "".join(words) == "".join(text.split())
    for text, words in zip(texts, pieces(texts, ch.plain_words(batch)), strict=True):
        assert [c for c in "".join(words) if c.isalnum()] == [c for c in text if c.isalnum()]
        assert not any(c.isspace() or c in ".-#'" for c in "".join(words))


def test_punctuation_words_by_example() -> None:
    """The stated rules: runs of one symbol, numbers, apostrophes."""
    text = "Don't pay 3,500.25... it's -- (well) \"rock'n'roll\", 'he said'."
    expected = "Don 't pay 3,500.25 ... it 's -- ( well ) \" rock 'n 'roll \" , ' he said ' ."
    assert pieces([text], ch.punctuation_words(ch.read_batch([text]))) == [expected.split()]


def test_scripts_without_spaces_split_by_character() -> None:
    texts = ["你好 world", "สวัสดี"]
    words = pieces(texts, ch.plain_words(ch.read_batch(texts)))
    assert words[0] == ["你", "好", "world"]
    assert len(words[1]) > 1


@given(batches_of_texts, batches_of_texts)
def test_equal_hash_means_equal_text(left: list[str], right: list[str]) -> None:
    """Hashes depend on the text of a span only, not on where it stands or in which batch."""
    by_hash: dict[int, str] = {}
    for texts in (left, right):
        batch = ch.read_batch(texts)
        spans = ch.whitespace_words(batch)
        words = [word for document in pieces(texts, spans) for word in document]
        for word, value in zip(words, ch.span_hashes(ch.prefix(batch), spans).tolist(), strict=True):
            assert by_hash.setdefault(value, word) == word
    assert len(set(by_hash.values())) == len(by_hash)


def test_hashes_never_change() -> None:
    """Suites and signatures are stored, so these values are a promise."""
    assert int(ch.hash_word("the")) == THE
    grams, firsts = ch.word_ngrams(np.arange(5, dtype=np.uint64), np.array([0, 0, 0, 1, 1]), 2)
    assert firsts.tolist() == [0, 1, 3]
    assert int(grams[0]) == FIRST_GRAM


THE, FIRST_GRAM = 14_211_058_558_038_403_715, 2_185_194_620_014_831_856


@given(batches_of_texts, st.integers(1, 50))
def test_batches_keep_documents_whole_and_in_order(texts: list[str], size: int) -> None:
    lengths = [int(n) for batch in ch.batches(texts, size=size) for n in batch.lengths()]
    assert lengths == [len(text) for text in texts]

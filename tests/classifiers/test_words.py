"""The splitter cuts where English does, loses no character, and is the same in any company."""

from __future__ import annotations

import pytest
from classifier_texts import odd_texts
from hypothesis import given
from hypothesis import strategies as st

from classifiers.characters import read_batch
from classifiers.words import english_words

MARKED = st.text(st.sampled_from("ab1 .,:'’-/()$%@*…\n"), max_size=60)


def words_of(text: str) -> list[str]:
    spans = english_words(read_batch([text]))
    return [text[start:end] for start, end in zip(spans.starts, spans.ends, strict=True)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"Yes", he said - no (never).', '" Yes " , he said - no ( never ) .'),
        ("don't can't won't I'm you’re it's John's cannot", "do n't ca n't wo n't I 'm you ’re it 's John 's can not"),
        ("Dont whats its well is here", "Do nt what s its well is here"),
        ("Mr. Smith of the U.S. Navy, e.g. at 8am.", "Mr. Smith of the U.S. Navy , e.g. at 8 am ."),
        ("He left. In NASA. In 1990. Plan B.", "He left . In NASA . In 1990 . Plan B."),
        ("10km, 5.5% and $3,000.50 US$5 or 7€", "10 km , 5.5 % and $ 3,000.50 US$ 5 or 7 €"),
        ("well-known and/or either/or x--y", "well - known and/or either / or x -- y"),
        ("key=value a:b 3-4", "key = value a : b 3 - 4"),
        ("end.Start mid.dle one,two", "end . Start mid.dle one , two"),
        ("wait... what?! (really…)", "wait ... what ? ! ( really … )"),
        ("https://example.org/a-b/c?d=e, www.example.org.", "https://example.org/a-b/c?d=e , www.example.org ."),
        ("me@example.org a/b.txt :) C++", "me@example.org a / b.txt :) C++"),
        ("→ © 20°C.", "→ © 20 ° C."),
    ],
)
def test_cuts(text: str, words: str) -> None:
    assert words_of(text) == words.split(" ")


@given(st.one_of(odd_texts, MARKED))
def test_words_are_the_text_without_its_spaces(text: str) -> None:
    """Nothing is lost, doubled or reordered, and no word holds a space or is empty."""
    words = words_of(text)
    assert all(words)
    assert "".join(words) == "".join(text.split())
    assert not any(char.isspace() for word in words for char in word)


@given(st.lists(st.one_of(odd_texts, MARKED), max_size=5))
def test_documents_and_pieces_do_not_see_each_other(texts: list[str]) -> None:
    """A piece between spaces is cut the same wherever it stands."""
    spans = english_words(read_batch(texts))
    together = [[] for _ in texts]
    batch = read_batch(texts)
    for start, end, doc in zip(spans.starts, spans.ends, spans.docs, strict=True):
        together[doc].append(texts[doc][start - batch.starts[doc] : end - batch.starts[doc]])
    assert together == [[word for piece in text.split() for word in words_of(piece)] for text in texts]


def test_a_long_piece_takes_time_in_proportion() -> None:
    assert len(words_of(")" * 300_000)) == 300_000
    assert words_of("x" * 300_000) == ["x" * 300_000]
    assert len(words_of("a-b" * 100_000)) > 200_000
    assert words_of("a" + "-" * 300_000) == ["a" + "-" * 300_000]

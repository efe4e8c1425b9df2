"""The gated channel: what it mends, and the much larger share that it must leave alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.rewriting.lexicon import load_lexicon
from pipeline.rewriting.ocr_channel import drop_stray_stops, mend_words
from pipeline.rewriting.ocr_cleanup import Params, load, unknown_share

LEXICON = load_lexicon()
CLEAN = (
    "It was about eleven o'clock in the morning, mid October, with the sun not shining "
    "and a look of hard wet rain in "
    "the clearness of the foothills. I was wearing my powder-blue suit, with dark blue "
    "shirt, tie and display "
    "handkerchief, black brogues, black wool socks with dark blue clocks on them. I "
    "was neat, clean, shaved and sober, "
    "and I didn't care who knew it. Queequeg, Ahab and the Nantucketers labored; their "
    "favorite color was analyzed."
)


@pytest.mark.parametrize(
    ("read", "printed"),
    [
        ("the birth of tbe child", "the birth of the child"),
        ("he caught sight ofthe ship", "he caught sight of the ship"),
        ("sentenced to penal ser vitude for life", "sentenced to penal servitude for life"),
        ("what foljowed was a surprise", "what followed was a surprise"),
        ("an aflirmative answer", "an affirmative answer"),
        ("tired of tho old man", "tired of the old man"),
    ],
)
def test_mended(read: str, printed: str) -> None:
    text, changed = mend_words(read, LEXICON)
    assert text == printed
    assert changed >= 1


@pytest.mark.parametrize(
    "text",
    [
        "Then Quecqueg spoke to Tbe captain",  # capitals
        "the quidnunc saw a frabjous borogove",  # unknown, and like nothing known
        "a snark, the snark and that snark",  # repeated
        "the cou-firmed report",  # half of something hyphenated
        "he said tion and ment",  # ends of cut words
        "the rainforest is a dataset",  # compounds
        "in color, in honor, to analyze",  # American spelling
        CLEAN,
    ],
)
def test_left_alone(text: str) -> None:
    assert mend_words(text, LEXICON) == (text, 0)
    assert drop_stray_stops(text, LEXICON) == (text, 0)


def test_stray_stops_go_and_abbreviations_stay() -> None:
    text = "The servant was. the last. He came, etc. and went. It was so. We saw. She left. No. Yes. Done."
    assert drop_stray_stops(text, LEXICON)[0] == text.replace("was. the", "was the")
    uncapitalised = "it was so. we saw it. all was well. she left."
    assert drop_stray_stops(uncapitalised, LEXICON) == (uncapitalised, 0)


def test_cleanup_counts_what_it_did() -> None:
    document = {
        "id": "a",
        "text": "12 TITLE\nthe first line of tbe book is\n\fAUTHOR 13\nhere and it goes on al-\nways.\n",
    }
    rewrites, rejected = load(Params(), 0).rewrite(document)
    assert rejected == []
    assert rewrites[0].text.startswith("the first line of the book is")
    assert rewrites[0].text.endswith("it goes on always.")
    assert rewrites[0].detail["pages"] == 2
    assert rewrites[0].detail["lines_removed"] == 2
    assert rewrites[0].detail["words_joined"] == 1
    assert rewrites[0].detail["unknown_after"] < rewrites[0].detail["unknown_before"]  # type: ignore[operator]


def test_junk_and_nothing_are_rejected_with_their_reason() -> None:
    rewriter = load(Params(), 0)
    assert [r.reason for r in rewriter.rewrite({"id": "a", "text": " \n\f \n"})[1]] == ["empty"]
    junk = "qwx zrtp lkjh mnbv rrtz the pqow nnbg xxcv wqer"
    assert [r.reason for r in rewriter.rewrite({"id": "b", "text": junk})[1]] == ["mostly_junk"]
    assert unknown_share(junk, LEXICON) > 0.35


def test_words_can_be_left_as_read() -> None:
    rewriter = load(Params(mend_words=False), 0)
    assert rewriter.rewrite({"id": "a", "text": "the birth of tbe child"})[0][0].text == "the birth of tbe child"


@settings(max_examples=150, deadline=None)
@given(st.lists(st.text(alphabet="abcehilmnortu1!|'“.«", min_size=1, max_size=9), max_size=30).map(" ".join))
def test_any_text_gives_the_same_answer_twice_and_keeps_what_it_does_not_mend(text: str) -> None:
    mended, changed = mend_words(text, LEXICON)
    assert mend_words(text, LEXICON) == (mended, changed)
    if changed == 0:
        assert mended == text


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=150))
def test_the_whole_cleanup_never_fails(text: str) -> None:
    rewriter = _REWRITER
    rewrites, rejected = rewriter.rewrite({"id": "a", "text": text})
    assert len(rewrites) + len(rejected) == 1


_REWRITER = load(Params(), 0)

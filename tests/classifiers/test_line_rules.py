"""C4's and FineWeb's signals must follow their definitions exactly, on real text and on text made to provoke them."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from line_reference import c4, fineweb

from classifiers.c4 import C4Params, C4Scorer, judge_lines
from classifiers.fineweb import FineWebParams, FineWebScorer

C4 = C4Scorer(C4Params())
FINEWEB = FineWebScorer(FineWebParams(words="whitespace"))

PIECES = ["Lorem IPSUM", "{", "JavaScript", "we use cookies", "[12]", "[edit]", "a word", "one two three", "x" * 1001]
ENDS = ["", ".", "...", "?", '"', "。", " ", ". [3]", "!'"]
LINES = st.builds("{} {}{}".format, st.sampled_from(PIECES), st.sampled_from(PIECES), st.sampled_from(ENDS))
BREAKS = st.sampled_from(["\n", "\r\n", "\n\n", "\u2028", " \n", "\x0b"])


@st.composite
def texts_of_lines(draw: st.DrawFn) -> str:
    return "".join(line + draw(BREAKS) for line in draw(st.lists(LINES, max_size=8)))


def check_c4(texts: list[str]) -> None:
    rows = C4.score(pl.Series(texts, dtype=pl.String)).to_dicts()
    judged = judge_lines(pl.Series(texts, dtype=pl.String), C4Params())
    for i, (text, row) in enumerate(zip(texts, rows, strict=True)):
        kept, lorem, curly = c4(text)
        assert judged.filter((pl.col("doc") == i) & pl.col("kept"))["line"].to_list() == kept
        assert (row["lorem_ipsum"], row["curly_brackets"]) == (lorem, curly)
        assert row["kept_characters"] == pytest.approx(sum(map(len, kept)) / max(len(text), 1))
        assert len(kept) <= row["sentences"] or not kept


def check_fineweb(texts: list[str]) -> None:
    rows = FINEWEB.score(pl.Series(texts, dtype=pl.String)).to_dicts()
    for text, row in zip(texts, rows, strict=True):
        assert row == pytest.approx(fineweb(text, len(text.split())), abs=1e-12)


@given(st.lists(texts_of_lines(), max_size=4))
def test_c4_by_lines(texts: list[str]) -> None:
    check_c4(texts)


@given(st.lists(texts_of_lines(), max_size=4))
def test_fineweb_by_lines(texts: list[str]) -> None:
    check_fineweb(texts)


def test_both_on_real_texts(prose: list[str], code: list[str]) -> None:
    check_c4(prose[:40] + code[:15])
    check_fineweb(prose[:40] + code[:15])


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One here now. Two there then! Three of them?", 3),
        ('He said "Stop it now." Then he went away.', 2),
        ("Mr. Smith, e.g. John, came at 8 a.m. today.", 1),
        ("Well now... this goes on and on.", 1),
        ("What is this?! Nobody at all knows.", 2),
        ("These are three words without end", 0),
        ("This line is fine.\nmenu\nSo is this one.", 2),
        ("", 0),
    ],
)
def test_sentences_of_what_stays(text: str, sentences: int) -> None:
    assert C4.score(pl.Series([text]))["sentences"][0] == sentences

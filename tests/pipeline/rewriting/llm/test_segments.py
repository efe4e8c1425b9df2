"""A cut text loses no word and no segment is too long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rewriting.llm.segments import Segmenting, passed_over, segments

TEXT = st.lists(st.text("abé .!?\n", min_size=0, max_size=80), max_size=8).map("\n\n".join)


@given(TEXT, st.integers(20, 200), st.sampled_from(["paragraph", "sentence"]))
def test_no_word_is_lost_and_no_segment_is_too_long(text: str, limit: int, by: str) -> None:
    found = segments(text, Segmenting(by=by, max_characters=limit))  # type: ignore[call-arg]
    assert "".join("".join(found).split()) == "".join(text.split())
    assert all(0 < len(each) <= limit and each == each.strip() for each in found)


def test_paragraphs_are_packed_and_long_ones_cut_at_sentences() -> None:
    how = Segmenting(max_characters=30)  # type: ignore[call-arg]
    assert segments("One.\n\nTwo.\n\n\nThree is longer.", how) == ["One.\n\nTwo.\n\nThree is longer."]
    assert segments("Here is one. Here is two. Here is three.", how) == ["Here is one. Here is two.", "Here is three."]


def test_sentences_stand_alone() -> None:
    how = Segmenting(by="sentence")  # type: ignore[call-arg]
    assert segments("He met J. S. Bach. They spoke.", how) == ["He met J. S. Bach.", "They spoke."]


@pytest.mark.parametrize(
    ("segment", "reason"),
    [("Short.", "segment_too_short"), ("It lies in the far south.", "segment_off_title"), ("The Andes are high.", "")],
)
def test_segments_may_be_passed_over(segment: str, reason: str) -> None:
    assert passed_over(segment, "Andes", Segmenting(min_characters=10, names_title=True)) == reason  # type: ignore[call-arg]

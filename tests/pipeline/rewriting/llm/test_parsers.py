"""What a reply holds is read, and every other part of it has a reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rewriting.base import Rejected
from pipeline.rewriting.llm.parsers import (
    PARSERS,
    Item,
    ListParams,
    QAParams,
    TextParams,
    list_entries,
    qa_pairs,
    whole_text,
)

QA = QAParams()  # type: ignore[call-arg]


def test_pairs_are_read_over_several_lines() -> None:
    items, rejected = qa_pairs("Question: Who?\nAnswer: Ada,\nand Bob\n\nQuestion: When?\nAnswer: 1900", False, QA)
    assert [(item.question, item.answer) for item in items] == [("Who?", "Ada,\nand Bob"), ("When?", "1900")]
    assert rejected == []


@pytest.mark.parametrize(
    ("reply", "cut", "reasons"),
    [
        ("Sure!", False, ["unparsable"]),
        ("", False, ["unparsable"]),
        ("Sure!\nQuestion: Who?\nAnswer: Ada", False, ["unparsable"]),
        ("Question: Who?\nQuestion: When?\nAnswer: 1900", False, ["unparsable"]),
        ("Question: Who?\nAnswer: Ada\nQuestion: Whe", True, ["truncated"]),
        ("Question: Who?\nAnswer: Ada\nQuestion: When?\nAnswer: 19", True, ["truncated"]),
        ("Question: Who?\nAnswer:", False, ["unparsable"]),
        ("Answer: Ada", False, ["unparsable"]),
        ("Question: Who?\nAnswer: Ada\n\nI hope this helps!", False, ["unparsable"]),
        ("Question: Who?\n\nLet me think.\nAnswer: Ada", False, ["unparsable"]),
    ],
)
def test_what_is_no_pair_has_a_reason(reply: str, cut: bool, reasons: list[str]) -> None:
    assert [each.reason for each in qa_pairs(reply, cut, QA)[1]] == reasons


def test_an_answer_ends_at_a_blank_line() -> None:
    reply = "Question: Who?\nAnswer: Ada,\nand Bob\n \nI hope this helps!\n\nQuestion: When?\nAnswer:\n\n1900"
    items, rejected = qa_pairs(reply, False, QA)
    assert [(item.question, item.answer) for item in items] == [("Who?", "Ada,\nand Bob"), ("When?", "1900")]
    assert rejected == [Rejected("unparsable", "I hope this helps!")]


def test_more_pairs_than_asked_for_are_counted() -> None:
    reply = "\n".join(f"Question: {i}?\nAnswer: {i}" for i in range(5))
    items, rejected = qa_pairs(reply, False, QAParams(max_items=3))  # type: ignore[call-arg]
    assert len(items) == 3
    assert rejected == [Rejected("over_max_items", "3?\n3"), Rejected("over_max_items", "4?\n4")]


def test_a_whole_text() -> None:
    params = TextParams()  # type: ignore[call-arg]
    assert whole_text(" a\n\nb ", False, params) == ([Item("a\n\nb")], [])
    assert whole_text("a", True, params) == ([], [Rejected("truncated", "a")])
    assert whole_text(" ", False, params) == ([], [Rejected("unparsable", "")])


def test_lists_with_any_mark() -> None:
    params = ListParams()  # type: ignore[call-arg]
    assert [item.text for item in list_entries("- a\n* b\n• c\n1. d\n12) e", False, params)[0]] == list("abcde")
    assert list_entries("- a\n- b", True, params) == ([Item("a")], [Rejected("truncated", "b")])
    assert [each.reason for each in list_entries("a, b", False, params)[1]] == ["unparsable"]


def test_an_entry_goes_on_in_indented_lines_and_no_other_line_vanishes() -> None:
    params = ListParams()  # type: ignore[call-arg]
    reply = "Here they are:\n- Sparrows eat the seeds of grains\n  and weeds.\n  - They are small.\n\nI hope so!"
    items, rejected = list_entries(reply, False, params)
    assert items == [Item("Sparrows eat the seeds of grains and weeds."), Item("They are small.")]
    assert rejected == [Rejected("unparsable", "Here they are:"), Rejected("unparsable", "I hope so!")]
    assert list_entries("- a\n- b\n  c", True, params) == ([Item("a")], [Rejected("truncated", "b c")])
    assert list_entries("- a\n\nI ho", True, params) == ([Item("a")], [Rejected("truncated", "I ho")])


def test_an_entry_with_an_unindented_line_after_it_may_be_half_of_one() -> None:
    items, rejected = list_entries("- Sparrows eat\nweeds and\nseeds.\n- b", False, ListParams())  # type: ignore[call-arg]
    assert items == [Item("b")]
    assert rejected == [Rejected("unparsable", "Sparrows eat weeds and seeds.")]


@given(st.lists(st.sampled_from(["- a b", "  c", "d e", "", "1. f", "* g", "\th"])), st.booleans())
def test_every_word_of_a_list_is_in_an_item_or_a_rejection(lines: list[str], cut: bool) -> None:
    items, rejected = list_entries("\n".join(lines), cut, ListParams())  # type: ignore[call-arg]
    kept = " ".join([item.text for item in items] + [each.text for each in rejected])
    for letter in "abcdefgh":
        assert kept.count(letter) == "".join(lines).count(letter)


@given(st.text("QA: \n?abquestionQuestion:Answer:-1.", max_size=200), st.booleans(), st.sampled_from(sorted(PARSERS)))
def test_any_reply_gives_an_item_or_a_reason(reply: str, cut: bool, name: str) -> None:
    items, rejected = PARSERS[name].parse(reply, cut, PARSERS[name].params())
    assert items or rejected
    assert all(item.text for item in items)

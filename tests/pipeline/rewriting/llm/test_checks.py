"""Each reason code is given to what it is for, and sound items pass."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rewriting.llm import grounding
from pipeline.rewriting.llm.checks import CHECKS, Passage
from pipeline.rewriting.llm.parsers import Item
from pipeline.rewriting.llm.question_types import answers_in_kind

PASSAGE = Passage(
    "The Andes, which Darwin crossed on 5 March 1835, extend through seven countries. They hold about 1,200 peaks.",
    "Andes",
)


def pair(question: str, answer: str) -> Item:
    return Item(f"{question}\n{answer}", question, answer)


def reason(name: str, item: Item, passage: Passage = PASSAGE, **params: Any) -> str:
    return CHECKS[name].check(item, passage, CHECKS[name].params(**params))


SOUND = pair("When did Darwin cross the Andes?", "5 March 1835")


@pytest.mark.parametrize("name", sorted(CHECKS))
def test_a_sound_pair_passes_every_check(name: str) -> None:
    assert reason(name, SOUND) == ""


@pytest.mark.parametrize(
    ("name", "item", "params", "code"),
    [
        ("boilerplate", Item("I'm sorry, but I cannot help."), {}, "refusal"),
        ("boilerplate", Item("As an AI language model, I think"), {}, "refusal"),
        ("boilerplate", Item("The passage does not say."), {}, "refusal"),
        ("boilerplate", pair("Where is it?", "I don't know"), {}, "refusal"),
        ("boilerplate", Item("Sure, here is the text: The Andes"), {}, "prefix"),
        ("boilerplate", Item("Here's a paraphrase"), {}, "prefix"),
        ("boilerplate", Item("Corrected text: The Andes"), {}, "prefix"),
        ("boilerplate", Item("Sureness is a state"), {}, ""),
        ("grounded", Item("They hold 1300 peaks"), {}, "number_not_in_source"),
        ("grounded", Item("They hold 1200 peaks in 7 countries"), {}, ""),
        ("grounded", Item("They hold 1300 peaks"), {"numbers": False}, ""),
        ("grounded", Item("He crossed in May 1835"), {}, "date_not_in_source"),
        ("grounded", Item("They were crossed by Humboldt"), {}, "name_not_in_source"),
        ("grounded", Item("Humboldt"), {}, ""),  # the first word of a sentence need be no name
        ("supported", pair("What is high?", "snow and ice everywhere"), {}, "unsupported"),
        ("supported", pair("How many?", "seven countries, extending through"), {}, ""),
        ("no_leak", pair("Did Darwin cross the Andes?", "the Andes"), {}, "answer_in_question"),
        ("no_leak", pair("What extends through seven countries?", "the Andes"), {}, ""),
        ("span_pair", pair("Which man crossed the Andes?", "Charles Darwin"), {}, "answer_not_in_source"),
        ("span_pair", pair("When did he cross the Andes?", "5 March 1835"), {}, "unresolved_pronoun"),
        ("kind", pair("When was it crossed?", "Darwin"), {}, "answer_kind"),
        ("kind", pair("How many countries?", "Andes"), {}, "answer_kind"),
        ("kind", pair("Is it high?", "yes"), {}, ""),
        ("kind", pair("Is it high?", "yes"), {"strict": True}, "answer_kind"),
        ("subject", pair("What did Darwin cross?", "The Andes"), {}, "subject_missing"),
        ("subject", pair("Who crossed the Andes?", "Darwin"), {}, ""),
        ("length", Item("one two"), {"min_words": 3}, "too_short"),
        ("length", Item("one two"), {"min_ratio": 0.5}, "too_short"),
        ("length", Item("one two"), {"max_words": 1}, "too_long"),
        ("length", Item("w " * 50), {"max_ratio": 2.0}, "too_long"),
        ("novelty", Item(PASSAGE.text), {"max_similarity": 0.95}, "copied"),
        ("novelty", Item("zzz"), {"min_similarity": 0.3}, "drifted"),
        ("repetition", Item("it is so it is so it is so"), {}, "repetitive"),
        ("language", Item("Die Anden sind ein Gebirge, das sich durch sieben Länder erstreckt."), {}, "language"),
    ],
)
def test_reasons(name: str, item: Item, params: dict[str, Any], code: str) -> None:
    passage = Passage(PASSAGE.text, "Andes") if name != "subject" else PASSAGE
    assert reason(name, item, passage, **params) == code


@pytest.mark.parametrize(
    ("question", "answer", "fits"),
    [
        ("When was it built?", "in 1900", True),
        ("When was it built?", "by Ada", False),
        ("In what year was it built?", "the 19th century", True),
        ("Who built it?", "Ada", True),
        ("Who built it?", "a group of monks", True),
        ("Who built it?", "stone", False),
        ("Where is it?", "in Spain", True),
        ("Where is it?", "old", False),
        ("How many are there?", "about twenty", False),
        ("How many are there?", "two", True),
        ("What is it?", "anything", True),
    ],
)
def test_kinds_of_answers(question: str, answer: str, fits: bool) -> None:
    assert answers_in_kind(question, answer) == fits


@given(st.text(max_size=200))
def test_a_text_is_grounded_in_itself(text: str) -> None:
    assert not grounding.missing_number(text, text)
    assert not grounding.missing_name(text, text)
    assert not grounding.missing_date(text, text)
    assert grounding.support(text, text) == 1.0


@given(st.integers(0, 10**7))
def test_numbers_are_the_same_with_and_without_commas(number: int) -> None:
    assert not grounding.missing_number(f"about {number}.", f"about {number:,} in all")
    assert grounding.missing_number(f"about {number + 1}.", f"about {number:,} in all")


SPAN = "A tank is an armoured fighting vehicle, intended as a weapon in Bonn."


@pytest.mark.parametrize(
    ("answer", "span"),
    [
        ("armoured fighting vehicle", "an armoured fighting vehicle"),
        ("a armored fighting vehicle.", "an armoured fighting vehicle"),
        ("in Bonn.", "in Bonn"),
        ("intended as weapon", "intended as a weapon"),
        ("something else", "something else"),
        ("", ""),
    ],
)
def test_slips_of_copying_are_undone(answer: str, span: str) -> None:
    assert grounding.nearest_span(answer, SPAN, 0.9) == span


@given(st.text("abc d.,", max_size=40), st.text("abc d.,", max_size=12))
def test_a_snapped_answer_is_a_span_or_what_it_was(source: str, answer: str) -> None:
    found = grounding.nearest_span(answer, source, 0.9)
    assert found in source or found == answer.removesuffix(".").strip()


@pytest.mark.parametrize(
    ("question", "answer", "reason_code"),
    [
        ("What is a tank?", "an armoured fighting vehicle", ""),
        ("What is a tank?", "a weapon", "no_definition"),
        ("What is a tank?", "an armoured fighting", "answer_incomplete"),
        ("Where is it?", "intended", "answer_incomplete"),
        ("Where is it?", "in Bonn", ""),
    ],
)
def test_parts_of_an_answer_are_told_from_the_whole(question: str, answer: str, reason_code: str) -> None:
    assert reason("whole", pair(question, answer), Passage(SPAN)) == reason_code


def test_one_end_of_a_span_of_years_is_no_whole_answer() -> None:
    passage = Passage("The war lasted from 1917 to 1922 and ended in 1923.")
    assert reason("whole", pair("When was the war?", "1917"), passage) == "answer_incomplete"
    assert reason("whole", pair("When was the war?", "1922"), passage) == "answer_incomplete"
    assert reason("whole", pair("When was the war?", "from 1917 to 1922"), passage) == ""
    assert reason("whole", pair("When did the war end?", "in 1923"), passage) == ""


def test_an_answer_does_not_begin_with_the_questions_words() -> None:
    assert reason("no_leak", pair("What is a tank?", "A tank is an armoured vehicle")) == "answer_repeats"


@pytest.mark.parametrize(
    ("question", "answer", "text", "reason_code"),
    [
        ("What is the Neva?", "a river", "The Neva is a river in Russia.", ""),
        ("What is Neva?", "a river", "The Neva is a river in Russia.", "no_definition"),
        ("What is a radish?", "a plant", "The radish is a plant.", ""),
        ("What is Niagara?", "a group of waterfalls", "Niagara Falls is a group of waterfalls.", "no_definition"),
        ("What is a semiconductor?", "a part", "A semiconductor device is a part.", "no_definition"),
        ("What is geometry?", "a field", "In mathematics, geometry is a field.", ""),
        ("What was Arius?", "a priest", "Arius was a priest.", "no_definition"),
        ("Who was Arius?", "a priest", "Arius was a priest.", ""),
        (
            "What is a globe?",
            "a model of Earth",
            "A globe is a model of Earth, of the Moon, or the sky.",
            "answer_incomplete",
        ),
        ("What is a bus?", "a car", "A bus is a car, but larger.", "answer_incomplete"),
        ("What is Oslo?", "the capital", "It is the capital.", "no_definition"),
        ("Who discovered it?", "Crookes", "It was named by Crookes.", "question_not_grounded"),
        (
            "When was Rome founded?",
            "the capital in 1900",
            "Rome was founded, the capital in 1900.",
            "answer_incomplete",
        ),
    ],
)
def test_definitions_are_of_what_was_asked_for(question: str, answer: str, text: str, reason_code: str) -> None:
    assert reason("whole", pair(question, answer), Passage(text)) == reason_code

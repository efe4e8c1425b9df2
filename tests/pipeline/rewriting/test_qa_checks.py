"""The checks are what makes any backend's pairs trustworthy: each reason code on a pair that deserves it."""

from __future__ import annotations

import pytest

from pipeline.rewriting.qa_checks import check_pair
from pipeline.rewriting.qa_passage import split_sentences

SOURCE = (
    'Ada Lovelace (1815–1852) was an English mathematician. She wrote "Note G" in 1843, of an engine.\n'
    "Others saw such an engine in the south of the country."
)


@pytest.mark.parametrize(
    ("question", "answer", "reason"),
    [
        ("When did Ada Lovelace write Note G?", "1843", ""),
        ("When did Ada Lovelace write Note G?", "1844", "answer_not_in_source"),
        ("When did Ada Lovelace write Note H?", "1843", "question_not_grounded"),
        ("What did Ada Lovelace do in 1850?", "wrote", "question_not_grounded"),
        ("What did she write?", '"Note G"', "unresolved_pronoun"),
        ("Was Ada Lovelace an English mathematician?", "English mathematician", "answer_in_question"),
        ("Who was Ada Lovelace?", "an English mathematician.", ""),
        ("Who was Ada Lovelace?", "Ada Lovelace (1815", "answer_malformed"),
        ("What did Ada Lovelace write?", '"Note', "answer_malformed"),
        ("Of what is Ada Lovelace?", "1843, of", "answer_malformed"),
        ("Where did Ada Lovelace live?", "in the south of the country", "answer_points_back"),
        ("What did Ada Lovelace see?", "such an engine", "answer_points_back"),
        ("Who was Ada Lovelace", "an English mathematician", "question_malformed"),
        ("who was Ada Lovelace?", "an English mathematician", "question_malformed"),
        ("Who was was Ada?", "an English mathematician", "question_malformed"),
        ("Who is?", "Ada", "question_length"),
        ("What is the what?", "Ada", "empty_question"),
    ],
)
def test_reason(question: str, answer: str, reason: str) -> None:
    assert check_pair(question, answer, SOURCE) == reason


def test_initials_and_abbreviations_end_no_sentence() -> None:
    text = "It was made by J. R. R. Tolkien and St. John c. 1900. Dr. Who came in World War I. It ended."
    assert [s for _, s in split_sentences(text)] == [
        "It was made by J. R. R. Tolkien and St. John c. 1900.",
        "Dr. Who came in World War I.",
        "It ended.",
    ]
    assert all(text[at:].startswith(s) for at, s in split_sentences(text))

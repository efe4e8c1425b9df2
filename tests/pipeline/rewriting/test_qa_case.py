"""Whether a subject is a name decides its capital: each kind of evidence on a sentence of its own."""

from __future__ import annotations

import pytest

from pipeline.rewriting.qa_passage import read_passage


@pytest.mark.parametrize(
    ("text", "title", "name"),
    [
        ("Remote sensing is the acquisition of information about an object without contact.", "Remote sensing",
         "remote sensing"),
        ("Epistemology is the branch of philosophy that examines knowledge.", "Epistemology", "epistemology"),
        ("Swans are birds of the genus Cygnus within the family Anatidae.", "Swan", "swans"),
        ("Chinese philosophy refers to the traditions that began in ancient China.", "Chinese philosophy",
         "Chinese philosophy"),
        ("Hooke's law is an empirical law which states that force scales with distance.", "Hooke's law", "Hooke's law"),
        ("Bombyx mori is a domesticated moth species.", "Bombyx mori", "Bombyx mori"),
        ("Waiting for Godot is a play by Samuel Beckett. Two men are waiting for somebody.", "Waiting for Godot",
         "Waiting for Godot"),
        ("Jainism is an Indian religion.", "Jainism", "Jainism"),
        ("Estonia is a country in Northern Europe.", "Estonia", "Estonia"),
        ("Medicinal or pharmaceutical chemistry is a scientific discipline. Medicinal chemistry helps.",
         "Medicinal chemistry", "medicinal chemistry"),
    ],
)  # fmt: skip
def test_names_keep_their_capital_inside_a_question_and_common_nouns_do_not(text: str, title: str, name: str) -> None:
    passage = read_passage(text, title)
    assert passage is not None
    assert passage.subject.name == name


def test_where_nothing_says_whether_it_is_a_name_nothing_is_asked() -> None:
    assert read_passage("Zen is a tradition with a long past.", "Zen") is None

"""The round trip sees a difference that the model sees: checked with a real (tiny) model's own likelihoods."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.rewriting.llm.checks import Passage
from pipeline.rewriting.llm.parsers import Item
from pipeline.rewriting.llm.round_trip import RoundTrip, Scores, scores
from pipeline.rewriting.llm.transformers_local import TransformersBackend, TransformersConfig

LIMITS = RoundTrip(template="{{ text }}\nQ: {{ question }}\nA:\n")  # type: ignore[call-arg]


def test_margins_are_differences_of_likelihoods_a_token(tiny_llama: Path) -> None:
    judge = TransformersBackend(TransformersConfig(kind="transformers", model=str(tiny_llama), dtype="float32"))
    item, passage = Item("", "Who?", "the folder"), Passage("It is the folder.")
    contexts = ["It is the folder.\nQ: Who?\nA:", "\nQ: Who?\nA:", "It is the folder.\nQ: \nA:"]
    both, alone, unasked = (
        each.total / each.tokens for each in judge.log_likelihood([(c, " the folder") for c in contexts])
    )
    (found,) = scores([(item, passage)], LIMITS, judge)
    assert found.likelihood == pytest.approx(both, abs=1e-4)
    assert found.passage_margin == pytest.approx(both - alone, abs=1e-4)
    assert found.question_margin == pytest.approx(both - unasked, abs=1e-4)


def test_each_limit_has_its_reason() -> None:
    limits = LIMITS.model_copy(update={"passage_margin": 0.5, "question_margin": 0.3, "min_likelihood": -1.0})
    assert Scores(1.0, 1.0, -0.5).reason(limits) == ""
    assert Scores(0.4, 1.0, -0.5).reason(limits) == "not_from_passage"
    assert Scores(1.0, 0.2, -0.5).reason(limits) == "not_from_question"
    assert Scores(1.0, 1.0, -1.5).reason(limits) == "unlikely"
    assert Scores(float("nan"), float("nan"), float("-inf")).reason(LIMITS) == "unlikely", "it did not fit the judge"
    assert Scores(1.0, -9.0, -9.0).reason(LIMITS) == "", "what is not asked for is not judged"

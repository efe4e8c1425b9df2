"""The round trip: the way back from question to answer, asked of a model.

An answer that follows from its passage and its question is likelier with each of them than without. With log p of the
answer a, in nats a token, after a template that shows the passage t and the question q:

    passage margin  = log p(a | t, q) − log p(a | q)
    question margin = log p(a | t, q) − log p(a | t)

The first is small where the answer is made up or known by heart, the second where the question asks for something else.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import Field

from pipeline.config import Section
from pipeline.rewriting.llm.base import Backend
from pipeline.rewriting.llm.checks import Passage
from pipeline.rewriting.llm.parsers import Item
from pipeline.rewriting.llm.templates import render

VARIABLES = ("text", "title", "question")


class RoundTrip(Section):
    """Section `round_trip` of a task. Margins and likelihood are in nats a token."""

    template: str = Field(
        description="Up to where the answer begins; `text` or `question` is empty where it is left out."
    )
    passage_margin: float = Field(0.0, description="At least this much likelier with the passage than without.")
    question_margin: float | None = Field(None, description="The same of the question; not asked if absent.")
    min_likelihood: float | None = Field(None, description="log p a token with both, at least; not asked if absent.")


@dataclass(frozen=True)
class Scores:
    """Margins and likelihood of one answer, in nats a token."""

    passage_margin: float
    question_margin: float
    likelihood: float

    def reason(self, limits: RoundTrip) -> str:
        """Return `not_from_passage`, `not_from_question`, `unlikely`, or "" where the answer passes."""
        if not math.isfinite(self.likelihood):  # it does not fit the judge
            return "unlikely"
        if self.passage_margin < limits.passage_margin:
            return "not_from_passage"
        if limits.question_margin is not None and self.question_margin < limits.question_margin:
            return "not_from_question"
        if limits.min_likelihood is not None and self.likelihood < limits.min_likelihood:
            return "unlikely"
        return ""


def scores(pairs: Sequence[tuple[Item, Passage]], limits: RoundTrip, judge: Backend) -> list[Scores]:
    """Return the scores of each pair, in order."""
    asked: list[tuple[str, str]] = []
    for item, passage in pairs:
        for text, question in ((passage.text, item.question), ("", item.question), (passage.text, "")):
            context = render(limits.template, text=text, question=question, title=passage.title)
            asked.append((context.rstrip(), f" {item.answer}"))
    found = judge.log_likelihood(asked)
    each = [likelihood.total / max(1, likelihood.tokens) for likelihood in found]
    return [
        Scores(both - alone, both - unasked, both)
        for both, alone, unasked in zip(each[::3], each[1::3], each[2::3], strict=True)
    ]

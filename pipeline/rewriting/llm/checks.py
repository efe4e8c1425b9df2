"""What every item that a model wrote must pass, each check with its reason codes.

A task names the checks it wants, in order; the first that fails gives the reason. `duplicate` and what parsers find
(`unparsable`, `truncated`) are checked of every task; the round trip, which needs a model, is in `round_trip`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import polars as pl
from pydantic import BaseModel, Field
from rapidfuzz.distance import Indel

from classifiers.language import LanguageParams, LanguageScorer
from pipeline.config import Section
from pipeline.rewriting.llm import grounding
from pipeline.rewriting.llm.parsers import Item
from pipeline.rewriting.llm.question_types import answers_in_kind, is_partial
from pipeline.rewriting.qa_checks import check_pair


@dataclass(frozen=True)
class Passage:
    """What an item was made from: the segment, and the title of its document ("" without one)."""

    text: str
    title: str = ""

    @property
    def source(self) -> str:
        """Where words may come from."""
        return f"{self.title}\n{self.text}"


class NoParams(Section):
    pass


_REFUSAL = re.compile(
    r"^\W*(?:i(?:['’]m| am)? (?:sorry|unable|afraid)|i (?:cannot|can['’]?t|can not|do not|don['’]t|won['’]t) |"
    r"(?:as|being) an? (?:ai|artificial|large language|language model)|unfortunately,? i\b|my apologies|"
    r"(?:the|this) (?:passage|text|article) does(?: not|n['’]t) )",
    re.IGNORECASE,
)
_PREFIX = re.compile(
    r"^\W*(?:sure\b|certainly\b|of course\b|absolutely\b|okay\b|here(?:['’]s| is| are)\b|below (?:is|are)\b|"
    r"the (?:corrected|rewritten|paraphrased|following) (?:text|version|passage)?\b.{0,40}:|"
    r"(?:rewritten|paraphrased?|corrected|output|answer|note|summary)[^.\n]{0,30}:)",
    re.IGNORECASE,
)


def boilerplate(item: Item, passage: Passage, params: NoParams) -> str:
    """`refusal`: the model says that it cannot. `prefix`: it announces what it writes ("Sure, here is")."""
    for text in (item.answer, item.question) if item.question else (item.text,):
        if _REFUSAL.match(text):
            return "refusal"
        if _PREFIX.match(text) and not _PREFIX.match(passage.text):
            return "prefix"
    return ""


class GroundedParams(Section):
    numbers: bool = True
    dates: bool = True
    names: bool = True


def grounded(item: Item, passage: Passage, params: GroundedParams) -> str:
    """`number_not_in_source`, `date_not_in_source`, `name_not_in_source`."""
    if params.numbers and grounding.missing_number(item.text, passage.source):
        return "number_not_in_source"
    if params.dates and grounding.missing_date(item.text, passage.source):
        return "date_not_in_source"
    if params.names and grounding.missing_name(item.text, passage.source):
        return "name_not_in_source"
    return ""


class SupportedParams(Section):
    min_share: float = Field(0.8, ge=0, le=1, description="Of the answer's content words, those that the source has.")


def supported(item: Item, passage: Passage, params: SupportedParams) -> str:
    """`unsupported`: the answer (or text) is no span of the source and too few of its words are in it."""
    said = item.answer or item.text
    if said in passage.text or grounding.support(said, passage.source) >= params.min_share:
        return ""
    return "unsupported"


def no_leak(item: Item, passage: Passage, params: NoParams) -> str:
    """`answer_in_question`: the question says what it asks for. `answer_repeats`: the answer begins with its words."""
    if grounding.holds_answer(item.question, item.answer):
        return "answer_in_question"
    return "answer_repeats" if grounding.begins_alike(item.answer, item.question) else ""


def span_pair(item: Item, passage: Passage, params: NoParams) -> str:
    """The rules of `qa_checks.check_pair`, with its codes: the answer is a span, the question is whole and sound."""
    return check_pair(item.question, item.answer, passage.text, passage.title)


class KindParams(Section):
    strict: bool = Field(False, description="Refuse questions whose kind is not known, too.")


def kind(item: Item, passage: Passage, params: KindParams) -> str:
    """`answer_kind`: "when" is answered by no time, "who" by no name, "how many" by no number."""
    return "" if answers_in_kind(item.question, item.answer, params.strict) else "answer_kind"


def whole(item: Item, passage: Passage, params: NoParams) -> str:
    """`no_definition`, `answer_incomplete`: see `question_types.is_partial`."""
    return is_partial(item.question, item.answer, passage.text)


def subject(item: Item, passage: Passage, params: NoParams) -> str:
    """`subject_missing`: the question names nothing of the document's title, so alone it asks about nothing."""
    return "" if grounding.shares_word(item.question, passage.title) else "subject_missing"


class LengthParams(Section):
    min_words: int = Field(1, ge=0)
    max_words: int = Field(2000, ge=1)
    min_ratio: float = Field(0.0, ge=0, description="Words of the text for each of the segment.")
    max_ratio: float = Field(100.0, gt=0)


def length(item: Item, passage: Passage, params: LengthParams) -> str:
    """`too_short`, `too_long`: in words, and in words for each word of the segment."""
    count, of = len(item.text.split()), max(1, len(passage.text.split()))
    if count < params.min_words or count < params.min_ratio * of:
        return "too_short"
    return "too_long" if count > params.max_words or count > params.max_ratio * of else ""


class NoveltyParams(Section):
    min_similarity: float = Field(0.0, ge=0, le=1, description="Share of the characters in common, in order (Indel).")
    max_similarity: float = Field(1.0, ge=0, le=1)


def novelty(item: Item, passage: Passage, params: NoveltyParams) -> str:
    """`copied`: nearly the segment itself. `drifted`: too little of it."""
    share = Indel.normalized_similarity(" ".join(item.text.split()), " ".join(passage.text.split()))
    if share > params.max_similarity:
        return "copied"
    return "drifted" if share < params.min_similarity else ""


class RepetitionParams(Section):
    n: int = Field(3, ge=1, description="Words in a row.")
    max_share: float = Field(0.2, ge=0, le=1, description="Of these runs, those that occurred before.")


def repetition(item: Item, passage: Passage, params: RepetitionParams) -> str:
    """`repetitive`: too many runs of words occur again (the source's own repetitions count too)."""
    said = grounding.words(item.text)
    runs = Counter(said[i : i + params.n] for i in range(len(said) - params.n + 1))
    total = sum(runs.values())
    return "repetitive" if total and 1 - len(runs) / total > params.max_share else ""


class LanguageCheckParams(Section):
    code: str = Field("en", description="ISO 639 code, as lid.176 has it.")
    min_probability: float = Field(0.4, ge=0, le=1)
    min_characters: int = Field(40, ge=0, description="Shorter texts are too little to tell.")


def language(item: Item, passage: Passage, params: LanguageCheckParams) -> str:
    """`language`: fastText's lid.176 takes it for another language, or is unsure."""
    if len(item.text) < params.min_characters:
        return ""
    row = _scorer().score(pl.Series([item.text])).row(0, named=True)
    return "" if row["label"] == params.code and row["probability"] >= params.min_probability else "language"


@lru_cache(maxsize=1)
def _scorer() -> LanguageScorer:
    return LanguageScorer(LanguageParams(model=None, max_chars=2000))


@dataclass(frozen=True)
class CheckSpec:
    """pairs: whether it needs a question and an answer."""

    params: type[BaseModel]
    check: Callable[[Item, Passage, Any], str]
    pairs: bool = False


CHECKS: dict[str, CheckSpec] = {
    "boilerplate": CheckSpec(NoParams, boilerplate),
    "grounded": CheckSpec(GroundedParams, grounded),
    "supported": CheckSpec(SupportedParams, supported),
    "no_leak": CheckSpec(NoParams, no_leak, pairs=True),
    "span_pair": CheckSpec(NoParams, span_pair, pairs=True),
    "kind": CheckSpec(KindParams, kind, pairs=True),
    "whole": CheckSpec(NoParams, whole, pairs=True),
    "subject": CheckSpec(NoParams, subject, pairs=True),
    "length": CheckSpec(LengthParams, length),
    "novelty": CheckSpec(NoveltyParams, novelty),
    "repetition": CheckSpec(RepetitionParams, repetition),
    "language": CheckSpec(LanguageCheckParams, language),
}
"""Name in a task's `checks` → the check."""

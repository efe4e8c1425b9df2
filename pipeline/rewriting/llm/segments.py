"""Cut a document into what one request is about."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator

from pipeline.config import Section
from pipeline.rewriting.llm.grounding import shares_word
from pipeline.rewriting.qa_passage import split_sentences

_PARAGRAPH = re.compile(r"\n\s*\n")


class Segmenting(Section):
    """How a text is cut."""

    by: Literal["paragraph", "sentence"] = Field(
        "paragraph", description="paragraph: as many as fit together; sentence: each alone."
    )
    max_characters: int = Field(2000, ge=20, description="A longer paragraph is cut at its sentences, these at words.")
    min_characters: int = Field(1, ge=1, description="Nothing is asked about a shorter segment.")
    matching: str | None = Field(None, description="A regular expression; nothing is asked about a segment without it.")
    names_title: bool = Field(False, description="Nothing is asked about a segment that has no word of the title.")

    @field_validator("matching")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"not a regular expression: {error}") from None
        return value


def segments(text: str, how: Segmenting) -> list[str]:
    """Return the segments in order; together they hold every word of the text, and none is too long."""
    limit = how.max_characters
    if how.by == "sentence":
        return [part for _, sentence in split_sentences(text) if sentence.strip() for part in _short(sentence, limit)]
    packed: list[str] = []
    for paragraph in _PARAGRAPH.split(text):
        parts = [paragraph.strip()]
        if len(parts[0]) > limit:
            sentences = [part for _, each in split_sentences(paragraph) for part in _short(each, limit)]
            parts = _pack(sentences, limit, " ")
        packed += [part for part in parts if part]
    return _pack(packed, limit, "\n\n")


def passed_over(segment: str, title: str, how: Segmenting) -> str:
    """Return why nothing is asked of it: `segment_too_short`, `segment_unsuited`, `segment_off_title`; "" if it is."""
    if len(segment) < how.min_characters:
        return "segment_too_short"
    if how.matching is not None and not re.search(how.matching, segment):
        return "segment_unsuited"
    return "" if not how.names_title or shares_word(segment, title) else "segment_off_title"


def _pack(parts: list[str], limit: int, joint: str) -> list[str]:
    """Join neighbours while they fit."""
    found: list[str] = []
    for part in parts:
        if found and len(found[-1]) + len(joint) + len(part) <= limit:
            found[-1] += joint + part
        else:
            found.append(part)
    return found


def _short(sentence: str, limit: int) -> list[str]:
    """Cut a sentence between words, and a longer word anywhere."""
    sentence = sentence.strip()
    if len(sentence) <= limit:
        return [sentence]
    words = [word[i : i + limit] for word in sentence.split() for i in range(0, len(word), limit)]
    return _pack(words, limit, " ")

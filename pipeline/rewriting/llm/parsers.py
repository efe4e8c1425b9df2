"""From a reply to items: question-answer pairs, a whole text, or the entries of a list."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field

from pipeline.config import Section
from pipeline.rewriting.base import Rejected


@dataclass(frozen=True)
class Item:
    """One thing that a reply holds. Of a pair, `text` is both lines; otherwise question and answer are empty."""

    text: str
    question: str = ""
    answer: str = ""


Parsed = tuple[list[Item], list[Rejected]]


class QAParams(Section):
    question: str = Field("Question:", description="What a question begins with.")
    answer: str = Field("Answer:", description="What an answer begins with.")
    max_items: int = Field(16, ge=1)


class TextParams(Section):
    pass


class ListParams(Section):
    max_items: int = Field(64, ge=1)


def qa_pairs(reply: str, cut: bool, params: QAParams) -> Parsed:
    """Pairs of lines, each part up to a blank line or the next mark.

    Of a reply that was cut the last pair is `truncated`; text that is no pair is `unparsable`.
    """
    marks = "|".join(re.escape(mark) for mark in (params.question, params.answer))
    pieces = re.split(rf"^[ \t]*({marks})", reply, flags=re.MULTILINE)
    lines = [(pieces[i], pieces[i + 1].strip()) for i in range(1, len(pieces) - 1, 2)]
    items, rejected = [], []
    if pieces[0].strip():
        rejected.append(Rejected("unparsable", pieces[0].strip()))
    at = 0
    while at < len(lines):
        (mark, text), (next_mark, next_text) = lines[at], lines[at + 1] if at + 1 < len(lines) else ("", "")
        is_pair = (mark, next_mark) == (params.question, params.answer)
        at += 2 if is_pair else 1
        if not (cut and at >= len(lines)):
            (text, *loose), (next_text, *more) = _BLANK.split(text, maxsplit=1), _BLANK.split(next_text, maxsplit=1)
            rejected += [Rejected("unparsable", each) for each in (loose + more if is_pair else loose)]
        next_text = unquoted(next_text)
        both = f"{text}\n{next_text}" if is_pair else text
        if cut and at >= len(lines):
            rejected.append(Rejected("truncated", both))
        elif not is_pair or not text or not next_text:
            rejected.append(Rejected("unparsable", both))
        elif len(items) >= params.max_items:
            rejected.append(Rejected("over_max_items", both))
        else:
            items.append(Item(both, text, next_text))
    return _or_unparsable(items, rejected, reply)


_BLANK = re.compile(r"\n[ \t]*\n\s*")


def unquoted(text: str) -> str:
    """Take quotation marks off that stand around the whole of a text, or before one that was cut."""
    inner = text.removeprefix('"').removesuffix('"')
    return inner.strip() if text.startswith('"') and '"' not in inner else text


def whole_text(reply: str, cut: bool, params: TextParams) -> Parsed:
    """The reply as it stands; `truncated` where it was cut."""
    text = reply.strip()
    if cut:
        return [], [Rejected("truncated", text)]
    return _or_unparsable([Item(text)] if text else [], [], reply)


_ENTRY = re.compile(r"[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t]+(\S.*)")


def list_entries(reply: str, cut: bool, params: ListParams) -> Parsed:
    """Lines that begin with a dash, star, bullet or number, with the indented lines after them.

    Other lines are `unparsable`, and an entry with them where one follows it at once: it may be half of what is meant.
    Of a reply that was cut the last entry or line is `truncated`.
    """
    blocks: list[tuple[bool, str]] = []  # whether it is an entry, and its text
    goes_on = False
    for line in reply.split("\n"):
        text = line.strip()
        if not text:
            goes_on = False
        elif entry := _ENTRY.fullmatch(line):
            blocks.append((True, entry[1].strip()))
            goes_on = True
        elif goes_on:
            sound, before = blocks.pop()
            blocks.append((sound and line[0].isspace(), f"{before} {text}"))
        else:
            blocks.append((False, text))
            goes_on = True
    last = blocks.pop() if cut and blocks else None
    entries = [text for sound, text in blocks if sound]
    rejected = [Rejected("unparsable", text) for sound, text in blocks if not sound]
    rejected += [Rejected("truncated", last[1])] if last else []
    rejected += [Rejected("over_max_items", entry) for entry in entries[params.max_items :]]
    return _or_unparsable([Item(entry) for entry in entries[: params.max_items]], rejected, reply)


def _or_unparsable(items: list[Item], rejected: list[Rejected], reply: str) -> Parsed:
    return items, rejected if items or rejected else [Rejected("unparsable", reply.strip())]


@dataclass(frozen=True)
class ParserSpec:
    params: type[BaseModel]
    parse: Callable[[str, bool, Any], Parsed]


PARSERS: dict[str, ParserSpec] = {
    "qa_pairs": ParserSpec(QAParams, qa_pairs),
    "text": ParserSpec(TextParams, whole_text),
    "list": ParserSpec(ListParams, list_entries),
}

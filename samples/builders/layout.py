"""Break paragraphs into hyphenated lines and pages. Pure: widths and hyphenation come in as functions."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Measure = Callable[[str], float]  # width of a string in pixels
Hyphenate = Callable[[str], Sequence[int]]  # offsets at which a word may be cut


@dataclass(frozen=True)
class Line:
    """Words of one printed line. `end` marks the last line of a paragraph, which is never stretched."""

    words: tuple[str, ...]
    indent: bool
    end: bool

    @property
    def text(self) -> str:
        return " ".join(self.words)


@dataclass(frozen=True)
class Page:
    """One printed page: running header (left, right) and its lines."""

    header: tuple[str, str]
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        """The page as printed, header included: what a perfect reader would return."""
        return "\n".join([" ".join(part for part in self.header if part), *(line.text for line in self.lines)])


def break_lines(paragraph: str, width: float, indent: float, measure: Measure, hyphenate: Hyphenate) -> list[Line]:
    """Greedy lines no wider than `width` pixels, the first set in by `indent`; words cut where they may be.

    A dash inside a word is a place to break too, without a hyphen. A word too wide gets a line of its own.
    """
    queue = paragraph.split()[::-1]
    lines: list[Line] = []
    current: list[str] = []
    while queue:
        word = queue.pop()
        room = width - (0.0 if lines else indent)
        if measure(" ".join([*current, word])) <= room:
            current.append(word)
            continue
        head, tail = _cut(word, current, room, measure, hyphenate)
        if head:
            current.append(head)
        if not current:
            current.append(word)
            tail = ""
        lines.append(Line(tuple(current), indent=not lines, end=False))
        current = []
        if tail:
            queue.append(tail)
    if current:
        lines.append(Line(tuple(current), indent=not lines, end=True))
    elif lines:
        lines[-1] = Line(lines[-1].words, lines[-1].indent, end=True)
    return lines


def _cut(word: str, before: list[str], room: float, measure: Measure, hyphenate: Hyphenate) -> tuple[str, str]:
    """The longest head of `word` that fits behind `before`, and the rest; ("", word) where none does."""
    points = [(match.end(), "") for match in re.finditer(r"[—-](?=\w)", word)]
    core = re.match(r"\W*", word)
    start = core.end() if core else 0
    letters = re.match(r"[^\W\d_]*", word[start:])
    if letters and len(letters[0]) >= 5:
        points += [(start + offset, "-") for offset in hyphenate(letters[0])]
    for offset, mark in sorted(points, reverse=True):
        head = word[:offset] + mark
        if measure(" ".join([*before, head])) <= room:
            return head, word[offset:]
    return "", word


def make_pages(lines: list[Line], per_page: int, title: str, author: str, first: int) -> list[Page]:
    """Pages of `per_page` lines, numbered from `first`: even ones `12 TITLE`, odd ones `AUTHOR 13`."""
    pages = []
    for start in range(0, len(lines), per_page):
        number = first + start // per_page
        header = (str(number), title.upper()) if number % 2 == 0 else (author.upper(), str(number))
        pages.append(Page(header, tuple(lines[start : start + per_page])))
    return pages

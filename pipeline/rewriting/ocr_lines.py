"""Lines of OCR pages that are no text: running headers, page numbers, junk, specks at line ends."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rapidfuzz import fuzz

from classifiers.ocr.lexicon import Lexicon

EDGE = 2  # lines at the top and at the foot of a page where headers, footers and page numbers are looked for
SAME_HEADER = 78  # rapidfuzz ratio, per cent, from which two edge lines are one header read twice
WRAPPED_WIDTH = (25, 120)  # characters of a full line, within which a page is taken for printed lines
_NUMBER_LINE = re.compile(
    r"^[\W_]*(?:page\s*|p\.\s*)?(?=[\dOolI|]*\d|[ivxlc]+\b)[\dOolI|ivxlc]{1,5}[\W_]*$", re.IGNORECASE
)
_NUMBERED_TITLE = re.compile(
    r"^[\W_]*(?:[\dOolI|]{0,3}\d[\dOolI|]{0,3}\W+\D+|\D+\W[\dOolI|]{0,3}\d[\dOolI|]{0,"
    r"3})[\W_]*$"
)
LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
# A speck beside a line is read as a sign of its own at either end of it, or as a scrap of round letters after
# it.
_SPECK_BEFORE = re.compile(r"^(\s*)(?:[_|=~+.,:;'\"‘’*•°«»<>—–-]{1,3}\s+)+(?=\S)")
_SPECK_AFTER = re.compile(r"[_|=~+.,:;'\"‘*•°«»<>©®—–-]{1,4}|[aeoscr]{2,3}\.?")
_DASH_INSIDE = re.compile(r"\w[,.!?”]? [—–-] \w")
_NOT_LETTER = re.compile(r"[\W\d_]+")
_NOT_ALNUM = re.compile(r"[\W_]+")


def running_lines(pages: Sequence[Sequence[str]]) -> set[tuple[int, int]]:
    """(page, line) of running headers and footers and of page numbers.

    An edge line is running if an edge line of another page nearly equals it (digits aside: OCR misreads
    headers too), if it is a number alone, or if it is capitals with a number at one end. Single pages have no
    running lines.
    """
    if len(pages) < 2:
        return set()
    edges: list[list[tuple[int, str, bool]]] = []
    for page in pages:
        filled = [i for i, line in enumerate(page) if line.strip()]
        top, foot = filled[:EDGE], filled[EDGE:][-EDGE:]
        edges.append([(i, _header_key(page[i]), True) for i in top] + [(i, _header_key(page[i]), False) for i in foot])
    running: set[tuple[int, int]] = set()
    for number, edge in enumerate(edges):
        outer = {edge[0][0], edge[-1][0]} if edge else set()
        for index, key, top in edge:
            line = pages[number][index].strip()
            if (index in outer and (_NUMBER_LINE.match(line) or _is_numbered_title(line))) or (
                4 <= len(key) <= 80
                and any(
                    top == other_top and min(len(key), len(other)) >= 4 and fuzz.ratio(key, other) >= SAME_HEADER
                    for at in range(max(0, number - 4), min(len(edges), number + 5))
                    if at != number
                    for _, other, other_top in edges[at]
                )
            ):
                running.add((number, index))
    return running


def _header_key(line: str) -> str:
    return _NOT_LETTER.sub("", line).lower()


def _is_numbered_title(line: str) -> bool:
    letters = [c for c in line if c.isalpha()]
    return (
        4 <= len(letters) <= 60
        and sum(c.isupper() for c in letters) >= 0.75 * len(letters)
        and _NUMBERED_TITLE.match(line) is not None
    )


def is_junk(line: str, lexicon: Lexicon) -> bool:
    """Specks and rules read as characters: mostly symbols, or scraps with no known word among them."""
    line = line.strip()
    if not line:
        return False
    solid = line.replace(" ", "")
    if len(_NOT_ALNUM.sub("", solid)) < 0.5 * len(solid):  # unless it is a formula with words in it
        return len(solid) < 40 or not any(len(w) > 2 and w in lexicon for w in LETTERS.findall(line))
    if len(solid) > 12 or any(c.isdigit() for c in solid):
        return False
    words = LETTERS.findall(line)
    # "ee a: oe | ~": short scraps, several of them, and a symbol among them that no sentence has.
    odd = sum(c in "|~^_=<>{}\\@#§°•«»©®™" for c in solid)
    return odd > 0 and not any(len(w) > 2 and w in lexicon for w in words)


def strip_specks(pages: list[list[str]], lexicon: Lexicon) -> list[list[str]]:
    """Lines of printed pages without the signs that specks in the margins were read as.

    Lone dashes at the ends of lines stay where the text sets spaced dashes inside its lines as well.
    """
    dashes = sum(len(_DASH_INSIDE.findall(line)) for page in pages for line in page)
    ends = sum(line.strip()[-2:] in (" —", " –", " -") for page in pages for line in page)
    spaced_dashes = dashes > ends
    out = []
    for page in pages:
        if printed_width(page) == 0:
            out.append(page)
            continue
        out.append([_strip_line(line, spaced_dashes, lexicon) for line in page])
    return out


def _strip_line(line: str, spaced_dashes: bool, lexicon: Lexicon) -> str:
    before = _SPECK_BEFORE.match(line)
    if before and not (spaced_dashes and any(c in before.group() for c in "—–-")):
        line = before.group(1) + line[before.end() :]
    while " " in line:
        rest, _, last = line.rpartition(" ")
        if len(last) > 4 or (last and not _SPECK_AFTER.fullmatch(last)):
            break
        if (spaced_dashes and any(c in last for c in "—–-")) or (
            last.strip(".").isalpha() and last.strip(".") in lexicon
        ):
            break
        line = rest
    return line


def printed_width(page: Sequence[str]) -> int:
    """Characters of a full printed line on this page, 0 where its lines are not printed ones."""
    lengths = sorted(len(line.strip()) for line in page if line.strip())
    if len(lengths) < 3:
        return 0
    width = lengths[int(0.8 * (len(lengths) - 1))]
    # In prose most lines are full; verse, lists and tables are ragged and keep their breaks.
    full = sum(length >= 0.75 * width for length in lengths)
    return width if WRAPPED_WIDTH[0] <= width <= WRAPPED_WIDTH[1] and full >= 0.5 * len(lengths) else 0

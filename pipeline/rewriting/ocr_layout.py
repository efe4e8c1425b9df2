"""Layout of OCR pages undone: running headers, page numbers, junk lines, line-end hyphens, lines into paragraphs.

Nothing here changes a letter inside a line, but for characters that stand for others (ligatures, long s, mojibake).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import ftfy
from rapidfuzz import fuzz

from pipeline.rewriting.lexicon import Lexicon

EDGE = 2  # lines at the top and at the foot of a page where headers, footers and page numbers are looked for
SAME_HEADER = 78  # rapidfuzz ratio, per cent, from which two edge lines are one header read twice
WRAPPED_WIDTH = (25, 120)  # characters of a full line, within which a page is taken for printed lines

_CHARACTERS = str.maketrans({"ſ": "s", "\u00ad": "-", "‐": "-", "‑": "-", "¬": "-", "\u200b": "", "\ufeff": ""})
_FTFY = ftfy.TextFixerConfig(unescape_html=False, uncurl_quotes=False, fix_line_breaks=True, normalization="NFC", explain=False)
_NUMBER_LINE = re.compile(r"^[\W_]*(?:page\s*|p\.\s*)?(?=[\dOolI|]*\d|[ivxlc]+\b)[\dOolI|ivxlc]{1,5}[\W_]*$", re.IGNORECASE)
_NUMBERED_TITLE = re.compile(r"^[\W_]*(?:[\dOolI|]{0,3}\d[\dOolI|]{0,3}\W+\D+|\D+\W[\dOolI|]{0,3}\d[\dOolI|]{0,3})[\W_]*$")
_LETTERS = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_END = re.compile(r"[.!?:;][\"'”’)\]]*$|[\"”]$")
_CUT = re.compile(r"([^\W\d_]{2,})[-=~]$")
_CUT_INSIDE = re.compile(r"\b([^\W\d_]{2,})- (?=([^\W\d_]{2,})\b)")
_NEXT = re.compile(r"[^\W\d_]+")
# A speck beside a line is read as a sign of its own at either end of it, or as a scrap of round letters after it.
_SPECK_BEFORE = re.compile(r"^(\s*)(?:[_|=~+.,:;'\"‘’*•°«»<>—–-]{1,3}\s+)+(?=\S)")
_SPECK_AFTER = re.compile(r"(?:\s+(?:[_|=~+.,:;'\"‘*•°«»<>©®—–-]{1,4}|[aeoscr]{2,3}\.?))+$")
_DASH_INSIDE = re.compile(r"\w[,.!?”]? [—–-] \w")
_SPACES = re.compile(r"[ \t\u00a0]{2,}")


@dataclass(frozen=True)
class Layout:
    """The text without its pages, and how much of them there was."""

    text: str
    pages: int
    lines: int
    lines_removed: int
    words_joined: int


def undo_layout(text: str, lexicon: Lexicon) -> Layout:
    """Pages separated by form feeds to paragraphs separated by blank lines.

    Text that is not printed lines (its lines are longer than a printed one) keeps its line breaks.
    """
    pages = [fix_characters(page).split("\n") for page in text.split("\f")]
    total = sum(1 for page in pages for line in page if line.strip())
    removed = running_lines(pages)
    kept: list[list[str]] = []
    dropped = 0
    for number, page in enumerate(pages):
        lines = []
        for index, line in enumerate(page):
            if (number, index) in removed or is_junk(line, lexicon):
                dropped += 1
            else:
                lines.append(line.rstrip())
        kept.append(lines)
    kept = strip_specks(kept, lexicon)
    vocabulary = {w.lower() for page in kept for line in page for w in _LETTERS.findall(line)}
    paragraphs, joined = _paragraphs(kept, lexicon, vocabulary)
    return Layout(paragraphs, len(pages), total, dropped, joined)


def fix_characters(text: str) -> str:
    """Ligatures, long s, soft hyphens, mojibake and control characters; line ends become newlines."""
    if not text.isascii():
        text = ftfy.fix_text(text, _FTFY).translate(_CHARACTERS)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def running_lines(pages: Sequence[Sequence[str]]) -> set[tuple[int, int]]:
    """(page, line) of running headers and footers and of page numbers.

    An edge line is running if an edge line of another page nearly equals it (digits aside: OCR misreads headers too),
    if it is a number alone, or if it is capitals with a number at one end. Single pages have no running lines.
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
            if index in outer and (_NUMBER_LINE.match(line) or _is_numbered_title(line)):
                running.add((number, index))
            elif 4 <= len(key) <= 80 and any(
                top == other_top and min(len(key), len(other)) >= 4 and fuzz.ratio(key, other) >= SAME_HEADER
                for at in range(max(0, number - 4), min(len(edges), number + 5))
                if at != number
                for _, other, other_top in edges[at]
            ):
                running.add((number, index))
    return running


def strip_specks(pages: list[list[str]], lexicon: Lexicon) -> list[list[str]]:
    """Lines of printed pages without the signs that specks in the margins were read as.

    Lone dashes at the ends of lines stay where the text sets spaced dashes inside its lines as well.
    """
    dashes = sum(len(_DASH_INSIDE.findall(line)) for page in pages for line in page)
    ends = sum(line.strip()[-2:] in (" —", " –", " -") for page in pages for line in page)
    spaced_dashes = dashes > ends
    out = []
    for page in pages:
        if _width(page) == 0:
            out.append(page)
            continue
        out.append([_strip_line(line, spaced_dashes, lexicon) for line in page])
    return out


def _strip_line(line: str, spaced_dashes: bool, lexicon: Lexicon) -> str:
    before = _SPECK_BEFORE.match(line)
    if before and not (spaced_dashes and any(c in before.group() for c in "—–-")):
        line = before.group(1) + line[before.end() :]
    after = _SPECK_AFTER.search(line)
    if after and not (spaced_dashes and any(c in after.group() for c in "—–-")):
        scraps = [w.strip(".") for w in after.group().split()]
        if not any(w in lexicon for w in scraps if w.isalpha()):
            line = line[: after.start()]
    return line


def _header_key(line: str) -> str:
    return re.sub(r"[\W\d_]+", "", line).lower()


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
    solid = [c for c in line if not c.isspace()]
    alphanumeric = sum(c.isalnum() for c in solid)
    if alphanumeric < 0.5 * len(solid):
        return True
    if len(solid) > 12 or any(c.isdigit() for c in solid):
        return False
    words = _LETTERS.findall(line)
    # "ee a: oe | ~": short scraps, several of them, and a symbol among them that no sentence has.
    odd = sum(c in "|~^_=<>{}\\@#§°•«»©®™" for c in solid)
    return odd > 0 and not any(len(w) > 2 and w in lexicon for w in words)


def _paragraphs(pages: list[list[str]], lexicon: Lexicon, vocabulary: set[str]) -> tuple[str, int]:
    """Join lines into paragraphs across pages. Returns the text and how many cut words were joined."""
    out: list[str] = []
    gaps: list[str] = []  # what stands before out[i]
    joined = 0
    for page in pages:
        width = _width(page)
        indent = _indent(page)
        blank = False
        previous = ""  # the line before on this page, "" at its top
        for line in page:
            text = _SPACES.sub(" ", line.strip())
            if not text:
                blank = True
                continue
            if out and _continues(out[-1], previous, line, text, blank, width, indent):
                out[-1], cut = _join(out[-1], text, lexicon, vocabulary)
                joined += cut
            else:
                gaps.append("" if not out else "\n" if width == 0 and not blank and previous else "\n\n")
                out.append(text)
            previous, blank = line, False
    pieces = []
    for gap, paragraph in zip(gaps, out, strict=True):
        mended, cuts = _mend_inside(paragraph, lexicon)
        joined += cuts
        pieces.append(gap + mended)
    return "".join(pieces), joined


def _width(page: Sequence[str]) -> int:
    """Characters of a full printed line on this page, 0 where its lines are not printed ones."""
    lengths = sorted(len(line.strip()) for line in page if line.strip())
    if len(lengths) < 3:
        return 0
    width = lengths[int(0.8 * (len(lengths) - 1))]
    # In prose most lines are full; verse, lists and tables are ragged and keep their breaks.
    full = sum(length >= 0.75 * width for length in lengths)
    return width if WRAPPED_WIDTH[0] <= width <= WRAPPED_WIDTH[1] and full >= 0.5 * len(lengths) else 0


def _indent(page: Sequence[str]) -> int:
    """The left margin: the commonest number of leading spaces."""
    leads = [len(line) - len(line.lstrip()) for line in page if line.strip()]
    return max(set(leads), key=lambda lead: (leads.count(lead), -lead)) if leads else 0


def _continues(paragraph: str, previous: str, line: str, text: str, blank: bool, width: int, indent: int) -> bool:
    """Whether a line goes on with the paragraph before it."""
    starts_lower = text[:1].islower()
    if not previous:  # the top of a page: nothing but the sentence tells
        return not _END.search(paragraph) and (starts_lower or _CUT.search(paragraph) is not None or width > 0)
    if width == 0:
        return not blank and starts_lower and _CUT.search(paragraph) is not None
    if blank:
        return starts_lower and not _END.search(paragraph)
    if len(line) - len(line.lstrip()) >= indent + 2:
        return starts_lower and not _END.search(paragraph)
    if len(previous.strip()) < 0.8 * width:
        return starts_lower or not _END.search(paragraph) and not _is_heading(previous)
    return True


def _is_heading(line: str) -> bool:
    letters = [c for c in line if c.isalpha()]
    return bool(letters) and all(c.isupper() for c in letters)


def _join(paragraph: str, text: str, lexicon: Lexicon, vocabulary: set[str]) -> tuple[str, int]:
    """Two lines into one; 1 where a cut word was put together, hyphen or not."""
    cut = _CUT.search(paragraph)
    after = _NEXT.match(text)
    if not cut or not after or not text[:1].islower():
        if paragraph.endswith(("—", "-")) and not paragraph.endswith((" -", " —")):
            return paragraph + text, 0
        return f"{paragraph} {text}", 0
    if keeps_hyphen(cut.group(1), after.group(), lexicon, vocabulary):
        return paragraph + text, 1
    return paragraph[:-1] + text, 1


def keeps_hyphen(left: str, right: str, lexicon: Lexicon, vocabulary: set[str]) -> bool:
    """Whether `left-right` over a line end is a compound: the whole is no word, and both halves are.

    A whole that the document has elsewhere is a word, whatever the lexicon says.
    """
    whole = (left + right).lower()
    if whole in lexicon or whole in vocabulary:
        return False
    return left in lexicon and right in lexicon and len(left) > 2 and len(right) > 2


def _mend_inside(paragraph: str, lexicon: Lexicon) -> tuple[str, int]:
    """ "lan- guage" in a line that was joined before it came here; "pre- and post-war" stays."""
    if "- " not in paragraph:
        return paragraph, 0
    cuts = 0

    def mend(match: re.Match[str]) -> str:
        nonlocal cuts
        left, right = match.group(1), match.group(2)
        if right.islower() and (left + right) in lexicon and not (left in lexicon and right in lexicon and len(left) > 3):
            cuts += 1
            return left
        return match.group()

    return _CUT_INSIDE.sub(mend, paragraph), cuts

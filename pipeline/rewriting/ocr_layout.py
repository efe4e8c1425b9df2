"""Layout of OCR pages undone: lines that are no text go, cut words are joined, lines become paragraphs.

Nothing here changes a letter inside a line, but for characters that stand for others (ligatures, long s,
mojibake).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from classifiers.ocr.lexicon import Lexicon
from pipeline.rewriting.ocr_lines import LETTERS, is_junk, printed_width, running_lines, strip_specks

NOT_PROSE = 0.03  # share of marks of code and formulas above which a text is not prose: OCR of prose has a tenth of it
_MARKS = "_={}[]<>\\|#$%^&*@/+~`"
_CHARACTERS = str.maketrans({"ſ": "s", "\u00ad": "", "\u200b": "", "\ufeff": ""})
_FTFY = {
    "unescape_html": False,
    "uncurl_quotes": False,
    "fix_character_width": False,
    "normalization": "NFC",
    "explain": False,
}
# What mojibake, ligatures and control characters look like; ftfy is slow where there are none.
_ODD = re.compile(r"[\x00-\x08\x0e-\x1f\x7f-\x9fÂÃâïðÐŸ\ufb00-\ufb06\u2028\u2029\u0300-\u036f]")
_LINE_HYPHEN = re.compile(r"[\u00ad‐‑¬](?=[ \t]*(?:\r?\n|$))")
_END = re.compile(r"[.!?:;][\"'”’)\]]*$|[\"”]$")
_CUT = re.compile(r"([^\W\d_]{2,})[-=~][_:;.,'’‘\"|]{0,2}$")
_CUT_INSIDE = re.compile(r"\b([^\W\d_]{2,})- (?=([^\W\d_]{2,})\b)")
_NEXT = re.compile(r"[^\W\d_]+")
_SPACES = re.compile(r"[ \t\u00a0]{2,}")


@dataclass(frozen=True)
class Layout:
    """The text without its pages, and how much of them there was."""

    text: str
    pages: int
    printed: bool  # whether the text came as printed lines
    prose: bool  # and not code, formulas or markup
    lines: int
    lines_removed: int
    words_joined: int


def mark_share(text: str) -> float:
    """Share of characters, white space aside, that prose hardly has and code, formulas and markup have many of."""
    marks = sum(map(text.count, _MARKS))
    return marks / max(len(text) - sum(map(text.count, " \n\t\f")), 1)


def undo_layout(text: str, lexicon: Lexicon, junk: bool = True) -> Layout:
    """Pages separated by form feeds to paragraphs separated by blank lines.

    Text that is not printed lines (its lines are longer than a printed one) keeps its line breaks, and text that is
    not prose (`NOT_PROSE`) all of its lines. `junk`: whether lines and signs that specks were read as go; a line of
    signs in text without specks means something.
    """
    if mark_share(text) > NOT_PROSE:
        lines = sum(1 for line in text.splitlines() if line.strip())
        return Layout(fix_characters(text).replace("\f", "\n\n"), text.count("\f") + 1, False, False, lines, 0, 0)
    pages = [fix_characters(page).split("\n") for page in text.split("\f")]
    total = sum(1 for page in pages for line in page if line.strip())
    removed = running_lines(pages)
    kept: list[list[str]] = []
    dropped = 0
    for number, page in enumerate(pages):
        lines = []
        for index, line in enumerate(page):
            if (number, index) in removed or (junk and is_junk(line, lexicon)):
                dropped += 1
            else:
                lines.append(line.rstrip())
        kept.append(lines)
    kept = strip_specks(kept, lexicon) if junk else kept
    vocabulary = {w.lower() for page in kept for line in page for w in LETTERS.findall(line)}
    paragraphs, joined = _paragraphs(kept, lexicon, vocabulary)
    printed = any(printed_width(page) for page in kept)
    return Layout(paragraphs, len(pages), printed, True, total, dropped, joined)


def fix_characters(text: str) -> str:
    """Ligatures, long s, soft hyphens, mojibake and control characters; line ends become newlines."""
    if _ODD.search(text):
        import ftfy

        text = ftfy.fix_text(text, ftfy.TextFixerConfig(**_FTFY))
    if not text.isascii():
        text = _LINE_HYPHEN.sub("-", text).translate(_CHARACTERS)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _paragraphs(pages: list[list[str]], lexicon: Lexicon, vocabulary: set[str]) -> tuple[str, int]:
    """Join lines into paragraphs across pages. Returns the text and how many cut words were joined."""
    out: list[str] = []
    gaps: list[str] = []  # what stands before out[i]
    joined = 0
    usual = max((printed_width(page) for page in pages), default=0)
    for page in pages:
        # A page of two lines does not tell how wide it is; the others do.
        width = printed_width(page) if sum(bool(line.strip()) for line in page) > 2 else usual
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


def _indent(page: Sequence[str]) -> int:
    """The left margin: the commonest number of leading spaces."""
    leads = [len(line) - len(line.lstrip()) for line in page if line.strip()]
    return max(set(leads), key=lambda lead: (leads.count(lead), -lead)) if leads else 0


def _continues(paragraph: str, previous: str, line: str, text: str, blank: bool, width: int, indent: int) -> bool:
    """Whether a line goes on with the paragraph before it."""
    starts_lower = text[:1].islower()
    paragraph = paragraph[-40:]
    ended = _END.search(paragraph) is not None
    if not previous:  # the top of a page: nothing but the sentence tells
        return not ended and (starts_lower or _CUT.search(paragraph) is not None or width > 0)
    if width == 0:
        return not blank and starts_lower and _CUT.search(paragraph) is not None
    if blank:
        return starts_lower or (not ended and len(previous.strip()) >= 0.8 * width)
    if len(line) - len(line.lstrip()) >= indent + 2:
        return starts_lower and not ended
    if len(previous.strip()) < 0.8 * width:
        return starts_lower or (not ended and not _is_heading(previous))
    return True


def _is_heading(line: str) -> bool:
    letters = [c for c in line if c.isalpha()]
    return bool(letters) and all(c.isupper() for c in letters)


def _join(paragraph: str, text: str, lexicon: Lexicon, vocabulary: set[str]) -> tuple[str, int]:
    """Two lines into one; 1 where a cut word was put together, hyphen or not."""
    cut = _CUT.search(paragraph[-40:])
    after = _NEXT.match(text.lstrip("_:;.,'’‘|")) if cut else None
    if not cut or not after or not after.group()[:1].islower():
        if paragraph.endswith("--") and text[:1].isupper():  # a line of verse
            return f"{paragraph} {text}", 0
        if paragraph.endswith(("—", "-")) and not paragraph.endswith((" -", " —")):
            return paragraph + text, 0
        return f"{paragraph} {text}", 0
    if keeps_hyphen(cut.group(1), after.group(), lexicon, vocabulary):
        return paragraph + text, 1
    stem = paragraph[: len(paragraph) - len(cut.group()) + len(cut.group(1))]  # specks around the hyphen go with it
    return stem + text[text.index(after.group()) :], 1


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
        if (
            right.islower()
            and (left + right) in lexicon
            and not (left in lexicon and right in lexicon and len(left) > 3)
        ):
            cuts += 1
            return left
        return match.group()

    return _CUT_INSIDE.sub(mend, paragraph), cuts

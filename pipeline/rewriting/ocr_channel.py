"""A gated noisy channel for words: only unknown words, only known OCR confusions, only with a clear winner.

score(candidate) = log P(candidate | neighbours) - cost(confusions), the usual noisy channel (Kernighan,
Church and Gale 1990; for OCR: Kolak and Resnik 2002), with gates in place of a trained error model: words
that have a capital, that the document repeats, or that are half of something hyphenated are left alone; the
best candidate must beat the second by `MARGIN` and the word's staying as it is by `THRESHOLD`. A correction
not made costs one error; a wrong one costs trust.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from pipeline.rewriting.lexicon import Lexicon
from pipeline.rewriting.ocr_confusions import ABBREVIATIONS, CONFUSIONS, GLUE, PIECES, SUSPECT

MARGIN = 2.0  # nats by which the best candidate must beat the second
THRESHOLD = -19.0  # log P below which a candidate is less likely than a word that the lexicon merely lacks
PMI = (-3.0, 5.0)  # bounds of what a neighbour may say for or against a candidate, nats
CONFUSION = 4.5  # nats that a confusion costs before its own
REPEATED = 3  # an unknown word seen this often is a word of this document
RARE = 16.5  # log count (about 15 million) of words that more often are halves of others than themselves
COMMON = 19.5  # log count (about 300 million) of the short words that two confusions may lead to

SPLIT = 6.0  # nats that two words read as one cost

_TOKEN = re.compile(r"\S+")
# A word that may be mended: lower-case letters, with the digits and signs that OCR puts for letters inside
# it.
_WORD = re.compile(r"([(\"'“‘\[]*)([a-z][a-z0-9!|«£*~^•_`']+[a-z0-9|«£])([)\"'”’\],.;:?!]*)$")
_STRAY = re.compile(r"(?<![\w.'’-])([a-z]{2,})(\.) (?=([a-z]{2,})\b(?![.(]))")
_BY_FIRST: dict[str, list[tuple[str, str, float]]] = {}
for _confusion in CONFUSIONS:
    _BY_FIRST.setdefault(_confusion[0][0], []).append(_confusion)


def mend_words(text: str, lexicon: Lexicon) -> tuple[str, int]:
    """Text with its clearly misread words put right, and how many were changed."""
    tokens = list(_TOKEN.finditer(text))
    words = [match.group() for match in tokens]
    counts: Counter[str] | None = None
    out: list[str] = []
    at = changed = 0
    for index, token in enumerate(words):
        if token in lexicon.words and token not in SUSPECT:
            continue
        match = _WORD.match(token)
        if not match or not _mendable(match.group(2), lexicon):
            continue
        counts = counts or Counter(words)
        repeated = counts[token] >= REPEATED and match.group(2) not in SUSPECT
        if repeated and len(token) > 4:
            continue
        left = words[index - 1] if index else ""
        right = words[index + 1] if index + 1 < len(words) else ""
        if _is_tail(left, match.group(2), lexicon) and text[tokens[index - 1].end() : tokens[index].start()] == " ":
            out.append(text[at : tokens[index].start() - 1])
            at, changed = tokens[index].start(), changed + 1
            continue
        best = correct(match.group(2), left, right, lexicon)
        if best and not (repeated and lexicon.words.get(best, 0.0) < COMMON):
            out.append(text[at : tokens[index].start()] + match.group(1) + best + match.group(3))
            at, changed = tokens[index].end(), changed + 1
    return "".join(out) + text[at:], changed


def drop_stray_stops(text: str, lexicon: Lexicon) -> tuple[str, int]:
    """Text without the full stops that specks were read as ("the servant was. the last"), and how many went.

    A stop is stray between two known lower-case words, abbreviations aside. Text that does this at more than
    a quarter of its stops is written without capitals, and is left alone.
    """
    strays = [
        match.start(2)
        for match in _STRAY.finditer(text)
        if match.group(1) in lexicon.words and match.group(1) not in ABBREVIATIONS and match.group(3) in lexicon.words
    ]
    if not strays or len(strays) > 0.25 * text.count(". "):
        return text, 0
    pieces = [text[start:end] for start, end in zip([0, *(s + 1 for s in strays)], [*strays, len(text)], strict=True)]
    return "".join(pieces), len(strays)


def _mendable(word: str, lexicon: Lexicon) -> bool:
    if word in SUSPECT:
        return True
    return (
        word not in lexicon
        and word not in PIECES
        and sum(c.isalpha() for c in word) >= 0.6 * len(word)
        and "'" not in word[-3:]
    )


def _is_tail(left: str, word: str, lexicon: Lexicon) -> bool:
    """Whether `word` is the rest of a word that was read as two ("ser vitude")."""
    if len(left) < 2 or not left.isalpha() or not left.islower() or len(left) + len(word) < 6:
        return False
    rare = lexicon.words.get(left, 0.0) < RARE
    return rare and (left + word) in lexicon.words


def correct(word: str, left: str, right: str, lexicon: Lexicon) -> str:
    """The known word that `word` was printed as, "" where none stands out.

    `left` and `right` are the neighbouring tokens as they stand, "" at an end; punctuation between cuts the
    context.
    """
    before = left.lower().lstrip("(\"'“‘[") if left[-1:].isalpha() else ""
    after = right.lower().rstrip(")\"'”’],.;:?!") if right[:1].isalpha() else ""
    if (before + word) in lexicon.words or (word + after) in lexicon.words:
        return ""  # half of a word that was read as two
    best, second, chosen = -1e9, -1e9, ""
    seen: set[str] = set()
    for candidate, cost in readings(word, lexicon):
        if candidate in seen:
            continue
        seen.add(candidate)
        first, _, last = candidate.partition(" ")
        last = last or first
        score = lexicon.log_share(first) - cost
        if last is not first:
            score += lexicon.log_share(last) + lexicon.pmi(first, last)
        if before:
            score += min(max(lexicon.pmi(before, first), PMI[0]), PMI[1])
        if after:
            score += min(max(lexicon.pmi(last, after), PMI[0]), PMI[1])
        if score > best:
            best, second, chosen = score, best, candidate
        elif score > second:
            second = score
    return chosen if best >= THRESHOLD and best - second >= MARGIN else ""


def readings(word: str, lexicon: Lexicon) -> Iterator[tuple[str, float]]:
    """Known words that `word` may have been printed as, with their cost (nats), cheapest kind first.

    One confusion; or two where the word is long enough to be recognised, or is printed on every page
    ("tbo", the).
    """
    known = lexicon.words
    once = [
        (word[:at] + printed + word[at + len(read) :], at + len(printed), CONFUSION + cost)
        for at, (read, printed, cost) in _places(word)
    ]
    for candidate, _, cost in once:
        if candidate in known and candidate not in SUSPECT and len(candidate) > 1:
            yield candidate, cost
    for at in range(1, len(word)):
        left, right = word[:at], word[at:]
        if (left in GLUE or right in GLUE) and (left, right) in lexicon.bigrams and left in known and right in known:
            yield f"{left} {right}", SPLIT
    floor = 0.0 if len(word) >= 7 else COMMON
    if len(word) > 12:
        return
    for candidate, resume, cost in once:
        for at, (read, printed, more) in _places(candidate, resume):
            twice = candidate[:at] + printed + candidate[at + len(read) :]
            if known.get(twice, -1.0) >= floor and twice not in SUSPECT:
                yield twice, cost + more + CONFUSION


def _places(word: str, start: int = 0) -> Iterator[tuple[int, tuple[str, str, float]]]:
    for at in range(start, len(word)):
        for confusion in _BY_FIRST.get(word[at], ()):
            if word.startswith(confusion[0], at):
                yield at, confusion

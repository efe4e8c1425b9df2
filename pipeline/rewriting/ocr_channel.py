"""A gated noisy channel for words: only unknown words, only known OCR confusions, only with a clear winner.

score(candidate) = log P(candidate | neighbours) - cost(confusions), the usual noisy channel (Kernighan, Church and
Gale 1990; for OCR: Kolak and Resnik 2002), with gates in place of a trained error model: words that have a capital,
that the document repeats, or that are half of something hyphenated are left alone; the best candidate must beat the
second by `MARGIN` and the word's staying as it is by `THRESHOLD`. A correction not made costs one error; a wrong one
costs trust.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from pipeline.rewriting.lexicon import Lexicon

MARGIN = 2.0  # nats by which the best candidate must beat the second
THRESHOLD = -19.0  # log P below which a candidate is less likely than a word that the lexicon merely lacks
PMI = (-3.0, 5.0)  # bounds of what a neighbour may say for or against a candidate, nats
CONFUSION = 4.5  # nats that a confusion costs before its own
REPEATED = 3  # an unknown word seen this often is a word of this document
COMMON = 19.5  # log count (about 300 million) of the short words that two confusions may lead to

SPLIT = 6.0  # nats that two words read as one cost
# Ends of words that were cut at a line end; what they were cut from is elsewhere.
_PIECES = frozenset(
    "tion tions sion sions ment ments ing ings ness ly bly bles ble ed er ers est ous ious ive sive tive ence ance ent ant "
    "ents ants ful less ity ties ties ity ther ted ded ning ting ling sing ding ring ging cing ters ters dent tial cial".split()
)
# In the word list, but in print mostly a misread "and", "the": treated as unknown.
_SUSPECT = frozenset({"aud", "tho", "lie's", "ind", "tie's"})

# (read, printed, cost in nats). From descriptions of Tesseract's and newspaper OCR's errors; nothing is fitted.
_CONFUSIONS: tuple[tuple[str, str, float], ...] = (
    *((a, b, 1.0) for a, b in (
        ("rn", "m"), ("m", "rn"), ("cl", "d"), ("d", "cl"), ("1", "l"), ("0", "o"), ("c", "e"), ("e", "c"), ("b", "h"),
        ("h", "b"), ("li", "h"), ("h", "li"), ("ii", "n"), ("n", "ii"), ("ii", "u"), ("u", "n"), ("n", "u"), ("vv", "w"),
        ("l", "i"), ("i", "l"), ("1", "i"), ("!", "l"), ("|", "l"), ("tb", "th"), ("f", "s"), ("o", "e"), ("e", "o"),
        ("a", "o"), ("o", "a"), ("5", "s"), ("6", "o"), ("j", "i"), ("lj", "h"), ("fi", "h"), ("ri", "n"), ("in", "m"),
        ("ni", "m"), ("m", "in"), ("nn", "m"), ("iu", "in"), ("ln", "in"), ("wb", "wh"), ("tii", "th"), ("vy", "w"),
        ("«", "w"), ("£", "f"), ("9", "g"), ("8", "s"), ("rnm", "mm"), ("tt", "ll"), ("ct", "d"), ("lf", "ff"), ("ff", "fi"),
        ("tl", "d"), ("a", "e"), ("e", "a"), ("s", "a"), ("i", "t"), ("t", "i"), ("l", "t"), ("t", "l"), ("f", "t"), ("t", "f"),
    )),
    *((a, b, 2.0) for a, b in (
        ("r", "t"), ("y", "v"), ("v", "y"), ("g", "q"), ("q", "g"), ("n", "r"), ("r", "n"), ("s", "f"), ("v", "r"), ("h", "n"), ("n", "h"),
        ("k", "h"), ("b", "li"), ("a", "s"), ("a", "u"), ("u", "a"), ("p", "n"), ("w", "v"), ("c", "o"), ("o", "c"), ("z", "s"), ("m", "n"),
        ("n", "m"), ("x", "s"), ("ti", "n"), ("d", "a"), ("l", "f"), ("il", "ll"), ("w", "m"), ("m", "w"), ("y", "g"), ("g", "y"),
        ("x", "n"), ("p", "y"), ("u", "ll"), ("k", "b"), ("t", "r"), ("ur", "m"), ("u", "ri"), ("nl", "m"), ("j", "l"), ("e", "s"),
    )),
    ("*", "", 1.5), ("'", "", 1.5), ("~", "", 1.0), ("^", "", 1.0), ("•", "", 1.0), ("_", "", 1.0), ("`", "", 1.0),
)
_TOKEN = re.compile(r"\S+")
# A word that may be mended: lower-case letters, with the digits and signs that OCR puts for letters inside it.
_WORD = re.compile(r"([(\"'“‘\[]*)([a-z][a-z0-9!|«£*~^•_`']+[a-z0-9|«£])([)\"'”’\],.;:?!]*)$")
_BY_FIRST: dict[str, list[tuple[str, str, float]]] = {}
for _confusion in _CONFUSIONS:
    _BY_FIRST.setdefault(_confusion[0][0], []).append(_confusion)


def mend_words(text: str, lexicon: Lexicon) -> tuple[str, int]:
    """Text with its clearly misread words put right, and how many were changed."""
    tokens = list(_TOKEN.finditer(text))
    words = [match.group() for match in tokens]
    counts: Counter[str] | None = None
    out: list[str] = []
    at = changed = 0
    for index, token in enumerate(words):
        if token in lexicon.words and token not in _SUSPECT:
            continue
        match = _WORD.match(token)
        if not match or not _mendable(match.group(2), lexicon):
            continue
        counts = counts or Counter(words)
        repeated = counts[token] >= REPEATED and match.group(2) not in _SUSPECT
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


def _mendable(word: str, lexicon: Lexicon) -> bool:
    if word in _SUSPECT:
        return True
    return word not in lexicon and word not in _PIECES and sum(c.isalpha() for c in word) >= 0.6 * len(word) and "'" not in word[-3:]


def _is_tail(left: str, word: str, lexicon: Lexicon) -> bool:
    """Whether `word` is the rest of a word that was read as two ("ser vitude")."""
    if len(left) < 2 or not left.isalpha() or not left.islower() or len(left) + len(word) < 6:
        return False
    return left not in lexicon.words and (left + word) in lexicon.words


def correct(word: str, left: str, right: str, lexicon: Lexicon) -> str:
    """The known word that `word` was printed as, "" where none stands out.

    `left` and `right` are the neighbouring tokens as they stand, "" at an end; punctuation between cuts the context.
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

    One confusion; or two where the word is long enough to be recognised, or is printed on every page ("tbo", the).
    """
    known = lexicon.words
    once = [(word[:at] + printed + word[at + len(read) :], at + len(printed), CONFUSION + cost)
            for at, (read, printed, cost) in _places(word)]
    for candidate, _, cost in once:
        if candidate in known and candidate not in _SUSPECT and len(candidate) > 1:
            yield candidate, cost
    for at in range(1, len(word)):
        left, right = word[:at], word[at:]
        if (left, right) in lexicon.bigrams and left in known and right in known:
            yield f"{left} {right}", SPLIT
    floor = 0.0 if len(word) >= 7 else COMMON
    if len(word) > 12:
        return
    for candidate, resume, cost in once:
        for at, (read, printed, more) in _places(candidate, resume):
            twice = candidate[:at] + printed + candidate[at + len(read) :]
            if known.get(twice, -1.0) >= floor and twice not in _SUSPECT:
                yield twice, cost + more + CONFUSION


def _places(word: str, start: int = 0) -> Iterator[tuple[int, tuple[str, str, float]]]:
    for at in range(start, len(word)):
        for confusion in _BY_FIRST.get(word[at], ()):
            if word.startswith(confusion[0], at):
                yield at, confusion

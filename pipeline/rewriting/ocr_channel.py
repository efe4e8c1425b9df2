"""A noisy channel for words: what was printed, given what was read and the words beside it.

log P(printed | read) = log P(printed | neighbours) + log P(read | printed) + const (Kernighan, Church and Gale 1990;
for OCR: Kolak and Resnik 2002). P(read | printed) is a table of edits learned from read text and its truth. Its
level is the document's own: the share of its commonest words that are misread says how much was misread at all, so
that clean text, where no "the" is read "tbe", is left as it is. That the word stands as it was printed is one of the
answers: a known word is as likely as the lexicon says, an unknown one as likely as its letters make a word. A word
is changed when the best answer is another one with a posterior of at least `SURE`.
"""

from __future__ import annotations

import math
import re
from collections import Counter

from classifiers.ocr.confusions import ABBREVIATIONS
from classifiers.ocr.lexicon import Lexicon
from classifiers.ocr.noise import NOISY, noise_of
from classifiers.ocr.reading import QUOTES, TOKEN, Channel, Reading, bounded, other_words, read_token

SURE = 0.97, 0.65  # posterior from which a word is changed: of clean text, of a misread document
KNOWN = 2.0  # nats that speak for a word that is known as it stands
CAPITAL = -2.5  # log P that a known word has a capital inside a sentence
REPEATED = 3  # an unknown word seen this often is a word of this document
OFTEN = -8.0  # log P of words that may be what a repeated word was printed as

_PREFIXES = ("un", "re", "in", "non", "pre", "over", "under", "out", "sub", "semi", "mis", "dis", "de", "co")
_SUFFIXES = ("s", "es", "d", "ed", "r", "er", "est", "ing", "ings", "ly", "ness", "less", "like", "y", "ward", "wards")
_STRAY = re.compile(r"(?<![\w.'’-])([a-z]{2,})(\.) (?=([a-z]{2,})\b(?![.(]))")


def mend_words(text: str, channel: Channel) -> tuple[str, int]:
    """Text with its misread words put right, and how many were changed."""
    spans = [match.span() for match in TOKEN.finditer(text)]
    tokens = [text[start:end] for start, end in spans]
    readings = [read_token(token, channel) for token in tokens]
    noise, _ = noise_of(readings)
    noisy, lexicon = noise >= NOISY, channel.lexicon
    shift = math.log(channel.table.noise / noise)
    counts = Counter(reading.core for reading in readings if reading and not reading.known)
    out: list[str] = []
    at = changed = 0
    left = ""  # the word before, as it now stands, "" where a sentence or a gap ends
    skip = False
    for i, reading in enumerate(readings):
        start, end = spans[i]
        if i and text[spans[i - 1][1] : start] not in (" ", "\n"):
            left = ""
        if skip:
            skip = False
            continue
        if reading is None:
            left = ""
            continue
        joined = i + 1 < len(spans) and text[end : spans[i + 1][0]] in (" ", "\n")
        right = readings[i + 1] if joined else None
        if noisy or not (reading.known and (right is None or right.known)):
            if (
                right is not None
                and not (reading.known and right.known)
                and (whole := _merge(reading, right, shift, SURE[noisy], channel))
            ):
                out.append(text[at:start] + reading.before + _cased(whole, reading.core) + right.after)
                at, changed, left, skip = spans[i + 1][1], changed + 1, whole, True
                continue
            word = "I" if noisy and reading.core == "i" and joined else ""
            if not word and (noisy or _is_plain(reading, lexicon)):
                word = choose(reading, left, right, shift, counts[reading.core] >= REPEATED, SURE[noisy], channel)
            if word:
                out.append(text[at:start] + reading.before + _cased(word, reading.core) + reading.after)
                at, changed = end, changed + 1
                left = "" if reading.after else word.rpartition(" ")[2]
                continue
        left = "" if reading.after else reading.word
    return "".join(out) + text[at:], changed


def _is_plain(reading: Reading, lexicon: Lexicon) -> bool:
    """Whether a word of clean text may be a misread one all the same.

    Not a name, a term with signs, a foreign word, nor one made of a word that is known ("preadolescence").
    """
    word = reading.core
    if not (len(word) > 2 and word.isalpha() and word.islower() and word.isascii() and reading.before in QUOTES):
        return False
    stems = (word[len(part) :] for part in _PREFIXES if word.startswith(part))
    ends = (word[: -len(part)] for part in _SUFFIXES if word.endswith(part))
    return not any(len(stem) > 3 and (stem in lexicon or stem + "e" in lexicon) for stem in (*stems, *ends))


def choose(
    reading: Reading, left: str, right: Reading | None, shift: float, repeated: bool, sure: float, channel: Channel
) -> str:
    """The word that a token was printed as, "" where it stays.

    `shift`: nats that each edit costs more than in the table; `sure`: posterior that the word needs.
    """
    options = reading.choices or other_words(reading, channel)
    if not options:
        return ""
    lexicon = channel.lexicon
    after = right.guess if right is not None and not reading.after and not right.before else ""
    stays = reading.stays
    if reading.known:
        stays += KNOWN + _context(reading.word, reading.word, left, after, lexicon)
    capital = CAPITAL if reading.core[0].isupper() and left else 0.0
    best, chosen, total = stays, "", 0.0
    scores = [stays]
    for choice in options:
        if repeated and (choice.share < OFTEN or reading.core[0].isupper()) and " " not in choice.word:
            continue
        first, _, last = choice.word.partition(" ")
        score = (
            choice.share
            - choice.cost
            - shift * choice.edits
            + capital
            + _context(first, last or first, left, after, lexicon)
        )
        scores.append(score)
        if score > best:
            best, chosen = score, choice.word
    total = sum(math.exp(score - best) for score in scores)
    return chosen if chosen and 1.0 / total >= sure else ""


def _context(first: str, last: str, left: str, right: str, lexicon: Lexicon) -> float:
    score = bounded(lexicon.pmi(left, first)) if left else 0.0
    return score + (bounded(lexicon.pmi(last, right)) if right else 0.0)


def _merge(reading: Reading, right: Reading, shift: float, sure: float, channel: Channel) -> str:
    """The one word that two tokens were printed as, "" where they are two."""
    if right.before or not right.core[0].islower():
        return ""
    if reading.after and reading.after != "-":
        return ""
    lexicon = channel.lexicon
    word = reading.word + right.word
    if word not in lexicon.words or len(word) < 4:
        return ""
    parts = max(reading.stays, _best(reading, shift)) + max(right.stays, _best(right, shift))
    score = lexicon.log_share(word) - (0.0 if reading.after else channel.table.space_added)
    return word if 1 / (1 + math.exp(min(parts - score, 50.0))) >= sure else ""


def _best(reading: Reading, shift: float) -> float:
    return max((each.share - each.cost - shift * each.edits for each in reading.choices), default=-1e9)


def _cased(word: str, core: str) -> str:
    return word[:1].upper() + word[1:] if core[0].isupper() else word


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

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
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.rewriting.lexicon import Lexicon
from pipeline.rewriting.ocr_confusions import ABBREVIATIONS, COMMON, GLUE, PIECES, SUSPECT
from pipeline.rewriting.ocr_edits import EditTable, fold
from pipeline.rewriting.ocr_search import Edits, Found, Spelling, Trie, build_trie, find, lay_out

SURE = 0.85  # posterior from which a word is changed
UNKNOWN = (-6.0, -4.0)  # log P that a printed word is one the lexicon lacks: in small letters, with a capital
CAPITAL = -2.5  # log P that a known word has a capital inside a sentence
CONTEXT = 8.0  # nats that neighbours may speak for a word: what is further behind is not even looked at
PMI = (-3.0, 5.0)  # bounds of what one neighbour may say, nats
CLEAN = 0.002, 40.0  # share of common words misread that is expected of any document, and how many words that weighs
ENGLISH = 0.12  # share of common English words from which a text is taken for English
REPEATED = 3  # an unknown word seen this often is a word of this document
OFTEN = -8.0  # log P of words that may be what a repeated word was printed as
LIMIT = 100_000  # tokens remembered

_TOKEN = re.compile(r"[^\s—–]+")
_CORE = re.compile(r"""^([("'“‘\[*_~^•.,:;-]*)(.*?)([)"'”’\],.;:?!*_~^•-]*)$""", re.DOTALL)
_NUMBER = re.compile(r"^\W*\d[\d.,:/]*\w{0,2}\W*$")
_STRAY = re.compile(r"(?<![\w.'’-])([a-z]{2,})(\.) (?=([a-z]{2,})\b(?![.(]))")


@dataclass(frozen=True)
class Reading:
    """What a token may be. `stays`: log P of its letters as they stand; `words`: its words, small, for neighbours."""

    before: str
    core: str
    after: str
    word: str
    known: bool
    stays: float
    choices: tuple[Found, ...]
    guess: str  # the likeliest word by itself
    common: bool
    misread: bool  # an unknown word that is likeliest a common one


@dataclass(frozen=True)
class Channel:
    lexicon: Lexicon
    table: EditTable
    trie: Trie
    edits: Edits
    spelling: Spelling
    remembered: dict[str, Reading | None] = field(default_factory=dict)  # answers of `read_token`, a pure function


def build_channel(lexicon: Lexicon, table: EditTable) -> Channel:
    trie = build_trie({word: lexicon.log_share(word) for word in lexicon.words if word not in SUSPECT and (len(word) > 1 or word in "ai")})
    return Channel(lexicon, table, trie, lay_out(table), Spelling(trie))


def read_token(token: str, channel: Channel) -> Reading | None:
    """None for what is no word."""
    if token in channel.remembered:
        return channel.remembered[token]
    if len(channel.remembered) >= LIMIT:
        channel.remembered.clear()
    reading = channel.remembered[token] = _read(token, channel)
    return reading


def _read(token: str, channel: Channel) -> Reading | None:
    match = _CORE.match(token)
    if match is None or _NUMBER.match(token):
        return None
    before, core, after = match.groups()
    if core[-2:] in ("'s", "’s") and len(core) > 3:
        core, after = core[:-2], core[-2:] + after
    letters = sum(char.isalpha() for char in core)
    if letters < 0.5 * len(core) or not letters or "-" in core:
        return None
    lexicon, word = channel.lexicon, fold(core).replace("’", "'")
    small = word.lower()
    known = word in lexicon and word not in SUSPECT and len(word) > 1
    if len(core) == 1:
        return Reading(before, core, after, small, True, 0.0, (), small, False, False)
    if known:
        stays = lexicon.log_share(small)
    else:
        stays = UNKNOWN[core[0].isupper()] + channel.spelling.log_probability(word)
        if after.startswith(".") and len(word) <= 4:
            stays += 4.0  # an abbreviation
    if (core.isupper() and len(core) > 1) or (small in PIECES and not known):
        return Reading(before, core, after, small, known, stays, (), small if known else "", small in COMMON, False)
    choices = [each for each in find(word, channel.trie, channel.edits, CONTEXT - stays) if each.word != small]
    if not known:
        choices += _splits(word, channel)
    choices.sort(key=lambda each: (each.cost - each.share, each.word))
    likely = choices[0].word if choices and choices[0].share - choices[0].cost > stays else small if known else ""
    common = known and small in COMMON
    return Reading(before, core, after, small, known, stays, tuple(choices[:6]), likely, common, likely in COMMON and not known)


def _splits(word: str, channel: Channel) -> list[Found]:
    """Two words read as one, one of them a small one ("ofthe")."""
    lexicon, found = channel.lexicon, []
    for at in range(1, len(word)):
        left, right = word[:at], word[at:]
        if (left in GLUE or right in GLUE) and left in lexicon.words and right in lexicon.words and (at > 1 or left in "ai"):
            share = lexicon.log_share(left) + lexicon.log_share(right) + _bounded(lexicon.pmi(left, right))
            found.append(Found(f"{left} {right}", channel.table.space_lost, 1, share))
    return found


def _bounded(value: float) -> float:
    return min(max(value, PMI[0]), PMI[1])


def mend_words(text: str, channel: Channel) -> tuple[str, int]:
    """Text with its misread words put right, and how many were changed."""
    spans = [match.span() for match in _TOKEN.finditer(text)]
    tokens = [text[start:end] for start, end in spans]
    readings = [read_token(token, channel) for token in tokens]
    noise, _ = noise_of(readings)
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
        if reading.choices or not reading.known:
            if right is not None and (whole := _merge(reading, right, left, shift, channel)):
                out.append(text[at:start] + reading.before + _cased(whole, reading.core) + right.after)
                at, changed, left, skip = spans[i + 1][1], changed + 1, whole, True
                continue
            word = choose(reading, left, right, shift, counts[reading.core] >= REPEATED, channel)
            if word:
                out.append(text[at:start] + reading.before + _cased(word, reading.core) + reading.after)
                at, changed = end, changed + 1
                left = "" if reading.after else word.rpartition(" ")[2]
                continue
        left = "" if reading.after else reading.word
    return "".join(out) + text[at:], changed


def noise_of_text(text: str, channel: Channel) -> tuple[float, bool]:
    """Share of common words that are misread, drawn towards `CLEAN`, and whether the text is English at all."""
    return noise_of([read_token(match.group(), channel) for match in _TOKEN.finditer(text)])


def noise_of(readings: Sequence[Reading | None]) -> tuple[float, bool]:
    words = common = misread = 0
    for reading in readings:
        if reading is not None:
            words += 1
            common += reading.common
            misread += reading.misread
    noise = (misread + CLEAN[0] * CLEAN[1]) / (misread + common + CLEAN[1])
    return noise, (common + misread) >= ENGLISH * words


def choose(reading: Reading, left: str, right: Reading | None, shift: float, repeated: bool, channel: Channel) -> str:
    """The word that a token was printed as, "" where it stays. `shift`: nats that each edit costs more than it does in the table."""
    lexicon = channel.lexicon
    after = right.guess if right is not None and not reading.after and not right.before else ""
    stays = reading.stays
    if reading.known:
        stays += _context(reading.word, reading.word, left, after, lexicon)
    capital = CAPITAL if reading.core[0].isupper() and left else 0.0
    best, chosen, total = stays, "", 0.0
    scores = [stays]
    for choice in reading.choices:
        if repeated and choice.share < OFTEN and " " not in choice.word:
            continue
        first, _, last = choice.word.partition(" ")
        score = choice.share - choice.cost - shift * choice.edits + capital + _context(first, last or first, left, after, lexicon)
        scores.append(score)
        if score > best:
            best, chosen = score, choice.word
    total = sum(math.exp(score - best) for score in scores)
    return chosen if chosen and 1.0 / total >= SURE else ""


def _context(first: str, last: str, left: str, right: str, lexicon: Lexicon) -> float:
    score = _bounded(lexicon.pmi(left, first)) if left else 0.0
    return score + (_bounded(lexicon.pmi(last, right)) if right else 0.0)


def _merge(reading: Reading, right: Reading, left: str, shift: float, channel: Channel) -> str:
    """The one word that two tokens were printed as, "" where they are two."""
    if right.before or (reading.known and right.known) or not right.core[0].islower():
        return ""
    if reading.after and reading.after != "-":
        return ""
    lexicon = channel.lexicon
    word = reading.word + right.word
    if word not in lexicon.words or len(word) < 4:
        return ""
    parts = max(reading.stays, _best(reading, shift)) + max(right.stays, _best(right, shift))
    score = lexicon.log_share(word) - (0.0 if reading.after else channel.table.space_added + shift)
    return word if 1 / (1 + math.exp(min(parts - score, 50.0))) >= SURE else ""


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

"""What one token of OCR text may have been printed as, whatever stands beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

from classifiers.ocr.confusions import COMMON, GLUE, PIECES, SUSPECT
from classifiers.ocr.edits import EditTable, fold
from classifiers.ocr.lexicon import Lexicon
from classifiers.ocr.search import Edits, Found, Trie, build_trie, find, lay_out
from classifiers.ocr.spelling import Spelling

UNKNOWN = (-5.0, -3.0)  # log P that a printed word is one the lexicon lacks: in small letters, with a capital
ABBREVIATED = 4.0  # nats that a full stop speaks for a short word that is not in the lexicon
BEHIND = 4.0, 0.0  # nats that a word may be behind an unknown one, and a known one, as they stand; context decides
NAME = 22.0  # cost - log P at most for a word with a capital, most of which are names
CHOICES = 6  # words kept of one token
LETTER = -11.0  # log P of a single letter
PMI = (-6.0, 8.0)  # bounds of what one neighbour may say, nats
LIMIT = 100_000  # tokens remembered

QUOTES = ("", "(", '"', "“", "‘", "'")  # what stands before a word in clean text

TOKEN = re.compile(r"[^\s—–]+")
_CORE = re.compile(r"""^([("'“‘\[*_~^•.,:;-]*)(.*?)([)"'”’\],.;:?!*_~^•-]*)$""", re.DOTALL)
_NUMBER = re.compile(r"^\W*\d[\d.,:/]*\w{0,2}\W*$")


class Reading(NamedTuple):  # quicker to make than a dataclass, and there are many
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
    others: dict[str, tuple[Found, ...]] = field(default_factory=dict)  # and of `other_words`


def build_channel(lexicon: Lexicon, table: EditTable) -> Channel:
    trie = build_trie(
        {
            word: lexicon.log_share(word)
            for word in lexicon.words
            if word not in SUSPECT and (len(word) > 1 or word in "ai")
        }
    )
    return Channel(lexicon, table, trie, lay_out(table, trie), Spelling(trie))


def read_token(token: str, channel: Channel) -> Reading | None:
    """None for what is no word."""
    if token in channel.remembered:
        return channel.remembered[token]
    if len(channel.remembered) >= LIMIT:
        channel.remembered.clear()
    reading = channel.remembered[token] = _read(token, channel)
    return reading


def _read(token: str, channel: Channel) -> Reading | None:
    if token in channel.lexicon.words and token not in SUSPECT and len(token) > 1:
        share = channel.lexicon.log_share(token)
        return Reading("", token, "", token, True, share, (), token, token in COMMON, False)
    match = _CORE.match(token)
    if match is None or _NUMBER.match(token):
        return None
    before, core, after = match.groups()
    if core[-2:] in ("'s", "’s") and len(core) > 3:
        core, after = core[:-2], core[-2:] + after
    letters = len(core) if core.isalpha() else sum(char.isalpha() for char in core)
    if letters < 0.5 * len(core) or not letters or "-" in core:
        return None
    lexicon, word = channel.lexicon, fold(core).replace("’", "'")
    small = word.lower()
    known = word in lexicon and word not in SUSPECT and len(word) > 1
    if after[:1] in ("'", "’") and f"{small}'" in lexicon:  # an elision: "th' other"
        return Reading(before, core, after, small, True, LETTER, (), "", False, False)
    if len(core) == 1:
        return Reading(before, core, after, small, small in "aio", LETTER, (), small, False, False)
    if known:
        stays = lexicon.log_share(small)
    else:
        stays = UNKNOWN[core[0].isupper()] + channel.spelling.log_probability(word)
        if after.startswith(".") and len(word) <= 4:
            stays += 4.0  # an abbreviation
    if (core.isupper() and len(core) > 1) or (small in PIECES and not known):
        return Reading(before, core, after, small, known, stays, (), small if known else "", small in COMMON, False)
    if known:
        return Reading(before, core, after, small, True, stays, (), small, small in COMMON, False)
    if core[0].isupper():  # most are names: see `other_words`
        return Reading(before, core, after, small, False, stays, (), "", False, False)
    choices = [*find(word, channel.trie, channel.edits, BEHIND[0] - stays), *_splits(word, channel)]
    choices.sort(key=lambda each: (each.cost - each.share, each.word))
    likely = choices[0].word if choices and choices[0].share - choices[0].cost > stays else ""
    plain = core.isascii() and core.isalpha() and before in QUOTES
    misread = plain and likely in COMMON
    return Reading(before, core, after, small, False, stays, tuple(choices[:CHOICES]), likely, False, misread)


def other_words(reading: Reading, channel: Channel) -> tuple[Found, ...]:
    """Known words that a token may be misread from that only a misread document is asked for: a known word, as "bad"
    may be "had", and one with a capital."""
    core = reading.core
    if len(core) == 1 or core.isupper():
        return ()
    found = channel.others.get(core)
    if found is None:
        if len(channel.others) >= LIMIT:
            channel.others.clear()
        word = fold(core).replace("’", "'")
        limit = BEHIND[1] - reading.stays if reading.known else min(BEHIND[0] - reading.stays, NAME)
        every = find(word, channel.trie, channel.edits, limit)
        if not reading.known:
            every = sorted([*every, *_splits(word, channel)], key=lambda each: (each.cost - each.share, each.word))
        found = channel.others[core] = tuple(each for each in every if each.word != reading.word)
    return found


def _splits(word: str, channel: Channel) -> list[Found]:
    """Two words read as one, one of them a small one ("ofthe")."""
    lexicon, found = channel.lexicon, []
    for at in range(1, len(word)):
        left, right = word[:at], word[at:]
        if (
            (left in GLUE or right in GLUE)
            and left in lexicon.words
            and right in lexicon.words
            and (at > 1 or left in "ai")
        ):
            share = lexicon.log_share(left) + lexicon.log_share(right) + bounded(lexicon.pmi(left, right))
            found.append(Found(f"{left} {right}", channel.table.space_lost, 1, share))
    return found


def bounded(pmi: float) -> float:
    return min(max(pmi, PMI[0]), PMI[1])

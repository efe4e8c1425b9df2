"""Words of English text: punctuation, contractions and units are words of their own.

The rules aim at the words of spaCy's blank English pipeline, for these are what datatrove's filters count; they are
said anew, as conditions on characters, so that they compile. Known departures: fewer emoticons, no chains of
contractions ("couldn't've"), and a simpler rule for web addresses. benchmarks/curate.py measures how often decisions
differ.

How a piece between spaces is cut: as long as something comes off, an opening mark and a closing mark are taken from its
ends, unless what is left is listed (abbreviations, contractions). What is left then stays whole if it is a web address,
and otherwise is cut at inner marks (hyphens, slashes, …).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from classifiers.characters import DIGIT, LETTER, LOWER, SPACE, SYMBOL, UPPER, Batch, Spans, spans_of, whitespace_words

OPENING, CLOSING, QUOTE, MONEY, ICON = (1 << bit for bit in range(5))
"""What a mark is to the splitter, as bits."""

_QUOTES = "'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉⟦⟧"
_MARKS = "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪"
_MONEY = "$£€¥฿₽﷼" + "".join(map(chr, range(0x20A0, 0x20C0)))
_UNITS = (
    "km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz m/s km/h kmh mph hPa Pa "
    "mbar mb MB kb KB gb GB tb TB T G M K %"
)
_WHOLE = (
    "Adm. Bros. co. Co. Corp. D.C. Dr. Gen. Gov. Inc. Jr. Ltd. Messrs. Mr. Mrs. Ms. Mt. Ph.D. Prof. Rep. Rev. Sen. St. "
    "vs. v.s. e.g. E.g. E.G. i.e. I.e. I.E. a.m. p.m. Jan. Feb. Mar. Apr. Jun. Jul. Aug. Sep. Sept. Oct. Nov. Dec. Ak. "
    "Ala. Ariz. Ark. Calif. Colo. Conn. Del. Fla. Ga. Ia. Id. Ill. Ind. Kan. Kans. Ky. La. Mass. Md. Mich. Minn. Miss. "
    "Mo. Mont. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr. Nev. Okla. Ore. Pa. S.C. Tenn. Va. Wash. Wis. C++ and/or w/o "
    "o'clock o’clock ma'am ma’am 'em ’em 'cause ’cause \\n \\t 's ’s 'S ’S 'd ’d 'll ’ll 're ’re '' ’’ "
    ":) :-) ;) ;-) :( :-( :D :-D ;D :P :p :-P :/ :| :O :o :] :} :3 :* :> ): =) =( =D (: <3 xD XD 8) ^_^ -_- o_o O_O"
)
_SUBJECTS = "i you he she it we they that this these those there who what when where why how"
_ENDINGS = "d ll re ve s m"
_AUXILIARIES = "ai are ca could dare did does do had has have is may might must need ought sha should was were wo would"
_OTHER_WORDS = "is here ire ill well hell shell were shed its"  # no contractions that lack their apostrophe


def _listed() -> dict[str, int]:
    """Pieces that are looked up → characters before the cut, or 0 for those that stay whole."""
    found = dict.fromkeys([*_WHOLE.split(), *(f"{letter}." for letter in "abcdefghijklmnopqrstuvwxyzäöü")], 0)
    for hour in range(1, 13):
        found |= {f"{hour}{half}": len(str(hour)) for half in ("am", "pm", "a.m.", "p.m.")}
    cuts = {"cannot": 3, "gonna": 3, "gotta": 3, "let's": 3, "let’s": 3}
    for apostrophe in ("", "'", "’"):
        cuts |= {f"{verb}n{apostrophe}t": len(verb) for verb in _AUXILIARIES.split()}
        cuts |= {
            word: len(subject)
            for subject in _SUBJECTS.split()
            for ending in _ENDINGS.split()
            if (word := f"{subject}{apostrophe}{ending}") not in _OTHER_WORDS.split()
            and (ending != "m" or subject == "i")
        }
    return found | cuts | {word.capitalize(): cut for word, cut in cuts.items()}


@njit(cache=True)
def _hash(codes, start, end):
    """FNV-1a over code points."""
    value = np.uint64(0xCBF29CE484222325)
    for i in range(start, end):
        value = (value ^ np.uint64(codes[i])) * np.uint64(0x100000001B3)
    return value


def _table(pieces: dict[str, int]) -> tuple[NDArray[np.uint64], NDArray[np.int64]]:
    """Return an open hash table, seven eighths empty: the pieces' hashes (0 is free) and their values."""
    size = 1 << (8 * len(pieces)).bit_length()
    keys, values = np.zeros(size, np.uint64), np.zeros(size, np.int64)
    for text, value in pieces.items():
        key = _hash(np.array([*map(ord, text)], np.uint32), 0, len(text))
        slot = int(key) % size
        while keys[slot]:
            slot = (slot + 1) % size
        keys[slot], values[slot] = key, value
    return keys, values


@lru_cache(maxsize=1)
def _tables() -> tuple[NDArray[np.uint8], NDArray[np.uint64], NDArray[np.int64], NDArray[np.uint64]]:
    """Return the bits of every code point, the hashes of what is listed, where each is cut, and the units' hashes."""
    marks = np.zeros(0x20000, np.uint8)

    def add(chars: str, bits: int) -> None:
        for char in chars:
            marks[ord(char)] |= bits

    add(_QUOTES, OPENING | CLOSING | QUOTE)
    add(_MARKS + "—–", OPENING | CLOSING)
    add("§%=", OPENING)
    add(_MONEY, OPENING | MONEY)
    icons = (char for char in map(chr, range(0xA0, len(marks))) if unicodedata.category(char) == "So")
    add("".join(icons), OPENING | CLOSING | ICON)
    return marks, *_table(_listed()), _table(dict.fromkeys(_UNITS.split(), 0))[0]


_LONGEST = max(map(len, _listed()))
_LONGEST_UNIT = max(map(len, _UNITS.split()))


@njit(cache=True)
def _find(keys, value):
    """Return the slot of a hash in a table, or -1."""
    slot = value & np.uint64(len(keys) - 1)
    while keys[slot] != 0 and keys[slot] != value:
        slot = (slot + np.uint64(1)) & np.uint64(len(keys) - 1)
    return np.int64(slot) if keys[slot] == value else np.int64(-1)


@njit(cache=True)
def _is_digit(code):
    return 48 <= code <= 57


@njit(cache=True)
def _mark(codes, marks, i):
    return marks[codes[i]] if codes[i] < len(marks) else 0


@njit(cache=True)
def _opening(codes, marks, start, end):
    """Characters of the mark that a piece begins with."""
    code = codes[start]
    if code == 46:  # points: two or more
        stop = start
        while stop < end and codes[stop] == 46:
            stop += 1
        return stop - start if stop - start > 1 else 0
    if code == 43:  # plus, but not of a number
        return 0 if start + 1 < end and _is_digit(codes[start + 1]) else 1
    if _mark(codes, marks, start) & OPENING:
        return 1
    if end - start > 1 and codes[start + 1] == 36:  # "C$", "A$"
        return 2 if code == 67 or code == 65 else 0
    if end - start > 2 and code == 85 and codes[start + 1] == 83 and codes[start + 2] == 36:  # "US$"
        return 3
    return 0


@njit(cache=True)
def _closing(codes, kinds, marks, units, start, end):
    """Characters of the mark that a piece ends with."""
    code = codes[end - 1]
    before = end - 2
    if code == 46:
        stop = end
        while stop > start and codes[stop - 1] == 46:
            stop -= 1
        if end - stop > 1:
            return end - stop
        if before < start:
            return 0
        if _is_digit(codes[before]) or codes[before] in (37, 178, 45, 43) or _mark(codes, marks, before) & CLOSING:
            return 1
        if kinds[before] & LETTER and not kinds[before] & UPPER:
            return 0 if before > start and codes[before - 1] == 176 else 1
        return 1 if before > start and kinds[before] & UPPER and kinds[before - 1] & UPPER else 0
    if _mark(codes, marks, end - 1) & CLOSING:
        return 1
    if before < start:
        return 0
    if (code == 115 or code == 83) and (codes[before] == 39 or codes[before] == 0x2019):  # "'s"
        return 2
    if _is_digit(codes[before]) and (code == 43 or _mark(codes, marks, end - 1) & MONEY):
        return 1
    for length in range(min(_LONGEST_UNIT, end - start - 1), 0, -1):
        if _is_digit(codes[end - length - 1]) and _find(units, _hash(codes, end - length, end)) >= 0:
            return length
    return 0


@njit(cache=True)
def _is_address(codes, kinds, start, end):
    """Tell whether a piece is a web or mail address: a name with a point in it, before a path if there is one."""
    i = start
    while i < end and (kinds[i] & (LETTER | DIGIT) or codes[i] in (43, 45, 46, 95)):
        i += 1
    if i - start > 1 and end - i > 3 and codes[i] == 58 and codes[i + 1] == 47 and codes[i + 2] == 47:  # "https://"
        start = i + 3
    for i in range(end - 1, start, -1):
        if codes[i] == 64:
            start = i + 1
            break
    stop, point = start, -1
    while stop < end and (
        kinds[stop] & (LETTER | DIGIT) or codes[stop] == 45 or codes[stop] == 95 or codes[stop] == 46
    ):
        if codes[stop] == 46:
            if stop == start or codes[stop - 1] in (45, 46, 95):
                return False
            point = stop
        stop += 1
    if point < 0 or stop - point < 3:
        return False
    for i in range(point + 1, stop):
        if not kinds[i] & LETTER or kinds[i] & UPPER:
            return False
    if stop < end and codes[stop] == 58:  # port
        stop += 1
        while stop < end and _is_digit(codes[stop]):
            stop += 1
    return stop == end or codes[stop] in (47, 63, 35)


@njit(cache=True)
def _inner(codes, kinds, marks, i, end):
    """Characters of the inner mark that stands at `i`, or 0. There is a character before it."""
    code, last = codes[i], codes[i - 1]
    if _mark(codes, marks, i) & ICON or code == 0x2026:
        return 1
    if code == 46:
        stop = i
        while stop < end and codes[stop] == 46:
            stop += 1
        if stop - i > 1:
            return stop - i
        if stop == end:
            return 0
        left = (kinds[i - 1] & LETTER and not kinds[i - 1] & UPPER) or _mark(codes, marks, i - 1) & QUOTE
        right = (kinds[stop] & LETTER and not kinds[stop] & LOWER) or _mark(codes, marks, stop) & QUOTE
        return 1 if left and right else 0
    if i + 1 == end:
        return 0
    follows = codes[i + 1]
    if code in (43, 45, 42, 94) and _is_digit(last) and (_is_digit(follows) or follows == 45):
        return 1
    letter = kinds[i - 1] & LETTER
    if code == 44:
        return 1 if letter and kinds[i + 1] & LETTER else 0
    if not letter and not _is_digit(last):
        return 0
    if code in (58, 60, 62, 61, 47, 0x2013, 126):  # ":<>=/", dash, tilde
        return 1 if kinds[i + 1] & LETTER else 0
    if code == 45 or code == 0x2014:
        stop, most = i, 3 if code == 45 else 2
        while stop < end and stop - i <= most and codes[stop] == code:
            stop += 1
        return stop - i if stop < end and stop - i <= most and kinds[stop] & LETTER else 0
    return 0


@njit(cache=True)
def _cut(codes, kinds, marks, listed, cuts, units, starts, ends):
    """Write the words' bounds to `starts` and `ends`; return how many there are."""
    count, i, size = 0, 0, len(codes)
    closed = np.empty(size + 1, np.int64)  # ends of what came off behind, outermost first
    while i < size:
        if kinds[i] & SPACE:
            i += 1
            continue
        start, kind = i, 0
        while i < size and not kinds[i] & SPACE:
            kind |= kinds[i]
            i += 1
        end, behind, found = i, 0, -1
        if not kind & (SYMBOL | DIGIT) and (end - start > _LONGEST or _find(listed, _hash(codes, start, end)) < 0):
            starts[count], ends[count] = start, end  # most words end here
            count += 1
            continue
        while start < end:
            if end - start <= _LONGEST:
                found = _find(listed, _hash(codes, start, end))
                if found >= 0:
                    break
            opening = _opening(codes, marks, start, end)
            if opening:
                if 0 < end - start - opening <= _LONGEST:
                    found = _find(listed, _hash(codes, start + opening, end))
                if found >= 0 or opening == end - start:
                    starts[count], ends[count] = start, start + opening
                    count += 1
                    start += opening
                    break
            closing = _closing(codes, kinds, marks, units, start + opening, end)
            if closing:
                if 0 < end - start - closing <= _LONGEST:
                    found = _find(listed, _hash(codes, start, end - closing))
                if found >= 0:
                    closed[behind] = end
                    behind += 1
                    end -= closing
                    break
            if not opening and not closing:
                break
            if opening:
                starts[count], ends[count] = start, start + opening
                count += 1
                start += opening
            if closing:
                closed[behind] = end
                behind += 1
                end -= closing
        if start < end:
            if found >= 0:
                if cuts[found]:
                    starts[count], ends[count] = start, start + cuts[found]
                    count += 1
                    start += cuts[found]
            elif not _is_address(codes, kinds, start, end):
                j = start + 1
                while j < end:
                    length = _inner(codes, kinds, marks, j, end)
                    if not length:
                        j += 1
                        continue
                    if j > start:
                        starts[count], ends[count] = start, j
                        count += 1
                    starts[count], ends[count] = j, j + length
                    count += 1
                    j = start = j + length
            if start < end:
                starts[count], ends[count] = start, end
                count += 1
        for n in range(behind - 1, -1, -1):
            starts[count], ends[count] = end, closed[n]
            count += 1
            end = closed[n]
    return count


def english_words(batch: Batch) -> Spans:
    """Words as described above, in order."""
    starts, ends = np.empty((2, len(batch.codes)), np.int64)
    count = _cut(batch.codes, batch.kinds, *_tables(), starts, ends)
    return spans_of(batch, starts[:count].copy(), ends[:count].copy())


Splitter = Literal["whitespace", "punctuation"]

SPLITTERS: dict[Splitter, Callable[[Batch], Spans]] = {"whitespace": whitespace_words, "punctuation": english_words}
"""Ways of splitting words that a scorer's `words` may name."""

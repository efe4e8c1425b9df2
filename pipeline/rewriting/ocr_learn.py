"""Learn from read text and its truth what a reader makes of print, for `ocr_cleanup`'s param `confusions`:

    python -m pipeline.rewriting.ocr_learn PAIRS --read FIELD --printed FIELD --out TABLE.json

PAIRS is a file of records (JSONL, CSV, Parquet, any that a source can read) with a text as it was read and the same
text as it was printed. Both are aligned letter by letter (Levenshtein); what differs is counted as edits of pieces of
up to three characters: P(read | printed) = (times read so + K * P of the hand-written table) / (times printed + K).
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from classifiers.ocr.confusions import hand_written
from classifiers.ocr.edits import STRAIGHT, EditTable, fold, save_edits
from classifiers.ocr.lexicon import Lexicon, load_lexicon
from classifiers.ocr.noise import noise_of
from classifiers.ocr.reading import TOKEN, build_channel, read_token
from classifiers.ocr.search import LETTERS
from pipeline.readers.base import Record, Shard
from pipeline.readers.registry import format_named_like, read_shard
from pipeline.rewriting.ocr_layout import undo_layout

PRIOR = 30.0  # times that a piece counts as printed in the prior table
LEAST = 2  # times that an edit must have been seen
LEAST_SIGNS = 5  # times that a sign must have been read
NEARLY_ALWAYS = 0.8  # share of its readings from which a sign is one misread character and nothing else
PIECE = 3
ALONE = 2  # characters of a token that may be nothing but specks
_SPACE = re.compile(r"\s+")
_TOKEN = re.compile(r"\S+")
_PRINTED_ALONE = re.compile(r"[\dA-Z]")  # figures and initials stand alone in print
_LETTER = re.compile(r"[^\W\d_]")
_EDGES = re.compile(r"^([^\w]*|_+)(.*?)([^\w]*|_+)$", re.DOTALL)


@dataclass
class Counts:
    """What was seen in pairs of texts."""

    edits: Counter[tuple[str, str]] = field(default_factory=Counter)
    printed: Counter[str] = field(default_factory=Counter)  # pieces of 1 to 3 characters
    readings: dict[str, Counter[str]] = field(default_factory=dict)  # of a sign: what was printed there
    before: dict[str, Counter[bool]] = field(default_factory=dict)
    after: dict[str, Counter[bool]] = field(default_factory=dict)
    alone: dict[str, Counter[bool]] = field(default_factory=dict)
    too_long: int = 0  # differences of more than three characters, left out

    def add(self, read: str, printed: str) -> None:
        """Count one text. White space is collapsed on both sides, and quotes are straight: which ones a truth has is
        its editor's choice."""
        read, printed = (_SPACE.sub(" ", text).strip().translate(STRAIGHT) for text in (read, printed))
        folded = _TOKEN.sub(lambda match: fold_token(match.group()), read)
        target = printed.lower()
        for size in range(1, PIECE + 1):
            self.printed.update(target[at : at + size] for at in range(len(target) - size + 1))
        kept = [False] * len(folded)
        for piece_read, piece_printed, start, same in differences(folded, target):
            if same:
                kept[start : start + len(piece_read)] = [True] * len(piece_read)
                for char in piece_read:
                    if not char.isalnum() and not char.isspace():
                        self.readings.setdefault(char, Counter())[char] += 1
                continue
            if len(piece_read) > PIECE or len(piece_printed) > PIECE:
                self.too_long += 1
                continue
            self.edits[piece_read, piece_printed] += 1
            if len(piece_read) == 1 and not piece_read.isalnum() and piece_read != " ":
                self.readings.setdefault(piece_read, Counter())[piece_printed] += 1
        for match in _TOKEN.finditer(folded):
            self._add_edges(match.group(), match.start(), kept)
        for match in _TOKEN.finditer(read):
            if len(match.group()) <= ALONE and not _PRINTED_ALONE.search(match.group()):
                self.alone.setdefault(match.group(), Counter())[any(kept[match.start() : match.end()])] += 1

    def _add_edges(self, token: str, start: int, kept: list[bool]) -> None:
        match = _EDGES.match(token)
        if match is None or not _LETTER.search(match.group(2)):
            return
        if match.group(1):
            self.before.setdefault(match.group(1)[-1], Counter())[kept[start + match.end(1) - 1]] += 1
        if match.group(3):
            self.after.setdefault(match.group(3)[0], Counter())[kept[start + match.start(3)]] += 1


def fold_token(token: str) -> str:
    """`fold` of the word inside a token; as long as the token."""
    match = _EDGES.match(token)
    if match is None:
        return token
    folded = fold(match.group(2))
    return match.group(1) + folded + match.group(3) if len(folded) == len(match.group(2)) else token


def differences(read: str, printed: str) -> Iterator[tuple[str, str, int, bool]]:
    """(read, printed, place in `read`, whether they are equal) of all pieces, in order."""
    start_read = start_printed = 0
    end_read = end_printed = 0
    for op in Levenshtein.opcodes(read, printed):
        a, b, c, d = op.src_start, op.src_end, op.dest_start, op.dest_end
        if op.tag == "equal":
            if end_read > start_read or end_printed > start_printed:
                yield read[start_read:end_read], printed[start_printed:end_printed], start_read, False
            yield read[a:b], printed[c:d], a, True
            start_read, start_printed = b, d
        end_read, end_printed = b, d
    if end_read > start_read or end_printed > start_printed:
        yield read[start_read:end_read], printed[start_printed:end_printed], start_read, False


def learn(pairs: Sequence[tuple[str, str]], origin: str, lexicon: Lexicon) -> EditTable:
    """Table of edits from (read, printed) texts; the layout of what was read is undone first.

    Raises ValueError where nothing was printed.
    """
    counts = Counts()
    texts = [undo_layout(read, lexicon).text for read, _ in pairs]
    for text, (_, printed) in zip(texts, pairs, strict=True):
        counts.add(text, printed)
    table = table_of(counts, origin, hand_written())
    channel = build_channel(lexicon, table)
    readings = [read_token(match.group(), channel) for text in texts for match in TOKEN.finditer(text)]
    return table.model_copy(update={"noise": round(noise_of(readings)[0], 4)})


def table_of(counts: Counts, origin: str, prior: EditTable) -> EditTable:
    characters = sum(n for piece, n in counts.printed.items() if len(piece) == 1)
    if not characters:
        raise ValueError("no printed text to learn from")
    letters = sum(n for piece, n in counts.printed.items() if len(piece) == 1 and piece.isalpha())
    expected = {(read, printed): math.exp(-cost) for read, printed, cost in prior.edits}
    seen = {edit: n for edit, n in counts.edits.items() if n >= LEAST and _in_word(*edit)}
    edits = []
    for edit in sorted(expected.keys() | seen.keys()):
        read, printed = edit
        times = counts.printed[printed] if printed else characters
        probability = (seen.get(edit, 0) + PRIOR * expected.get(edit, 0.0)) / (times + PRIOR)
        if probability > 1e-6:
            edits.append((read, printed, round(-math.log(min(probability, 0.999)), 3)))
    rare: Counter[str] = Counter()
    for (read, printed), n in counts.edits.items():
        if n < LEAST and " " not in read + printed and len(read) <= 1 and len(printed) <= 1:
            rare["changed" if read and printed else "lost" if printed else "added"] += n
    # An edit seen less than twice is as likely as all of its kind together, shared out over letters and places.
    flat = {kind: -math.log((rare[kind] + 1) / (letters * 26)) for kind in ("changed", "lost", "added")}
    spaces = counts.printed[" "] + 2
    return EditTable(
        origin=origin,
        characters=characters,
        noise=prior.noise,
        edits=tuple(edits),
        changed=round(flat["changed"], 3),
        lost=round(flat["lost"], 3),
        added=round(flat["added"], 3),
        space_lost=round(-math.log((counts.edits["", " "] + 0.5) / spaces), 3),
        space_added=round(-math.log((counts.edits[" ", ""] + 0.5) / (letters + 1)), 3),
        signs=_signs(counts),
        before=_shares(counts.before),
        after=_shares(counts.after),
        alone=_shares(counts.alone),
    )


def _in_word(read: str, printed: str) -> bool:
    """Whether a known word may hold what was printed, and one token what was read."""
    return " " not in read and not printed.strip(LETTERS)


def _signs(counts: Counts) -> dict[str, str]:
    found = {}
    for sign, readings in sorted(counts.readings.items()):
        printed, times = min(readings.items(), key=lambda item: (-item[1], item[0]))
        if (
            printed != sign
            and len(printed) < 2
            and readings.total() >= LEAST_SIGNS
            and times >= NEARLY_ALWAYS * readings.total()
        ):
            found[sign] = printed
    return found


def _shares(counts: dict[str, Counter[bool]]) -> dict[str, float]:
    """Share printed (add-one) of the signs that were seldom printed; of the others nothing need be known."""
    shares = {sign: (kept[True] + 1) / (kept.total() + 2) for sign, kept in sorted(counts.items())}
    return {
        sign: round(share, 3) for sign, share in shares.items() if share < 0.5 and counts[sign].total() >= LEAST_SIGNS
    }


def read_pairs(path: Path, read: str, printed: str) -> list[tuple[str, str]]:
    """Pairs of the records that have both texts. Raises ValueError with the file where it or a field is missing."""
    form = format_named_like(path.name)
    if form is None or not path.is_file():
        raise ValueError(f"{path}: expected a file of records, such as pairs.jsonl, pairs.csv or pairs.parquet")
    items = list(read_shard(form, Shard(path=str(path), name=path.name, columns=(read, printed))))
    records = [item for item in items if isinstance(item, Record)]
    pairs = [(str(each[read]), str(each[printed])) for each in records if each.get(read) and each.get(printed)]
    if not pairs:
        raise ValueError(f"{path}: no record has both fields, {read!r} and {printed!r}")
    if len(pairs) < len(items):
        print(f"{path}: {len(items) - len(pairs)} of {len(items)} records lack one of the texts, or cannot be read")
    return pairs


def main(arguments: list[str] | None = None) -> int:
    """Exit status 2 and one line on standard error where something is wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=Path, help="file of records with both texts")
    parser.add_argument("--read", default="text", metavar="FIELD", help="text as it was read (text)")
    parser.add_argument("--printed", default="truth", metavar="FIELD", help="text as it was printed (truth)")
    parser.add_argument("--origin", help="what the pairs are, kept in the table; the file's name if absent")
    parser.add_argument("--out", type=Path, required=True, metavar="TABLE", help="JSON file to write")
    options = parser.parse_args(arguments)
    try:
        pairs = read_pairs(options.pairs, options.read, options.printed)
        table = learn(pairs, options.origin or options.pairs.name, load_lexicon())
    except ValueError as error:
        print(f"ocr_learn: {error}", file=sys.stderr)
        return 2
    save_edits(table, options.out)
    print(f"{len(pairs)} texts, {table.characters} characters, {len(table.edits)} edits, noise {table.noise}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

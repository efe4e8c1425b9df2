"""The quality signals that FineWeb added (Penedo et al. 2024, arXiv:2406.17557, section 3.6), as datatrove's
`FineWebQualityFilter` counts them.

Lines are what stands between newlines and is not blank; shares are in [0, 1], and 0 without lines:

ended_lines            share of lines whose last character ends a sentence (FineWeb keeps 0.12 and more)
short_lines            share of lines of at most `short_line` characters (at most 0.67)
duplicate_line_chars   characters in lines that stood before, per character that is no newline (at most 0.01)
newlines_per_word      newlines per word (at most 0.3), 0 without words; the splitter is a parameter as for `gopher`
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray
from pydantic import Field

from classifiers import characters as ch
from classifiers.base import ScorerParams, as_list
from classifiers.repetition import count_duplicates, share
from classifiers.sentences import TERMINAL, sentence_marks
from classifiers.words import SPLITTERS, Splitter

COLUMNS = ("ended_lines", "short_lines", "duplicate_line_chars", "newlines_per_word")


class FineWebParams(ScorerParams):
    words: Splitter = "punctuation"
    short_line: int = Field(30, ge=0, description="Characters of a line that counts as short, at most.")


class FineWebScorer:
    """The signals above, all Float64."""

    columns = COLUMNS

    def __init__(self, params: FineWebParams) -> None:
        self.split, self.short_line = SPLITTERS[params.words], params.short_line

    def score(self, texts: pl.Series) -> pl.DataFrame:
        parts = [score_lines(batch, self.split(batch), self.short_line) for batch in ch.batches(as_list(texts))]
        columns = {name: np.concatenate([np.zeros(0), *(part[name] for part in parts)]) for name in COLUMNS}
        return pl.DataFrame(columns)


def score_lines(batch: ch.Batch, words: ch.Spans, short_line: int) -> dict[str, NDArray]:
    """Return the columns for documents whose words are given."""
    size, codes = len(batch.starts), batch.codes
    lines = _solid_lines(batch)
    every = np.bincount(lines.docs, minlength=size)
    newlines = ch.count_per_doc(batch, np.flatnonzero(codes == ch.NEWLINE))
    marks = sentence_marks()
    last = codes[lines.ends - 1]
    ended = (marks.take(last, mode="clip") & TERMINAL) > 0
    _, repeated = count_duplicates(batch, lines)
    counted = np.bincount(words.docs, minlength=size)
    return {
        "ended_lines": share(np.bincount(lines.docs[ended], minlength=size), every),
        "short_lines": share(np.bincount(lines.docs[lines.lengths() <= short_line], minlength=size), every),
        "duplicate_line_chars": share(repeated, batch.lengths() - newlines),
        "newlines_per_word": np.where(counted > 0, newlines / np.maximum(counted, 1), 0.0),
    }


def _solid_lines(batch: ch.Batch) -> ch.Spans:
    """Pieces between newlines that hold more than spaces."""
    lines = ch.newline_pieces(batch)
    solid = np.concatenate(([0], np.cumsum((batch.kinds & ch.SPACE) == 0)))
    some = solid[lines.ends] > solid[lines.starts]
    return ch.Spans(lines.starts[some], lines.ends[some], lines.docs[some])

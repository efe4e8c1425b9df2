"""The rules of C4 (Raffel et al. 2020, arXiv:1910.10683, section 2.2), as datatrove's `C4QualityFilter` reads them.

C4 keeps and drops lines first, and then judges what is left of a document. A line stays when it ends in a mark
(. ? ! " or '; not "..."), has three words or more and none above 1,000 characters, and speaks neither of JavaScript nor
of cookies and terms of use. Marks of citation ("[3]", "[edit]", "[citation needed]") go. Words here are those of
`str.split()`; sentences are counted over the English words of `words`.

Columns, over the lines that stay:

sentences            how many sentences they hold (C4 keeps 5 and more)
lorem_ipsum          lines with "lorem ipsum" (C4: none)
curly_brackets       lines with "{" (C4: none)
kept_lines           their share of the lines that are not blank
kept_characters      their share of the characters
"""

from __future__ import annotations

import numpy as np
import polars as pl
from pydantic import Field

from classifiers import characters as ch
from classifiers.base import ScorerParams, as_list
from classifiers.repetition import share
from classifiers.sentences import count_sentences
from classifiers.words import english_words

COLUMNS = ("sentences", "lorem_ipsum", "curly_brackets", "kept_lines", "kept_characters")

_BREAKS = r"\r\n|[\n\x0b\x0c\r\x1c\x1d\x1e\x{85}\x{2028}\x{2029}]"  # as `str.splitlines`
_CITATIONS = r"\[\d*\]|\[edit\]|\[citation needed\]"
_POLICIES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")


class C4Params(ScorerParams):
    line_words: int = Field(3, ge=0, description="Words of a line that stays, at least.")
    word_length: int = Field(1000, gt=0, description="Characters of its longest word, at most.")


def judge_lines(texts: pl.Series, params: C4Params) -> pl.DataFrame:
    """Return the lines of all texts, without spaces around them and without citations.

    Columns: `doc` (index of the text), `line`, and Booleans of which at most one holds: `kept`, `lorem_ipsum`,
    `curly_bracket` (lines that would stay, but condemn their document).
    """
    lines = (
        pl.DataFrame({"doc": np.arange(len(texts)), "line": texts.str.replace_all(_BREAKS, "\n").str.split("\n")})
        .explode("line")
        .with_columns(pl.col("line").str.strip_chars())
    )
    long = lines["line"].str.len_chars() > params.word_length  # only these can hold such a word
    for i in np.flatnonzero(long.to_numpy()):
        long[int(i)] = max(map(len, lines["line"][int(i)].split())) > params.word_length
    words = pl.col("line").str.count_matches(r"\S+")
    line = pl.col("line").str.replace_all(_CITATIONS, "")
    ends = line.str.contains(r"[.?!\"']$") & ~line.str.ends_with("...")
    small = line.str.to_lowercase()
    return lines.select(
        "doc",
        line=line,
        passing=~long & ends & (words >= params.line_words),
        lorem=small.str.contains("lorem ipsum", literal=True),
        script=small.str.contains("javascript", literal=True),
        curly=line.str.contains("{", literal=True),
        policy=small.str.contains_any(list(_POLICIES)),
    ).select(
        "doc",
        "line",
        kept=pl.col("passing") & ~pl.any_horizontal("lorem", "script", "curly", "policy"),
        lorem_ipsum=pl.col("passing") & pl.col("lorem"),
        curly_bracket=pl.col("passing") & pl.col("curly") & ~pl.any_horizontal("lorem", "script"),
    )


def sentences_of(lines: pl.Series) -> np.ndarray:
    """Return the number of sentences of each line."""
    counts = [count_sentences(batch, english_words(batch)) for batch in ch.batches(lines.to_list())]
    return np.concatenate([np.zeros(0, np.int64), *counts])


class C4Scorer:
    """The signals above; `sentences`, `lorem_ipsum` and `curly_brackets` are UInt32, the shares Float64."""

    columns = COLUMNS

    def __init__(self, params: C4Params) -> None:
        self.params = params

    def score(self, texts: pl.Series) -> pl.DataFrame:
        documents = len(as_list(texts))
        lines = judge_lines(texts, self.params)
        docs, kept = lines["doc"].to_numpy(), lines["kept"].to_numpy()

        def total(values: pl.Series | np.ndarray) -> np.ndarray:
            return np.bincount(docs, np.asarray(values), documents).astype(np.int64)

        sentences = np.zeros(len(lines), np.int64)
        sentences[kept] = sentences_of(lines["line"].filter(lines["kept"]))
        lengths = lines["line"].str.len_chars().to_numpy()
        columns = {
            "sentences": total(sentences),
            "lorem_ipsum": total(lines["lorem_ipsum"]),
            "curly_brackets": total(lines["curly_bracket"]),
            "kept_lines": share(total(kept), total(lengths > 0)),
            "kept_characters": share(total(lengths * kept), texts.str.len_chars().to_numpy()),
        }
        counts = ("sentences", "lorem_ipsum", "curly_brackets")
        return pl.DataFrame(columns).cast({name: pl.UInt32 if name in counts else pl.Float64 for name in COLUMNS})  # type: ignore[arg-type]

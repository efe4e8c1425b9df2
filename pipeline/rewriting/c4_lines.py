"""`c4_lines`: web text without the lines that C4 removes (menus, notices, lines that end in no mark).

The rule set `c4` drops documents and leaves text as it is; this makes the cleaned text of what C4 keeps, as a domain of
its own, so that the fit says whether it earns its tokens.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
from pydantic import Field

from classifiers.c4 import C4Params, judge_lines, sentences_of
from pipeline.rewriting.base import Rejected, Rewrite

VERSION = "1"


class Params(C4Params):
    """The `params` of a `c4_lines` rewrite: those of the scorer, and the rule set's limit."""

    sentences: int = Field(5, ge=0, description="sentences that are left, at least; fewer and the document is dropped")


@dataclass(frozen=True)
class C4Lines:
    params: Params

    def rewrite(self, document: Mapping[str, Any]) -> tuple[list[Rewrite], list[Rejected]]:
        """The lines that stay, or one rejection: `lorem_ipsum`, `curly_brackets` or `sentences`, as in the rule set.

        detail: lines (before, blank ones left out), lines_kept, sentences.
        """
        text = str(document.get("text") or "")
        lines = judge_lines(pl.Series([text]), self.params)
        kept = lines["line"].filter(lines["kept"])
        sentences = int(sentences_of(kept).sum())
        for reason, holds in (
            ("lorem_ipsum", lines["lorem_ipsum"].any()),
            ("curly_brackets", lines["curly_bracket"].any()),
            ("sentences", sentences < self.params.sentences or not len(kept)),
        ):
            if holds:
                return [], [Rejected(reason, text[:200])]
        detail: dict[str, str | int | float] = {
            "lines": int((lines["line"].str.len_chars() > 0).sum()),
            "lines_kept": len(kept),
            "sentences": sentences,
        }
        return [Rewrite("\n".join(kept).strip(), detail)], []


def load(params: Params, seed: int) -> C4Lines:
    """`seed` is part of every rewriter's interface; nothing is drawn here."""
    return C4Lines(params)

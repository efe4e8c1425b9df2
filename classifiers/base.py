"""What a scorer is.

To add one: write a module with a params model (a subclass of `ScorerParams`), a class that satisfies `Scorer`
and its tests, then add one line to `registry.SCORERS`. A scorer sees texts only; it must give the same bytes
for the same texts, whatever the batch they come in.
"""

from __future__ import annotations

from typing import Protocol

import polars as pl
from pydantic import BaseModel, ConfigDict


class ScorerParams(BaseModel):
    """Base of all params models: unknown names are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Scorer(Protocol):
    """Turns texts into attributes."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the attributes, in order, without the prefix that the pipeline puts before them."""
        ...

    def score(self, texts: pl.Series) -> pl.DataFrame:
        """Return one row per text, in order, with exactly `columns`.

        Raises ValueError when `texts` is not a String series or holds nulls.
        """
        ...


def as_list(texts: pl.Series) -> list[str]:
    """Return the texts as a list.

    Raises ValueError on another type or on nulls: a missing text is not an empty one.
    """
    if texts.dtype != pl.String:
        raise ValueError(f"texts must be a String series, not {texts.dtype}")
    if texts.null_count():
        raise ValueError(f"{texts.null_count()} of {len(texts)} texts are null; quarantine them before scoring")
    return texts.to_list()

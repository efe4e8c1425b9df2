"""`ocr_cleanup`: pages of OCR text (joined by form feeds) to paragraphs, misread words put right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from classifiers.ocr.edits import DEFAULT, load_edits
from classifiers.ocr.lexicon import load_lexicon
from classifiers.ocr.noise import ENGLISH, NOISY, SPECKS, noise_of_text, unknown_share
from classifiers.ocr.reading import Channel, build_channel
from pipeline.rewriting.base import Rejected, Rewrite
from pipeline.rewriting.ocr_channel import drop_stray_stops, mend_words
from pipeline.rewriting.ocr_layout import undo_layout
from pipeline.rewriting.ocr_signs import drop_alone, even_out, mend_signs

VERSION = "2"


class Params(BaseModel):
    """The `params` of an `ocr_cleanup` rewrite."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_unknown: float = Field(
        0.35, gt=0, le=1, description="share of words outside the lexicon above which a document is dropped"
    )
    mend_words: bool = Field(True, description="whether misread words are corrected after the layout is undone")
    confusions: Path | None = Field(
        None,
        description="table that `python -m pipeline.rewriting.ocr_learn` made; the packaged one if absent",
    )

    @field_validator("confusions")
    @classmethod
    def _is_a_table(cls, path: Path | None) -> Path | None:
        if path is not None:
            load_edits(path)
        return path


@dataclass(frozen=True)
class OCRCleanup:
    params: Params
    channel: Channel

    def rewrite(self, document: Mapping[str, Any]) -> tuple[list[Rewrite], list[Rejected]]:
        """The cleaned text, or one rejection: `empty`, or `mostly_junk` (too many unknown words).

        detail: pages, lines_removed, words_joined, words_changed, signs_changed, stops_removed, misread (share of
        common words misread, before) and unknown (share of words, after).
        """
        text = str(document.get("text") or "")
        lexicon = self.channel.lexicon
        noise, common = noise_of_text(text, self.channel)
        english = common >= ENGLISH
        layout = undo_layout(text, lexicon, junk=english and noise >= SPECKS)
        if not layout.text.strip():
            return [], [Rejected("empty", text[:200])]
        cleaned, changed, signs, stops = layout.text, 0, 0, 0
        if self.params.mend_words and english and layout.prose:
            if noise >= NOISY:
                cleaned, signs = mend_signs(cleaned, self.channel.table)
            cleaned, changed = mend_words(cleaned, self.channel)
            if noise >= NOISY:
                cleaned, dropped = drop_alone(cleaned, self.channel.table)
                signs += dropped
            if noise >= SPECKS:
                cleaned = even_out(cleaned)
            if noise >= SPECKS and layout.printed:
                cleaned, stops = drop_stray_stops(cleaned, lexicon)
        unknown = unknown_share(cleaned, lexicon)
        if unknown > self.params.max_unknown:
            return [], [Rejected("mostly_junk", cleaned[:200])]
        detail: dict[str, str | int | float] = {
            "pages": layout.pages,
            "lines_removed": layout.lines_removed,
            "words_joined": layout.words_joined,
            "words_changed": changed,
            "signs_changed": signs,
            "stops_removed": stops,
            "misread": round(noise, 4),
            "unknown": round(unknown, 4),
        }
        return [Rewrite(cleaned, detail)], []


def load(params: Params, seed: int) -> OCRCleanup:
    """`seed` is part of every rewriter's interface; nothing is drawn here."""
    return OCRCleanup(params, build_channel(load_lexicon(), load_edits(params.confusions or DEFAULT)))

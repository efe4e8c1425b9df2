"""`ocr_cleanup`: pages of OCR text (joined by form feeds) to paragraphs, misread words put right."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from pipeline.rewriting.base import Rejected, Rewrite
from pipeline.rewriting.lexicon import Lexicon, load_lexicon
from pipeline.rewriting.ocr_channel import Channel, build_channel, drop_stray_stops, mend_words, noise_of_text
from pipeline.rewriting.ocr_edits import DEFAULT, EditTable, load_edits
from pipeline.rewriting.ocr_layout import undo_layout
from pipeline.rewriting.ocr_signs import mend_signs

VERSION = "2"
AS_NOISY = 0.3  # share of the table's noise from which a document is like what the table was learned from

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


class Params(BaseModel):
    """The `params` of an `ocr_cleanup` rewrite."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_unknown: float = Field(
        0.35, gt=0, le=1, description="share of words outside the lexicon above which a document is dropped"
    )
    mend_words: bool = Field(True, description="whether misread words are corrected after the layout is undone")
    confusions: Path | None = Field(
        None, description="a table that `python -m pipeline.rewriting.ocr_learn` made of your own scans; the packaged one if absent"
    )


@dataclass(frozen=True)
class OCRCleanup:
    params: Params
    channel: Channel

    def rewrite(self, document: Mapping[str, Any]) -> tuple[list[Rewrite], list[Rejected]]:
        """The cleaned text, or one rejection: `empty`, or `mostly_junk` (too many unknown words).

        detail: pages, lines_removed, words_joined, words_changed, signs_changed, stops_removed, misread (share of
        common words misread, before), unknown_before and unknown_after (shares).
        """
        text = str(document.get("text") or "")
        lexicon = self.channel.lexicon
        layout = undo_layout(text, lexicon)
        if not layout.text.strip():
            return [], [Rejected("empty", text[:200])]
        cleaned, changed, signs, stops, noise = layout.text, 0, 0, 0, 0.0
        if self.params.mend_words:
            noise, english = noise_of_text(cleaned, self.channel)
            if english and noise >= AS_NOISY * self.channel.table.noise:
                cleaned, signs = mend_signs(cleaned, self.channel.table)
            if english:
                cleaned, changed = mend_words(cleaned, self.channel)
                if layout.printed:  # specks are read as stops where specks were read at all
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
            "unknown_before": round(unknown_share(text, lexicon), 4),
            "unknown_after": round(unknown, 4),
        }
        return [Rewrite(cleaned, detail)], []


def unknown_share(text: str, lexicon: Lexicon) -> float:
    """Share of words of two letters or more that the lexicon lacks, names too; 1.0 without words."""
    words = [w for w in _WORD.findall(text) if len(w) > 1]
    return sum(w not in lexicon for w in words) / len(words) if words else 1.0


def cleanup_with(params: Params, table: EditTable) -> OCRCleanup:
    return OCRCleanup(params, build_channel(load_lexicon(), table))


def load(params: Params, seed: int) -> OCRCleanup:
    """`seed` is part of every rewriter's interface; nothing is drawn here."""
    return cleanup_with(params, load_edits(params.confusions or DEFAULT))

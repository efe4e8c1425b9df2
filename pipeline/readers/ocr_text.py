"""Text of scanned pages as it is put together: words to lines, lines to blocks, blocks to pages, with confidences."""

from __future__ import annotations

import posixpath
from typing import Any

from pipeline.readers.base import BadRecord, Item, Record, Shard, Skipped

UNKNOWN = "?"
"""Stands for the confidence of a word that has none."""


class TooLong(Exception):
    """The text of a document is above its limit of bytes; the rest of it need not be read."""


class OcrText:
    """Takes words in reading order. Only the present page is held as words, what stands before as text.

    A page break is a form feed, a line break `\\n`, and a blank line parts blocks. Empty lines and blocks leave
    nothing; empty pages stay, so that the number of form feeds tells the page.
    """

    def __init__(self, limit: int) -> None:
        self._limit, self._size = limit, 0
        self._pages: list[str] = []
        self._confidences: list[str] = []
        self._total = 0.0
        self._known = 0
        self.lines = 0
        self._blocks: list[_Block] | None = None  # of the present page; None before the first

    def page(self) -> None:
        """Begin a page."""
        self._finish()
        self._blocks = [_Block()]

    def block(self, last: bool = False) -> None:
        """Begin a block, e.g. a paragraph. last: it stands below everything else of its page, whenever it comes."""
        if self._blocks is not None:
            self._blocks.append(_Block(last))

    def line(self) -> None:
        """Begin a line."""
        if self._blocks is not None:
            self._blocks[-1].lines.append([])

    def word(self, text: str, confidence: float | None = None) -> None:
        """Add a word to the present line. A confidence outside 0 to 1 counts as none. Raises TooLong."""
        if self._blocks is None:
            self.page()
        assert self._blocks is not None
        block = self._blocks[-1]
        if not block.lines:
            block.lines.append([])
        known = confidence is not None and 0 <= confidence <= 1
        for part in text.split():  # a word may hold spaces; confidences go by words without
            self._size += len(part.encode(errors="surrogatepass")) + 1
            block.lines[-1].append(part)
            block.confidences.append(f"{min(int(confidence * 10), 9)}" if known else UNKNOWN)  # type: ignore[operator]
            if known:
                self._total += confidence  # type: ignore[operator]
                self._known += 1
        if self._size > self._limit:
            raise TooLong

    def hyphen(self, sign: str) -> None:
        """Add a hyphen to the last word of the present line."""
        if self._blocks and self._blocks[-1].lines and (line := self._blocks[-1].lines[-1]):
            line[-1] += sign

    def _finish(self) -> None:
        if self._blocks is None:
            return
        ordered = sorted(self._blocks, key=lambda block: block.last)
        texts = []
        for block in ordered:
            lines = [" ".join(line) for line in block.lines if line]
            self.lines += len(lines)
            if lines:
                texts.append("\n".join(lines))
        self._pages.append("\n\n".join(texts))
        self._confidences += ["".join(block.confidences) for block in ordered]
        self._blocks = None

    def record(self, shard: Shard, **more: str | int | None) -> Item:
        """Return the document of a shard that is one: the file's name as `id`, `text`, `pages`, `lines`, `folder` (the
        file's within the source), `confidence` (mean of the words') and `word_confidence`.

        `word_confidence` is a character for each of `text.split()`: tenths rounded down, 9 also for 1, `?` where the
        word has none. Both are absent where no word has one. Without any text the file is skipped.
        """
        self._finish()
        if not any(self._pages):
            return Skipped(0, "no text on any page")
        values: dict[str, Any] = {"id": shard.name, "text": "\f".join(self._pages)}
        values |= {"pages": len(self._pages), "lines": self.lines, "folder": posixpath.dirname(shard.name) or None}
        if self._known:
            values["confidence"] = round(self._total / self._known, 4)
            values["word_confidence"] = "".join(self._confidences)
        return Record({key: value for key, value in (values | more).items() if value is not None}, 0)


class _Block:
    """Lines of words, and a character for each word's confidence."""

    def __init__(self, last: bool = False) -> None:
        self.last = last
        self.lines: list[list[str]] = []
        self.confidences: list[str] = []


def above(limit: int) -> BadRecord:
    """Return the bad record that stands for a document whose text was not read to its end."""
    return BadRecord(0, f"above max_document_bytes: over {limit:,} bytes of text")

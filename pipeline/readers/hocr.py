"""hOCR: pages of OCR as HTML, with words and their confidences (kba.github.io/hocr-spec/1.2)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

from pipeline.readers.base import BadRecord, Item, Shard
from pipeline.readers.html_safe import BadHtml, SafeParser
from pipeline.readers.ocr_text import OcrText, TooLong, above
from pipeline.readers.streams import CHUNK, open_shard

_BLOCKS = frozenset({"ocr_carea", "ocr_par"})
_LINES = frozenset({"ocr_line", "ocrx_line", "ocr_header", "ocr_footer", "ocr_caption", "ocr_textfloat"})
_WORDS = frozenset({"ocrx_word", "ocr_word"})
_CONFIDENCE = re.compile(r"\bx_wconf\s+(\d+(?:\.\d+)?)")
_VOID = frozenset({"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"})
_MAX_DEPTH = 500
_MAX_TAG = 1 << 20
"""Bytes of one tag, at most: the parser holds it as a whole."""


class BadHocr(Exception):
    """The file is no hOCR."""


def read_hocr(shard: Shard) -> Iterator[Item]:
    """Yield one record for the file, with the fields that `OcrText.record` names.

    Words are `ocrx_word` with the confidence `x_wconf`; a line without words gives its text, without confidences.
    """
    with open_shard(shard.path) as file:
        yield _document(file, shard)


def _document(file: BinaryIO, shard: Shard) -> Item:
    text = OcrText(shard.limit)
    try:
        pages = add_pages(file, text)
    except UnicodeDecodeError:
        return BadRecord(0, "not UTF-8")
    except (BadHocr, BadHtml) as error:
        return BadRecord(0, f"not hOCR: {error}")
    except TooLong:
        return above(shard.limit)
    return text.record(shard) if pages else BadRecord(0, "not hOCR: it has no ocr_page")


def add_pages(file: BinaryIO, text: OcrText) -> int:
    """Add the pages of an hOCR stream to a text and return their number.

    It is read as HTML, in parts: a document type is passed over, and no entity but HTML's own characters is known.
    Raises UnicodeDecodeError, BadHocr, BadHtml, TooLong.
    """
    walker = _Walker(text)
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    while data := file.read(CHUNK):
        walker.feed(decoder.decode(data))
        if len(walker.rawdata) > _MAX_TAG:
            raise BadHocr("a tag without an end")
    walker.feed(decoder.decode(b"", final=True))
    walker.close()
    return walker.pages


class _Walker(SafeParser):
    def __init__(self, text: OcrText) -> None:
        super().__init__()
        self._text = text
        self.pages = 0
        self._open: list[tuple[str, str]] = []  # tag and what it is: line, word or nothing of them
        self._lines = 0  # open ones
        self._word: list[str] | None = None
        self._loose: list[str] = []  # text of a line outside its words
        self._confidence: float | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            return
        if len(self._open) >= _MAX_DEPTH:
            raise BadHocr(f"over {_MAX_DEPTH} tags inside each other")
        values = dict(attrs)
        classes = set((values.get("class") or "").split())
        kind = ""
        if "ocr_page" in classes:
            self.pages += 1
            self._text.page()
        elif classes & _BLOCKS:
            self._text.block()
        elif classes & _LINES:
            kind = "line"
            self._end_word()
            self._lines += 1
            self._text.line()
        elif classes & _WORDS:
            kind = "word"
            self._end_word()
            found = _CONFIDENCE.search(values.get("title") or "")
            self._word, self._confidence = [], float(found[1]) / 100 if found else None
        self._open.append((tag, kind))

    def handle_endtag(self, tag: str) -> None:
        if all(name != tag for name, _ in self._open):
            return
        while True:
            name, kind = self._open.pop()
            if kind:
                self._end_word()
            self._lines -= kind == "line"
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._word is not None:
            self._word.append(data)
        elif self._lines:
            self._loose.append(data)

    def _end_word(self) -> None:
        """Write the open word, or what stood between words; a text comes in several parts where a chunk ends in it."""
        if self._word is not None:
            self._text.word("".join(self._word), self._confidence)
            self._word = None
        elif self._loose:
            self._text.word("".join(self._loose))
            self._loose = []

    def close(self) -> None:
        super().close()
        self._end_word()

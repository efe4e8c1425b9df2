"""ALTO XML, versions 2 to 4: pages of OCR with words and their confidences (loc.gov/standards/alto)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from pipeline.readers.base import BadRecord, Item, Shard
from pipeline.readers.ocr_text import OcrText, TooLong, above
from pipeline.readers.streams import open_shard
from pipeline.readers.xml_safe import BadXml, walk


def read_alto(shard: Shard) -> Iterator[Item]:
    """Yield one record for the file, with the fields that `OcrText.record` names.

    A word that is cut at a line end stands whole in the first line where the file says what it is (`SUBS_CONTENT`),
    with the confidence of its first half; elsewhere it keeps its hyphen. Bottom margins come last on their page, though
    the schema puts them first.
    """
    with open_shard(shard.path) as file:
        yield _document(file, shard)


def _document(file: BinaryIO, shard: Shard) -> Item:
    walker = _Walker(OcrText(shard.limit))
    try:
        walk(file, walker.start, walker.end)
    except BadXml as error:
        return BadRecord(0, f"not XML: {error}")
    except _NotAlto as error:
        return BadRecord(0, f"not ALTO: {error}")
    except TooLong:
        return above(shard.limit)
    return walker.text.record(shard)


class _NotAlto(Exception):
    """The file is XML of another kind."""


class _Walker:
    def __init__(self, text: OcrText) -> None:
        self.text = text
        self._first = True
        self._bottom = False
        self._whole = False  # the second half of a word is still to come, and the word is already written

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if self._first and name.lower() != "alto":
            raise _NotAlto(f"it begins with <{name[:100]}>")
        self._first = False
        if name == "Page":
            self.text.page()
        elif name == "BottomMargin":
            self._bottom = True
        elif name == "TextBlock":
            self.text.block(last=self._bottom)
        elif name == "TextLine":
            self.text.line()
        elif name == "String":
            self._word(attributes)
        elif name == "HYP" and not self._whole:
            self.text.hyphen(attributes.get("CONTENT") or "-")

    def end(self, name: str) -> None:
        if name.rpartition(":")[2] == "BottomMargin":
            self._bottom = False

    def _word(self, attributes: dict[str, str]) -> None:
        kind, whole = attributes.get("SUBS_TYPE"), attributes.get("SUBS_CONTENT")
        if kind == "HypPart2" and self._whole:
            self._whole = False
            return
        self._whole = kind == "HypPart1" and bool(whole)
        content = whole if self._whole and whole else attributes.get("CONTENT", "")
        self.text.word(content, _number(attributes.get("WC")))


def _number(text: str | None) -> float | None:
    try:
        return float(text) if text else None
    except ValueError:
        return None

"""PDF files: their text layer page by page, and pages without one by Tesseract if asked (extra `pdf`)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import Field

from pipeline.readers import tesseract
from pipeline.readers.base import BadRecord, Item, Params, Shard, Skipped
from pipeline.readers.ocr_text import OcrText, TooLong, above
from pipeline.readers.streams import CHUNK, codec_of, open_shard

MODULES = ("pypdfium2",)
MAX_FILE_BYTES = 1_000_000_000
_CHILD = Path(__file__).with_name("pdf_pages.py")
_HEADER_BYTES = 100_000
_START = 1024
"""Bytes in which `%PDF-` must stand; readers allow some before it."""


class PdfParams(Params):
    ocr: str | None = Field(
        None,
        pattern=r"^[A-Za-z]\w*(/\w+)?(\+[A-Za-z]\w*(/\w+)?)*$",
        description="Language in which Tesseract reads pages without text, `eng` or `deu+eng`; else they stay empty.",
    )


def missing(params: Any) -> str:
    """Return what the settings need that is not installed, empty if nothing."""
    return tesseract.missing(params.ocr) if params.ocr else ""


class _Unreadable(Exception):
    """The file is set aside; the message is the reason."""


def read_pdf(shard: Shard) -> Iterator[Item]:
    """Yield one record for the file: pages joined by form feeds, lines as printed, with the fields that
    `OcrText.record` names, `title` and `author` where the file states them.

    With `ocr` also `ocr_pages`, how many pages Tesseract read, and `ocr_engine`. A file without text on any page is
    skipped. PDFium runs in a process of its own with bounded memory and time, which holds one page.
    """
    assert isinstance(shard.params, PdfParams)
    try:
        with _local(shard) as path, _started(path, shard.params.ocr is not None) as child:
            yield _document(child, shard, shard.params.ocr)
    except (_Unreadable, tesseract.Unread) as error:
        yield BadRecord(0, str(error))
    except TooLong:
        yield above(shard.limit)


@contextmanager
def _local(shard: Shard) -> Iterator[str]:
    """Give the path of the file itself, or of a temporary copy where it is compressed or elsewhere."""
    with open_shard(shard.path) as file:
        start = file.read(_START)
        if b"%PDF-" not in start:
            raise _Unreadable("not PDF")
        if "://" not in shard.path and not codec_of(shard.path):
            _check_size(os.path.getsize(shard.path))
            yield shard.path
            return
        with tempfile.NamedTemporaryFile(suffix=".pdf") as copy:
            copy.write(start)
            size = len(start)
            while data := file.read(CHUNK):
                copy.write(data)
                size += len(data)
                _check_size(size)
            copy.flush()
            yield copy.name


def _check_size(size: int) -> None:
    if size > MAX_FILE_BYTES:
        raise _Unreadable(f"file above {MAX_FILE_BYTES:,} bytes")


@contextmanager
def _started(path: str, rendered: bool) -> Iterator[_Child]:
    command = [sys.executable, "-P", str(_CHILD), path, *["--render"] * rendered]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors) as process,
    ):
        try:
            yield _Child(process, errors)
        finally:
            process.kill()


class _Child:
    """The process that reads the file, and what it says."""

    def __init__(self, process: subprocess.Popen[bytes], errors: Any) -> None:
        self._process, self._errors = process, errors
        assert process.stdout is not None
        self._out = process.stdout

    def header(self, doing: str) -> dict[str, Any]:
        """Return the next header. Raises _Unreadable where the process says that it cannot go on, or died of the
        file, and RuntimeError where it ended for another reason."""
        line = self._out.readline(_HEADER_BYTES)
        if not line.endswith(b"\n"):
            raise self._ended(doing)
        header = json.loads(line)
        if "error" in header:
            raise _Unreadable(header["error"])
        return header

    def data(self, size: int, doing: str) -> bytes:
        """Return the `size` bytes behind a header."""
        data = self._out.read(size)
        if len(data) < size:
            raise self._ended(doing)
        return data

    def _ended(self, doing: str) -> Exception:
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            return _Unreadable(f"PDFium took too long to read {doing}")
        if code < 0 and code not in (-signal.SIGKILL, -signal.SIGTERM):  # these two come from outside
            return _Unreadable(f"PDFium failed to read {doing}: {signal.Signals(-code).name}")
        self._errors.seek(0)
        said = self._errors.read()[-2000:].decode(errors="replace")
        return RuntimeError(f"the process that reads PDFs ended with {code}: {said}")


def _document(child: _Child, shard: Shard, languages: str | None) -> Item:
    text = OcrText(shard.limit)
    head = child.header("the file")
    read = 0
    for number in range(1, head["pages"] + 1):
        doing = f"page {number} of {head['pages']}"
        header = child.header(doing)
        if "image" in header:
            assert languages is not None
            width, height = header["image"]
            grey = child.data(width * height, doing)
            tesseract.read_image(grey, width, height, header["dpi"], languages, text)
            read += 1
            continue
        if header["text"] > shard.limit:
            raise TooLong
        _add_page(child.data(header["text"], doing).decode(), text)
    more: dict[str, Any] = {"title": head["title"] or None, "author": head["author"] or None}
    if read:
        more |= {"ocr_pages": read, "ocr_engine": f"tesseract {tesseract.version()} {languages}"}
    item = text.record(shard, **more)
    if isinstance(item, Skipped) and not languages:
        return Skipped(0, "no text layer")
    return item


def _add_page(page: str, text: OcrText) -> None:
    text.page()
    for line in page.split("\n"):
        if line.strip():
            text.line()
            text.word(line)
        else:
            text.block()

"""Reads one PDF in a process of its own: PDFium ends its process where memory runs out, and damage may crash it.

    python pdf_pages.py FILE [--render]

Standard output is a header `{"pages", "title", "author"}`, then for every page `{"text": bytes}` and the text in UTF-8;
or with `--render`, where a page shows something and has no text, `{"image": [width, height], "dpi"}` and a byte of grey
for every pixel; or `{"error": reason}` at any point, and nothing after it. Each header is a line of JSON. It imports
nothing of this package, so that it starts at once.
"""

from __future__ import annotations

import json
import math
import resource
import sys
import time
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium

MAX_PAGES = 20_000
MEMORY = 1_500_000_000
"""Bytes of address space."""
PAGE_SECONDS = 60
"""Processor time of a page, at most; above it the system sends SIGXCPU."""
DPI = 300
MIN_DPI = 70
MAX_PIXELS = 40_000_000
"""Of a rendered page; larger pages are rendered at fewer dots an inch, and above MAX_PIXELS at MIN_DPI not at all."""
MAX_SIDE = 30_000
_META_CHARACTERS = 1000


class Unreadable(Exception):
    """The file cannot be read; the message is the reason."""


def send(header: dict[str, Any], data: bytes = b"") -> None:
    out = sys.stdout.buffer
    out.write(json.dumps(header).encode() + b"\n")
    out.write(data)
    out.flush()


def extend_time() -> None:
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(time.process_time()) + PAGE_SECONDS, hard))


def open_pdf(path: str) -> pypdfium2.PdfDocument:
    try:
        return pypdfium2.PdfDocument(path)
    except pypdfium2.PdfiumError as error:
        if error.err_code in (pdfium.FPDF_ERR_PASSWORD, pdfium.FPDF_ERR_SECURITY):
            raise Unreadable("encrypted PDF: it needs a password") from None
        raise Unreadable("damaged PDF: it cannot be opened") from None


def text_of(page: pypdfium2.PdfPage) -> str:
    """Return a page's text, one line a printed line. PDFium's U+0002 is a hyphen at a line end; NUL is a glyph that the
    file does not map to a character."""
    textpage = page.get_textpage()
    text = textpage.get_text_bounded()
    textpage.close()
    text = text.replace("\x02", "-\n").replace("\0", "\ufffd").replace("\r\n", "\n")
    text = text.replace("\r", "\n").replace("\f", "\n").replace("\v", "\n")
    return "\n".join(line.rstrip() for line in text.split("\n")).strip("\n")


def render(page: pypdfium2.PdfPage) -> tuple[list[int], int, bytes]:
    """Return width and height in pixels, dots an inch, and the grey of every pixel row by row."""
    width, height = page.get_size()  # points, 72 an inch
    dpi = DPI
    if width * height > 0:
        dpi = int(min(DPI, 72 * math.sqrt(MAX_PIXELS / (width * height)), 72 * MAX_SIDE / max(width, height)))
    if dpi < MIN_DPI or width * height <= 0:
        raise Unreadable(f"page too large to be rendered: {width:.0f} × {height:.0f} points")
    scale: Any = dpi / 72  # annotated as an integer, after its default
    bitmap = page.render(scale=scale, grayscale=True, limit_image_cache=True)
    grey = bytes(bitmap.buffer)
    if bitmap.stride != bitmap.width:
        grey = b"".join(grey[at : at + bitmap.width] for at in range(0, len(grey), bitmap.stride))
    return [bitmap.width, bitmap.height], dpi, grey


def read(path: str, rendered: bool) -> None:
    extend_time()
    document = open_pdf(path)
    pages = len(document)
    if pages > MAX_PAGES:
        raise Unreadable(f"above {MAX_PAGES:,} pages: it has {pages:,}")
    meta = {key: document.get_metadata_value(key.title()).strip()[:_META_CHARACTERS] for key in ("title", "author")}
    send({"pages": pages, **meta})
    for number in range(pages):
        extend_time()
        try:
            page = document[number]
            text = text_of(page)
            if text.strip() or not rendered or pdfium.FPDFPage_CountObjects(page) <= 0:
                data = text.encode(errors="replace")
                send({"text": len(data)}, data)
            else:
                size, dpi, grey = render(page)
                send({"image": size, "dpi": dpi}, grey)
            page.close()
        except pypdfium2.PdfiumError as error:
            raise Unreadable(f"damaged PDF: page {number + 1} of {pages}: {error}") from None


def main() -> None:
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY if hard == resource.RLIM_INFINITY else min(MEMORY, hard), hard))
    try:
        read(sys.argv[1], "--render" in sys.argv[2:])
    except Unreadable as error:
        send({"error": str(error)})
    except MemoryError:
        send({"error": f"it needs more than {MEMORY:,} bytes of memory"})


if __name__ == "__main__":
    main()

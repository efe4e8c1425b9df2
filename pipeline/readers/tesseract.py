"""Optical character recognition of one page image by the program Tesseract; its answer is hOCR."""

from __future__ import annotations

import io
import os
import re
import shutil
import signal
import subprocess
from functools import cache

from pipeline.readers.hocr import add_pages
from pipeline.readers.ocr_text import OcrText

PAGE_SECONDS = 300
"""Processor time of a page, at most."""
MEMORY = 3_000_000_000
"""Bytes of address space, at most."""
# One thread: Tesseract's four spin on each other's work, and processes fill the cores already.
_ENVIRONMENT = {"OMP_THREAD_LIMIT": "1", "LC_ALL": "C"}
_LIMITED = 'ulimit -S -t "$1" && ulimit -S -v "$2" && shift 2 && exec "$@"'


class Unread(Exception):
    """Tesseract cannot read this image; the message is the reason."""


def missing(languages: str) -> str:
    """Return what is not installed of Tesseract and its languages (`eng`, `deu+eng`), empty if nothing."""
    if shutil.which("tesseract") is None:
        return "the program tesseract (Debian: apt install tesseract-ocr)"
    absent = [name for name in languages.split("+") if name not in _installed()]
    if not absent:
        return ""
    return f"Tesseract's language{'s' * (len(absent) > 1)} {', '.join(absent)}; it has {', '.join(_installed())}"


@cache
def _installed() -> tuple[str, ...]:
    done = subprocess.run(["tesseract", "--list-langs"], capture_output=True, text=True, check=True)
    return tuple((done.stdout or done.stderr).split("\n")[1:-1])


@cache
def version() -> str:
    """Return Tesseract's version, e.g. `5.3.0`."""
    done = subprocess.run(["tesseract", "--version"], capture_output=True, text=True, check=True)
    found = re.match(r"tesseract v?(\S+)", done.stdout or done.stderr)
    return found[1] if found else "unknown"


def read_image(grey: bytes, width: int, height: int, dpi: int, languages: str, text: OcrText) -> None:
    """Add what Tesseract reads on a page of `width` × `height` grey pixels to a text.

    Raises Unread, `ocr_text.TooLong`, and RuntimeError or OSError where Tesseract itself does not work.
    """
    command = ["tesseract", "stdin", "stdout", "-l", languages, "--dpi", str(dpi), "hocr"]
    done = subprocess.run(
        ["sh", "-c", _LIMITED, "sh", str(PAGE_SECONDS), str(MEMORY // 1024), *command],
        input=b"P5 %d %d 255\n" % (width, height) + grey,
        capture_output=True,
        env=os.environ | _ENVIRONMENT,
        check=False,
    )
    if done.returncode:
        reason = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
        if done.returncode in (126, 127) or any("language" in line or "traineddata" in line for line in reason):
            raise RuntimeError(f"tesseract does not work here: {reason[-1]}")
        if done.returncode == -signal.SIGXCPU:
            raise Unread(f"Tesseract took over {PAGE_SECONDS} seconds")
        if done.returncode in (-signal.SIGKILL, -signal.SIGTERM):
            raise RuntimeError("tesseract was killed")
        raise Unread(f"Tesseract failed ({done.returncode}): {reason[-1][:200]}")
    if not add_pages(io.BytesIO(done.stdout), text):
        text.page()

"""Real OCR: books typeset to pages, the images degraded, read back by Tesseract, the true text beside."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyphen  # pyright: ignore[reportMissingImports]
from PIL import ImageFont  # pyright: ignore[reportMissingImports]
from rapidfuzz.distance import Levenshtein

from samples.builders import books
from samples.builders.fetch import require_tool
from samples.builders.layout import Line, Page, break_lines, make_pages
from samples.builders.scan import DAMAGES, Damage, degrade, draw
from samples.builders.tables import Row

TEXT_WIDTH = 1000  # pixels
LINES = 36  # a page
DOCUMENTS = 16  # a book
PER_GROUP = 2  # neighbouring documents share a group, so that a held-out document is not next to a seen one
FONTS = (
    "DejaVuSerif.ttf",
    "EBGaramond12-Regular.ttf",
    "LiberationSerif-Regular.ttf",
    "LinLibertine_R.otf",
    "OldStandard-Regular.ttf",
    "JunicodeTwoBeta-Regular.otf",
)
# Font sizes, in pixels, that give pages of like text although the fonts are of different width.
SIZES = {
    "DejaVuSerif.ttf": (32, 35),
    "EBGaramond12-Regular.ttf": (40, 44),
    "LiberationSerif-Regular.ttf": (38, 42),
    "LinLibertine_R.otf": (39, 43),
    "OldStandard-Regular.ttf": (41, 45),
    "JunicodeTwoBeta-Regular.otf": (39, 43),
}


@dataclass(frozen=True)
class Job:
    """One document to print and scan."""

    book: books.Book
    number: int
    paragraphs: tuple[str, ...]
    pages: tuple[Page, ...]
    font: Path
    size: int
    justify: bool
    damage: Damage
    seed: tuple[int, ...]


def documents(package: Path, font_packages: list[Path], cache: Path, seed: int) -> list[Row]:
    """All OCR documents. Pages already read are taken from `cache`. Raises ValueError without Tesseract."""
    fonts = {path.name: path for folder in font_packages for path in folder.rglob("*.[ot]tf")}
    faces = [(fonts[name], *SIZES[name]) for name in FONTS]
    jobs = [
        job
        for index, book in enumerate(books.BOOKS)
        for job in plan(book, books.paragraphs(package, book), index, faces, DOCUMENTS, seed)
    ]
    return read_back(jobs, cache)


def read_back(jobs: Sequence[Job], cache: Path) -> list[Row]:
    """Documents printed, scanned and read. Pages already read are taken from `cache`. Raises ValueError without
    Tesseract."""
    tesseract = require_tool("tesseract", "to read the page images back (Debian package tesseract-ocr)")
    cache.mkdir(parents=True, exist_ok=True)
    # Threads only wait: each Tesseract is a process of its own.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        read = list(pool.map(lambda job: _read(job, tesseract, cache), jobs))
    return [_row(job, pages) for job, pages in zip(jobs, read, strict=True)]


def plan(
    book: books.Book,
    paragraphs: Sequence[str],
    index: int,
    faces: Sequence[tuple[Path, int, int]],
    most: int,
    seed: int,
) -> Iterator[Job]:
    """At most `most` documents of a book: consecutive paragraphs, about 3 to 6 pages each, none of the text used twice.

    `faces`: files of fonts with their smallest and largest size, pixels.
    """
    rng = np.random.default_rng([seed, index])
    language = "en_US" if book.author == "Herman Melville" else "en_GB"
    hyphenate = pyphen.Pyphen(lang=language, left=2, right=3).positions
    waiting = list(paragraphs)[::-1]
    page_number = int(rng.integers(7, 30))
    for number in range(most):
        # Fonts and damages go round so that each book meets all of them.
        face, low, high = faces[(number + index) % len(faces)]
        size = int(rng.integers(low, high + 1))
        font = ImageFont.truetype(face, size)
        goal = LINES * int(rng.integers(4, 7)) - int(rng.integers(0, LINES // 2))
        lines: list[Line] = []
        taken: list[str] = []
        while waiting and len(lines) < goal - 2:
            taken.append(waiting.pop())
            lines += break_lines(taken[-1], TEXT_WIDTH, 1.5 * size, font.getlength, hyphenate)
        pages = make_pages(lines, LINES, book.title, book.author, page_number)
        page_number += len(pages)
        yield Job(
            book,
            number,
            tuple(taken),
            tuple(pages),
            face,
            size,
            justify=bool(rng.random() < 0.8),
            damage=DAMAGES[(number + number // len(DAMAGES)) % len(DAMAGES)],
            seed=(seed, index, number),
        )


def _read(job: Job, tesseract: str, cache: Path) -> list[str]:
    """Text Tesseract reads on each page of a document."""
    font = ImageFont.truetype(job.font, job.size)
    texts = []
    for number, page in enumerate(job.pages):
        clean = draw(page, font, TEXT_WIDTH, job.justify, round(1.5 * job.size))
        scan = degrade(clean, job.damage, np.random.default_rng([*job.seed, number]))
        key = hashlib.sha256(scan.tobytes()).hexdigest()[:24]
        kept = cache / f"{key}.txt"
        if not kept.exists():
            png = io.BytesIO()
            scan.save(png, "PNG", dpi=(300, 300), compress_level=1)
            done = subprocess.run(
                [tesseract, "stdin", "stdout", "-l", "eng", "--psm", "6"],
                input=png.getvalue(),
                capture_output=True,
                env={**os.environ, "OMP_THREAD_LIMIT": "1"},  # two spinning threads are slower than one
            )
            if done.returncode != 0:
                raise ValueError(f"tesseract failed: {done.stderr.decode(errors='replace').strip()[-300:]}")
            kept.write_bytes(done.stdout)
        texts.append(kept.read_text(encoding="utf-8").strip("\n\f"))
    return texts


def _row(job: Job, texts: list[str]) -> Row:
    name = job.book.file.split("-", 1)[1]
    text = "\f".join(texts)
    truth = "\n\n".join(job.paragraphs)
    return {
        "id": f"ocr/{name}/{job.number:02d}",
        "text": text,
        "source": "ocr",
        "truth": truth,
        "book": job.book.title,
        "pages": len(job.pages),
        "cer": round(error_rate(text, truth), 4),
        "cer_printed": round(error_rate(text, "\f".join(page.text for page in job.pages)), 4),
        "font": job.font.stem,
        "degradation": job.damage.name,
        "license": "public domain",
        "group": f"{name}/{job.number // PER_GROUP:02d}",
    }


def error_rate(text: str, truth: str) -> float:
    """Levenshtein distance over the truth's length, both with runs of white space as one space."""
    a, b = (re.sub(r"\s+", " ", s).strip() for s in (text, truth))
    return Levenshtein.distance(a, b) / len(b)

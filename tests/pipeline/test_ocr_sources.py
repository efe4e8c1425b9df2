"""A folder of PDF, hOCR, ALTO and text, good and bad, from files to cleaned text; nothing goes uncounted."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import polars as pl
import pytest

from pipeline.funnel import funnel
from pipeline.readers.registry import missing_modules
from pipeline.run import Run
from pipeline.select import is_heldout
from tests.pipeline.conftest import SAMPLES, walk_here
from tests.pipeline.readers.pdf_files import ENCRYPTED, printed, scanned
from tests.pipeline.readers.test_ocr_xml import Pages, alto, hocr

pytestmark = pytest.mark.skipif(bool(missing_modules("pdf")), reason="the extra `pdf` is not installed")

LINES = 5
"""Printed lines of a page below its header."""
FRACTION = 0.05
HELD_OUT = next(f"{i}.txt" for i in range(1000) if is_heldout(f"book/{i}.txt", FRACTION, seed=1))
"""A file that the split holds out, so that all others can be rewritten."""


def articles() -> pl.DataFrame:
    """Return articles that Helvetica in a PDF can show, with one space between words."""
    texts = pl.read_parquet(SAMPLES / "wikipedia.parquet")["text"]
    plain = [" ".join(text.split()) for text in texts if text.isascii() and 700 < len(text) < 1500 and "-" not in text]
    return pl.DataFrame({"id": range(len(plain)), "text": plain})


def pages_of(text: str) -> list[list[str]]:
    """Print a text: narrow lines, the first long word at a line's end cut, running headers with page numbers."""
    lines = textwrap.wrap(text, 62)
    cut = next(i for i, line in enumerate(lines[:-1]) if (last := line.split()[-1]).islower() and len(last) >= 7)
    word = lines[cut].split()[-1]
    lines[cut] = lines[cut].removesuffix(word[4:]) + "-"
    lines[cut + 1] = f"{word[4:]} {lines[cut + 1]}"
    pages = [lines[at : at + LINES] for at in range(0, len(lines), LINES)]
    return [[f"THE RECORDS OF THE SOCIETY {number}", *page] for number, page in enumerate(pages, 11)]


def read_words(pages: list[list[str]]) -> Pages:
    return [[[[(word, 91) for word in line.split()] for line in page]] for page in pages]


@pytest.fixture(scope="module")
def mix(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A YAML over a folder of files, and the texts that the good ones were printed from."""
    home = tmp_path_factory.mktemp("ocr")
    folder = home / "in" / "book"
    folder.mkdir(parents=True)
    texts = articles()["text"].to_list()
    pages = [pages_of(text) for text in texts[:4]]
    files = {
        "a.pdf": printed(pages[0], "/Title (Records)"),
        "b.pdf": scanned(printed([["Ink alone."]]), dpi=40),
        "c.pdf": ENCRYPTED,
        "d.pdf": b"%PDF-1.4 and no more",
        "e.pdf": b"<html>an error page</html>",
        "f.hocr": hocr(read_words(pages[1])).encode(),
        "g.hocr": b"<html><body>a page of the web</body></html>",
        "h.alto.xml": alto(read_words(pages[2])).encode(),
        "i.alto.xml": alto(read_words(pages[2])).encode()[:300],
        "j.alto.xml": alto([[]]).encode(),
        "k.txt": "\f".join("\n".join(page) for page in pages[3]).encode(),
        HELD_OUT: texts[4].encode(),
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    articles()[100:140].write_parquet(home / "other.parquet")
    mix = home / "ocr.yaml"
    mix.write_text(
        f"store: {home}/store\ntarget: {{tokens: 1M}}\nsources:\n"
        f'  scans: {{path: "{home}/in/**/*.*", max_bad_fraction: 1}}\n  other: {{path: {home}/other.parquet}}\n'
        "rewrite:\n  scans.clean: {task: ocr_cleanup}\ntokenize: {vocab_size: 400}\n"
        f"evals: {{heldout: {{fraction: {FRACTION}}}}}\n"
    )
    return mix, texts[:4]


@pytest.fixture(scope="module")
def curated(mix: tuple[Path, list[str]]) -> Run:
    return walk_here(mix[0], until="tokenize")


COUNTS = {
    "read": 5,
    "damaged PDF": 1,
    "encrypted PDF": 1,
    "not PDF": 1,
    "not XML": 1,
    "not hOCR": 1,
    "no text layer": 1,
    "no text on any page": 1,
}


def test_every_file_is_read_skipped_or_set_aside_with_its_reason(curated: Run) -> None:
    found = funnel(curated).filter(pl.col("stage") == "sources", pl.col("name") == "scans", pl.col("documents") > 0)
    assert dict(zip(found["reason"], found["documents"], strict=True)) == COUNTS


@pytest.mark.slow
def test_the_command_line_counts_the_same(mix: tuple[Path, list[str]], tmp_path: Path) -> None:
    other = tmp_path / "ocr.yaml"
    other.write_text(re.sub("^store: .*", f"store: {tmp_path}/store", mix[0].read_text()))
    command = [sys.executable, "-m", "pipeline", "curate", str(other)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    for reason, documents in COUNTS.items():
        assert re.search(rf"scans .*\b{reason}\b\D*\b{documents}\b", done.stdout), done.stdout


def tables(run: Run, stage: str) -> pl.DataFrame:
    units = [unit for unit in run.of(stage) if unit.name.startswith("scans")]
    return pl.concat(pl.read_parquet(run.store.local(unit.ref) / "documents.parquet") for unit in units)


def test_pages_lines_and_confidences_are_kept_beside_the_text(curated: Run, mix: tuple[Path, list[str]]) -> None:
    rows = tables(curated, "sources").sort("id").filter(pl.col("id") != f"book/{HELD_OUT}").to_dicts()
    found = {Path(row["id"]).name: (row["text"], json.loads(row["fields"])) for row in rows}
    assert list(found) == ["a.pdf", "f.hocr", "h.alto.xml", "k.txt"]
    for (text, fields), article in zip(found.values(), mix[1], strict=True):
        pages = pages_of(article)
        assert text == "\f".join("\n".join(page) for page in pages)
        assert fields["pages"] == len(pages) > 1
    assert found["a.pdf"][1]["title"] == "Records"
    for name in ("f.hocr", "h.alto.xml"):
        text, fields = found[name]
        assert fields["folder"] == "book"
        assert fields["confidence"] == 0.91
        assert fields["word_confidence"] == "9" * len(text.split())
        assert fields["lines"] == len(text.replace("\f", "\n").split("\n"))


def test_cleanup_gives_the_printed_texts_back(curated: Run, mix: tuple[Path, list[str]]) -> None:
    """Pages, headers, page numbers, line breaks and the cut word of every format are undone."""
    cleaned = tables(curated, "rewrite").sort("id")["text"].to_list()
    assert [" ".join(text.split()) for text in cleaned] == mix[1]

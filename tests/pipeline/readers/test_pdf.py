"""PDF: text page by page and line by line, scans by Tesseract, and whatever a file does costs no more than itself."""

from __future__ import annotations

import gzip
import shutil
import signal
import zlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.load import load_mix
from pipeline.readers import pdf, tesseract
from pipeline.readers.registry import missing_modules
from tests.pipeline.readers.helpers import bad, good, read, skipped
from tests.pipeline.readers.pdf_files import ENCRYPTED, printed, scanned, stream, write_pdf

pytestmark = pytest.mark.skipif(bool(missing_modules("pdf")), reason="the extra `pdf` is not installed")
needs_tesseract = pytest.mark.skipif(
    shutil.which("tesseract") is None, reason="the program tesseract is not installed (apt install tesseract-ocr)"
)

PAGES = [["The first line of a page", "and its second one."], [], ["A third page (with signs) and café."]]
WORDS = st.text(st.characters(codec="cp1252", exclude_categories=["C", "Z"], exclude_characters="­-"), min_size=1)


def put(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def test_pages_lines_and_metadata_are_kept(tmp_path: Path) -> None:
    (record,) = good(read(put(tmp_path / "a.pdf", printed(PAGES, "/Title (A title) /Author (Someone)"))))
    assert record == {
        "id": "a.pdf",
        "text": "\f".join("\n".join(lines) for lines in PAGES),
        "pages": 3,
        "lines": 3,
        "title": "A title",
        "author": "Someone",
    }


def test_a_hyphen_at_a_line_end_keeps_its_line(tmp_path: Path) -> None:
    """PDFium joins such lines with a control character; what joins words is the rewriter's to decide."""
    lines = ["This is an exam-", "ple of a word that is cut."]
    (record,) = good(read(put(tmp_path / "a.pdf", printed([lines]))))
    assert record["text"] == "\n".join(lines)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.lists(st.lists(WORDS, min_size=1, max_size=6), max_size=5), min_size=1, max_size=3))
def test_words_come_back_in_order_and_counts_add_up(tmp_path_factory, pages: list[list[list[str]]]) -> None:
    path = tmp_path_factory.mktemp("words") / "a.pdf"
    items = read(put(path, printed([[" ".join(line) for line in lines] for lines in pages])))
    if not any(pages):
        assert skipped(items) == ["no text layer"]
        return
    (record,) = good(items)
    assert record["pages"] == record["text"].count("\f") + 1 == len(pages)
    for page, lines in zip(record["text"].split("\f"), pages, strict=True):
        # Helvetica's own spacing decides where PDFium sees a space between signs, so only the signs are compared
        assert "".join(page.split()) == "".join(word for line in lines for word in line)
        assert len(page.splitlines()) == len(lines)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (ENCRYPTED, "encrypted PDF"),
        (b"%PDF-1.7\n" + b"junk " * 1000, "damaged PDF"),
        (b"no PDF at all", "not PDF"),
        (b"", "not PDF"),
    ],
)
def test_what_cannot_be_read_is_set_aside_with_its_reason(data: bytes, reason: str, tmp_path: Path) -> None:
    assert bad(read(put(tmp_path / "a.pdf", data))) == [(0, reason)]


def test_compressed_files_are_read_and_limits_hold(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = printed([["word " * 12] * 40] * 3)
    path = put(tmp_path / "a.pdf.gz", gzip.compress(plain))
    assert good(read(path))[0]["pages"] == 3
    assert bad(read(path, limit=5000)) == [(0, "above max_document_bytes")]
    monkeypatch.setattr(pdf, "MAX_FILE_BYTES", 1000)
    assert bad(read(path)) == bad(read(put(tmp_path / "b.pdf", plain))) == [(0, "file above 1,000 bytes")]


def test_too_many_pages_are_set_aside(tmp_path: Path) -> None:
    pages = 20_001
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, b" ".join(b"%d 0 R" % (3 + i) for i in range(pages))),
        *[b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] >>"] * pages,
    ]
    assert bad(read(put(tmp_path / "a.pdf", write_pdf(objects)))) == [(0, "above 20,000 pages")]


def test_a_page_that_unpacks_to_gigabytes_costs_its_file_alone(tmp_path: Path) -> None:
    """Packed twice, 3 GB of spaces are a few kB; PDFium ends its process where memory runs out."""
    packer = zlib.compressobj(9)
    start, again = (packer.compress(b" " * 10**7) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    twice = zlib.compress(start + again * 299, 9)
    content = b"<< /Length %d /Filter [/FlateDecode /FlateDecode] >>\nstream\n%s\nendstream" % (len(twice), twice)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>",
        content,
    ]
    path = put(tmp_path / "a.pdf", write_pdf(objects))
    assert path.stat().st_size < 10_000
    assert bad(read(path)) == [(0, "PDFium failed to read page 1 of 1")]


def test_a_page_too_large_to_render_is_set_aside(tmp_path: Path) -> None:
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 900000 900000] /Contents 4 0 R >>",
        stream(b"0 0 500000 500000 re f"),
    ]
    path = put(tmp_path / "a.pdf", write_pdf(objects))
    assert bad(read(path, params={"ocr": "eng"})) == [(0, "page too large to be rendered")]
    assert skipped(read(path)) == ["no text layer"]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("import os; os.kill(os.getpid(), 11)", "PDFium failed to read the file"),
        (
            "import resource as r; r.setrlimit(r.RLIMIT_CPU, (1, 9))\nwhile True: pass",
            "PDFium took too long to read the file",
        ),
    ],
)
def test_a_crash_and_an_endless_loop_cost_their_file(
    script: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies as PDFium's bugs would make it; no file that does so is at hand."""
    (tmp_path / "child.py").write_text(script)
    monkeypatch.setattr(pdf, "_CHILD", tmp_path / "child.py")
    assert [why.partition(":")[0] for _, why in bad(read(put(tmp_path / "a.pdf", printed(PAGES))))] == [reason]


@pytest.mark.parametrize("script", [f"import os; os.kill(os.getpid(), {int(signal.SIGKILL)})", "import no_such_module"])
def test_what_is_not_the_files_fault_ends_the_unit(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "child.py").write_text(script)
    monkeypatch.setattr(pdf, "_CHILD", tmp_path / "child.py")
    with pytest.raises(RuntimeError, match="the process that reads PDFs ended"):
        read(put(tmp_path / "a.pdf", printed(PAGES)))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_damage_anywhere_gives_one_item_and_never_an_error(tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(printed(PAGES))
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(8, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(8, len(whole)))
    assert len(read(put(tmp_path / "a.pdf", bytes(whole[:cut])))) == 1


@needs_tesseract
def test_scans_are_read_with_confidences_and_text_layers_are_left(tmp_path: Path) -> None:
    import io

    import pypdfium2

    text = [["Tesseract reads this page,", "which has no text layer."], [], ["A second page."]]
    mixed = pypdfium2.PdfDocument(scanned(printed(text)))
    mixed.import_pages(pypdfium2.PdfDocument(printed([["A page with text."]])))
    out = io.BytesIO()
    mixed.save(out)
    path = put(tmp_path / "a.pdf", out.getvalue())
    (record,) = good(read(path, params={"ocr": "eng"}))
    pages = record["text"].split("\f")
    assert [page.split("\n") for page in pages] == [*[lines or [""] for lines in text], ["A page with text."]]
    assert (record["pages"], record["ocr_pages"], record["lines"]) == (4, 3, 4)
    assert record["ocr_engine"] == f"tesseract {tesseract.version()} eng"
    assert 0.8 < record["confidence"] <= 1
    words = record["text"].split()
    assert len(record["word_confidence"]) == len(words)
    assert record["word_confidence"][-4:] == "????", "the text layer states none"
    assert "?" not in record["word_confidence"][:-4]
    # without `ocr` scanned pages stay empty, and the program is not needed
    (plain,) = good(read(path))
    assert plain["text"] == "\f\f\fA page with text."


def test_a_missing_program_or_language_is_named_when_the_yaml_is_read(tmp_path: Path, monkeypatch) -> None:
    put(tmp_path / "a.pdf", printed(PAGES))
    (tmp_path / "b.txt").write_text("something")
    mix = tmp_path / "mix.yaml"

    def message(language: str) -> str:
        mix.write_text(
            f"target: {{tokens: 1B}}\nsources:\n  a: {{path: {tmp_path}/a.pdf, params: {{ocr: {language}}}}}\n"
            f"  b: {{path: {tmp_path}/b.txt}}\n"
        )
        with pytest.raises(InputError) as caught:
            load_mix(mix)
        return str(caught.value)

    assert "pattern" in message("--help")
    if shutil.which("tesseract"):
        assert "Tesseract's language xyz; it has eng" in message("xyz")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "it needs the program tesseract" in message("eng")

"""hOCR and ALTO: words, lines, blocks, pages and confidences come back as they were; hostile markup costs its file."""

from __future__ import annotations

import gzip
import html
from collections.abc import Callable
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.pipeline.readers.helpers import bad, good, read, skipped

Word = tuple[str, int | None]
"""A word and its confidence in per cent."""
Pages = list[list[list[list[Word]]]]
"""Pages of blocks of lines of words."""

XHTML = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
    '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
)


def hocr(pages: Pages) -> str:
    """Write pages as Tesseract does."""
    out = [XHTML + "<html><head><title>not text</title><meta name='ocr-system' content='x'/></head><body>"]
    for blocks in pages:
        out.append("<div class='ocr_page' title='image \"a.png\"; bbox 0 0 9 9'>")
        for lines in blocks:
            out.append("<div class='ocr_carea'><p class='ocr_par' lang='eng'>")
            for line in lines:
                words = (
                    f"<span class='ocrx_word' title='bbox 0 0 9 9{'' if c is None else f'; x_wconf {c}'}'>"
                    f"<em>{html.escape(w)}</em></span>"
                    for w, c in line
                )
                out.append(f"<span class='ocr_line' title='bbox 0 0 9 9'>{' '.join(words)}\n</span>")
            out.append("</p></div>")
        out.append("</div>")
    return "\n".join([*out, "</body></html>"])


def alto(pages: Pages, version: int = 4, prefix: str = "") -> str:
    p = f"{prefix}:" if prefix else ""
    name = f"xmlns:{prefix}" if prefix else "xmlns"
    out = [f'<?xml version="1.0"?><{p}alto {name}="http://www.loc.gov/standards/alto/ns-v{version}#"><{p}Layout>']
    for blocks in pages:
        out.append(f"<{p}Page><{p}PrintSpace>")
        for lines in blocks:
            out.append(f"<{p}TextBlock>")
            for line in lines:
                words = (
                    f"<{p}String CONTENT={quoteattr(w)}" + ("/>" if c is None else f" WC='{c / 100}'/>")
                    for w, c in line
                )
                out.append(f"<{p}TextLine>" + f"<{p}SP WIDTH='3'/>".join(words) + f"</{p}TextLine>")
            out.append(f"</{p}TextBlock>")
        out.append(f"</{p}PrintSpace></{p}Page>")
    return "".join([*out, f"</{p}Layout></{p}alto>"])


WRITERS: dict[str, Callable[[Pages], str]] = {
    "a.hocr": hocr,
    "a.alto.xml": alto,
    "a.alto": lambda pages: alto(pages, version=2, prefix="alto"),
}
FILES = pytest.mark.parametrize("name", WRITERS)


def put(path: Path, data: str | bytes) -> Path:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return path


@FILES
def test_text_and_confidences_of_a_small_document(name: str, tmp_path: Path) -> None:
    pages: Pages = [
        [[[("The", 96), ("Title", 70)]], [[("one", 100), ("two", 0)], [("three", 59)]]],
        [],
        [[[("R&D", 90), ("<last>", None)]]],
    ]
    (record,) = good(read(put(tmp_path / name, WRITERS[name](pages))))
    assert record == {
        "id": name,
        "text": "The Title\n\none two\nthree\f\fR&D <last>",
        "pages": 3,
        "lines": 4,
        "confidence": pytest.approx((96 + 70 + 100 + 0 + 59 + 90) / 600, abs=1e-4),
        "word_confidence": "9790" + "59?",
    }


WORDS = st.tuples(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=8), st.none() | st.integers(0, 100)
)
PAGES = st.lists(st.lists(st.lists(st.lists(WORDS, max_size=4), max_size=3), max_size=3), min_size=1, max_size=3)


@FILES
@settings(max_examples=60, deadline=None)
@given(pages=PAGES)
def test_random_words_come_back_and_counts_add_up(tmp_path_factory, name: str, pages: Pages) -> None:
    items = read(put(tmp_path_factory.mktemp("ocr") / name, WRITERS[name](pages)))
    words = [word for blocks in pages for lines in blocks for line in lines for word in line]
    if not words:
        assert skipped(items) == ["no text on any page"]
        return
    (record,) = good(items)
    expected = "\f".join(
        "\n\n".join(
            text for lines in blocks if (text := "\n".join(" ".join(w for w, _ in line) for line in lines if line))
        )
        for blocks in pages
    )
    assert record["text"] == expected
    assert record["pages"] == len(pages)
    assert record["lines"] == sum(bool(line.strip()) for page in expected.split("\f") for line in page.split("\n"))
    known = [c for _, c in words if c is not None]
    assert ("confidence" in record) == ("word_confidence" in record) == bool(known)
    if known:
        assert record["confidence"] == pytest.approx(sum(known) / len(known) / 100, abs=1e-4)
        assert len(record["word_confidence"]) == len(record["text"].split())
        for sign, (_, c) in zip(record["word_confidence"], words, strict=True):
            assert sign == "?" if c is None else abs(int(sign) / 10 + 0.05 - c / 100) <= 0.0501


def page(inside: str) -> str:
    return f"<alto><Layout><Page>{inside}</Page></Layout></alto>"


def string(content: str, more: str = "") -> str:
    return f'<String CONTENT="{content}" {more}/>'


def test_words_cut_at_line_ends_in_alto(tmp_path: Path) -> None:
    first = string("exam", 'SUBS_TYPE="HypPart1" SUBS_CONTENT="example" WC="0.9"')
    second = string("ple", 'SUBS_TYPE="HypPart2" SUBS_CONTENT="example" WC="0.1"')
    cut = '<HYP CONTENT="&#xAD;"/>'

    def text(*lines: str) -> str:
        rows = "".join(f"<TextLine>{line}</TextLine>" for line in lines)
        (record,) = good(read(put(tmp_path / "a.alto", page(f"<TextBlock>{rows}</TextBlock>"))))
        return record["text"]

    assert text(string("An") + first + cut, second + string("here")) == "An example\nhere"
    assert text(first + cut, second) == "example", "a line of which nothing is left goes"
    assert text(string("exam") + cut, string("ple")) == "exam\xad\nple", "the file does not say what the word is"
    assert text(string("exam") + "<HYP/>", string("ple")) == "exam-\nple"
    assert text(second + string("here")) == "ple here", "the first half is on the page before, in another file"
    assert text(first + cut, string("and"), string("exam") + "<HYP/>") == "example\nand\nexam-"


def test_bottom_margins_come_last_on_their_page(tmp_path: Path) -> None:
    def block(word: str) -> str:
        return f"<TextBlock><TextLine>{string(word)}</TextLine></TextBlock>"

    margins = f"<TopMargin>{block('head')}</TopMargin><BottomMargin>{block('17')}</BottomMargin>"
    body = f"<PrintSpace><ComposedBlock>{block('body')}</ComposedBlock></PrintSpace>"
    (record,) = good(read(put(tmp_path / "a.alto", page(margins + body))))
    assert record["text"] == "head\n\nbody\n\n17"


def test_lines_of_hocr_without_words_give_their_text(tmp_path: Path) -> None:
    body = (
        "<div class=ocr_page><span class=ocr_line>one <b>t</b>wo &amp; three</span><br><span class=ocr_line>four</span>"
    )
    (record,) = good(read(put(tmp_path / "a.hocr", body)))
    assert record == {"id": "a.hocr", "text": "one two & three\nfour", "pages": 1, "lines": 2}


def test_impossible_confidences_count_as_none(tmp_path: Path) -> None:
    words = "".join(string("word", f'WC="{wc}"') for wc in ("1.5", "-1", "nan", "high", "", "0.5"))
    (record,) = good(read(put(tmp_path / "a.alto", page(f"<TextLine>{words}</TextLine>"))))
    assert (record["word_confidence"], record["confidence"]) == ("?????5", 0.5)


def test_encodings(tmp_path: Path) -> None:
    text = page(f"<TextLine>{string('café')}</TextLine>")
    for encoding in ("latin-1", "utf-16"):
        data = f'<?xml version="1.0" encoding="{encoding}"?>{text}'.encode(encoding)
        assert good(read(put(tmp_path / "a.alto", data)))[0]["text"] == "café"
    marked = b"\xef\xbb\xbf" + hocr([[[[("café", 1)]]]]).encode()
    assert good(read(put(tmp_path / "a.hocr", marked)))[0]["text"] == "café"
    assert bad(read(put(tmp_path / "a.hocr", marked.replace("é".encode(), b"\xe9")))) == [(0, "not UTF-8")]


def test_text_that_spans_the_parts_that_a_file_is_read_in(tmp_path: Path) -> None:
    """Files are parsed 256 kB at a time, wherever that cuts a word, a tag or a character."""
    lines: list[list[Word]] = [[(f"wört{i}", i % 101), ("—&", 50)] for i in range(12_000)]
    expected = "\n".join(" ".join(word for word, _ in line) for line in lines)
    for name, write in WRITERS.items():
        (record,) = good(read(put(tmp_path / f"{name}.gz", gzip.compress(write([[lines]]).encode()))))
        assert record["text"] == expected
    bare = "<p class=ocr_page>" + "".join(f"<span class=ocr_line>wört{i}</span>" for i in range(30_000))
    assert good(read(put(tmp_path / "b.hocr", bare)))[0]["text"] == "\n".join(f"wört{i}" for i in range(30_000))


BOMB = '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.alto", BOMB + page("&b;"), "not XML: it declares a document type"),
        ("a.alto", page("&b;"), "not XML: undefined entity"),
        ("a.alto", page("<TextLine>"), "not XML: mismatched tag"),
        ("a.alto", "", "not XML: no element found"),
        ("a.alto", "<alto>" + "<x>" * 1000, "not XML: over 500 elements inside each other"),
        ("a.alto", "<alto x='" + "y" * 20_000_000, "not XML: a tag without an end"),
        ("a.alto", "<TEI><text/></TEI>", "not ALTO: it begins with <TEI>"),
        ("a.hocr", "<html><body><p>Some page of the web.</p></body></html>", "not hOCR: it has no ocr_page"),
        ("a.hocr", "", "not hOCR: it has no ocr_page"),
        ("a.hocr", "<div>" * 1000, "not hOCR: over 500 tags inside each other"),
        ("a.hocr", "<div class='" + "y" * 3_000_000, "not hOCR: a tag without an end"),
    ],
)
def test_hostile_and_foreign_markup_is_set_aside(name: str, data: str, reason: str, tmp_path: Path) -> None:
    (item,) = read(put(tmp_path / name, data))
    assert item.reason.startswith(reason)  # type: ignore[union-attr]


def test_entities_of_hocr_are_plain_characters(tmp_path: Path) -> None:
    body = BOMB + "<p class=ocr_page><span class=ocr_line>&b; &eacute;</span>"
    (record,) = good(read(put(tmp_path / "a.hocr", body)))
    assert record["text"].endswith("&b; é")


@FILES
def test_reading_stops_where_the_text_is_above_the_limit(name: str, tmp_path: Path) -> None:
    lines: list[list[Word]] = [[("word", 90)] * 10] * 100
    path = put(tmp_path / name, WRITERS[name]([[lines]]))
    assert bad(read(path, limit=4000)) == [(0, "above max_document_bytes")]
    assert good(read(path, limit=6000))


@FILES
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_damage_anywhere_gives_one_item_and_never_an_error(tmp_path_factory, name: str, data: st.DataObject) -> None:
    whole = bytearray(WRITERS[name]([[[[("one", 90), ("two", None)]]], [[[("three", 5)]]]]).encode())
    for _ in range(data.draw(st.integers(0, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(whole)))
    assert len(read(put(tmp_path_factory.mktemp("damage") / name, bytes(whole[:cut])))) == 1


def test_form_feeds_of_plain_text_survive_and_are_counted(tmp_path: Path) -> None:
    for text, pages in (("one\ftwo\n\fthree", 3), ("one\n\ftwo\n\f", 2), ("one\f\ftwo", 3)):
        (record,) = good(read(put(tmp_path / "a.txt", text)))
        assert record == {"id": "a.txt", "text": text, "pages": pages}
    assert "pages" not in good(read(put(tmp_path / "a.txt", "one\ntwo")))[0]

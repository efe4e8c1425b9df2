"""MediaWiki dumps: prose without markup, other pages skipped and counted; pieces, also of multistream files."""

from __future__ import annotations

import bz2
from html import escape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.base import BadRecord
from pipeline.readers.wikitext import wikitext_to_text
from tests.pipeline.readers.helpers import bad, good, pieces, read, read_pieces, skipped, without_rows

HEAD = """\
<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
  <siteinfo>
    <sitename>Wikipedia</sitename>
    <namespaces>
      <namespace key="0" case="first-letter" />
      <namespace key="1" case="first-letter">Talk</namespace>
    </namespaces>
  </siteinfo>
"""
TAIL = "</mediawiki>\n"


def page(number: int, text: str, ns: int = 0, redirect: str = "") -> str:
    """Return a page as export-0.11 writes it."""
    moved = f'\n    <redirect title="{redirect}" />' if redirect else ""
    return f"""\
  <page>
    <title>Page {number}</title>
    <ns>{ns}</ns>
    <id>{number}</id>{moved}
    <revision>
      <id>{number + 1000}</id>
      <parentid>{number + 900}</parentid>
      <timestamp>2024-01-02T03:04:05Z</timestamp>
      <contributor><username>Someone</username><id>7</id></contributor>
      <comment>/* History */ &lt;page&gt;</comment>
      <model>wikitext</model>
      <format>text/x-wiki</format>
      <text bytes="{len(text)}" sha1="x" xml:space="preserve">{escape(text, quote=False)}</text>
      <sha1>x</sha1>
    </revision>
  </page>
"""


PAGES = [
    page(1, "'''First''' &amp; [[link|linked]] <page> é."),
    page(2, "#REDIRECT [[Page 1]]", redirect="Page 1"),
    page(3, "talk", ns=1),
    page(4, "{{Only a template}}"),
    page(5, "Fifth."),
]


def test_articles_are_read_and_the_rest_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "enwiki-20240101-pages-articles.xml.bz2"
    path.write_bytes(bz2.compress((HEAD + "".join(PAGES) + TAIL).encode()))
    items = read(path)
    first = {"id": "1", "title": "Page 1", "revision": "1001", "timestamp": "2024-01-02T03:04:05Z"}
    assert good(items)[0] == first | {"text": "Page 1\n\nFirst & linked <page> é."}
    assert [record["id"] for record in good(items)] == ["1", "5"]
    assert skipped(items) == ["redirect", "not in the main namespace", "page without text"]


def test_broken_and_endless_pages_cost_themselves(tmp_path: Path) -> None:
    path = tmp_path / "pages-articles.xml"
    broken = PAGES[0].replace("</title>", "")
    text = HEAD + broken + page(6, "long " * 1000) + PAGES[4] + PAGES[0].split("</page>")[0]
    path.write_text(text, encoding="utf-8")
    items = read(path, limit=3000)
    assert [record["id"] for record in good(items)] == ["5"]
    assert bad(items) == [(0, "not XML"), (1, "above max_document_bytes"), (3, "not XML")]
    path.write_bytes(text.encode().replace(b"Fifth", b"F\xffth"))
    assert (2, "not XML") in bad(read(path, limit=3000))


def test_a_page_far_above_the_limit_is_counted_by_its_size(tmp_path: Path) -> None:
    path = tmp_path / "pages-articles.xml"
    path.write_text(HEAD + page(1, "x" * 5_000_000) + PAGES[4] + TAIL, encoding="utf-8")
    items = read(path, limit=1_000_000)
    assert [record["id"] for record in good(items)] == ["5"]
    (found,) = [item for item in items if isinstance(item, BadRecord)]
    size = len(page(1, "x" * 5_000_000).strip())
    assert found.reason == f"above max_document_bytes: {size:,} bytes, limit 1,000,000"


def test_a_document_type_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "pages-articles.xml"
    path.write_text("<page><!DOCTYPE x></page>" + PAGES[4])
    assert bad(read(path)) == [(0, "not XML")]


@given(st.integers(50, 3000), st.lists(st.integers(0, 900), min_size=1, max_size=12))
def test_pieces_of_a_plain_dump_read_as_the_whole(tmp_path_factory, step: int, lengths: list[int]) -> None:
    path = tmp_path_factory.mktemp("wiki") / "pages-articles.xml"
    path.write_text(HEAD + "".join(page(i, "word " * n) for i, n in enumerate(lengths)) + TAIL)
    if pieces(path, step):
        assert without_rows(read_pieces(path, step)) == without_rows(read(path))


def test_multistream_bz2_is_cut_between_streams(tmp_path: Path) -> None:
    path = tmp_path / "enwiki-20240101-pages-articles-multistream1.xml-p1p41242.bz2"
    streams = [HEAD, *("".join(page(10 * k + i, f"Text {k} {i}.") for i in range(10)) for k in range(20)), TAIL]
    path.write_bytes(b"".join(bz2.compress(each.encode()) for each in streams))
    found = pieces(path, path.stat().st_size // 4)
    assert len(found) >= 4
    items = read_pieces(path, path.stat().st_size // 4)
    assert items == read(path)
    assert len(items) == 200


def test_bz2_streams_that_do_not_begin_with_a_page_are_not_cut(tmp_path: Path) -> None:
    path = tmp_path / "pages-articles.xml.bz2"
    data = (HEAD + "".join(PAGES * 50) + TAIL).encode()
    path.write_bytes(b"".join(bz2.compress(data[i : i + 1500]) for i in range(0, len(data), 1500)))
    assert pieces(path, path.stat().st_size // 4) == []
    assert len(read(path)) == 250


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("'''Bold''' and ''italic''.", "Bold and italic."),
        ("A [[link]], [[target|label]], [[:Category:X]].", "A link, label, Category:X."),
        ("[[File:a.jpg|thumb|A [[caption]]]]Text [[Category:B]][[de:C]]", "Text"),
        ("[[Star Trek: Picard]] [[Wikipedia:About]]x", "Star Trek: Picard Wikipedia:Aboutx"),
        ("A [[Terminator 2:Judgment Day|T2]], [[Wikipedia:Foo|Bar]] b.", "A T2, Bar b."),
        ("[[Mission:Impossible]] [[CSI:Miami|CSI]]", "Mission:Impossible CSI"),
        ("[[wikt:word|word]] [[s:Book|book]] [[w:de:X|x]] [[:q:Y|y]] [[doi:10.1/x|paper]]", "word book x y paper"),
        ("a[[de:C]][[zh-min-nan:C]][[simple:C]] [[fr: C|c]]b", "a b"),
        ("[[image:a.jpg|thumb|b]][[Bild:a.JPG|thumb|b]][[ category :B|c]][[Special:Search/File:x|s]]", "s"),
        ("Text<ref name=a>{{cite|x}} y</ref> goes<ref name=a/> on.", "Text goes on."),
        ("Born ({{lang|fr|x}}; {{IPA|y}}) here.", "Born here."),
        ("== Head ==\nText\n=== Sub ===\nMore", "Head\n\nText\n\nSub\n\nMore"),
        ("* a\n** b\n# c\n: d\n;e", "- a\n- b\n- c\nd\ne"),
        ('a\n{| class="x"\n|-\n! h\n|-\n| c\n|}\nb', "a\n\nb"),
        ("[http://x.org label] [http://y.org] http://z.org", "label http://z.org"),
        ("a&nbsp;&ndash;&nbsp;b <!-- c --> d __NOTOC__", "a – b d"),
        ("<math>x^2</math>a<br/>b<blockquote>c</blockquote>", "a\nb\n\nc"),
        ("<syntaxhighlight lang='python'>\ndef f():\n    return 1\n</syntaxhighlight>", "def f():\n    return 1"),
        ("", ""),
    ],
)
def test_wikitext_to_text(source: str, text: str) -> None:
    assert wikitext_to_text(source) == text


@pytest.mark.parametrize("ending", ["", ".bz2"])
def test_links_into_what_the_dump_calls_files_and_categories_go(ending: str, tmp_path: Path) -> None:
    """Also in pieces, which do not begin at the head of the file."""
    names = '<namespace key="6">Datei</namespace>\n<namespace key="14" case="x">Kategorie &amp; so</namespace>\n'
    head = HEAD.replace("</namespaces>", names + "    </namespaces>")
    text = "A [[Datei:Karte|mini|die Karte]][[kategorie & so:B]]b, [[Wikipedia:Kürze|kurz]]."
    streams = [head, *(page(i, text) for i in range(30)), TAIL]
    path = tmp_path / f"dewiki-pages-articles.xml{ending}"
    path.write_bytes(b"".join(bz2.compress(each.encode()) if ending else each.encode() for each in streams))
    items = read_pieces(path, path.stat().st_size // 3)
    assert [record["text"] for record in good(items)] == [f"Page {i}\n\nA b, kurz." for i in range(30)]


@given(st.text("[]{}|='<>/*#:ab \n", max_size=120))
def test_no_markup_makes_wikitext_fail(source: str) -> None:
    text = wikitext_to_text(source)
    assert text == text.strip()
    assert "\n\n\n" not in text

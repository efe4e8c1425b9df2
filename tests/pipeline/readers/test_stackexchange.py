"""StackExchange dumps: HTML becomes readable text, and score, tags, thread and licence by date stay with it."""

from __future__ import annotations

import gzip
import os
from html import escape
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.base import BadRecord
from pipeline.readers.html_text import html_to_text
from pipeline.readers.stackexchange import license_of
from tests.pipeline.readers.helpers import bad, good, pieces, read, read_pieces, skipped

DATA = Path(os.environ.get("MIXWRIGHT_DATA", "missing")) / "stackexchange"


def dump(*rows: str) -> bytes:
    return ('\ufeff<?xml version="1.0" encoding="utf-8"?>\n<posts>\n  ' + "\n  ".join(rows) + "\n</posts>\n").encode()


BODY = escape("<p>Why does <code>a &lt; b</code> fail?</p><pre><code>if a &lt; b:\n    c()\n</code></pre>")
QUESTION = (
    '<row Id="1" PostTypeId="1" AcceptedAnswerId="2" CreationDate="2011-04-07T20:26:05.383" Score="18" ViewCount="795" '
    f'Body="{BODY}" Title="A &quot;strange&quot; error" Tags="&lt;python&gt;&lt;python-3.x&gt;" AnswerCount="1" '
    'CommentCount="0" />'
).replace("\n", "&#xA;")
ANSWER = (
    '<row Id="2" PostTypeId="2" ParentId="1" CreationDate="2018-05-02T00:00:00" Score="-3" '
    'Body="&lt;p&gt;Because.&lt;/p&gt;" CommentCount="2" />'
)


def test_a_question_and_its_answer(tmp_path: Path) -> None:
    path = tmp_path / "x.Posts.xml.gz"
    path.write_bytes(gzip.compress(dump(QUESTION, ANSWER)))
    assert read(path) == [
        {
            "id": "1",
            "text": 'A "strange" error\n\nWhy does a < b fail?\n\nif a < b:\n    c()',
            "group": "1",
            "license": "CC-BY-SA-2.5",
            "post_type": "question",
            "title": 'A "strange" error',
            "tags": "python python-3.x",
            "created": "2011-04-07T20:26:05.383",
            "accepted_answer": "2",
            "score": 18,
            "views": 795,
            "answers": 1,
            "comments": 0,
        },
        {
            "id": "2",
            "text": "Because.",
            "group": "1",
            "license": "CC-BY-SA-4.0",
            "post_type": "answer",
            "created": "2018-05-02T00:00:00",
            "parent": "1",
            "score": -3,
            "comments": 2,
        },
    ]


@pytest.mark.parametrize(
    ("post", "expected"),
    [
        ({"CreationDate": "2011-04-07T23:59:59.999"}, "CC-BY-SA-2.5"),
        ({"CreationDate": "2011-04-08T00:00:00"}, "CC-BY-SA-3.0"),
        ({"CreationDate": "2018-05-01T23:59:59"}, "CC-BY-SA-3.0"),
        ({"CreationDate": "2018-05-02T00:00:00"}, "CC-BY-SA-4.0"),
        ({"CreationDate": "2010-01-01", "ContentLicense": "CC BY-SA 4.0"}, "CC-BY-SA-4.0"),
        ({}, None),
    ],
)
def test_the_licence_goes_by_the_dump_or_the_day(post: dict[str, str], expected: str | None) -> None:
    assert license_of(post) == expected


def test_bad_rows_cost_themselves_and_posts_without_text_are_skipped(tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    empty = '<row Id="3" PostTypeId="5" CreationDate="2018-05-02" Score="0" Body="" />'
    broken, entity = '<row Id="4" Body="&lt;p', '<row Id="5" Body="&unknown;" />'
    data = dump(
        QUESTION, empty, broken, entity, '<row PostTypeId="1" Body="x" />', '<row Id="6" Score="x" Body="x"/>', ANSWER
    )
    path.write_bytes(data.replace(b"Because", b"Beca\xffse"))
    items = read(path)
    assert [record["id"] for record in good(items)] == ["1"]
    assert skipped(items) == ["post without text"]
    assert bad(items) == [(4, "not XML"), (5, "not XML"), (6, "not a post"), (7, "not a post"), (8, "not XML")]


def test_entities_are_refused_so_none_can_grow(tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    bomb = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    path.write_bytes(dump(bomb + '<row Id="1" PostTypeId="2" Body="&b;" />', ANSWER))
    items = read(path)
    assert [record["id"] for record in good(items)] == ["2"]
    (found,) = [item for item in items if isinstance(item, BadRecord)]
    assert "document type" in found.reason


def test_pieces_read_as_the_whole(tmp_path: Path) -> None:
    path = tmp_path / "Posts.xml"
    path.write_bytes(dump(*(ANSWER.replace('Id="2"', f'Id="{i}"', 1) for i in range(100))))
    assert len(pieces(path, 2000)) > 5
    assert read_pieces(path, 2000) == read(path)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a\n  b</p>\n\n<p>c</p>", "a b\n\nc"),
        ("<ul>\n<li>a</li>\n<li><p>b</p></li>\n</ul><p>c", "- a\n- b\n\nc"),
        ("<ol><li>a<ul><li>b</li></ul></li><li>c</li></ol>", "1. a\n  - b\n2. c"),
        ("<blockquote>\n<p>a</p>\n<p>b</p>\n</blockquote>\n<p>c</p>", "> a\n>\n> b\n\nc"),
        ("<p>x</p><blockquote><p>a</p></blockquote>", "x\n\n> a"),
        ("<pre><code>a\n\n    b &lt; c\n</code></pre>d", "a\n\n    b < c\n\nd"),
        ("a<br>b<script>alert(1)</script><style>p{}</style>", "a\nb"),
        ("<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>", "a\tb\n1\t2"),
        ("<p>a <b>b</b><i>c</i> <a href='x'>d</a></p>", "a bc d"),
        ("<h1>t</h1>a<hr>b", "t\n\na\n\nb"),
        ("</blockquote></ul></pre>x<blockquote>y", "x\n\n> y"),
        ("1 < 2 && a > b", "1 < 2 && a > b"),
    ],
)
def test_html_to_text(html: str, text: str) -> None:
    assert html_to_text(html) == text


@given(st.text('<>/="abpreulico& \n', max_size=200))
def test_no_markup_makes_html_fail_or_blank_lines_pile_up(html: str) -> None:
    text = html_to_text(html)
    assert text == text.strip()


@given(
    st.lists(st.text(st.characters(exclude_categories=["C", "Z"], exclude_characters="<>&"), min_size=1), min_size=1)
)
def test_no_word_of_a_paragraph_is_lost(words: list[str]) -> None:
    assert html_to_text(f"<p>{escape(' '.join(words))}</p>").split() == words


@pytest.mark.skipif(not DATA.is_dir(), reason="MIXWRIGHT_DATA names no folder with stackexchange dumps")
def test_every_post_of_real_dumps_is_read() -> None:
    for path in sorted(DATA.glob("*Posts.xml.gz")):
        rows = gzip.decompress(path.read_bytes()).count(b"<row ")
        items = read(path)
        assert len(items) == rows
        assert bad(items) == []
        assert len(skipped(items)) < 0.2 * rows
        for record in good(items):
            assert record["group"] == record.get("parent", record["id"])

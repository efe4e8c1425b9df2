"""The pure parts of the sample builders: layout, text cleaning, sampling, and byte-stable files."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from samples.builders import books, code, evals, prose, questions, tables
from samples.builders.fetch import Package, fetch, require_tool
from samples.builders.layout import break_lines, make_pages

WORDS = st.lists(st.text("abcdefghij—-,.“”", min_size=1, max_size=14), min_size=1, max_size=60)


def every_second(word: str) -> list[int]:
    """Stand-in hyphenation rule: any even offset, two letters at least on both sides."""
    return list(range(2, len(word) - 1, 2))


@given(WORDS, st.integers(15, 40))
def test_lines_fit_and_lose_nothing(words: list[str], width: int) -> None:
    """The printed lines must hold exactly the paragraph: else the truth would not be what was printed."""
    paragraph = " ".join(words)
    lines = break_lines(paragraph, width, 2, len, every_second)
    assert all(len(line.text) <= width for line in lines)
    assert [line.indent for line in lines] == [True] + [False] * (len(lines) - 1)
    assert [line.end for line in lines] == [False] * (len(lines) - 1) + [True]
    printed = "".join(line.text for line in lines).replace(" ", "")
    # Only hyphens at line ends may have been added.
    assert printed.replace("-", "") == paragraph.replace(" ", "").replace("-", "")
    assert lines == break_lines(paragraph, width, 2, len, every_second)


def test_a_word_is_cut_with_a_hyphen_and_a_dash_without() -> None:
    hyphenated = break_lines("some extraordinary words", 12, 0, len, lambda word: [5] if len(word) > 6 else [])
    assert [line.text for line in hyphenated] == ["some extra-", "ordinary", "words"]
    dashed = break_lines("stop—then go", 6, 0, len, lambda word: [])
    assert [line.text for line in dashed] == ["stop—", "then", "go"]


def test_pages_are_numbered_and_headed_on_both_sides() -> None:
    lines = break_lines("word " * 30, 10, 0, len, lambda word: [])
    pages = make_pages(lines, 4, "Title", "Author", first=8)
    assert [page.header for page in pages[:2]] == [("8", "TITLE"), ("AUTHOR", "9")]
    assert pages[0].text.splitlines()[0] == "8 TITLE"
    assert sum(len(page.lines) for page in pages) == len(lines)


def test_prose_is_told_from_headings_and_verse() -> None:
    assert books.is_prose('"Yes," said he, "it is so; and there it ends."')
    assert not books.is_prose("CHAPTER IV. The Rabbit Sends in a Little Bill")
    assert not books.is_prose("     There's a garden that I ken,\n     Full of little gentlemen;")
    assert not books.is_prose("[Persuasion by Jane Austen 1818]")


def test_typographic_quotes_and_dashes() -> None:
    assert books.typographic("\"Don't,\" he said--'_never_!'") == "“Don’t,” he said—‘never!’"
    assert books.typographic("He said 'no' to \"them\".") == "He said ‘no’ to “them”."


@given(
    st.lists(
        st.sampled_from(["One two three.", "Is it?", "A much longer sentence stands here, it seems!"]),
        min_size=1,
    )
)
def test_parts_of_a_speech_join_to_the_speech(sentences: list[str]) -> None:
    text = " ".join(sentences)
    parts = prose.split_parts(text, 60)
    assert " ".join(parts) == text
    assert all(parts)


def test_foreign_licences_are_seen_and_the_foundation_is_not_foreign() -> None:
    assert code.foreign_notice("# Copyright 2007 Google, Inc. All Rights Reserved.\nx = 1\n")
    assert not code.foreign_notice("# Copyright (C) 2001-2007 Python Software Foundation\nx = 1\n")


def test_coq_header_is_cut_and_comments_stay() -> None:
    text = "(***)\n(*  v   * The Coq Proof Assistant *)\n(***)\n\nRequire Import Bool.\n(** A comment. *)\n"
    assert code.without_coq_header(text) == "Require Import Bool.\n(** A comment. *)\n"


def test_documentation_markup_is_opened() -> None:
    pod = 'See L<perlop/"Floats"> and C<< $a->{b} >>, not F</etc>.\n\n=over 4\n\n=item *\n\nB<one>\n\n=back'
    assert questions.plain_pod(pod) == 'See perlop/"Floats" and $a->{b}, not /etc.\n\n*\n\none'
    rst = "Use :func:`len` or ``x[0]``, see `the docs <a.html>`__::\n\n   >>> 1\n\n.. note::\n   Mind it."
    assert questions.plain_rst(rst) == "Use len or x[0], see the docs:\n\n   >>> 1\n\n   Mind it."


def test_overlapping_passages_are_dropped() -> None:
    passage = " ".join(f"word{i}" for i in range(40))
    other = [{"text": "before " + passage + " after"}]
    fresh = {"text": " ".join(f"other{i}" for i in range(40))}
    assert questions.without_overlap([{"text": passage}, fresh], other) == [fresh]


def test_sample_takes_whole_groups_within_the_limit() -> None:
    rows: list[tables.Row] = [{"text": "x" * 10, "group": str(i // 2)} for i in range(20)]
    kept = tables.sample_by_bytes(rows, 75, seed=3)
    assert len(kept) == 6
    assert kept == tables.sample_by_bytes(rows, 75, seed=3)
    assert all(sum(row["group"] == g for row in kept) == 2 for g in {row["group"] for row in kept})


def test_files_are_the_same_bytes_each_time_and_bad_rows_are_refused(tmp_path: Path) -> None:
    row: tables.Row = {"id": "a", "text": "t", "source": "s", "year": 1900, "license": "l", "group": "g"}
    for name in ("one", "two"):
        tables.write_parquet([row], tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    for bad in ([row, row], [{**row, "text": " "}], [{"id": "a"}], []):
        with pytest.raises(ValueError):
            tables.write_parquet(bad, tmp_path / "bad")


def test_eval_sample_keeps_all_lines_of_a_document() -> None:
    lines = [{"doc_id": d + u, "idx": i} for u in (0, evals.UNCONDITIONAL) for d in range(10) for i in range(4)]
    chosen = evals.choose_lines(lines, 3, seed=1)
    assert len(chosen) == 3 * 8
    assert chosen == evals.choose_lines(lines, 3, seed=1)


def test_a_missing_tool_is_named() -> None:
    with pytest.raises(ValueError, match=r"no-such-tool.*to read pages"):
        require_tool("no-such-tool", "to read pages")


def test_an_unpacked_package_is_not_downloaded_again(tmp_path: Path) -> None:
    folder = tmp_path / "npm" / "@a+b-1.0"
    folder.mkdir(parents=True)
    assert fetch(Package("npm", "@a/b", "1.0", "0" * 64), tmp_path) == folder


def test_degraded_page_is_a_function_of_the_seed() -> None:
    """A rebuild must give Tesseract the same image. Runs where Pillow is installed."""
    image_module = pytest.importorskip("PIL.Image")
    np = pytest.importorskip("numpy")
    from samples.builders.scan import DAMAGES, degrade

    page = image_module.new("L", (120, 80), 255)
    one, two, other = (degrade(page, DAMAGES[1], np.random.default_rng(seed)) for seed in (5, 5, 6))
    assert one.size == page.size
    assert one.tobytes() == two.tobytes() != other.tobytes()

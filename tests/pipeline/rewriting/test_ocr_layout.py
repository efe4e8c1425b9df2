"""Layout undone on small real pages, and clean text left as it is."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.ocr.lexicon import Lexicon, load_lexicon
from pipeline.rewriting.ocr_layout import fix_characters, keeps_hyphen, undo_layout
from pipeline.rewriting.ocr_lines import is_junk, running_lines

PAGES = "\f".join(
    [
        "12 PERSUASION |\n"
        "“Indeed!” was the reply, and with a look of surprise.\n"
        "“Yes; it is in two points offensive to me; I have two\n"
        "strong grounds of objection to it. First, as being the =\n"
        "means of bringing persons of obscure birth into undue\n"
        "_ distinction, and raising men to honours which their ee\n"
        "fathers never dreamt of. I strongly object to it, and al-\n",
        "JANE AUSTEN 13\n"
        "ways shall, whatever my poor brother-in-law may say of\n"
        "the well-known and deplorable consequences which some-\n"
        "times follow.\n"
        "_.—~ =\n"
        "Sir Walter went on to say what he thought of it again\n",
        "14 PERSUAS1ON\nand again, until the evening came down over the park\nand the company rose.\n",
    ]
)


@pytest.fixture(scope="module")
def lexicon() -> Lexicon:
    return load_lexicon()


def test_pages_become_paragraphs(lexicon: Lexicon) -> None:
    layout = undo_layout(PAGES, lexicon)
    assert layout.text == (
        "“Indeed!” was the reply, and with a look of surprise. “Yes; it is in two points "
        "offensive to me; I have two "
        "strong grounds of objection to it. First, as being the means of bringing persons "
        "of obscure birth into undue "
        "distinction, and raising men to honours which their fathers never dreamt of. I "
        "strongly object to it, and "
        "always shall, whatever my poor brother-in-law may say of the well-known and deplorable "
        "consequences which "
        "sometimes follow.\n\n"
        "Sir Walter went on to say what he thought of it again and again, until the evening "
        "came down over the park "
        "and the company rose."
    )
    assert (layout.pages, layout.lines_removed, layout.words_joined) == (3, 4, 2)
    assert layout.printed


def test_a_header_read_differently_on_each_page_is_still_a_header() -> None:
    pages = [
        ["The Pickwick Papers", "text of one"],
        ["The Pickwiek Papers", "more"],
        ["Tbe Pickwick Paper.", "end"],
    ]
    assert running_lines(pages) == {(0, 0), (1, 0), (2, 0)}


def test_a_page_number_is_removed_and_a_single_page_keeps_its_lines() -> None:
    assert running_lines([["It was", "so.", "- 12 -"], ["And", "so on.", "l3"]]) == {(0, 2), (1, 2)}
    assert running_lines([["12", "It was so."]]) == set()


@pytest.mark.parametrize(
    ("left", "right", "kept"),
    [("al", "ways", False), ("well", "known", True), ("some", "times", False), ("Quee", "queg", False)],
)
def test_a_hyphen_at_a_line_end_stays_in_a_compound_only(left: str, right: str, kept: bool, lexicon: Lexicon) -> None:
    assert keeps_hyphen(left, right, lexicon, set()) is kept


def test_a_word_of_the_document_is_a_word(lexicon: Lexicon) -> None:
    assert keeps_hyphen("spouter", "inn", lexicon, {"spouterinn"}) is False


def test_characters() -> None:
    assert fix_characters("ﬁrſt of\u00adﬁce\r\nItâ€™s a co\u00ad\nlour") == "first office\nIt’s a co-\nlour"


@pytest.mark.parametrize(
    ("line", "junk"),
    [
        ("_.—~ =", True),
        ("| : ~ ;", True),
        ("ee | ~ oe", True),
        ("It was so.", False),
        ("1815–1852", False),
        ("", False),
    ],
)
def test_junk(line: str, junk: bool, lexicon: Lexicon) -> None:
    assert is_junk(line, lexicon) is junk


def test_an_indented_line_begins_a_paragraph(lexicon: Lexicon) -> None:
    text = (
        "The first paragraph is long enough to fill the line,\nand it goes on to a second "
        "one that is as long too.\n"
        "   The second paragraph begins with an indentation,\nand it goes on to a second "
        "one that is as long too.\n"
    )
    assert undo_layout(text, lexicon).text.count("\n\n") == 1


def test_verse_keeps_its_lines(lexicon: Lexicon) -> None:
    verse = "Tiger, tiger\nBurning bright in the forests of the night\nWhat\nImmortal hand\nOr eye"
    assert undo_layout(verse, lexicon).text == verse


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abcdeT .,-\n\f\t“”—|1ſ\u00ad", max_size=300) | st.text(max_size=100))
def test_odd_text_never_fails_and_leaves_no_form_feed(text: str) -> None:
    layout = undo_layout(text, _LEXICON)
    assert "\f" not in layout.text
    assert layout.lines_removed <= layout.lines
    assert layout == undo_layout(text, _LEXICON)


_SENTENCES = st.lists(
    st.sampled_from(
        ["The company rose at once.", "He had seen nothing of it before, and said so.", "“Indeed!” said she.",
         "It was a fine evening in the middle of June, and the windows of the long room "
         "stood open to the lawn."]
    ),
    min_size=1,
    max_size=6,
).map(" ".join)  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(_SENTENCES, min_size=1, max_size=6).map("\n\n".join))
def test_clean_paragraphs_stay_as_they_are(text: str) -> None:
    assert undo_layout(text, _LEXICON).text == text


_LEXICON = load_lexicon()

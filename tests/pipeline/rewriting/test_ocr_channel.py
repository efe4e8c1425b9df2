"""The channel: what it mends, and the much larger share that it must leave alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.ocr.lexicon import load_lexicon
from classifiers.ocr.noise import NOISY, noise_of_text, unknown_share
from pipeline.rewriting.ocr_channel import drop_stray_stops, mend_words
from pipeline.rewriting.ocr_cleanup import OCRCleanup, Params, load
from pipeline.rewriting.ocr_signs import even_out

_REWRITER = load(Params(), 0)
CHANNEL = _REWRITER.channel
LEXICON = CHANNEL.lexicon
CLEAN = (
    "It was a bright cold day in April, and the clocks were striking thirteen. Mr. Quincey walked up the hill "
    "with Elizabeth-Jane; they talked of well-known rainforests, of databases, e.g. of the labor of colour, "
    "and of what the organisation had analyzed."
)
NOISY_TEXT = (
    "and tbe men who bave come from tho town with tbeir horses were not there wben the others had gone. It was said "
    "tbat they would not have been in the house which the old man built for his wife and all of them. "
)


_ALL = OCRCleanup(Params(max_unknown=1.0), CHANNEL)  # short texts with unknown words are not dropped


def cleaned(text: str, rewriter: OCRCleanup = _ALL) -> str:
    return rewriter.rewrite({"id": "a", "text": text})[0][0].text


@pytest.mark.parametrize(
    ("read", "printed"),
    [
        ("the birth of tbe child", "the birth of the child"),
        ("he caught sight ofthe ship", "he caught sight of the ship"),
        ("sentenced to penal ser vitude for life", "sentenced to penal servitude for life"),
        ("an aflirmative answer", "an affirmative answer"),
        ("tired of tho old man", "tired of the old man"),
    ],
)
def test_mended(read: str, printed: str) -> None:
    text, changed = mend_words(read, CHANNEL)
    assert text == printed
    assert changed >= 1


@pytest.mark.parametrize(
    "text",
    [
        "Then Quecqueg spoke to Tbe captain",  # capitals
        "the quidnunc saw a frabjous borogove",  # unknown, and like nothing known
        "a snark, the snark and that snark",  # repeated
        "he said tion and ment",  # ends of cut words
        "the rainforest is a dataset",  # compounds
        "in color, in honor, to analyze archeology",  # American spelling
        "the value of x_t is \\alpha and g_t for all",  # formulas
        CLEAN,
    ],
)
def test_left_alone(text: str) -> None:
    assert mend_words(text, CHANNEL) == (text, 0)
    assert drop_stray_stops(text, LEXICON) == (text, 0)
    assert cleaned(text) == text


def test_a_misread_document_has_its_words_with_a_capital_mended_too() -> None:
    """The same words in clean text are left alone: what the document is says how far to go."""
    words = "Tbere they saw the Govcrnment"
    assert mend_words(NOISY_TEXT + words, CHANNEL)[0].endswith("There they saw the Government")
    assert mend_words(CLEAN + " " + words, CHANNEL)[0].endswith(words)


def test_noise_tells_read_text_from_clean_and_english_from_french() -> None:
    assert noise_of_text(NOISY_TEXT, CHANNEL)[0] > NOISY > noise_of_text(CLEAN, CHANNEL)[0]
    french = "tous ceux qui ont eu le bonheur d'entrer dans son intimité, nous allions trouver l'écrivain d'efprit " * 3
    assert noise_of_text(french, CHANNEL)[1] < 0.05
    assert cleaned(french) == french.strip()


def test_signs_go_where_text_is_misread_and_nowhere_else() -> None:
    assert cleaned(NOISY_TEXT + "It was ~ a fine *day indeed.").endswith("It was a fine day indeed.")
    assert cleaned(CLEAN + " It was ~ a fine *day indeed.").endswith("It was ~ a fine *day indeed.")


def test_apostrophes_and_dashes_become_the_kind_that_the_print_has() -> None:
    mixed = "It’s Anne’s, it’s Tom’s, it's Eliot’s—not so-—and—yes—no—I’ve known"
    assert even_out(mixed) == "It’s Anne’s, it’s Tom’s, it’s Eliot’s—not so—and—yes—no—I’ve known"
    straight = "It's Anne's and it’s Tom's -- no -- so--and well-known"
    assert even_out(straight) == straight


def test_code_keeps_every_line() -> None:
    code = (
        'def f(a, b):\n    """\n    the sum of the two and of all that was\n    """\n    return {a: b}[a] + x[i]\n)\n'
    )
    assert cleaned(code) == code


def test_stray_stops_go_and_abbreviations_stay() -> None:
    text = "The servant was. the last. He came, etc. and went. It was so. We saw. She left. No. Yes. Done."
    assert drop_stray_stops(text, LEXICON)[0] == text.replace("was. the", "was the")
    uncapitalised = "it was so. we saw it. all was well. she left."
    assert drop_stray_stops(uncapitalised, LEXICON) == (uncapitalised, 0)


def test_cleanup_counts_what_it_did() -> None:
    document = {
        "id": "a",
        "text": "12 TITLE\nthe first line of tbe book is\n\fAUTHOR 13\nhere and it goes on al-\nways.\n",
    }
    rewrites, rejected = _REWRITER.rewrite(document)
    assert rejected == []
    assert rewrites[0].text.startswith("the first line of the book is")
    assert rewrites[0].text.endswith("it goes on always.")
    assert rewrites[0].detail["pages"] == 2
    assert rewrites[0].detail["lines_removed"] == 2
    assert rewrites[0].detail["words_joined"] == 1
    assert rewrites[0].detail["unknown"] == round(unknown_share(rewrites[0].text, LEXICON), 4)
    assert rewrites[0].detail["unknown"] < unknown_share(document["text"], LEXICON)


def test_junk_and_nothing_are_rejected_with_their_reason() -> None:
    assert [r.reason for r in _REWRITER.rewrite({"id": "a", "text": " \n\f \n"})[1]] == ["empty"]
    junk = "qwx zrtp lkjh mnbv rrtz the pqow nnbg xxcv wqer"
    assert [r.reason for r in _REWRITER.rewrite({"id": "b", "text": junk})[1]] == ["mostly_junk"]
    assert unknown_share(junk, LEXICON) > 0.35


def test_words_can_be_left_as_read() -> None:
    plain = OCRCleanup(Params(mend_words=False), CHANNEL)
    assert cleaned("the birth of tbe child", plain) == "the birth of tbe child"


def test_the_lexicon_knows_other_spellings_and_plurals() -> None:
    assert "archeology" in LEXICON
    assert "sobriquets" in LEXICON
    assert "foljowed" not in LEXICON
    assert load_lexicon() == LEXICON


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(alphabet="abcehilmnortu1!|'“.«", min_size=1, max_size=9), max_size=30).map(" ".join))
def test_any_text_gives_the_same_answer_twice_and_keeps_what_it_does_not_mend(text: str) -> None:
    mended, changed = mend_words(text, CHANNEL)
    assert mend_words(text, CHANNEL) == (mended, changed)
    if changed == 0:
        assert mended == text


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=150))
def test_the_whole_cleanup_never_fails(text: str) -> None:
    rewrites, rejected = _REWRITER.rewrite({"id": "a", "text": text})
    assert len(rewrites) + len(rejected) == 1

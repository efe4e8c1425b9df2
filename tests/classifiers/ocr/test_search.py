"""The trie search finds what trying out every edit finds, at the same cost."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from classifiers.ocr.confusions import hand_written
from classifiers.ocr.search import build_trie, find, lay_out

WORDS = {
    word: -2.0 - at
    for at, word in enumerate(["the", "he", "her", "hear", "modern", "modem", "clown", "down", "o'clock", "a"])
}
TABLE = hand_written().model_copy(
    update={
        "edits": (("rn", "m", 5.0), ("m", "rn", 5.5), ("cl", "d", 5.0), ("b", "h", 4.0), ("", "h", 7.0), ("x", "", 6.0))
    }
)
TRIE = build_trie(WORDS)
EDITS = lay_out(TABLE, TRIE)


@pytest.mark.parametrize(
    ("read", "printed", "cost", "edits"),
    [
        ("tbe", "the", 4.0, 1),
        ("te", "the", 7.0, 1),
        ("thxe", "the", 6.0, 1),
        ("modem", "modem", 0.0, 0),
        ("modern", "modem", 5.0, 1),
        ("clown", "down", 5.0, 1),
        ("heor", "hear", 10.0, 1),  # a flat edit
        ("tbxe", "the", 10.0, 2),
        ("theE", "the", 10.0, 1),
    ],
)
def test_found_at_the_cost_of_its_edits(read: str, printed: str, cost: float, edits: int) -> None:
    found = {each.word: each for each in find(read, TRIE, EDITS, 40.0)}
    assert found[printed].cost == pytest.approx(cost)
    assert found[printed].edits == edits
    assert found[printed].share == WORDS[printed]


def _cheapest(read: str, printed: str) -> float:
    """Least cost of one edit at most, by trying all."""
    if read == printed:
        return 0.0
    costs = [math.inf]
    for a, b, cost in (
        *TABLE.edits,
        *((x, y, 10.0) for x in [*"abcdehklmnortwx", ""] for y in [*"abcdehklmnortw", ""]),
    ):
        for at in range(len(read) + 1):
            if (a or b) and read.startswith(a, at) and read[:at] + b + read[at + len(a) :] == printed:
                costs.append(cost)
    return min(costs)


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet="abdehlmnrtx", min_size=1, max_size=6))
def test_one_edit_costs_what_trying_out_says(read: str) -> None:
    found = {each.word: each for each in find(read, TRIE, EDITS, 60.0)}
    for word in WORDS:
        cost = _cheapest(read, word)
        if word in found:
            assert found[word].cost <= cost + 1e-4
    scores = [each.cost - each.share for each in find(read, TRIE, EDITS, 60.0)]
    assert scores == sorted(scores)
    best = min(_cheapest(read, word) - share for word, share in WORDS.items())
    if best < 60.0:
        assert scores[0] <= best + 1e-4


def test_nothing_within_the_limit_and_no_word_at_all() -> None:
    assert find("zzzzzz", TRIE, EDITS, 15.0) == []
    assert find("", TRIE, EDITS, 40.0) == []
    assert find("x" * 60, TRIE, EDITS, 40.0) == []

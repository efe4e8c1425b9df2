"""Lines that C4 removes go, the others stay as they are, and the document falls where the rule set drops it."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.c4 import C4Params, C4Scorer
from pipeline.rewriting.c4_lines import Params, load
from pipeline.rules import expand

PAGE = """Home | About | Contact
The first line has one sentence. And then it has another one.
We use cookies to improve your visit.
Please enable Javascript to read on.
The second[3] was written long ago. It is still read today!
Does anybody doubt that?
menu"""
LINES = st.lists(st.sampled_from([*PAGE.splitlines(), "", "if (x) { this one is code.", "Lorem ipsum dolor sit amet."]))


def test_a_page() -> None:
    ((rewrite,), refused) = load(Params(), 0).rewrite({"text": PAGE})
    assert rewrite.text.splitlines() == [
        "The first line has one sentence. And then it has another one.",
        "The second was written long ago. It is still read today!",
        "Does anybody doubt that?",
    ]
    assert rewrite.detail == {"lines": 7, "lines_kept": 3, "sentences": 5}
    assert not refused


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "sentences"), ("Too short is this.", "sentences"), (PAGE + "\nif (x) { then this one.", "curly_brackets")],
)
def test_refused(text: str, reason: str) -> None:
    accepted, (refused,) = load(Params(), 0).rewrite({"text": text})
    assert (accepted, refused.reason) == ([], reason)


@given(LINES)
def test_refused_for_the_same_reason_as_by_the_rule_set(lines: list[str]) -> None:
    text = "\n".join(lines)
    accepted, refused = load(Params(), 0).rewrite({"text": text})
    signals = C4Scorer(C4Params()).score(pl.Series([text], dtype=pl.String))
    signals.columns = [f"c4_{name}" for name in signals.columns]
    dropped = [reason for reason, drop in expand("c4", "c4", {}) if signals.select(x=pl.sql_expr(drop))["x"][0]]
    assert [f"c4/{each.reason}" for each in refused] == dropped[:1]
    assert bool(accepted) != bool(dropped)
    for rewrite in accepted:
        assert set(rewrite.text.splitlines()) <= {line.replace("[3]", "") for line in lines}

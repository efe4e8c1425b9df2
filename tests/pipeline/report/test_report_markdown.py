"""The Markdown: the essentials, first things first, narrow and short, with nothing that acts as HTML."""

from __future__ import annotations

from typing import Any

import pytest
from pipeline_report_checks import lose, win
from report_fixture import EVIL, enlarged

from pipeline.proof import headline_of
from pipeline.report.decision import decide
from pipeline.report.markdown import aligned, escaped, render_markdown


def test_the_first_line_says_whether_it_won(data: dict[str, Any]) -> None:
    for change in (win, lose):
        change(data)
        assert render_markdown(data).splitlines()[0] == f"# {data['mix']['headline']}"


def test_numbers_of_the_decision_appear(data: dict[str, Any]) -> None:
    text = render_markdown(data)
    mix = data["mix"]
    for domain, weight in mix["weights"].items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {domain} ") and "-" in line]
        low, high = (mix["uncertainty"]["interval"][side][domain] for side in ("low", "high"))
        assert f"{100 * weight:.1f}" in row
        assert f"{100 * low:.1f}-{100 * high:.1f}" in row
    for name, each in mix["measured"].items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| {name.replace('_', ' ')} ")]
        assert f"{each['mean']:.4f}" in row
        assert f"{mix['predicted'][name]['objective']:.4f}" in row
        if name != "proposal":
            assert f"{each['gain']:+.4f}" in row
    for reason in ("production", "50.0"):
        assert reason in text


@pytest.mark.parametrize("large", [False, True])
def test_it_fits_a_terminal(data: dict[str, Any], large: bool) -> None:
    data["mix"]["warnings"] += [f"warning {i}: " + "some words " * 12 for i in range(20 if large else 2)]
    lines = render_markdown(enlarged(data) if large else data).splitlines()
    assert len(lines) <= 120
    assert max(map(len, lines[1:])) <= 80


def test_text_does_not_act(data: dict[str, Any]) -> None:
    data["title"] = EVIL
    data["mix"]["warnings"].insert(0, EVIL + " | [link](javascript:alert(2)) `code`\n# heading")
    text = render_markdown(data)
    assert "<script" not in text
    assert "\u202e" not in text
    assert "[link](" not in text
    assert "\n# heading" not in text
    assert text.count("\n# ") == 0


def test_escaping_leaves_plain_text_alone() -> None:
    assert escaped("p < 0.0001 & R2 > 0.5") == "p < 0.0001 & R2 > 0.5"
    assert escaped("<b> &lt; a|b") == "&lt;b> &amp;lt; a\\|b"


def test_tables_line_up_and_cut() -> None:
    text = aligned(["Name", "N"], [[f"row {i}", str(10**i)] for i in range(5)], most=3)
    lines = text.splitlines()
    assert len({len(line) for line in lines}) == 1
    assert lines[-1].startswith("| + 2 more")


def test_works_without_variants_and_references(plain: dict[str, Any]) -> None:
    text = render_markdown(plain)
    assert "references" not in text
    assert "wikipedia.qa" not in text


def test_the_same_data_gives_the_same_text(data: dict[str, Any]) -> None:
    assert render_markdown(data) == render_markdown(data)


def test_a_better_mix_without_a_proof_is_said_first_and_shown_beside(data: dict[str, Any]) -> None:
    """A reader must not take a proven mix for the best one when new evals ask for another."""
    win(data)
    mix = data["mix"]
    mix["successor"] = {"weights": mix["baselines"]["uniform"], "predicted": 0.9, "gain": 0.0123, "se": 0.002}
    mix["headline"] = headline_of(mix["headline"], mix["successor"])
    first = render_markdown(data).splitlines()[0]
    assert "predicted, not proven, to gain 0.0123 (SE 0.0020)" in first
    assert "retrain: true" in first
    decision = decide(data)
    assert decision.status == "partly"
    assert decision.trust.startswith("Trust it")
    assert "not proven" in [column.label for column in decision.weights.columns]

"""A run with a frozen group from design to report: every mix holds the ratios, and the laws see only the total."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from report_fixture import build, config

from pipeline.report.html import render_html
from pipeline.report.markdown import render_markdown


def test_a_frozen_group_is_one_thing_to_the_laws_and_keeps_its_ratios_everywhere(tmp_path: Path) -> None:
    settings = config(
        freeze={"books": {"papers": 0.75, "speeches": 0.25}, "web": ["code", "questions"]}, laws=["linear"]
    )
    data = build(tmp_path, settings)
    proposal = json.loads((tmp_path / "propose" / "proposal.json").read_text())
    own = [proposal["weights"], proposal["optimum"]]
    for weights in [*own, *(mix["weights"] for mix in data["swarm"]["mixes"])]:
        assert sum(weights.values()) == pytest.approx(1, abs=1e-6)
        assert weights["papers"] == pytest.approx(3 * weights["speeches"], abs=1e-6)
        assert weights["code"] / 19 == pytest.approx(weights["questions"] / 8, abs=1e-6)
    task = data["fit"]["tasks"]["heldout/ocr"]
    known = {each["domain"] for each in task["contrasts"]}
    assert known == {"wikipedia", "web", "books", "ocr", "wikipedia.qa", "ocr.clean"}
    # the user's own mix breaks the ratios: it is measured as it is, and the page says that its prediction is not of it
    assert proposal["baselines"]["production"]["papers"] == pytest.approx(0.2)
    assert any(w.startswith("production does not hold the frozen ratios") for w in proposal["warnings"])
    # natural stays what there is, whatever is frozen
    natural = proposal["baselines"]["natural"]
    assert natural["papers"] / 13 == pytest.approx(natural["speeches"] / 4.5)
    assert any(w.startswith("natural does not hold the frozen ratios") for w in proposal["warnings"])
    assert not any(w.startswith("uniform") for w in proposal["warnings"])
    assert "books" in render_html(data)
    assert render_markdown(data)

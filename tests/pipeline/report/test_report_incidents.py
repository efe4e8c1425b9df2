"""The report lists what was tried again, before its costs, and nothing where nothing was."""

from __future__ import annotations

from pipeline.report.costs import HERE
from pipeline.report.incidents import with_incidents


def test_incidents_are_listed_before_the_costs() -> None:
    page = f"<main>{HERE}</main>"
    assert with_incidents(page, []) == page
    found = with_incidents(page, [{"stage": "train", "event": "tried again: <worker died>", "times": 3}])
    assert "What was tried again" in found
    assert "tried again: &lt;worker died&gt;" in found
    assert found.endswith(f"{HERE}</main>")

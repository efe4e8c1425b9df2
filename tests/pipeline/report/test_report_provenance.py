"""Origin, licences and overlap with evals as the report shows them: nothing unstated looks stated, sums hold."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from pipeline.report.decision import decide
from pipeline.report.provenance import contamination_table, licenses_table, licenses_text, sources_table
from pipeline.report.table import Table


def column(table: Table, label: str) -> dict[str, Any]:
    place = [each.label for each in table.columns].index(label)
    return {row[0].text: row[place] for row in table.rows if row[0] is not None}


def test_what_a_source_does_not_state_is_said(data: dict[str, Any]) -> None:
    table = sources_table(data)
    origins, masked, licenses = (column(table, label) for label in ("Origin", "Masked", "Licences"))
    assert origins["papers"].text.startswith("papers.example")
    assert (origins["code"].text, origins["code"].tone) == ("not stated", "warn")
    assert (masked["papers"].text, masked["code"].text) == ("1,042 email, 7 ip", "no")
    assert licenses["wikipedia"].text == "CC-BY-SA-4.0"
    assert licenses["code"].text == "MIT 60.0 %, Apache-2.0 30.0 %, unknown 10.0 %"
    assert licenses["code"].tone == "warn"
    assert licenses["papers"].text.endswith("and 16 more")


def test_shards_that_were_not_read_whole_limit_what_the_report_says(data: dict[str, Any]) -> None:
    """The funnel counts such a shard's rest as one record, so it does not show what is missing."""
    assert not any("not read whole" in each for each in decide(data).caveats)
    data["unread"] = {f"papers/00{i}": "cut off" for i in range(4)}
    (caveat,) = (each for each in decide(data).caveats if "not read whole" in each)
    assert caveat.endswith("papers/000 (cut off); papers/001 (cut off); papers/002 (cut off) and 1 more.")


def test_a_source_in_buckets_has_the_licences_of_all_its_text(data: dict[str, Any]) -> None:
    """Its domains carry other names than it does."""
    licenses, tokens = data["licenses"], data["swarm"]["tokens"]
    licenses |= {"code.top": {"MIT": 1.0}, "code.rest": {"GPL": 1.0}}
    tokens |= {"code.top": 3000, "code.rest": 1000}
    del licenses["code"]
    assert column(sources_table(data), "Licences")["code"].text == "MIT 75.0 %, GPL 25.0 %"


def test_the_licences_of_every_mix_add_up(data: dict[str, Any]) -> None:
    table = licenses_table(data)
    assert [each.label for each in table.columns][:2] == ["Licence", "proposal"]
    assert len(table.rows) == 13, "twelve, and the others in one"
    for label in (each.label for each in table.columns[1:]):
        assert sum(cell.value for cell in column(table, label).values()) == pytest.approx(1)
    shares = [cell.value for cell in column(table, "proposal").values()][:-1]
    assert shares == sorted(shares, reverse=True)
    mit = column(table, "proposal")["MIT"].value
    assert mit == pytest.approx(0.6 * data["mix"]["weights"]["code"])
    assert licenses_text({"MIT": 1.0}) == "MIT"


def test_every_eval_is_shown_with_what_became_of_it(data: dict[str, Any]) -> None:
    table = contamination_table(data)
    assert [each.label for each in table.columns][:3] == ["Eval", "Items", "Too short"]
    assert column(table, "papers")["arc_easy"].value == 2
    assert "code" not in [each.label for each in table.columns], "a source that holds nothing has no column"
    assert column(table, "wikipedia")["mbpp"].value == 7, "an eval that came later"
    fates = {name: cell.text for name, cell in column(table, "Such documents").items()}
    assert fates["arc_easy"] == "dropped"
    assert fates["mbpp"] == "kept: the eval came later"
    counted = copy.deepcopy(data)
    counted["config"] = counted["config"].replace("drop: true", "drop: false")
    assert column(contamination_table(counted), "Such documents")["arc_easy"].text == "kept, counted only"

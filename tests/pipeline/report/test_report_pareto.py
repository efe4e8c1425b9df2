"""The front between families and metrics that are better when higher, as a reader sees them."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from report_fixture import enlarged

from pipeline.report import charts, markdown, regression
from pipeline.report.html import render_html
from pipeline.report.markdown import render_markdown
from pipeline.report.measures import tasks_table
from pipeline.report.pareto import families_of, front_chart, front_table, plain_rows


def test_the_chart_and_the_table_hold_the_front_and_every_known_mix(data: dict[str, Any]) -> None:
    mix = data["mix"]
    assert len(mix["pareto"]) > 3
    drawn = front_chart(mix)
    assert drawn is not None
    first, second = families_of(mix)
    front, *known = drawn.figure["data"]
    pairs = [(each["families"][first]["predicted"], each["families"][second]["predicted"]) for each in mix["pareto"]]
    assert sorted(zip(front["x"], front["y"], strict=True)) == sorted(pairs)
    assert front["x"] == sorted(front["x"]), "the line must not cross itself"
    assert front["mode"] == "lines+markers"
    assert {trace["name"] for trace in known} == {name.replace("_", " ") for name in mix["predicted"]}
    for trace in known:
        families = mix["predicted"][trace["name"].replace(" ", "_")]["families"]
        assert trace["x"] == [families[first]["predicted"]]
        assert trace["error_y"]["array"] == [families[second]["se"]]
    table = front_table(mix)
    assert table is not None
    assert len(table.rows) == len(mix["pareto"]) + len(mix["predicted"])
    figures = re.search(r'id="figures">(.*?)</script>', render_html(data), re.DOTALL)
    assert figures
    assert "pareto" in json.loads(figures[1])


def test_the_proposal_is_no_better_than_the_front_says_is_possible(data: dict[str, Any]) -> None:
    mix = data["mix"]
    ours = mix["predicted"]["proposal"]["families"]
    for point in mix["pareto"]:
        assert any(point["families"][name]["predicted"] >= ours[name]["predicted"] - 1e-3 for name in ours)


def test_of_three_families_the_two_heaviest_are_drawn_as_dots(data: dict[str, Any]) -> None:
    mix = data["mix"]
    half = {task: task.replace("bench/mbpp", "code/mbpp") for task in mix["objective"]["weights"]}
    mix["objective"]["weights"] = {half[task]: weight for task, weight in mix["objective"]["weights"].items()}
    for each in [*mix["predicted"].values(), *mix["pareto"]]:
        each["families"]["code"] = {"predicted": 0.9, "se": 0.01}
    for point in mix["pareto"]:
        point["family_weights"]["code"] = 0.0
    assert families_of(mix) == ["heldout", "bench", "code"]
    drawn = front_chart(mix)
    assert drawn is not None
    assert drawn.figure["data"][0]["mode"] == "markers"
    assert drawn.figure["layout"]["xaxis"]["title"]["text"] == "heldout"
    assert "not drawn" in drawn.alt


def test_with_one_family_there_is_nothing_to_show(data: dict[str, Any]) -> None:
    data["mix"]["pareto"] = []
    assert front_chart(data["mix"]) is None
    assert front_table(data["mix"]) is None
    assert "family of tasks costs another" not in render_html(data)
    assert "Between families" not in render_markdown(data)


def test_markdown_has_a_short_table_where_there_is_room(data: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "LINES", 130)
    text = render_markdown(data)
    assert "## Between families" in text
    assert text.count("\n") <= 130
    for row in plain_rows(data["mix"], families_of(data["mix"]), 4, ("proposal",)):
        assert all(cell in text for cell in row)
    full = enlarged(data)
    full["mix"]["pareto"] = data["mix"]["pareto"]
    full["mix"]["warnings"] = [f"warning {i}: " + "some words " * 12 for i in range(20)]
    assert "Between families" not in render_markdown(full)


@pytest.mark.parametrize("task", ["bench/mbpp", "heldout/code"])
def test_a_task_that_is_better_when_higher_is_marked_and_mirrored(data: dict[str, Any], task: str) -> None:
    before = charts.task_changes(data).figure["data"][-1]
    mix = data["mix"]
    mix["objective"]["maximise"] = [task]
    drawn = charts.task_changes(data)
    after = drawn.figure["data"][-1]
    at = before["y"].index(task)
    assert after["y"][at] == f"↑ {task}"
    assert after["x"][at] == -before["x"][at]
    assert [x for i, x in enumerate(after["x"]) if i != at] == [x for i, x in enumerate(before["x"]) if i != at]
    assert "mirrored" in drawn.alt
    table = tasks_table(data)
    assert "above 0 for tasks marked ↑" in table.caption
    assert "tasks marked ↑: accuracy" in table.columns[-1].gloss
    row = next(row for row in table.rows if row[0] and row[0].text == f"↑ {task}")
    proposal = row[2]
    assert proposal
    assert proposal.shade is not None
    assert proposal.value is not None
    assert proposal.shade * proposal.value <= 0, "a rise of such a task is shown as good"
    assert f"| ↑ {task} " in render_markdown(data)
    names = [panel.title for panel in charts.contrast_panels(data)]
    assert f"↑ {task}" in names
    weights, reference = mix["objective"]["weights"], mix["objective"]["reference"]
    run, (_, objective) = next(iter(regression.out_of_fold(data, None).items()))
    measured = data["metrics"][run]
    expected = sum(
        weights[t] * (1 + (-1 if t == task else 1) * (measured[t] / reference[t] - 1)) for t in weights
    )  # fmt: skip
    assert objective == pytest.approx(expected)

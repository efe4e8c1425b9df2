"""Protects `mixwright compare`: runs side by side, as Markdown and as one page, whatever the runs have in common."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from report_fixture import EVIL
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.diff import Finished
from pipeline.errors import InputError
from pipeline.report.comparison import Compared, comparison_html, comparison_markdown


def folder(place: Path, data: dict[str, Any]) -> str:
    """A finished run's folder, as far as it is compared."""
    place.mkdir(parents=True)
    (place / "mix.json").write_text(json.dumps(data["mix"]))
    (place / "mix.yaml").write_text(data["config"])
    return str(place)


@pytest.fixture
def two(data: dict[str, Any], tmp_path: Path) -> list[str]:
    other = copy.deepcopy(data)
    other["mix"]["weights"]["code"] -= 0.05
    other["mix"]["weights"]["papers"] += 0.05
    other["mix"]["headline"] = EVIL
    other["config"] = other["config"].replace("seed: 1\n", "seed: 2\n", 1)
    return [folder(tmp_path / "a" / "one", data), folder(tmp_path / "b" / "two", other)]


def test_what_differs_is_shown_and_nothing_else_of_the_yaml(two: list[str]) -> None:
    compared = Compared(two)
    (row,) = compared.yaml_table().rows
    assert [cell.text for cell in row if cell] == ["seed", "1", "2"]
    rows = {row[0].text: row[2] for row in compared.weights().rows if row[0]}
    assert rows["code"] is not None
    assert rows["code"].note == "-5.0 points"
    assert compared.differs() == ""


def test_three_runs_with_other_domains_tasks_and_names(two: list[str], data: dict[str, Any], tmp_path: Path) -> None:
    third = copy.deepcopy(data)
    third["mix"]["weights"]["letters"] = third["mix"]["weights"].pop("ocr")
    for part in ("predicted", "measured"):
        del third["mix"][part]["production"]
        for each in third["mix"][part].values():
            each["tasks"]["bench/new"] = each["tasks"].pop("bench/mbpp")
    third["mix"]["objective"]["weights"] = {"bench/new": 1.0}
    compared = Compared([*two, folder(tmp_path / "c" / "one", third)])
    assert compared.names == ["one (1)", "two", "one (3)"]
    assert "compare gains inside a run" in compared.differs()
    for table in compared.tables():
        assert all(len(row) == len(table.columns) for row in table.rows)
    assert "not there" in comparison_markdown(compared)
    assert "bench/new" in comparison_html(compared)


def test_the_command_prints_markdown_and_writes_a_page(two: list[str], tmp_path: Path) -> None:
    page = tmp_path / "out" / "page.html"
    done = CliRunner().invoke(app, ["compare", *two, "--out", str(page)])
    assert done.exit_code == 0
    assert done.stdout.startswith("# 2 runs side by side")
    assert "- seed: one 1, two 2" in done.stdout
    html = page.read_text()
    assert "<script>alert" not in html
    assert "\u202e" not in html
    assert "https://" not in html.replace(EVIL, "")


def test_a_terminal_shows_in_what_two_long_values_differ(data: dict[str, Any], tmp_path: Path) -> None:
    """Columns are narrow: cut to them, the two conditions would look alike."""
    other = copy.deepcopy(data)
    other["config"] = other["config"].replace("gopher_words < 30", "gopher_words < 40")
    printed = comparison_markdown(Compared([folder(tmp_path / "one", data), folder(tmp_path / "two", other)]))
    assert "gopher_words < 30" in printed
    assert "gopher_words < 40" in printed


def test_a_terminal_shows_how_many_units_are_shared(two: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Finished, "units", lambda run: {"train": {"a": "train/1", "b": f"train/{run.name}"}})
    assert "2 (1 shared)" in comparison_markdown(Compared(two))


def test_a_baseline_that_is_the_proposal_has_no_gain(two: list[str]) -> None:
    """Nothing was measured there: 0 ± 0 would read as a measurement of the highest precision."""
    compared = Compared(two)
    mix = compared.mixes[1]
    mix["baselines"]["best_observed"] = dict(mix["weights"])
    rows = {row[0].text: row[2] for row in compared.measured().rows if row[0] and row[0].text != "predicted"}
    cell = rows["gain over best observed"]
    assert cell is not None
    assert cell.text == "is this mix"


def test_a_task_that_did_not_change_is_neither_good_nor_bad(two: list[str]) -> None:
    compared = Compared(two)
    measured = compared.mixes[0]["measured"]
    measured["proposal"]["tasks"]["heldout/code"] = measured["natural"]["tasks"]["heldout/code"]
    cells = {row[0].text: row[1] for row in compared.task_table().rows if row[0]}
    assert (cell := cells["heldout/code"]) is not None
    assert cell.tone == ""


def test_too_few_or_no_runs_are_refused(two: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least two"):
        Compared(two[:1])
    with pytest.raises(InputError, match="no mix.json"):
        Compared([two[0], str(tmp_path)])

"""Protects what the report computes from the laws: predictions, what each weight does, interactions, residuals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pipeline.report.predictor import laws_of
from pipeline.report.residuals import residuals, residuals_table
from pipeline.report.surroundings import PAIR, STEPS, around, moved, sections
from pipeline.report.whatif import whatif


def test_predictions_are_those_of_the_proposal(data: dict[str, Any]) -> None:
    """propose fitted the laws itself: tasks, objective, and families of errors agree with what it wrote."""
    laws, mix = laws_of(data), data["mix"]
    for name, weights in {"proposal": mix["weights"], **mix["baselines"]}.items():
        means = laws.means(np.array([[weights[domain] for domain in laws.domains]]))
        for task, value in zip(laws.tasks, means[0], strict=True):
            assert value == pytest.approx(mix["predicted"][name]["tasks"][task], abs=1e-6)
        assert laws.objective(means)[0] == pytest.approx(mix["predicted"][name]["objective"], abs=1e-6)
    assert laws.worst["mean"] < 1e-6
    assert laws.inflation >= 1


def test_trees_that_a_page_cannot_hold_are_stood_in_for_and_it_is_said(data: dict[str, Any]) -> None:
    assert not laws_of(data).stands_in
    for form in data["forms"].values():
        plain = {key: each for key, each in form.items() if key not in ("sds", "checked")}
        form["small"] = {**plain, "trees": []}
        form["trees"] = [{"values": [0.0] * 31, "splits": []}] * 1000
    laws = laws_of(data)
    assert laws.stands_in
    assert all(form["trees"] == [] for form in laws.forms)
    assert "a smooth law stands in" in whatif(data, laws).accuracy


def test_a_moved_weight_leaves_the_others_in_proportion() -> None:
    weights = np.array([0.5, 0.3, 0.2, 0.0])
    found = moved(weights, {0: 0.05, 3: 0.02})
    np.testing.assert_allclose(found, [0.55, 0.3 * 0.43 / 0.5, 0.2 * 0.43 / 0.5, 0.02])
    assert found.sum() == pytest.approx(1)


def test_the_surroundings_are_differences_of_predictions(data: dict[str, Any]) -> None:
    laws, weights = laws_of(data), data["mix"]["weights"]
    found = around(laws, weights)
    centre = np.array([weights[domain] for domain in laws.domains])

    def value(by: dict[int, float]) -> float:
        return float(laws.objective(laws.means(moved(centre, by)[None]))[0])

    i, j = found.heaviest[:2]
    assert found.single[i, STEPS.index(0.02)] == pytest.approx(value({i: 0.02}) - value({}), abs=1e-12)
    expected = value({i: PAIR, j: PAIR}) - value({i: PAIR}) - value({j: PAIR}) + value({})
    assert found.pairs[0, 1] == pytest.approx(expected, abs=1e-12)
    np.testing.assert_array_equal(found.pairs, found.pairs.T)
    table, chart, pairs = sections(laws, data["mix"])
    assert len(table.rows) == len(pairs.rows) == len(laws.domains)
    assert len(chart.figure["data"]) == 2


def test_a_weight_cannot_go_below_zero(data: dict[str, Any]) -> None:
    weights = dict.fromkeys(data["mix"]["weights"], 0.0) | {"code": 0.99, "ocr": 0.01}
    found = around(laws_of(data), weights)
    row = found.single[found.domains.index("ocr")]
    assert np.isnan(row[:2]).all()
    assert np.isfinite(row[2:]).all()


def test_residuals_are_measured_less_predicted(data: dict[str, Any]) -> None:
    name, task = next(iter(data["fit"]["tasks"].items()))
    score = next(each for each in task["scores"] if each["law"] == task["law"])
    run = next(iter(task["measured"]))
    task["measured"][run] = score["predicted"][run] + 7 * task["scale"] * score["std"][run]
    runs, off, z = residuals(task)
    assert z[runs.index(run)] == pytest.approx(7)
    assert off[runs.index(run)] == pytest.approx(task["measured"][run] - score["predicted"][run])
    row = next(row for row in residuals_table(data).rows if row[0] and row[0].text == name)
    assert row[-1] is not None
    assert (row[-1].text, row[-1].note) == ("+7.0", run)


def test_caps_and_bounds_reach_the_page(data: dict[str, Any]) -> None:
    data["config"] = data["config"].replace("bounds: {}", "bounds: {code: {min: 0.1, max: 0.4}}")
    payload = whatif(data, laws_of(data)).payload
    names = [limit["name"] for limit in payload["limits"]]
    assert "repetition of wikipedia <= 4" in names
    assert "weight of code <= 0.4" in names
    (cap,) = [limit for limit in payload["epochs"] if limit["name"] == "repetition of wikipedia <= 4"]
    used = sum(factor * payload["mixes"]["proposal"][int(i)] for i, factor in cap["row"].items())
    assert used == pytest.approx(data["mix"]["repetition"]["proposal"]["wikipedia"], abs=1e-6)

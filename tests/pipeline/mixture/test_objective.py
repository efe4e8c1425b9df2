"""Protects the objective: relative to natural, families equal, noise flags a task and never scales one."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.mixture.objective import build, signal_and_noise
from pipeline.mixture.spaces import natural

from .helpers import DOMAINS, measured


def test_natural_is_one_and_families_weigh_the_same() -> None:
    table = measured()
    goal = build(table, natural(DOMAINS))
    rows = [i for i, r in enumerate(table.runs) if r.startswith("natural")]
    assert goal.value(table.values[rows]).mean() == pytest.approx(1)
    np.testing.assert_allclose(goal.weights, [0.25, 0.25, 0.5])


def test_given_weights_of_tasks_and_families() -> None:
    goal = build(measured(), natural(DOMAINS), weights={"bench": 0.5, "heldout/code": 3.0})
    np.testing.assert_allclose(goal.weights, np.array([0.25, 0.75, 0.5]) / 1.5)


def test_a_noisy_task_is_set_aside_unless_forced() -> None:
    table = measured()
    noise = 3 + 0.1 * np.random.default_rng(0).normal(size=len(table.runs))
    noisy = replace(table, values=np.column_stack([table.values[:, :2], noise]))
    goal = build(noisy, natural(DOMAINS))
    assert goal.signals[2].noisy
    assert goal.weights[2] == 0
    assert goal.weights.sum() == pytest.approx(1)
    assert "family bench" in goal.notes[0]
    assert build(noisy, natural(DOMAINS), force=["bench/papers"]).weights[2] == pytest.approx(0.5)


def test_a_natural_mix_that_no_run_has_is_predicted_or_else_the_mean_of_all() -> None:
    table = measured()
    elsewhere = np.eye(5)[3]
    goal = build(table, elsewhere, predicted=np.array([1.5, 1.25, 2.0]))
    assert goal.value(np.array([1.5, 1.25, 2.0])) == pytest.approx(1)
    assert "tasks are relative to what the laws predict for it" in goal.notes[0]
    np.testing.assert_allclose(build(table, elsewhere).reference, table.values.mean(axis=0))
    measured_goal = build(table, natural(DOMAINS), predicted=np.array([9.0, 9.0, 9.0]))
    np.testing.assert_array_equal(measured_goal.reference, build(table, natural(DOMAINS)).reference)


def test_seed_noise_is_estimated_free_of_blocks() -> None:
    estimates = []
    for seed in range(15):
        table = measured(seed=seed, noise=0.01)
        shifted = replace(table, values=table.values + 0.3 * table.blocks[:, None])
        estimates.append(signal_and_noise(shifted)[1] ** 2)
    assert np.sqrt(np.mean(estimates)) == pytest.approx(0.01, rel=0.3)


def test_without_replicates_nothing_is_called_noisy() -> None:
    table = measured()
    first = np.unique(table.groups, return_index=True)[1]
    alone = replace(
        table,
        runs=tuple(table.runs[i] for i in first),
        weights=table.weights[first],
        values=table.values[first],
        blocks=table.blocks[first],
    )
    goal = build(alone, natural(DOMAINS))
    assert not any(s.noisy for s in goal.signals)
    assert "noise is unknown" in goal.notes[0]


def test_unknown_names_and_bad_values_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown tasks or families: benhc"):
        build(measured(), natural(DOMAINS), weights={"benhc": 1.0})
    with pytest.raises(ValueError, match="not negative"):
        build(measured(), natural(DOMAINS), weights={"bench": -1.0})
    with pytest.raises(ValueError, match="no task is left"):
        build(measured(), natural(DOMAINS), weights={"bench": 0.0, "heldout": 0.0})


def test_a_maximised_task_counts_upwards_and_may_be_zero() -> None:
    table = measured()
    accuracy = np.where(np.arange(len(table.runs)) == 3, 0.0, table.values[:, 2] / 10)
    mixed = replace(table, values=np.column_stack([table.values[:, :2], accuracy]))
    goal = build(mixed, natural(DOMAINS), maximise=["bench"])
    np.testing.assert_array_equal(goal.signs, [1, 1, -1])
    assert goal.value(goal.reference) == pytest.approx(1)
    better, worse = goal.reference * [1, 1, 1.1], goal.reference * [1, 1, 0.9]
    assert goal.value(better) == pytest.approx(1 - 0.1 * goal.weights[2])
    assert goal.value(worse) == pytest.approx(1 + 0.1 * goal.weights[2])
    with pytest.raises(ValueError, match="bench/papers has values that are not positive"):
        build(mixed, natural(DOMAINS))
    nothing = replace(mixed, values=mixed.values * [1, 1, 0] + [0, 0, 0])
    with pytest.raises(ValueError, match="bench/papers is 0 for the natural mix"):
        build(nothing, natural(DOMAINS), maximise=["bench"])
    with pytest.raises(ValueError, match="has values that are negative"):
        build(replace(mixed, values=mixed.values * [1, 1, -1]), natural(DOMAINS), maximise=["bench"])

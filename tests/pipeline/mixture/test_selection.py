"""Protects honest selection: one mix's replicates are held out together, and predictions are out of fold."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.mixture.laws.out_of_fold import folds_of
from pipeline.mixture.selection import Score, _blend, _calibration, _importance, _score, choose, without_blocks
from pipeline.mixture.table import Swarm

from .helpers import measured, truth


def test_replicates_are_held_out_together() -> None:
    groups = np.array([0, 0, 1, 2, 1, 3])
    folds = folds_of(groups, seed=0)
    assert sorted(np.concatenate(folds).tolist()) == list(range(6))
    for fold in folds:
        assert not set(groups[fold]) & set(np.delete(groups, fold))
    assert len(folds_of(np.arange(200), seed=0)) == 10


def test_a_task_without_signal_scores_no_better_than_its_mean() -> None:
    table = measured()
    noise = replace(table, tasks=("t",), values=1 + 0.1 * np.random.default_rng(3).normal(size=(len(table.runs), 1)))
    (fit,) = choose(noise, seed=0)
    assert fit.score.r2 < 0.3


def test_the_law_is_chosen_per_task_and_can_be_forced() -> None:
    table = measured()
    fits = choose(table, seed=0)
    assert [f.task for f in fits] == list(table.tasks)
    for fit in fits:
        least = min(s.error for s in fit.scores)
        blend = next(s for s in fit.scores if s.law == "blend")
        assert fit.law == "blend" if blend.error <= 1.05 * least else fit.score.error == least
        assert {s.law for s in fit.scores} >= {"linear", "log_linear", "blend"}
    assert all(f.law == "linear" for f in choose(table, seed=0, force="linear"))
    assert fits[0].score.r2 > 0.8


def test_a_law_asked_for_alone_is_the_only_one_tried() -> None:
    for fit in choose(measured(), seed=0, laws=("power",)):
        assert [s.law for s in fit.scores] == ["power"]
    (fit, *_) = choose(measured(), seed=0, laws=("power", "linear"), force="blend")
    assert fit.law == "blend"
    assert set(fit.score.shares) <= {"power", "linear"}


def test_errors_among_good_mixes_decide() -> None:
    """Two laws of equal RMSE: the one that is right where the metric is low must be preferred."""
    y = np.linspace(0, 1, 50)
    low, high = np.where(y < 0.5, 0.1, 0.0), np.where(y < 0.5, 0.0, 0.1)
    for losses, best in ((y, 0), (1 - y, 1)):
        scores = [_score("x", y, _importance(losses), (y + e)[None], np.ones((1, 50))) for e in (high, low)]
        assert scores[0].rmse == pytest.approx(scores[1].rmse)
        assert scores[best].error < 0.8 * scores[1 - best].error


@settings(max_examples=4, deadline=None)
@given(seed=st.integers(0, 10**6), shift=st.floats(4, 20))
def test_maximising_a_tasks_mirror_image_chooses_the_same_law_with_the_same_error(seed: int, shift: float) -> None:
    table = measured(runs=16, seed=seed)
    table = replace(table, tasks=table.tasks[:1], values=table.values[:, :1])
    mirrored = replace(table, values=shift - table.values)
    laws = ("linear", "log_linear", "power", "ridge", "blend")
    (plain,), (raised,) = choose(table, seed=0, laws=laws), choose(mirrored, seed=0, laws=laws, maximise=table.tasks)
    assert raised.law == plain.law
    for one, other in zip(plain.scores, raised.scores, strict=True):
        assert one.law == other.law
        assert one.error == pytest.approx(other.error, rel=1e-3)
        np.testing.assert_allclose(shift - other.predicted, one.predicted, atol=1e-3)
    unseen = np.random.default_rng(seed).dirichlet(np.ones(5), 20)
    (mean, std), (other_mean, other_std) = plain.predict(unseen), raised.predict(unseen)
    np.testing.assert_allclose(shift - other_mean, mean, atol=1e-3)
    np.testing.assert_allclose(other_std, std, rtol=0.02)


def test_a_maximised_task_is_convex_in_the_objective_where_its_mirror_image_is() -> None:
    table = measured(runs=16)
    for law, convex in (("power", (True, False)), ("linear", (True, True)), ("ridge", (False, False))):
        (plain, *_), (raised, *_) = (choose(table, seed=0, laws=(law,), maximise=each) for each in ((), table.tasks))
        assert (plain.model.convex, plain.model.concave) == convex
        assert (raised.model.concave, raised.model.convex) == convex


def test_a_blend_is_scored_with_shares_that_its_own_fold_did_not_set() -> None:
    """One run's luck may not choose the law that then predicts it."""
    y = np.array([0.0, 1.0, 2.0, 3.0])
    lucky, steady = y + np.array([0.0, 9.0, 9.0, 9.0]), y + 0.1
    left_out = {name: (each[None], np.ones((1, 4))) for name, each in (("a", lucky), ("b", steady))}
    score = _blend(y, np.ones(4), left_out, [[np.array([i]) for i in range(4)]])
    np.testing.assert_allclose(score.predicted, steady)
    assert score.shares == {"b": 1.0}


def test_intervals_hold_nine_of_ten_unseen_measurements() -> None:
    held = []
    for seed in range(6):
        rng = np.random.default_rng(100 + seed)
        table = measured(seed=seed, runs=40, noise=0.02)
        unseen = rng.dirichlet(np.ones(5), 300)
        values = truth(unseen) + 0.02 * rng.normal(size=(300, 3))
        for t, fit in enumerate(choose(table, seed=0, laws=("power", "ridge", "blend"))):
            mean, std = fit.predict(unseen)
            held.append(np.mean(np.abs(mean - values[:, t]) <= 1.645 * std))
    assert 0.83 <= np.mean(held) <= 0.97


def test_a_law_that_is_too_sure_of_itself_is_scaled() -> None:
    y, rng = np.linspace(0, 1, 200), np.random.default_rng(0)
    score = _score("x", y, _importance(y), (y + 0.3 * rng.normal(size=200))[None], np.full((1, 200), 0.1))
    assert _calibration(y, score) == pytest.approx(3, rel=0.15)


def test_scores_survive_json() -> None:
    table = measured()
    (fit, *_) = choose(table, seed=0, force="blend")
    held = json.loads(json.dumps(fit.score.to_json(table.runs)))
    back = Score.from_json(held, table.runs)
    for key, value in asdict(fit.score).items():
        np.testing.assert_array_equal(asdict(back)[key], value)
    again = back.unfitted().fit(table.weights, table.values[:, 0], table.blocks)
    np.testing.assert_array_equal(again.predict(table.weights), fit.model.predict(table.weights))


def test_block_effects_are_taken_off() -> None:
    table = measured()
    shifted = replace(table, values=table.values + 0.02 * (table.blocks[:, None] - 1.5))
    fits = choose(shifted, seed=0, force="power")
    assert np.abs(without_blocks(shifted, fits) - table.values).max() < 0.015


def test_what_cannot_be_fitted_is_refused() -> None:
    table = measured()
    with pytest.raises(ValueError, match="unknown law: magic"):
        choose(table, seed=0, laws=("magic",))
    with pytest.raises(ValueError, match="same value in every run"):
        choose(replace(table, values=np.ones_like(table.values)), seed=0)


def first(runs: int) -> Swarm:
    table = measured(runs=24)
    kept = {name: getattr(table, name)[:runs] for name in ("runs", "weights", "values", "blocks")}
    return replace(table, **kept)


@pytest.mark.parametrize("runs", [6, 7, 9, 12])
def test_few_runs_are_fitted_by_the_laws_that_can(runs: int) -> None:
    """A swarm that has just begun, or a tiny one: laws that need more runs stand aside, a blend keeps its shares."""
    few = first(runs)
    for fit in choose(few, seed=0):
        assert np.isfinite(fit.model.predict(few.weights)).all()
        assert fit.law in {score.law for score in fit.scores}


def test_too_few_runs_for_any_law_is_said() -> None:
    with pytest.raises(ValueError, match="3 runs are too few"):
        choose(first(3), seed=0)

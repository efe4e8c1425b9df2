"""Protects honest selection: one mix's replicates are held out together, and predictions are out of fold."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.mixture.selection import choose, folds_of, without_blocks

from .helpers import measured


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
        assert fit.score.rmse == min(s.rmse for s in fit.scores)
        assert {s.law for s in fit.scores} >= {"linear", "log_linear"}
    assert all(f.law == "linear" for f in choose(table, seed=0, force="linear"))
    assert fits[0].score.r2 > 0.8


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

"""Larger proxies are trained only when asked for, on seeds of their own, and retrain nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import proof, transfer
from pipeline.load import load_mix
from pipeline.run import Run
from pipeline.units import Unit
from proxy_models.presets import PRESETS

PLAN = {"own_per_target": {"wikipedia": 1.0, "questions": 1.0}, "mixes": []}
MIXES = {"proposal": {"wikipedia": 0.7, "questions": 0.3}, "natural": {"wikipedia": 0.5, "questions": 0.5}}
ASKED = ("validate: {seeds: 2}", "validate: {seeds: 2, transfer: {preset: quickstart, tokens: 48k, seeds: 3}}")


@pytest.fixture
def opened(tiny_yaml, monkeypatch: pytest.MonkeyPatch):
    """Open the tiny mix as the driver has it after `propose`, without having run anything."""
    for module in (proof, transfer):
        monkeypatch.setattr(module, "swarm_of", lambda run: PLAN)
        monkeypatch.setattr(module, "mixes_of", lambda run: MIXES)

    def open_(*changes: tuple[str, str]) -> Run:
        run = Run.open(load_mix(tiny_yaml(*changes)))
        run.units["tokenize"] = [Unit("tokenize", f"{name}/000", 1, {"domain": name}) for name in MIXES["proposal"]]
        for stage, name in (("numerics", "plan"), ("vocabulary", "bpe"), ("propose", "mix"), ("requests", "heldout/x")):
            run.units[stage] = [Unit(stage, name, 1)]
        for stage, units in (
            ("proof", proof.train_units),
            ("confirm", proof.score_units),
            ("transfer", transfer.train_units),
            ("reconfirm", transfer.score_units),
            ("validate", proof.validate_units),
        ):
            run.units[stage] = units(run)
        return run

    return open_


def args(run: Run, stage: str, key: str) -> list[Any]:
    return [unit.args[key] for unit in run.of(stage)]


def test_off_by_default(opened) -> None:
    run = opened()
    assert run.of("transfer") == run.of("reconfirm") == []
    assert "transfer" not in run.of("validate")[0].args


def test_every_mix_is_trained_larger_on_every_seed_and_scored_on_confirm_items(opened) -> None:
    run = opened(ASKED)
    assert [unit.name for unit in run.of("transfer")] == [f"{mix}-t{i}" for i in range(3) for mix in MIXES]
    assert set(args(run, "transfer", "preset")) == {"quickstart"}
    assert set(args(run, "transfer", "tokens")) == {48_000}
    assert set(args(run, "transfer", "share")) == {48_000 / 400_000}, "they repeat data as the target will"
    assert {values["width"] for values in args(run, "transfer", "preset_values")} == {PRESETS["quickstart"].width}
    assert set(args(run, "reconfirm", "side")) == {"confirm"}
    assert len(run.of("reconfirm")) == 6
    (validate,) = run.of("validate")
    assert validate.args["transfer"] == {"preset": "quickstart", "tokens": 48_000, "seeds": 3}
    assert {f"score|{mix}-t{i}|heldout/x" for mix in MIXES for i in range(3)} <= set(validate.inputs)


def test_seeds_are_paired_over_the_mixes_and_no_other_proxy_has_them(opened) -> None:
    run = opened(ASKED)
    by_seed = {unit.args["seed"]: unit.name[-1] for unit in run.of("transfer")}
    assert len(by_seed) == 3
    assert not set(by_seed) & set(args(run, "proof", "seed"))


def test_asking_for_larger_proxies_retrains_none_of_the_small_ones(opened) -> None:
    assert [unit.key for unit in opened().of("proof")] == [unit.key for unit in opened(ASKED).of("proof")]


def test_tokens_are_the_presets_own_unless_given(opened) -> None:
    run = opened(ASKED, ("transfer: {preset: quickstart, tokens: 48k", "transfer: {preset: quickstart"))
    assert set(args(run, "transfer", "tokens")) == {PRESETS["quickstart"].tokens}

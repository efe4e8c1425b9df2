"""A proxy whose loss is no number is finished as failed and left out of fit and proof with a warning."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipeline import swarm
from pipeline.errors import BadDataError
from pipeline.failures import left_out, whole_seeds
from pipeline.tables import read_table
from pipeline.unfinished import fit_finished
from pipeline.units import Job
from tests.pipeline.conftest import walk_here

ONE_ROUND = ("rounds: [9, 3], ", "")
FEW_LAWS = ("objective: {force", "fit: {laws: [linear, power]}\nobjective: {force")


@pytest.fixture
def diverging(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[int], bool]], list[int]]:
    """Give the n-th proxies that are trained, where `which(n)`, a learning rate that no model survives."""
    plain, number = swarm.preset_of, [0]

    def install(which: Callable[[int], bool]) -> list[int]:
        def preset_of(job: Job) -> tuple[Any, Any]:
            model, config = plain(job)
            wild = replace(config.optimiser, lr=1e38, embedding_lr=1e38, schedule="constant")
            number[0] += 1
            return model, replace(config, optimiser=wild) if which(number[0]) else config

        monkeypatch.setattr(swarm, "preset_of", preset_of)
        return number

    return install


def test_one_of_the_swarm_and_one_of_the_proof_are_left_out(
    tiny_yaml: Callable[..., Path], diverging: Callable[..., list[int]], tmp_path: Path
) -> None:
    """And more of them than the YAML allows stop the run."""
    number = diverging(lambda n: n in (5, 14))
    path = tiny_yaml(ONE_ROUND, FEW_LAWS, ("validate: {seeds: 2}", "validate: {seeds: 3}"))
    run = walk_here(path)
    lost = run.of("train")[4].name
    assert not [unit for unit in run.of("score") if unit.name.startswith(f"{lost}|")]
    report = run.store.local(run.of("report")[0].ref)
    for table in ("ratios.csv", "metrics.csv"):
        assert len(read_table(report / table)) == 11
        assert lost not in read_table(report / table)
    (note,) = [note for note in json.loads((report / "fit.json").read_text())["notes"] if "diverged" in note]
    assert note.startswith(f"1 of 12 proxies diverged and are left out of the fit ({lost}: loss nan at step ")
    mix = json.loads((report / "mix.json").read_text())
    assert {len(each["seeds"]) for each in mix["measured"].values()} == {2}, "seeds are paired over the mixes"
    assert any("of 12 proxies diverged and are left out of the proof" in each for each in mix["warnings"])
    page = " ".join((report / "report.html").read_text().split())
    assert "diverged and are left out of the fit" in page
    assert "2 proxies whose loss was no number: " in page
    assert "2 proxies whose loss was no number: " in " ".join((report / "report.md").read_text().split())
    trained = number[0]
    fit_finished(walk_here(path), tmp_path / "now")  # a finished failure is not tried again
    assert number[0] == trained
    assert len(read_table(tmp_path / "now" / "ratios.csv")) == 11
    path.write_text(path.read_text().replace("tokens: 24k", "tokens: 24k, max_failed: 0.05"))
    with pytest.raises(BadDataError, match=r"^1 of 12 proxies diverged .*more than proxy.max_failed \(0.05\) allows"):
        walk_here(path, until="train")
    assert number[0] == trained


def test_a_seed_counts_where_no_mix_lost_its_proxy() -> None:
    lost = {"natural-s0": "", "mine-s1-t0": "", "proposal-t2": ""}
    assert whole_seeds(lost, "s", 3) == [1, 2]
    assert whole_seeds(lost, "t", 4) == [1, 3]


def test_a_warning_names_a_few_and_counts_the_rest() -> None:
    (text,) = left_out({f"r{i}": "loss nan" for i in range(5)}, 64, "the fit")
    assert text == (
        "5 of 64 proxies diverged and are left out of the fit (r0: loss nan; r1: loss nan; r2: loss nan; and 2 more)"
    )
    assert left_out({}, 64, "the fit") == []

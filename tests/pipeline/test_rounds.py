"""Rounds: design, train and score take turns; a round keeps its mixes; a settled swarm asks for no more."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.load import load_mix
from pipeline.rounds import design_units, later_round
from pipeline.run import Run
from pipeline.stages import walk
from pipeline.store import to_json
from pipeline.units import Job, Unit

DOMAINS = ["a", "b", "c"]
PLAN = {
    "domains": DOMAINS,
    "tokens": dict.fromkeys(DOMAINS, 1000),
    "own_per_target": dict.fromkeys(DOMAINS, 1.0),
    "freeze": {},
    "gone": [],
    "grown": 0,
    "settled": False,
    "natural": dict.fromkeys(DOMAINS, 1 / 3),
}


@pytest.fixture
def run(tiny_yaml) -> Run:
    return Run.open(load_mix(tiny_yaml()))


def test_stages_of_a_round_run_once_a_round(run: Run) -> None:
    names = [stage.name for stage in walk(run)]
    start = names.index("design")
    assert names[start : start + 6] == ["design", "train", "score"] * 2
    assert names.count("fit") == 1


def finish(run: Run, unit: Unit, plan: dict) -> None:
    """Publish a design by hand."""
    folder = run.store.workspace()
    (folder / "swarm.json").write_text(to_json(plan))
    run.store.publish(unit.ref, folder, {"counts": {}})
    run.mark_done(unit)


def begun(run: Run) -> Unit:
    """Bring a run to the point where the second round is asked for; returns the first design."""
    run.units |= {"tokenize": [], "requests": [Unit("requests", "heldout/a", 1)], "train": [], "score": []}
    (first,) = design_units(run)
    finish(run, first, {**PLAN, "mixes": []})
    run.units["design"] = [first]
    return first


def test_other_evals_keep_a_rounds_mixes_and_another_size_asks_anew(run: Run, tiny_yaml) -> None:
    begun(run)
    _, second = design_units(run)
    finish(run, second, {**PLAN, "mixes": []})
    run.pin(second)

    def again(*changes: tuple[str, str], tasks: tuple[str, ...]) -> Unit:
        other = Run.open(load_mix(tiny_yaml(*changes)))
        begun(other)
        other.units["requests"] = [Unit("requests", task, 1) for task in tasks]
        return design_units(other)[-1]

    assert again(tasks=("heldout/a", "bench/new")).ref == second.ref
    assert again(("force: [heldout, bench]", "families: {bench: 2}"), tasks=("heldout/a",)).ref == second.ref
    larger = ("runs: 12, rounds: [9, 3]", "runs: 13, rounds: [9, 4]")
    assert again(larger, tasks=("heldout/a",)).ref != second.ref
    assert again(("tokens: 24k", "tokens: 32k"), tasks=("heldout/a",)).ref != second.ref


def test_a_settled_swarm_asks_for_no_further_round(run: Run) -> None:
    first = begun(run)
    _, second = design_units(run)
    finish(run, second, {**PLAN, "settled": True, "mixes": []})
    run.units["design"] = [first, second]
    assert design_units(run) == [first, second]


def job(tmp_path: Path, tolerance: float, **plan) -> Job:
    """A second round after 9 runs whose metric falls with the weight of `a`, up to noise."""
    weights = [[1 / 3] * 3, [1 / 3] * 3, [0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.2, 0.2, 0.6], [0.5, 0.4, 0.1]]
    weights += [[0.1, 0.5, 0.4], [0.45, 0.1, 0.45], [0.7, 0.15, 0.15]]
    mixes = [
        {"run": f"r{i}", "mix": f"m{i}", "block": i % 2, "weights": dict(zip(DOMAINS, row, strict=True))}
        for i, row in enumerate(weights)
    ]
    (tmp_path / "design").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "design" / "swarm.json").write_text(json.dumps({**PLAN, "mixes": mixes, **plan}))

    def counts(role: str) -> dict:
        _, name, *task = role.split("|")
        row = weights[int(name[1:])]
        wiggle = 0.002 * (-1) ** int(name[1:])
        return {"bpb": 2 - row[0] + wiggle} if task else {"realised": dict(zip(DOMAINS, row, strict=True))}

    args = {
        "tasks": ["heldout/a"],
        "fit": {"laws": ["linear"], "law": None},
        "objective": {"families": {}, "tasks": {}, "force": ["heldout"], "maximise": []},
        "domains": dict(zip(DOMAINS, DOMAINS, strict=True)),
        "propose": {"max_repetition": 4.0, "bounds": {}},
        "target_tokens": 4000,
        "sizes": [9, 3],
        "tolerance": tolerance,
        "blocks": 2,
        "round": 1,
        "seed": 1,
    }
    return Job(args, {"design": tmp_path / "design"}, {}, tmp_path / "out", counts)


def test_a_round_adds_named_mixes_where_the_best_may_be(tmp_path: Path) -> None:
    counted = later_round(job(tmp_path, tolerance=0.0))
    plan = json.loads((tmp_path / "out" / "swarm.json").read_text())
    assert counted["runs"] == len(plan["mixes"]) == 12
    assert not plan["settled"]
    added = plan["mixes"][9:]
    assert [each["mix"] for each in added] == ["round2-000", "round2-001", "round2-002"]
    assert {each["block"] for each in added} == {0, 1}, "the emptier seed blocks first"
    assert added[0]["weights"]["a"] > 0.9, "the best guess leaves the region that was covered"
    assert all(sum(each["weights"].values()) == pytest.approx(1) for each in added)


def test_a_round_that_has_nothing_to_learn_adds_nothing(tmp_path: Path) -> None:
    counted = later_round(job(tmp_path, tolerance=0.5))
    assert counted["settled"]
    assert counted["expected_regret"] < 0.5
    assert counted["runs"] == 9


def test_a_round_of_a_grown_swarm_has_names_of_its_own_and_nothing_of_what_is_gone(tmp_path: Path) -> None:
    given = job(tmp_path, tolerance=0.0, domains=["a", "b"], gone=["c"], grown=2, natural={"a": 0.5, "b": 0.5})
    later_round(replace(given, args={**given.args, "domains": {"a": "a", "b": "b"}}))
    plan = json.loads((tmp_path / "out" / "swarm.json").read_text())
    assert [each["mix"] for each in plan["mixes"][9:]] == [
        "grown2-round2-000",
        "grown2-round2-001",
        "grown2-round2-002",
    ]
    assert all(set(each["weights"]) == {"a", "b"} for each in plan["mixes"][9:])
    assert plan["mixes"][9]["weights"]["a"] > 0.9

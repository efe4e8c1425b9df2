"""What was proven is kept while only evals change; any other question, or asking for it, gets a proof of its own."""

from __future__ import annotations

import pytest

from pipeline.load import load_mix
from pipeline.proven import beside_proven, remember
from pipeline.run import Run
from pipeline.store import to_json
from pipeline.units import Unit

SWARM = [Unit("train", f"run-{i}", 1, {"seed": i}) for i in range(3)]


def unit(fit: str, **args) -> Unit:
    return Unit("propose", "mix", 1, {"objective": {}, **args}, {"fit": f"fit/{fit}"})


@pytest.fixture
def opened(tiny_yaml):
    """Open the tiny mix (changed by pairs of text) on one store, as the driver has it when it asks for a proposal."""

    def open_(*changes: tuple[str, str], swarm: list[Unit] = SWARM) -> Run:
        run = Run.open(load_mix(tiny_yaml(*changes)))
        run.units["train"] = swarm
        return run

    return open_


def prove(run: Run, proposal: Unit) -> Unit:
    """Do what a whole run does with a proposal: look for an earlier one, finish, remember."""
    found = beside_proven(run, proposal)
    run.units["propose"] = [found]
    run.store.write_text(f"manifests/{found.ref}.json", to_json({"files": []}))
    remember(run)
    return found


RETRAIN = ("validate: {seeds: 2}", "validate: {seeds: 2, retrain: true}")


def test_other_evals_keep_the_first_proof_and_every_answer_its_own(opened) -> None:
    first = prove(opened(), unit("a"))
    assert "proven" not in first.inputs
    second = prove(opened(), unit("b"))
    assert second.inputs["proven"] == first.ref
    third = prove(opened(), unit("c"))
    assert third.inputs["proven"] == first.ref, "proofs are not chained: the mixes that have proxies are the first ones"
    assert beside_proven(opened(), unit("a")) == first
    assert beside_proven(opened(), unit("b")) == second, "the same YAML finds its finished unit again"


def test_a_proposal_without_a_proof_is_not_kept(opened) -> None:
    run = opened()
    first = unit("a")
    run.store.write_text(f"manifests/{first.ref}.json", to_json({"files": []}))  # finished, but its proof is not
    assert beside_proven(opened(), unit("b")) == unit("b")


def test_another_objective_swarm_or_law_asks_for_a_proof_of_its_own(opened) -> None:
    prove(opened(), unit("a"))
    changed = unit("b", objective={"tasks": {"heldout/ocr": 0}})
    assert beside_proven(opened(), changed) == changed
    assert beside_proven(opened(swarm=SWARM[:2]), unit("b")) == unit("b")
    assert beside_proven(opened(("validate:", "fit: {law: linear}\nvalidate:")), unit("b")) == unit("b")


def test_retrain_asks_for_a_proof_and_is_kept_from_then_on(opened) -> None:
    prove(opened(), unit("a"))
    moved = prove(opened(RETRAIN), unit("b"))
    assert moved == unit("b")
    assert beside_proven(opened(), unit("c")).inputs["proven"] == moved.ref
    assert beside_proven(opened(), unit("b")) == moved

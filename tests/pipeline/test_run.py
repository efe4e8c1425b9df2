"""Pins keep what is fitted on data; unknown units are said to be unknown, never guessed."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from pipeline import stages
from pipeline.execute import execute
from pipeline.load import load_mix
from pipeline.run import NotYet, Run
from pipeline.units import Job, Unit


@pytest.fixture
def run(tiny_yaml) -> Run:
    return Run.open(load_mix(tiny_yaml()))


def numerics(**args) -> Unit:
    return Unit("numerics", "plan", 1, {"numeric": "fp32", **args})


def test_a_pinned_artefact_stays_when_only_its_inputs_change(run: Run) -> None:
    unit = numerics()
    assert execute(run.store.root, unit).error is None
    run.pin(unit)
    changed = dataclasses.replace(unit, inputs={"vocabulary": "vocabulary/other"})
    assert changed.key != unit.key
    assert run.pinned(changed).ref == unit.ref
    assert run.notes == ["numerics/plan: kept as pinned by an earlier run of tiny"]


def test_changed_arguments_ask_for_a_new_artefact(run: Run) -> None:
    unit = numerics()
    assert execute(run.store.root, unit).error is None
    run.pin(unit)
    other = numerics(again=True)
    assert run.pinned(other).ref == other.ref


def test_only_what_a_unit_is_pinned_by_asks_for_a_new_artefact(run: Run) -> None:
    """A round's mixes depend on the evals, but other evals must not choose other mixes for a swarm that is trained."""
    unit = dataclasses.replace(numerics(tasks=["a"]), pinned_by={"round": 1})
    assert execute(run.store.root, unit).error is None
    run.pin(unit)
    evals = dataclasses.replace(numerics(tasks=["a", "b"]), pinned_by={"round": 1})
    assert evals.key != unit.key
    assert run.pinned(evals).ref == unit.ref
    later = dataclasses.replace(evals, pinned_by={"round": 2})
    assert run.pinned(later).ref == later.ref


def test_a_pin_whose_artefact_is_gone_is_ignored(run: Run) -> None:
    unit = numerics()
    run.pin(unit)
    changed = dataclasses.replace(unit, inputs={"vocabulary": "vocabulary/other"})
    assert run.pinned(changed).ref == changed.ref


def test_asking_for_what_is_not_known_yet_says_which_stage_is_missing(run: Run) -> None:
    with pytest.raises(NotYet, match="design"):
        run.of("design")
    with pytest.raises(NotYet, match="numerics"):
        run.manifest(numerics())


def test_the_run_folder_changes_with_the_settings_and_not_with_comments(tiny_yaml, run: Run) -> None:
    commented = tiny_yaml(("seed: 1", "seed: 1  # a comment"))
    assert Run.open(load_mix(commented)).folder == run.folder
    assert Run.open(load_mix(tiny_yaml(("seed: 1", "seed: 2")))).folder != run.folder


def test_what_a_unit_keeps_outlives_its_failure_and_not_its_end(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed training goes on from there; a finished one leaves nothing."""
    found = []

    def work(job: Job) -> dict:
        assert job.scratch is not None
        job.scratch.mkdir(parents=True, exist_ok=True)
        found.append((job.scratch / "state").exists())
        (job.scratch / "state").touch()
        assert len(found) > 1, "the first worker dies"
        return {}

    monkeypatch.setitem(stages.WORK, "numerics", work)
    assert execute(run.store.root, numerics()).error is not None
    assert execute(run.store.root, numerics()).error is None
    assert found == [False, True]
    assert not run.store.scratch(numerics().ref).exists()


def test_a_failing_unit_names_its_error_and_leaves_nothing_behind(run: Run) -> None:
    broken = Unit("design", "swarm", 1, {"domains": {}})
    outcome = execute(run.store.root, broken)
    assert outcome.error is not None
    assert "Traceback" in outcome.error
    assert run.store.finished("design") == set()
    assert list((Path(run.store.root) / "tmp").iterdir()) == []


def test_an_artefact_that_was_cut_short_is_done_again(run: Run) -> None:
    unit = numerics()
    assert execute(run.store.root, unit).error is None
    assert run.is_done(unit)
    (file, *_) = [each for each in run.store.local(unit.ref).iterdir() if each.stat().st_size]
    whole = file.read_bytes()
    os.truncate(file, len(whole) // 2)
    later = Run.open(run.mix)
    assert not later.is_done(unit)
    assert later.damaged == {unit.ref}
    later.store.discard(unit.ref)
    assert execute(run.store.root, unit).error is None
    assert file.read_bytes() == whole
    later.mark_done(unit)
    assert later.is_done(unit)
    assert later.damaged == set()

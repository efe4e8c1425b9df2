"""A plan says why a unit is missing, what it is expected to take, and reads a bounded number of manifests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import estimates, why
from pipeline.changes import Change, changes
from pipeline.load import load_mix
from pipeline.plan import Explained, RunPlan, explained_plan
from pipeline.plan_text import plan_text
from pipeline.run import Run
from pipeline.run_units import earlier_runs, remember_units, units_of
from pipeline.store import Store, to_json
from pipeline.units import Unit
from pipeline.why import causes, reasons
from tests.pipeline.conftest import walk_here

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def planned(path: Path) -> RunPlan:
    return explained_plan(Run.open(load_mix(path)))


def stage(plan: RunPlan, name: str) -> Explained:
    return next(each for each in plan.stages if each.plan.stage == name)


def said(plan: RunPlan, name: str) -> dict[str, int]:
    return {each.reason: each.units for each in stage(plan, name).why}


def test_a_change_is_the_smallest_part_with_old_and_new_value() -> None:
    old = {"a": {"b": [1, {"c": 2}]}, "gone": 1, "list": [1]}
    new = {"a": {"b": [1, {"c": 3}]}, "list": [1, 2], "more": None}
    assert list(changes(old, new)) == [
        Change("a.b[1].c", "2", "3"),
        Change("list", "[ 1 ]", "[ 1, 2 ]"),
        Change("more", "(none)", "null"),
        Change("gone", "1", "(none)"),
    ]
    assert str(Change("a", "1", "2")) == "a: 1 → 2"


@given(VALUES, VALUES)
def test_there_are_changes_exactly_where_values_differ(old: Any, new: Any) -> None:
    assert bool(list(changes(old, new))) == (to_json(old) != to_json(new))
    assert list(changes(old, old)) == []


def test_causes_name_version_arguments_and_inputs() -> None:
    old = Unit("select", "a/0", 1, {"rules": [{"drop": "x < 1"}]}, {"documents": "sources/k", "gone": "annotate/g"})
    new = Unit("select", "a/0", 2, {"rules": [{"drop": "x < 2"}]}, {"documents": "sources/l", "words": "annotate/w"})
    assert causes(old.recipe, new) == [
        "version: 1 → 2",
        'rules[0].drop: "x < 1" → "x < 2"',
        "input changed: sources",
        "input added: annotate",
        "input removed: annotate",
    ]


@pytest.fixture
def many(tiny_yaml: Callable[..., Path], monkeypatch: pytest.MonkeyPatch) -> tuple[Run, list[str]]:
    """A run on a store with 500 finished units of a stage, and the manifests that are read from it."""
    run = Run.open(load_mix(tiny_yaml()))
    for i in range(500):
        unit = Unit("select", f"a/{i}", 1, {"drop": "x < 1", "i": i})
        manifest = {"recipe": unit.recipe, "counts": {"tokens": 10}, "seconds": 2.0, "cpu_seconds": 1.0, "files": {}}
        run.store.write_text(f"manifests/{unit.ref}.json", to_json(manifest))
        run.units.setdefault("select", []).append(unit)
    remember_units(run, "select")
    read: list[str] = []
    manifest_of = Store.manifest
    monkeypatch.setattr(Store, "manifest", lambda self, ref: read.append(ref) or manifest_of(self, ref))
    return run, read


def test_however_many_units_changed_few_manifests_are_read(many: tuple[Run, list[str]]) -> None:
    run, read = many
    known = units_of(run.store, run.folder, "select")
    assert len(known) == 500
    missing = [Unit("select", f"a/{i}", 1, {"drop": "x < 2", "i": i}) for i in range(510)]
    found = list(reasons(run, missing, known))
    assert [(each.reason, each.units) for each in found] == [
        ("changed; one in 9 of the stage was compared", 444),
        ('drop: "x < 1" → "x < 2"', 56),
        ("new: no earlier run has it", 10),
    ]
    assert len(read) == 56 <= why.COMPARED
    read.clear()
    expected = estimates.estimate(run, "select", known, missing, len(missing))
    assert expected == estimates.Estimate(seconds=1020.0, cpu_seconds=510.0, tokens=5100.0)
    assert len(read) == estimates.SAMPLED


def test_a_unit_that_was_not_finished_or_is_gone_is_told_from_a_changed_one(many: tuple[Run, list[str]]) -> None:
    run, _ = many
    known = units_of(run.store, run.folder, "select")
    for name in ("a/0", "a/1"):
        run.store.remove(f"manifests/{known[name]}.json")
    missing = [Unit("select", "a/0", 1, {"drop": "x < 1", "i": 0}), Unit("select", "a/1", 1, {"drop": "x < 9", "i": 1})]
    assert {each.reason: each.names for each in reasons(run, missing, known)} == {
        "unchanged, but not finished": ("a/0",),
        "changed; the earlier one is not there to compare with": ("a/1",),
    }


def test_the_newest_run_of_the_same_yaml_is_compared_with(tiny_yaml: Callable[..., Path]) -> None:
    first = Run.open(load_mix(tiny_yaml()))
    assert earlier_runs(first, 5).folders == ()
    first.units["sources"] = [Unit("sources", "a", 1)]
    remember_units(first, "sources")
    other = Run.open(load_mix(tiny_yaml(("seed: 1", "seed: 2"), name="other.yaml")))
    assert earlier_runs(other, 5).folders == (first.folder,), "of the store, where the YAML has none"
    second = Run.open(load_mix(tiny_yaml(("seed: 1", "seed: 3"))))
    assert earlier_runs(second, 5).folders == (first.folder,)
    before = dict(earlier_runs(second, 5).config or {})
    assert str(next(changes(before, {"seed": 3}))) == "seed: 1 → 3"


@pytest.fixture(scope="module")
def curated_yaml(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """The tiny mix over a store that is curated up to `select`, without classifiers."""
    from tests.pipeline.test_reuse import write

    folder = tmp_path_factory.mktemp("planned")
    walk_here(write(folder, tiny_data), until="select")
    return lambda *changes: write(folder, tiny_data, *changes)


def test_a_threshold_of_one_source_is_the_reason_for_that_source_alone(curated_yaml: Callable[..., Path]) -> None:
    assert {name: stage(planned(curated_yaml()), name).plan.todo for name in ("sources", "annotate", "select")} == {
        "sources": 0, "annotate": 0, "select": 0,
    }  # fmt: skip
    plan = planned(curated_yaml(("gopher_words < 41", "gopher_words < 400")))
    (change,) = plan.changed
    assert str(change) == 'select[1].drop: "gopher_words < 41" → "gopher_words < 400"'
    assert stage(plan, "annotate").plan.todo == 0
    assert stage(plan, "select").plan.names == ("ocr/000",)
    assert said(plan, "select") == {'rules[1].drop: "gopher_words < 41" → "gopher_words < 400"': 1}
    expected = stage(plan, "select").expected
    assert expected is not None
    assert expected.cpu_seconds > 0 < expected.bytes
    text = plan_text(plan)
    assert f"  {change}" in text.splitlines()
    assert "select       3 done, 1 to do: ocr/000; " in text
    record = json.loads(json.dumps(plan.record()))
    assert record["changed"][0]["new"] == '"gopher_words < 400"'
    assert [each["units"] for each in record["stages"] if each["stage"] == "select"] == [["ocr/000"]]


def test_of_a_first_run_nothing_is_known_and_that_is_said(tiny_yaml: Callable[..., Path]) -> None:
    plan = planned(tiny_yaml())
    assert plan.since is None
    assert said(plan, "sources") == {"no earlier run is known": 4}
    assert stage(plan, "sources").expected is None
    assert "sources" in plan.unknown

"""An added domain trains only new runs, a removed one none, changed text only what touches it; every answer is kept."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.driver import run_stages
from pipeline.load import load_mix
from pipeline.plan import Retrain, explained_plan, plan
from pipeline.plan_text import plan_text
from pipeline.progress import Progress
from pipeline.run import Run
from pipeline.tables import read_table
from tests.pipeline.conftest import SAMPLES, TINY, walk_here

RUNS = 12
RULE = '{name: few, drop: "gopher_words < 41", sources: [ocr]}'
# no trained classifier: its sources may go; Dirichlet draws leave domains out, so that some mixes touch others only
CHANGES = (
    ("  prose: {scorer: fasttext, positive: [wikipedia], negative: [questions], buckets: 10000}\n", ""),
    ("  clean: {scorer: sklearn, positive: [wikipedia], negative: [ocr]}\n", ""),
    ('{name: not_prose, drop: "prose_score < 0.01", sources: [wikipedia]}', RULE),
    ("rounds: [9, 3], blocks: 2", "blocks: 2, method: dirichlet"),
    ("  ocr.clean: {task: ocr_cleanup}\n", ""),
    ("validate: {seeds: 2}", "validate: {seeds: 2}\nfit: {laws: [linear, power]}"),
)  # fmt: skip
OCR = '  ocr: {path: "{folder}/ocr.parquet", group: id, license_field: license, truth: truth}\n'
QUESTIONS = '  questions: {path: "{folder}/questions.parquet", group: group, license: CC-BY-SA-3.0}\n'
SPEECHES = '  speeches: {path: "{folder}/speeches.parquet", group: group, license_field: license}\n'
ADDED = (OCR, OCR + SPEECHES)
REMOVED = (QUESTIONS, "")

Write = Callable[..., Path]


def write(folder: Path, data: Path, *changes: tuple[str, str]) -> Path:
    text = TINY.format(folder=data, evals=SAMPLES / "evals").replace(f"{data}/store", f"{folder}/store")
    for old, new in (*CHANGES, *changes):
        old, new = (each.replace("{folder}", str(data)) for each in (old, new))
        assert old in text, old
        text = text.replace(old, new)
    path = folder / "tiny.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished tiny run. Read only."""
    pl.read_parquet(SAMPLES / "speeches.parquet").head(40).write_parquet(tiny_data / "speeches.parquet")
    folder = tmp_path_factory.mktemp("finished")
    walk_here(write(folder, tiny_data))
    return folder


@pytest.fixture
def changed(finished: Path, tiny_data: Path, tmp_path: Path) -> Write:
    """Write the tiny mix, changed by (old, new) pairs of text, beside a copy of the finished run's store."""
    shutil.copytree(finished / "store", tmp_path / "store")

    def again(*changes: tuple[str, str]) -> Path:
        return write(tmp_path, tiny_data, *changes)

    return again


def design_of(run: Run) -> dict[str, Any]:
    return run.store.read_json(run.of("design")[-1].ref, "swarm.json")


def planned(path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return what `mixwright plan` lists, by stage, and its notes."""
    run = Run.open(load_mix(path))
    return {stage.stage: stage for stage in plan(run)}, run.notes


def with_weight(design: dict[str, Any], domain: str) -> list[str]:
    return [mix["run"] for mix in design["mixes"] if mix["weights"].get(domain, 0) > 0]


def test_an_added_domain_trains_only_new_runs(changed: Write) -> None:
    old = design_of(walk_here(changed(), until="design"))
    path = changed(ADDED)
    before, notes = planned(path)
    assert before["design"].todo == 1
    assert f"design: {RUNS} finished proxies of tiny are used again; new runs are for speeches" in notes
    expected = explained_plan(Run.open(load_mix(path)))
    assert expected.retrain == Retrain(earlier=RUNS, kept=RUNS, new=7, proof=4 * 2)
    run = walk_here(path, until="design")
    new = design_of(run)
    assert new["mixes"][:RUNS] == old["mixes"], "finished mixes stay as they are, byte for byte"
    added = new["mixes"][RUNS:]
    assert len(added) == 4 + 3, "natural and uniform on two blocks; a fifth of 12 runs"
    assert [mix["mix"] for mix in added[::2]][:2] == ["grown1-natural", "grown1-uniform"]
    assert [mix["run"] for mix in added] == with_weight(new, "speeches")
    assert added[0]["weights"] == new["natural"]
    train = planned(path)[0]["train"]
    assert train.done == RUNS, "the old proxies' keys are the same"
    assert sorted(train.names) == sorted(mix["run"] for mix in added)
    (score,) = (each.assumed for each in expected.stages if each.plan.stage == "score")
    assert score == planned(path)[0]["score"].todo, "the new runs on all tasks, the old ones on the new task"

    proxies = run.store.finished("train")
    whole = walk_here(path)
    trained = whole.store.finished("train") - proxies
    swarm, proof = ({unit.key for unit in whole.of(stage)} for stage in ("train", "proof"))
    assert len(swarm & trained) == len(added)
    assert trained == {unit.key for unit in whole.of("train")[RUNS:]} | proof
    report = whole.store.local(whole.of("report")[0].ref)
    assert len(read_table(report / "ratios.csv")) == RUNS + len(added)
    mix = json.loads((report / "mix.json").read_text())
    assert set(mix["weights"]) == {"wikipedia", "questions", "ocr", "wikipedia.qa", "speeches"}
    assert run_stages(Run.open(load_mix(path)), Progress()) == {}, "the same YAML again does nothing, and grows no more"


def test_a_removed_domain_trains_nothing_for_the_swarm(changed: Write) -> None:
    """The one that goes stands in the middle: what was compared with its documents stays as it is."""
    old = design_of(walk_here(changed(), until="design"))
    path = changed(REMOVED)
    assert f"design: {RUNS} finished proxies of tiny are used again; none is trained" in planned(path)[1]
    run = walk_here(path)
    design = design_of(run)
    assert design["mixes"] == old["mixes"]
    assert (design["gone"], design["settled"]) == (["questions"], True)
    assert {unit.key for unit in run.of("tokenize")} <= {unit.key for unit in walk_here(changed()).of("tokenize")}
    report = run.store.local(run.of("report")[0].ref)
    ratios = read_table(report / "ratios.csv")
    assert set(ratios) == {mix["run"] for mix in old["mixes"]}
    assert all(sum(row.values()) == pytest.approx(1) for row in ratios.values())
    assert any(row["questions"] > 0 for row in ratios.values()), "its runs are points of the fit"
    mix = json.loads((report / "mix.json").read_text())
    for weights in (mix["weights"], *mix["baselines"].values(), mix["uncertainty"]["interval"]["high"]):
        assert set(weights) == {"wikipedia", "ocr", "wikipedia.qa"}
    assert sum(mix["weights"].values()) == pytest.approx(1)
    assert mix["measured"]["natural"]["mean"] == pytest.approx(1), "the proof measures natural as ever"
    assert mix["predicted"]["natural"]["objective"] == pytest.approx(1), "the reference is what the laws predict for it"
    notes = json.loads((report / "fit.json").read_text())["notes"]
    assert "no run is the natural mix: tasks are relative to what the laws predict for it" in notes
    assert any("questions, no longer on offer" in note for note in notes)
    assert "questions" in (report / "report.html").read_text()
    assert planned(path)[0]["train"].done == RUNS


def test_going_back_finds_the_old_design_and_does_nothing(changed: Write) -> None:
    first = Run.open(load_mix(changed()))
    assert run_stages(first, Progress(), until="validate") == {}
    walk_here(changed(REMOVED), until="score")
    larger = walk_here(changed(ADDED), until="score")
    back = Run.open(load_mix(changed()))
    assert run_stages(back, Progress(), until="validate") == {}  # the report names the store, which is a copy
    assert back.of("design") == first.of("design")
    again = walk_here(changed(ADDED), until="score")
    assert again.of("design")[0].ref == larger.of("design")[0].ref, "an answer is kept though others came since"


def test_changed_text_drops_only_the_mixes_that_touch_it(changed: Write) -> None:
    old = design_of(walk_here(changed(), until="design"))
    touching = with_weight(old, "ocr")
    assert 0 < len(touching) < RUNS
    path = changed(("gopher_words < 41", "gopher_words < 400"))
    before = explained_plan(Run.open(load_mix(path)))
    missing = {each.plan.stage: each.plan.names for each in before.stages if each.plan.todo}
    assert missing == {
        "select": ("ocr/000",),
        "tokenize": ("ocr/000",),
        "requests": ("heldout/ocr",),
        "design": ("swarm",),
    }
    assert [str(each) for each in before.changed] == ['select[1].drop: "gopher_words < 41" → "gopher_words < 400"']
    new = design_of(walk_here(path, until="design"))
    kept = [mix for mix in old["mixes"] if mix["run"] not in touching]
    assert new["mixes"][: len(kept)] == kept
    assert {mix["run"] for mix in new["mixes"][len(kept) :]} <= set(with_weight(new, "ocr"))
    assert len(new["mixes"]) >= RUNS, "as many runs as before"
    train = planned(path)[0]["train"]
    assert (train.done, train.todo) == (len(kept), len(new["mixes"]) - len(kept))
    said = before.retrain
    assert said is not None
    assert (said.earlier, said.kept, said.new) == (RUNS, len(kept), train.todo), "the plan said how many are trained"
    assert f"{len(kept)} of {RUNS} finished proxies are used again, {len(touching)} no longer hold" in plan_text(before)


def test_an_added_eval_is_read_and_scored_and_trains_nothing(changed: Write) -> None:
    path = changed(
        ("items: 60}", f"items: 60}}\n    openbookqa: {{path: {SAMPLES}/evals/openbookqa.jsonl.gz, items: 60}}")
    )
    before = explained_plan(Run.open(load_mix(path)))
    missing = {each.plan.stage: set(each.plan.names) for each in before.stages if each.plan.todo}
    runs = {mix["run"] for mix in design_of(walk_here(changed(), until="design"))["mixes"]}
    assert missing["requests"] == {"bench/openbookqa"}
    assert missing["score"] == {f"{run}|bench/openbookqa" for run in runs}
    assert not missing.keys() & {"sources", "annotate", "select", "tokenize", "design", "train", "proof"}
    assert before.retrain is None
    assert [each.key for each in before.changed] == ["evals.benchmarks.openbookqa"]


def test_what_is_decided_later_is_estimated_though_the_mixes_stay(changed: Write) -> None:
    before = explained_plan(Run.open(load_mix(changed(("tokens: 24k", "tokens: 32k")))))
    assert before.retrain is None, "the same mixes, of proxies that are listed one by one"
    assert {each.plan.stage: each.plan.todo for each in before.stages}["train"] == RUNS
    assumed = {each.plan.stage: each.assumed for each in before.stages if each.plan.waits_for}
    tasks = 4
    assert {name: assumed[name] for name in ("proof", "confirm", "validate")} == {
        "proof": 4 * 2, "confirm": 4 * 2 * tasks, "validate": 1,
    }  # fmt: skip
    assert "up to 8 units" in plan_text(before)


def test_tasks_are_counted_before_their_requests_can_be_listed(changed: Write) -> None:
    """Another contamination suite changes text; what it holds, and so what is asked, is known when it is made."""
    before = explained_plan(Run.open(load_mix(changed(("  benchmarks:", "  contamination: {n: 12}\n  benchmarks:")))))
    stages = {each.plan.stage: each for each in before.stages}
    assert stages["requests"].plan.waits_for
    assert before.retrain is not None
    assert (before.retrain.kept, before.retrain.new) == (0, RUNS)
    tasks = 4
    assert (stages["score"].assumed, stages["laws"].assumed) == (RUNS * tasks, tasks)


def test_a_removed_variant_leaves_natural_measured(changed: Write) -> None:
    old = design_of(walk_here(changed(), until="design"))
    design = design_of(walk_here(changed(("rewrite:\n  wikipedia.qa: {task: wiki_qa}\n", "")), until="design"))
    assert design["mixes"] == old["mixes"]
    assert design["gone"] == ["wikipedia.qa"]
    assert {**design["natural"], "wikipedia.qa": 0.0} == old["natural"]


def test_a_domain_swapped_for_another_keeps_its_runs_as_points(changed: Write) -> None:
    run = walk_here(changed(ADDED, REMOVED), until="fit")
    design = design_of(run)
    assert design["gone"] == ["questions"]
    assert not design["settled"]
    assert all("questions" not in mix["weights"] for mix in design["mixes"][RUNS:])
    table = read_table(run.store.local(run.of("fit")[0].ref) / "ratios.csv")
    assert list(next(iter(table.values()))) == ["wikipedia", "ocr", "speeches", "wikipedia.qa", "questions"]


def test_another_question_or_an_unfinished_swarm_starts_anew(changed: Write) -> None:
    def kept(*changes: tuple[str, str]) -> bool:
        return "earlier" in walk_here(changed(*changes), until="design").of("design")[0].inputs

    assert kept(ADDED)
    assert not kept(ADDED, ("runs: 12", "runs: 13"))
    assert not kept(ADDED, ("tokens: 24k", "tokens: 32k"))
    assert not kept(ADDED, ("method: dirichlet", "freeze: {prose: [wikipedia, wikipedia.qa]}"))
    assert not kept(("fit: {", "propose: {max_repetition: 3}\nfit: {")), "another limit is no other set of domains"
    store = Path(Run.open(load_mix(changed())).store.root)
    pins = list((store / "pins" / "tiny").glob("swarm-*/*.json"))
    assert len(pins) == 1, "only a finished swarm is remembered"
    pins[0].unlink()
    shutil.rmtree(store / "manifests" / "design")
    assert not kept(ADDED)

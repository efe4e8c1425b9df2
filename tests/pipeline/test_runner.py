"""What fails is tried again where it may pass and given up where it will not; no unit stops another, none hangs."""

from __future__ import annotations

import io
import json
from collections import deque
from pathlib import Path

import pytest
from rich.console import Console

from pipeline.attempts import Attempt, after
from pipeline.driver import run_stages
from pipeline.errors import BadDataError
from pipeline.execute import Outcome
from pipeline.load import load_mix
from pipeline.log import RunLog
from pipeline.patience import Patience, patiently
from pipeline.progress import Progress
from pipeline.run import Run
from pipeline.runner import Runner, _Stage
from pipeline.store import Store
from pipeline.units import Unit

FAST = Patience(pauses=(0.1, 0.1, 0.1), deaths=3, least=2, times=5, first=2)


@pytest.fixture
def faulty_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers that are started now have the stage `faulty` and die of shards called poison."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent / "faulty"), prepend=":")


@pytest.mark.slow
def test_every_kind_of_failure_in_one_stage(faulty_workers: None, tmp_path: Path) -> None:
    def unit(do: str, times: int) -> Unit:
        place = {"count": str(tmp_path / f"{do}-{times}")}
        return Unit("faulty", f"{do} {times}", 1, {"do": do, "times": times}, place=place)

    pass_ = [unit("none", 0), unit("disk full", 2), unit("kill", 1), unit("segfault", 1), unit("hang", 1)]
    fail = {"bug 99": 1, "disk full 99": 4, "kill 99": 3, "segfault 99": 3}
    units = [*pass_, *(unit(name.removesuffix(" 99"), 99) for name in fail)]
    store, out = Store(str(tmp_path / "store")), io.StringIO()
    log, done = RunLog(store, "run"), []
    with Runner(store.root, Progress(Console(file=out, width=200)), None, log, FAST) as runner:
        failures = {f.unit.name: f for f in runner.run("faulty", [[u] for u in units], len(units), done.append)}
    log.flush()
    assert {each.name for each in done} == {each.name for each in pass_}
    assert store.finished("faulty") == {each.key for each in pass_}
    assert set(failures) == set(fail)
    for each in units:
        tries = len(Path(each.place["count"]).read_text())
        assert tries == fail.get(each.name, each.args["times"] + 1), each.name
    assert {name: f.signal for name, f in failures.items() if f.signal} == {"segfault 99": "SIGSEGV"}
    assert "ValueError: a bug in the stage" in failures["bug 99"].reason
    assert "No space left on device" in failures["disk full 99"].reason
    assert "SIGKILL" in failures["kill 99"].reason
    files = (tmp_path / "store/logs/run").glob("*.jsonl")
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    assert {line["unit"] for line in lines if line["event"] == "unit done"} == {each.name for each in pass_}
    assert {"stage started", "stage ended", "given up: error", "tried again: stalled"} <= {x["event"] for x in lines}
    assert RunLog(store, "run").incidents["faulty", "tried again: worker died"] == 1 + 1 + 2 + 2


MIX = """\
store: {folder}/store
target: {{tokens: 400k}}
sources:
  mine: {{path: "{folder}/*.jsonl"{more}}}
  other: {{path: "{folder}/a.jsonl"}}
annotate: {{gopher: {{}}}}
"""


@pytest.mark.slow
def test_shards_that_crash_a_stage_are_left_out_named_and_counted(faulty_workers: None, tmp_path: Path) -> None:
    """Below `max_bad_fraction` the run goes on; above it ends with exit code 3 and the list."""
    for name in ("a", "b", "c", "poison", "venom"):
        rows = [{"id": f"{name}{i}", "text": f"document {i} of {name}"} for i in range(20)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "mix.yaml"
    path.write_text(MIX.format(folder=tmp_path, more=", max_bad_fraction: 0.4"))
    run, out = Run.open(load_mix(path)), io.StringIO()
    progress = Progress(Console(file=out, width=200))
    run_stages(run, progress, until="annotate", patience=FAST)
    counts = {unit.name: run.manifest(unit)["counts"] for unit in run.of("sources")}
    assert [counts[f"mine/00{i}"]["documents"] for i in range(5)] == [20, 20, 20, 0, 0]
    assert counts["mine/003"]["unread"] == {"crashed its reader (SIGSEGV)": 1}
    assert counts["mine/004"]["unread"] == {"crashed stage annotate (SIGSEGV)": 1}
    assert all(run.is_done(unit) for unit in run.of("annotate"))
    (note,) = run.notes
    assert "poison.jsonl: crashed its reader (SIGSEGV)" in note
    assert "venom.jsonl: crashed stage annotate (SIGSEGV)" in note
    assert run_stages(Run.open(load_mix(path)), progress, until="annotate") == {}, "they are not tried again"
    path.write_text(MIX.format(folder=tmp_path, more=""))
    with pytest.raises(BadDataError, match=r"2 of 5 shards are left out, above max_bad_fraction 0.05:\n  mine/003 "):
        run_stages(Run.open(load_mix(path)), progress, until="sources")


def test_units_that_fail_together_are_tried_one_by_one() -> None:
    units = [Unit("train", name, 1) for name in "abc"]
    error = Outcome(1.0, error="no")
    again, failed = after(Attempt(units), "error", error, Patience(), 8)
    assert [list(each.units) for each in again] == [[unit] for unit in units]
    assert failed == []
    assert after(again[0], "error", error, Patience(), 8)[1][0].reason == "error, 2 tries: no"
    assert after(Attempt(units), "node lost", error, Patience(), 8)[0][0].units == units, "which was none's fault"


def test_a_task_that_ran_out_of_memory_gets_more_of_its_node() -> None:
    attempt = Attempt([Unit("train", "a", 1)])
    for cpus in (2, 3):
        ((attempt,), _) = after(attempt, "out of memory", Outcome(1.0, error="no"), Patience(), 3)
        assert attempt.cpus == cpus


def test_a_lost_node_is_not_the_units_fault() -> None:
    attempt, patience = Attempt([Unit("train", "a", 1)]), Patience(deaths=2, lost=5)
    for _ in range(4):
        ((attempt,), _) = after(attempt, "node lost", Outcome(0.0, error="gone"), patience, 1)
    assert after(attempt, "node lost", Outcome(0.0, error="gone"), patience, 1)[1][0].signal is None


def test_patience_ends() -> None:
    said, calls = [], []

    def call() -> int:
        calls.append(1)
        if len(calls) < 3:
            raise TimeoutError("store")
        return 7

    assert patiently(call, FAST, said.append) == 7
    assert said == ["TimeoutError: store; trying again in 0.1 s"] * 2
    with pytest.raises(TimeoutError):
        patiently(lambda: (_ for _ in ()).throw(TimeoutError()), FAST, said.append)
    with pytest.raises(KeyError):
        patiently(lambda: {}["x"], FAST, lambda text: pytest.fail(text))


def test_units_that_take_no_time_are_done_several_in_a_task() -> None:
    def stage(units: int, seconds: list[float]) -> _Stage:
        return _Stage(deque(Attempt([Unit("score", str(i), 1)]) for i in range(units)), seconds=deque(seconds))

    assert len(stage(1000, []).next(6)) == 1, "nothing is known yet"
    assert len(stage(1000, [0.01, 0.01, 9.0]).next(6)) == 50, "half a second of them"
    assert len(stage(1000, [2.0]).next(6)) == 1
    assert len(stage(60, [0.01]).next(6)) == 10, "no worker is left without"
    assert len(stage(3, [0.01]).next(6)) == 1
    assert stage(0, [0.01]).next(6) == []

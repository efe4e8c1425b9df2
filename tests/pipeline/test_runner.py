"""What fails is tried again where it may pass and given up where it will not; no unit stops another, none hangs."""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from pipeline.attempts import Attempt, after
from pipeline.driver import run_stages
from pipeline.errors import BadDataError, InputError
from pipeline.execute import Outcome
from pipeline.load import load_mix
from pipeline.log import RunLog
from pipeline.needs import Need
from pipeline.patience import Patience, patiently
from pipeline.poison import culprit
from pipeline.progress import Progress
from pipeline.run import Run
from pipeline.runner import Runner
from pipeline.store import Store
from pipeline.units import Unit

FAST = Patience(pauses=(0.1, 0.1, 0.1), deaths=3, least=5, times=5, first=5)


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
    pass_ += [unit("stop", 1)]  # SIGSTOP at its beginning: such a worker neither says that it runs nor ends itself
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
    assert {name: f.signal for name, f in failures.items() if f.signal} == {"segfault 99": "SIGSEGV"}
    assert "ValueError: a bug in the stage" in failures["bug 99"].reason
    assert "No space left on device" in failures["disk full 99"].reason
    assert "SIGKILL" in failures["kill 99"].reason
    files = (tmp_path / "store/logs/run").glob("*.jsonl")
    lines = [json.loads(line) for file in files for line in file.read_text().splitlines()]
    # a death also hits a task that was just sent to the worker: others may have a try more than their own doing asks
    events = Counter((line["units"][0], line["event"].split(": ")[1]) for line in lines if ": " in line["event"])
    own = {"disk full": "error", "bug": "error", "kill": "worker died", "segfault": "worker died"}
    own |= {"hang": "stalled", "stop": "stalled"}
    for each in units:
        if cause := own.get(str(each.args["do"])):
            assert events[each.name, cause] >= (fail.get(each.name) or each.args["times"]), (each.name, events)
        tries = len(Path(each.place["count"]).read_text())
        assert tries <= sum(n for (name, _), n in events.items() if name == each.name) + (each.name not in fail)
    for name, most in fail.items():
        assert events[name, own[name.removesuffix(" 99")]] == most
    assert {line["unit"] for line in lines if line["event"] == "unit done"} == {each.name for each in pass_}
    assert {"stage started", "stage ended", "given up: error", "tried again: stalled"} <= {x["event"] for x in lines}
    assert RunLog(store, "run").incidents["faulty", "tried again: worker died"] >= 1 + 1 + 2 + 2


@pytest.mark.slow
def test_a_store_that_stays_away_is_waited_for_on_every_try(faulty_workers: None, tmp_path: Path) -> None:
    """From the second try on a worker asks first whether the unit was published; no answer to that may pass too."""
    place = {"count": str(tmp_path / "count")}
    unit = Unit("faulty", "a", 1, {"do": "disk full", "times": 99}, place=place)
    store = Store(str(tmp_path / "store"))
    manifest = tmp_path / "store" / "manifests" / f"{unit.ref}.json"
    manifest.parent.mkdir(parents=True)
    manifest.symlink_to(manifest)  # reading it fails, by an error that is neither "not found" nor "forbidden"
    with Runner(store.root, Progress(Console(file=io.StringIO())), None, None, FAST) as runner:
        (failure,) = runner.run("faulty", [[unit]], 1, print)
    assert failure.reason.startswith("error, 4 tries: ")
    assert "Too many levels of symbolic links" in failure.reason


MIX = """\
store: {folder}/store
target: {{tokens: 400k}}
sources:
  mine: {{path: "{folder}/*.jsonl"{more}}}
  other: {{path: "{folder}/a.jsonl"}}
annotate: {{gopher: {{}}}}
"""


@pytest.mark.slow
def test_what_crashes_a_stage_is_left_out_named_and_counted(faulty_workers: None, tmp_path: Path) -> None:
    """A document where one alone does it, else its shard. Below `max_bad_fraction` the run goes on; above it ends with
    exit code 3 and the list."""
    for name in ("a", "b", "gang", "poison", "venom"):
        rows = [{"id": f"{name}{i}", "text": f"document {i} of {name}"} for i in range(20)]
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = tmp_path / "mix.yaml"
    path.write_text(MIX.format(folder=tmp_path, more=", max_bad_fraction: 0.4"))
    run, out = Run.open(load_mix(path)), io.StringIO()
    progress = Progress(Console(file=out, width=200))
    run_stages(run, progress, until="annotate", patience=replace(FAST, least=600, first=600))
    counts = {unit.name: run.manifest(unit)["counts"] for unit in run.of("sources")}
    assert [counts[f"mine/00{i}"]["documents"] for i in range(5)] == [20, 20, 0, 0, 19]
    assert counts["mine/002"]["unread"] == {"crashed stage annotate (SIGSEGV)": 1}
    assert counts["mine/003"]["unread"] == {"crashed its reader (SIGSEGV)": 1}
    assert counts["mine/004"]["reasons"] == {"crashed stage annotate (SIGSEGV)": 1}
    assert "left out: document `venom7` of mine/004/" in out.getvalue()
    (venom,) = [unit for unit in run.of("sources") if unit.name == "mine/004"]
    (row,) = pl.read_parquet(run.store.local(venom.ref) / "quarantine.parquet").to_dicts()
    assert row == {"row": 7, "records": 1, "reason": "crashed stage annotate (SIGSEGV)"}
    assert all(run.is_done(unit) for unit in run.of("annotate"))
    (note,) = run.notes
    assert "poison.jsonl: crashed its reader (SIGSEGV)" in note
    assert "gang.jsonl: crashed stage annotate (SIGSEGV)" in note
    assert run_stages(Run.open(load_mix(path)), progress, until="annotate") == {}, "they are not tried again"
    path.write_text(MIX.format(folder=tmp_path, more=""))
    with pytest.raises(BadDataError, match=r"2 of 5 shards are left out, above max_bad_fraction 0.05:\n  mine/002 "):
        run_stages(Run.open(load_mix(path)), progress, until="sources")


@given(rows=st.integers(1, 2000), data=st.data())
def test_halving_finds_the_one_row_that_ends_it(rows: int, data: st.DataObject) -> None:
    bad, tried = data.draw(st.integers(0, rows - 1)), []

    def dies(first: int, end: int) -> bool:
        tried.append((first, end))
        return first <= bad < end

    assert culprit(rows, dies) == bad
    assert len(tried) <= math.ceil(math.log2(rows)) + 1
    assert culprit(rows, lambda first, end: False) is None, "where the crash does not come again"


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
        assert attempt.need.cpus == cpus


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


@pytest.mark.slow
def test_work_goes_on_while_a_stage_waits_for_a_gpu(faulty_workers: None, tmp_path: Path) -> None:
    """The GPU comes later, as under autoscaling; what reads what is made on it waits, and all else does not."""
    from ray.cluster_utils import Cluster

    def unit(name: str, **inputs: str) -> Unit:
        return Unit(
            "faulty", name, 1, {"do": "none", "times": 0, "name": name}, inputs, {"count": str(tmp_path / name)}
        )

    def need(unit: Unit) -> Need:
        return Need(gpus=1) if unit.name == "gpu" else Need()

    gpu, cpu, free = unit("gpu"), unit("cpu"), unit("free")
    after_gpu = unit("after", a=gpu.ref, b=cpu.ref)
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    out, done = io.StringIO(), []
    try:
        with Runner(str(tmp_path / "store"), Progress(Console(file=out, width=200)), cluster.address) as runner:
            first = runner.add("first", [[gpu], [cpu]], 2, done.append, need)
            assert first
            runner.drive(first, leave_waiting=True)
            assert [each.name for each in done] == ["cpu"]
            second = runner.add("second", [[after_gpu], [free]], 2, done.append, need)
            assert second
            runner.drive(second)
            assert [each.name for each in done] == ["cpu", "free"]
            assert not first.closed
            assert not second.closed
            cluster.add_node(num_cpus=1, num_gpus=1)
            runner.drive()
            assert [each.name for each in done] == ["cpu", "free", "gpu", "after"]
            assert first.closed
            assert second.closed
    finally:
        cluster.shutdown()
    assert "first: waiting for a node with 1 CPU, 1 GPU; no node of the cluster has it now" in out.getvalue()


@pytest.mark.slow
def test_what_this_machine_does_not_have_is_said_at_once(tmp_path: Path) -> None:
    units = [[Unit("faulty", "a", 1)]]
    with Runner(str(tmp_path / "store"), Progress(Console(file=io.StringIO()))) as runner:
        runner.add("faulty", units, 1, print, lambda unit: Need(cpus=9999, gpus=2))
        with pytest.raises(InputError, match="stage faulty needs 9999 CPU, 2 GPU for one task, and this machine has "):
            runner.drive()

"""Protects resuming: a training killed at any step ends in the same bytes, and a state that is no good is none."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from proxy_corpus import TINY, Corpus
from resumed_training import config_of, run

from proxy_models.feed import Feed, open_feed
from proxy_models.hardware import NumericPlan
from proxy_models.resume import Resume, load_state, save_state
from proxy_models.settings import chunks_of
from proxy_models.train import train

HERE = Path(__file__).parent
STEPS = 40
PATIENCE = 600  # seconds, on a machine that is busy with other things


def _killed_and_finished(folder: Path, corpus: Path, name: str, kills: list[tuple[int, float]]) -> list[int]:
    """Train in processes that die by SIGKILL, the last one left alone; return the losses each had reported.

    kills: of each process, the reports of the whole run after which it dies, and seconds more.
    """
    steps, reported = folder / "steps", []
    command = [sys.executable, HERE / "resumed_training.py", corpus, folder / "state", folder / "out", name, steps]
    path = os.pathsep.join([str(HERE), str(HERE.parents[1])])
    for kill in [*kills, None]:
        steps.write_text("")
        process = subprocess.Popen([*map(str, command)], env={**os.environ, "PYTHONPATH": path})
        try:
            if kill is None:
                assert process.wait(timeout=PATIENCE) == 0
            else:
                deadline = time.monotonic() + PATIENCE
                while process.poll() is None and len(steps.read_text().splitlines()) < kill[0]:
                    assert time.monotonic() < deadline
                    time.sleep(0.001)
                time.sleep(kill[1])
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
        reported.append(len(steps.read_text().splitlines()))
    return reported


def _same(one: Path, two: Path) -> None:
    names = sorted(file.name for file in one.iterdir())
    assert names == sorted(file.name for file in two.iterdir())
    assert names == ["model.safetensors", "snapshot-0.25.safetensors", "snapshot-0.5.safetensors", "train.json"]
    for name in names:
        assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_a_training_killed_twice_ends_in_the_same_bytes(corpus: Corpus, tmp_path: Path) -> None:
    """Muon, averaging, snapshots and micro-batches: every part of the state matters to the result."""
    folder = corpus.files["code"].parent
    run(folder, tmp_path / "whole", "muon")
    reported = _killed_and_finished(tmp_path, folder, "muon", [(7, 0.0), (9, 0.003)])
    assert sum(reported) < STEPS + 4, "a resumed training must not begin anew"
    _same(tmp_path / "whole", tmp_path / "out")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_ten_random_kills_give_ten_equal_results(corpus: Corpus, tmp_path: Path, name: str) -> None:
    folder = corpus.files["code"].parent
    run(folder, tmp_path / "whole", name)
    draw = random.Random(name)
    for i in range(10):
        place = tmp_path / str(i)
        place.mkdir()
        reported = _killed_and_finished(place, folder, name, [(draw.randrange(STEPS), draw.random() * 0.03)])
        assert sum(reported) <= STEPS + 2
        _same(tmp_path / "whole", place / "out")


class _Killed(Exception):
    pass


def _stopped_at(feed: Feed, plan: NumericPlan, folder: Path, reports: int, name: str = "adamw") -> Resume:
    """Train until some losses are reported and leave the state on disk."""
    resume, left = Resume(folder / "state", seconds=0.0), [reports]

    def progress(*_: float) -> None:
        left[0] -= 1
        if not left[0]:
            raise _Killed

    with pytest.raises(_Killed):
        train(TINY, config_of(name), feed, plan, folder / "out", progress, resume=resume)
    return resume


@pytest.fixture
def feed(corpus: Corpus) -> Feed:
    return open_feed(corpus.arrays(), {"code": 1.0}, chunks_of(TINY, config_of("adamw")), share=1.0, seed=0)


@pytest.mark.parametrize("harm", ["cut", "bit", "empty"])
def test_a_torn_state_is_ignored(feed: Feed, plan: NumericPlan, tmp_path: Path, harm: str) -> None:
    """The training starts anew, and still ends in the same bytes."""
    train(TINY, config_of("adamw"), feed, plan, tmp_path / "whole")
    resume = _stopped_at(feed, plan, tmp_path, 5)
    content = bytearray(resume.file.read_bytes())
    content[len(content) // 2] ^= 1
    resume.file.write_bytes({"cut": content[:-100], "bit": content, "empty": b""}[harm])
    seen: list[int] = []
    train(TINY, config_of("adamw"), feed, plan, tmp_path / "out", lambda at, _: seen.append(at), resume=resume)
    assert seen[0] == 1024
    _same(tmp_path / "whole", tmp_path / "out")


def test_the_state_of_another_run_is_ignored(feed: Feed, plan: NumericPlan, tmp_path: Path) -> None:
    resume = _stopped_at(feed, plan, tmp_path, 5)
    other = replace(config_of("adamw"), seed=1)
    seen: list[int] = []
    train(TINY, other, feed, plan, tmp_path / "out", lambda at, _: seen.append(at), resume=resume)
    assert seen[0] == 1024
    seen.clear()
    train(TINY, other, feed, plan, tmp_path / "out", lambda at, _: seen.append(at), resume=resume)
    assert len(seen) <= 1, "the same run goes on from its last state"


def test_a_state_that_is_not_due_is_not_written(feed: Feed, plan: NumericPlan, tmp_path: Path) -> None:
    train(TINY, config_of("adamw"), feed, plan, tmp_path / "out", resume=Resume(tmp_path / "state", seconds=600))
    assert not (tmp_path / "state").exists()


def test_states_come_back_as_they_were(tmp_path: Path) -> None:
    state = {"step": 3, "total": 0.1 + 0.2, "weights": {"a": torch.arange(5.0)}, "parts": [{"dtype": torch.bfloat16}]}
    save_state(tmp_path / "deep" / "state", "run", state)
    found = load_state(tmp_path / "deep" / "state", "run")
    assert found is not None
    assert found["total"] == state["total"]
    assert torch.equal(found["weights"]["a"], state["weights"]["a"])
    assert load_state(tmp_path / "deep" / "state", "another run") is None
    assert load_state(tmp_path / "nothing", "run") is None
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["state"]

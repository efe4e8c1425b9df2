"""Finished designs are remembered by all drivers of a store, whichever comes between."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.load import load_mix
from pipeline.reuse import _remembered, remember
from pipeline.run import Run
from pipeline.store import Store
from pipeline.units import Unit
from tests.pipeline.s3_server import S3Server, s3_server


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as found:
        yield found


def finished(tiny_yaml, root: str, domains: str) -> Run:
    """A run of one round whose design is finished, over its own domains."""
    path = tiny_yaml(("runs: 12, rounds: [9, 3]", "runs: 12"))
    run = Run(load_mix(path), Store(root))
    args = {"design": {}, "target_tokens": 1, "seed": 1, "propose": {"max_repetition": 4}}
    unit = Unit("design", "0", 1, args, {"wikipedia/000": f"tokenize/{domains}"})
    run.units["design"] = [unit]
    run.store.publish(unit.ref, run.store.workspace(), {"counts": {}})
    return run


@pytest.mark.parametrize("place", ["folder", "s3"])
def test_the_last_one_finished_is_the_last_one_remembered(tiny_yaml, tmp_path: Path, server: S3Server, place) -> None:
    root = str(tmp_path / "store") if place == "folder" else f"{server.bucket('b-order')}/store"
    runs = [finished(tiny_yaml, root, str(i)) for i in range(12)]
    for run in (*runs, runs[0]):
        remember(run)
        remember(run)
    (last,) = runs[-1].of("design")
    assert _remembered(runs[0], last) == [run.of("design")[0].key for run in runs]
    assert _remembered(runs[0], replace(last, version=2)) == [], "another question"
    runs[3].store.discard(last.ref)
    assert len(_remembered(runs[0], last)) == 11, "what is gone is not gone on from"


def test_a_driver_between_reading_and_writing_takes_nothing_away(tiny_yaml, server: S3Server) -> None:
    root = f"{server.bucket('b-race')}/store"
    slow, quick = (finished(tiny_yaml, root, name) for name in ("slow", "quick"))
    entered, go = threading.Event(), threading.Event()

    def hold(number: int, method: str, path: str) -> None:
        if method == "PUT" and "/pins/" in path and not entered.is_set():
            entered.set()
            go.wait(20)

    server.fault = hold
    first = threading.Thread(target=remember, args=(slow,))
    first.start()
    assert entered.wait(20)
    remember(quick)
    go.set()
    first.join()
    server.fault = lambda number, method, path: None
    assert set(_remembered(slow, slow.of("design")[0])) == {run.of("design")[0].key for run in (slow, quick)}

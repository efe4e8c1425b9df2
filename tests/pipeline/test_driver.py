"""What a user sees of a store that cannot be used, and of an interrupted command: one message, no traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.driver import open_run, run_stages
from pipeline.errors import InputError
from pipeline.load import load_mix
from pipeline.progress import Progress
from pipeline.storage.retry import StoreError

ROOT = Path(__file__).parents[2]


def test_a_store_that_cannot_be_read_is_named_with_its_line(tiny_yaml: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(InputError, match=r"tiny.yaml:2: `store`: cannot open `.*/store`: .*Not a directory"):
        open_run(load_mix(tiny_yaml()))


def test_a_store_that_cannot_be_written_is_said_before_anything_runs(
    tiny_yaml: Callable[..., Path], tmp_path: Path
) -> None:
    run = open_run(load_mix(tiny_yaml()))
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "logs").write_text("in the way; a user without rights gets another error at the same call")
    with pytest.raises(StoreError, match=r"/store: cannot be written: "):
        run_stages(run, Progress())
    assert os.listdir(tmp_path / "store") == ["logs"]


def test_an_interrupted_command_says_that_it_goes_on(tmp_path: Path) -> None:
    mix = tmp_path / "mix.yaml"
    os.mkfifo(mix)  # reading it takes until somebody writes
    command = [sys.executable, "-m", "pipeline", "check", str(mix)]
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while True:
        try:
            writer = os.open(mix, os.O_WRONLY | os.O_NONBLOCK)  # fails until the command reads
            break
        except OSError:
            assert process.poll() is None
            time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    os.close(writer)
    assert (process.returncode, said.strip()) == (
        130,
        "stopped; what is finished is kept, and the same command goes on from here",
    )

"""Text of documents, and of run folders that somebody else wrote, does nothing to the terminal that it is shown in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from pipeline.funnel import SCHEMA

ROOT = Path(__file__).parents[2]
EVIL = "\x1b[2J\x1b]0;mine\x07\x9b31m\u202e\x08"


def evil_folder(folder: Path) -> None:
    folder.mkdir()
    measured = {"proposal": {"mean": 1.0, "tasks": {EVIL: 1.0}}, "natural": {"mean": 1.0}}
    mix = {"weights": {EVIL: 1.0}, "baselines": {"natural": {EVIL: 1.0}}, "measured": measured}
    (folder / "mix.json").write_text(json.dumps(mix))
    for name in ("verdict.txt", "report.md", "report.html"):
        (folder / name).write_text(f"It won {EVIL}\n")
    row = {"stage": "sources", "name": "a", "outcome": "quarantined", "reason": EVIL, "documents": 1, "bytes": 1}
    pl.DataFrame([{**row, "tokens": 0}], schema=SCHEMA).write_parquet(folder / "funnel.parquet")
    dropped = {"source": ["a"], "reason": [EVIL], "id": [EVIL], "bytes": [1], "text": [f"text {EVIL}"]}
    pl.DataFrame(dropped).write_parquet(folder / "examples.parquet")


@pytest.mark.parametrize(
    "command",
    [
        ["status", "run"],
        ["report", "run"],
        ["funnel", "run", "--examples"],
        ["check", f"x{EVIL}.yaml"],
        ["diff", f"x{EVIL}", "run"],
        ["gc", f"x{EVIL}"],
    ],
    ids=lambda command: command[0],
)
def test_no_command_prints_what_a_terminal_obeys(tmp_path: Path, command: list[str]) -> None:
    evil_folder(tmp_path / "run")
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    shown = done.stdout + done.stderr
    assert not set(shown) & set(EVIL) - set("[2J]0;mine31")
    assert "[U+001B]" in shown, shown

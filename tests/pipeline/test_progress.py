"""Progress survives a pipe: plain lines without control codes; in a terminal one live line a stage."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from pipeline.progress import Progress


def test_plain_lines_when_piped() -> None:
    out = io.StringIO()
    with Progress(Console(file=out)).stage("train", total=3, done=1) as line:
        line.advance()
        line.advance()
    (text,) = out.getvalue().splitlines()
    assert text.startswith("train: 3/3, ")
    assert text.endswith("done")
    assert "\x1b" not in text


def test_a_live_line_fits_a_narrow_terminal() -> None:
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, width=40)
    with Progress(console).stage("tokenize", total=2, done=0) as line:
        line.advance()
        line.advance()
    assert "2/2" in out.getvalue()


def test_text_is_printed_as_it_is() -> None:
    out = io.StringIO()
    Progress(Console(file=out, width=20)).say("a long line [not markup] that is not wrapped")
    assert out.getvalue() == "a long line [not markup] that is not wrapped\n"


def test_a_stage_that_is_stopped_says_so_and_guesses_no_time() -> None:
    """It said `3000000000 s left` where nothing was done yet."""
    out = io.StringIO()
    with pytest.raises(KeyboardInterrupt), Progress(Console(file=out)).stage("train", total=3, done=0):
        raise KeyboardInterrupt
    assert out.getvalue() == "train: 0/3, 0.0/min, 0 s, stopped\n"


def test_long_times_are_in_minutes_and_hours(monkeypatch) -> None:
    now = 0.0
    monkeypatch.setattr("pipeline.progress.time.monotonic", lambda: now)
    out = io.StringIO()
    line = Progress(Console(file=out)).open("train", total=100, done=0)
    now = 600.0
    line.advance()
    assert out.getvalue() == "train: 1/100, 0.1/min, 10 min, 16.5 h left\n"

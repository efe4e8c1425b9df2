"""Progress survives a pipe: plain lines without control codes; in a terminal one live line a stage."""

from __future__ import annotations

import io

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


def test_of_a_stage_without_a_finished_unit_no_time_left_is_told() -> None:
    out = io.StringIO()
    Progress(Console(file=out, width=80)).open("train", total=3, done=0).finish()
    assert out.getvalue() == "train: 0/3, 0.0/min, 0 s\n"


def test_text_is_printed_as_it_is() -> None:
    out = io.StringIO()
    Progress(Console(file=out, width=20)).say("a long line [not markup] that is not wrapped")
    assert out.getvalue() == "a long line [not markup] that is not wrapped\n"

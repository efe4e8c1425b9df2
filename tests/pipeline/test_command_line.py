"""The command line as people meet it: piped, stopped, in narrow terminals, read by scripts."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli import app

ROOT = Path(__file__).parents[2]
MIXWRIGHT = (sys.executable, "-m", "pipeline")
COMMANDS = sorted(command.name or command.callback.__name__ for command in app.registered_commands if command.callback)


def mixwright(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR")}
    return subprocess.run(
        [*MIXWRIGHT, *arguments], cwd=ROOT, env={**env, **environment}, capture_output=True, text=True, check=False
    )


def in_terminal(columns: int, *arguments: str, **environment: str) -> str:
    """Return what a command writes to a terminal of so many columns."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    env = {
        key: value for key, value in os.environ.items() if key not in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR")
    }
    process = subprocess.Popen(
        [*MIXWRIGHT, *arguments],
        cwd=ROOT,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**env, "TERM": "xterm", **environment},
    )
    os.close(theirs)
    found = b""
    with contextlib.suppress(OSError):  # Linux says so when the other side is closed
        while part := os.read(ours, 65536):
            found += part
    process.wait()
    os.close(ours)
    return found.decode()


def test_all_help_has_an_example_and_its_options_work() -> None:
    for name in COMMANDS:
        said = CliRunner().invoke(app, [next_name(name), "--help"], env={"COLUMNS": "100"}).output
        assert re.search(r"Examples?:", said), name
        assert f"mixwright {next_name(name)}" in said, name
        shown = {
            option for line in said.splitlines() if "mixwright" in line for option in re.findall(r"--[a-z-]+", line)
        }
        assert shown <= set(re.findall(r"--[a-z-]+", said.partition("Options")[2])), name


def next_name(name: str) -> str:
    return name.removesuffix("_")


def test_help_says_what_exit_codes_mean() -> None:
    said = " ".join(mixwright("--help", COLUMNS="120").stdout.split())
    assert "0 done" in said
    assert "130 stopped by Ctrl-C" in said


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["classifier", "train", "--help"], ["nothing"]])
def test_help_fits_a_narrow_terminal(arguments: list[str]) -> None:
    lines = re.sub(r"\x1b\[[0-9;]*m", "", in_terminal(40, *arguments)).splitlines()
    assert max(map(len, lines)) <= 40
    assert "…" not in "".join(lines), "nothing is cut off"


def test_no_colour_where_none_is_wanted() -> None:
    coloured = re.compile(r"\x1b\[[0-9;]*(3[0-7]|9[0-7])[0-9;]*m")
    assert coloured.search(in_terminal(100, "nothing"))
    assert not coloured.search(in_terminal(100, "nothing", NO_COLOR="1"))
    assert "\x1b" not in mixwright("--help").stdout, "nor in a pipe"


@pytest.mark.parametrize("arguments", [["schema"], ["--help"], ["check", "mixes/quickstart.yaml"]])
def test_a_reader_that_has_gone_makes_no_noise(arguments: list[str]) -> None:
    ours, theirs = os.pipe()
    os.close(ours)
    ended = subprocess.run([*MIXWRIGHT, *arguments], cwd=ROOT, stdout=theirs, stderr=subprocess.PIPE, check=False)
    os.close(theirs)
    assert ended.stderr == b""


def test_json_for_scripts() -> None:
    good = mixwright("check", "mixes/quickstart.yaml", "--json")
    assert json.loads(good.stdout)["domains"][:2] == ["wikipedia", "code"]
    bad = mixwright("check", "tests/pipeline/broken/key_typo_in_two.yaml", "--json")
    assert bad.returncode == 2
    assert [line.partition(": ")[0] for line in json.loads(bad.stdout)["mistakes"]] == [
        "tests/pipeline/broken/key_typo_in_two.yaml:2",
        "tests/pipeline/broken/key_typo_in_two.yaml:3",
    ]


@pytest.mark.parametrize(("words", "offered"), [("mixwright ch", "check"), ("mixwright check --s", "--set")])
def test_completion_knows_commands_and_options(words: str, offered: str) -> None:
    last = str(len(words.split()) - 1)
    said = mixwright(COMP_WORDS=words, COMP_CWORD=last, _MIXWRIGHT_COMPLETE="complete_bash").stdout
    assert offered in said.split()


def test_wrong_usage_is_exit_code_2() -> None:
    for arguments in (["nothing"], ["run"], ["check", "a.yaml", "--colour"], ["check", "absent.yaml"]):
        ended = mixwright(*arguments)
        assert ended.returncode == 2, arguments
        assert "Traceback" not in ended.stderr


@pytest.mark.slow
def test_ctrl_c_stops_cleanly_and_the_same_command_goes_on(tiny_yaml: Callable[..., Path]) -> None:
    """As a terminal does it: the whole process group is interrupted, workers too."""
    command = [*MIXWRIGHT, "curate", str(tiny_yaml())]
    process = subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if line.startswith("annotate: "):
            os.killpg(process.pid, signal.SIGINT)
            break
    started = time.monotonic()
    out, rest = process.communicate(timeout=60)
    assert process.returncode == 130
    assert time.monotonic() - started < 30
    assert "Traceback" not in "".join([*said, rest, out])
    assert rest.splitlines()[-1] == "stopped; what is finished is kept, and the same command goes on from here"
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert again.returncode == 0, again.stderr
    assert "annotate: " not in again.stderr, "what was done before is not done again"
    assert "tokenize: " in again.stderr

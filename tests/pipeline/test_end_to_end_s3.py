"""The whole way with the store on a real S3 server: the same mix as with a local folder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import fsspec
import pytest

from tests.pipeline.conftest import SAMPLES, TINY
from tests.pipeline.s3_server import s3_server


def said(*words: str) -> str:
    """Return what the command line prints."""
    command = [sys.executable, "-m", "pipeline", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run(path: Path) -> str:
    """Run the mix and return its run folder."""
    return said("run", str(path)).splitlines()[-1]


@pytest.mark.slow
def test_the_mix_is_the_same_on_s3_also_through_faults(tiny_data: Path, tmp_path: Path, monkeypatch) -> None:
    short = tempfile.mkdtemp(prefix="mws", dir="/tmp")  # Ray's sockets lie there; their paths are limited
    monkeypatch.setenv("TMPDIR", short)
    text = TINY.format(folder=tiny_data, evals=SAMPLES / "evals")
    with s3_server() as server:
        bucket = server.bucket("mixwright")
        path = tmp_path / "tiny.yaml"
        path.write_text(text.replace(f"{tiny_data}/store", f"{tmp_path}/store"), encoding="utf-8")
        local = run(path)
        here = Path(local, "mix.json").read_bytes()
        path.write_text(text.replace(f"{tiny_data}/store", f"{bucket}/swarm"), encoding="utf-8")
        server.fault = lambda number, method, path: {0: "500", 20: "503", 40: "reset"}.get(number % 60)
        folder = run(path)
        server.fault = lambda number, method, path: None
        assert folder.startswith(f"{bucket}/swarm/tiny-")
        with fsspec.open(f"{folder}/mix.json") as file:
            there = file.read()
        assert json.loads(there) == json.loads(here)
        assert there == here
        for command in ("status", "funnel"):
            assert said(command, folder) == said(command, local)
        assert said("report", folder).startswith("# ")
        differ = ["YAML", f'  store: "{tmp_path}/store" → "{bucket}/swarm"', "units", "  report: 1 changed: report"]
        assert said("diff", local, folder).splitlines() == differ
        trained = sum(method == "PUT" and "/manifests/train/" in path for method, path in server.calls)
        assert run(path) == folder
        assert sum(method == "PUT" and "/manifests/train/" in path for method, path in server.calls) == trained
    shutil.rmtree(short)

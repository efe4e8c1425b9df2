"""The same command inside `ray job submit`, and a cluster file that Ray itself accepts."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
RAY = Path(sys.executable).with_name("ray")
ENVIRONMENT = {
    **os.environ,
    "RAY_AUTH_MODE": "disabled",
    "RAY_USAGE_STATS_ENABLED": "0",
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # a job's python is found on the PATH of `ray start`
}


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@dataclass(frozen=True)
class Head:
    """Address of Ray, of the job server, and of what Prometheus reads."""

    ray: str
    jobs: str
    metrics: str


@pytest.fixture(scope="module")
def head() -> Iterator[Head]:
    """A Ray head of its own on loopback, with the job server; `ray stop` would end every Ray of the machine."""
    port, dashboard, client, agent, metrics = free_ports(5)
    folder = tempfile.mkdtemp(prefix="mwr", dir="/tmp")  # socket paths are limited to 107 characters
    command = [RAY, "start", "--head", "--block", f"--port={port}", f"--dashboard-port={dashboard}", "--num-cpus=2"]
    command += [f"--ray-client-server-port={client}", f"--dashboard-agent-listen-port={agent}", f"--temp-dir={folder}"]
    command += [
        f"--metrics-export-port={metrics}",
        "--node-ip-address=127.0.0.1",
        "--object-store-memory=100000000",
        "--disable-usage-stats",
    ]
    with open(f"{folder}/log", "w") as log:
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{dashboard}"
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{address}/api/jobs/", timeout=5).read()
                break
            except OSError:
                assert time.monotonic() < deadline, Path(folder, "log").read_text()
                assert process.poll() is None, Path(folder, "log").read_text()
                time.sleep(0.5)
        yield Head(f"127.0.0.1:{port}", address, f"http://127.0.0.1:{metrics}/metrics")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def submit(head: Head, path: Path) -> subprocess.CompletedProcess[str]:
    """Submit a run and wait for its end. A job server answers before the agent that starts its jobs is there."""
    words = [
        RAY,
        "job",
        "submit",
        f"--address={head.jobs}",
        "--working-dir",
        ".",
        "--",
        "python",
        "-m",
        "pipeline",
        "run",
        path,
    ]
    deadline = time.monotonic() + 120
    while True:
        done = subprocess.run(
            [*map(str, words)], cwd=ROOT, env=ENVIRONMENT, capture_output=True, text=True, timeout=400, check=False
        )
        if "No available agent" not in done.stderr or time.monotonic() > deadline:
            return done
        time.sleep(2)


@contextmanager
def reading(url: str) -> Iterator[Counter[tuple[str, str]]]:
    """Read metrics every second meanwhile; fill in the greatest value of each of ours by name and stage."""
    seen, ended = Counter[tuple[str, str]](), threading.Event()

    def read() -> None:
        while not ended.wait(1):
            with suppress(OSError):
                text = urllib.request.urlopen(url, timeout=5).read().decode()
                for name, labels, value in re.findall(r"^(ray_mixwright_\w+)\{(.*)\} (\S+)$", text, re.MULTILINE):
                    key = name, re.findall(r'stage="(\w*)"', labels, re.IGNORECASE)[0]
                    seen[key] = max(seen[key], int(float(value)))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def test_the_tiny_mix_runs_to_the_end_as_a_ray_job(head: Head, tiny_yaml, tmp_path: Path) -> None:
    with reading(head.metrics) as seen:
        done = submit(head, tiny_yaml(("runs: 12, rounds: [9, 3]", "runs: 9")))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    (folder,) = (tmp_path / "store").glob("tiny-*")
    assert str(folder) in done.stdout
    assert abs(sum(json.loads((folder / "mix.json").read_text())["weights"].values()) - 1) < 1e-6
    assert seen["ray_mixwright_units_done_total", "train"] >= 9, "Prometheus sees our counters"
    assert seen["ray_mixwright_tokens_total", "train"] > 9 * 20_000


def test_paths_are_relative_to_the_drivers_folder_whatever_that_of_the_cluster_is(
    head: Head, tiny_yaml, tmp_path: Path
) -> None:
    mix = tiny_yaml((f"store: {tmp_path}/store", "store: mine"))
    command = [sys.executable, "-m", "pipeline", "curate", mix.name, "--address", head.ray]
    environment = {**ENVIRONMENT, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert list((tmp_path / "mine" / "manifests" / "tokenize").iterdir())
    assert not (Path.cwd() / "mine").exists(), "the cluster was started there"


def test_a_relative_store_is_refused_in_a_job(head: Head, tiny_yaml, tmp_path: Path) -> None:
    done = submit(head, tiny_yaml((f"store: {tmp_path}/store", "store: runs")))
    assert done.returncode != 0
    assert (
        "`store`: `runs` is relative, and a Ray job's working folder is a temporary copy" in done.stdout + done.stderr
    )


def test_the_cluster_file_is_valid_by_rays_own_schema() -> None:
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = yaml.safe_load((ROOT / "ray_cluster.yaml").read_text())
    validate_config(prepare_config(config))
    assert config["available_node_types"][config["head_node_type"]]["resources"] == {"CPU": 0}

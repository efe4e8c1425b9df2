"""The same mix on two Ray nodes with the store on S3 as in one process with a local folder, byte by byte?

    python benchmarks/two_nodes.py [--mix mixes/quickstart.yaml] [--tiny]

Two Ray nodes of one core each are processes of this machine, joined by the command's `--address`. Each has a folder
of its own for temporary files, and so for copies of artefacts; they share the store, a real S3 server (moto's) on
loopback, and the mix's raw files. Only `store:` of the mix is changed. `--tiny`: a mix of seconds. Each node calls
itself by an access key of its own, so that the server knows which of them published an artefact. The last line is one
JSON object: `equal` (`mix.json` has the same bytes), `units` (done by each node), seconds of either run.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import fsspec

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.faults import MIX, write_data  # noqa: E402
from tests.pipeline.s3_server import S3Server, s3_server  # noqa: E402

NODES = ("head", "second")


def environment(name: str, folder: Path) -> dict[str, str]:
    """Return the environment of a process that calls itself `name` at the store."""
    own = folder / name
    own.mkdir(exist_ok=True)
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "TMPDIR": str(own),
        "AWS_ACCESS_KEY_ID": name,
        "RAY_AUTH_MODE": "disabled",
        "RAY_USAGE_STATS_ENABLED": "0",
    }


@contextlib.contextmanager
def two_nodes(folder: Path) -> Iterator[str]:
    """Start a head and a second node; yield the address of their cluster."""
    with socket.socket() as one, socket.socket() as other:
        for probe in (one, other):
            probe.bind(("127.0.0.1", 0))
        (host, port), (_, client) = one.getsockname(), other.getsockname()
    address = f"{host}:{port}"
    ray = [
        str(Path(sys.executable).with_name("ray")),
        "start",
        "--block",
        "--num-cpus=1",
        "--object-store-memory=100000000",
    ]
    how = {
        "head": [
            "--head",
            f"--node-ip-address={host}",
            f"--port={port}",
            f"--temp-dir={folder}/ray",
            "--include-dashboard=false",
            f"--ray-client-server-port={client}",
        ],
        "second": [f"--address={address}"],
    }
    started = []
    try:
        for name in NODES:
            with open(folder / f"{name}.log", "w") as log:
                # in the folder from which the mix's paths are relative, as on every machine of a cluster
                node = subprocess.Popen(
                    [*ray, *how[name]], cwd=ROOT, env=environment(name, folder), stdout=log, stderr=log
                )
            started.append(node)
            wait_for(folder / f"{name}.log", node)
        yield address
    finally:
        for node in reversed(started):
            node.terminate()
            node.wait(60)


def wait_for(log: Path, node: subprocess.Popen[bytes]) -> None:
    """Wait until a node says that it has started."""
    for _ in range(120):
        if "Ray runtime started" in log.read_text():
            return
        if node.poll() is not None:
            break
        time.sleep(0.5)
    sys.exit(f"a Ray node did not start:\n{log.read_text()}")


def run(text: str, store: str, stem: str, folder: Path, options: list[str]) -> tuple[bytes, float]:
    """Run a mix on a store; return the bytes of its mix.json and the wall seconds."""
    text = f"store: {store}\n" + re.sub(r"^store:.*\n", "", text, flags=re.M)
    mix = folder / f"{stem}.yaml"  # the same name each time: a report is called by it
    mix.write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "pipeline", "run", str(mix), *options]
    begun = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=environment("driver", folder), stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"{' '.join(command)} ends with {done.returncode}")
    seconds = time.monotonic() - begun
    with fsspec.open(f"{done.stdout.splitlines()[-1]}/mix.json") as file:
        return bytes(file.read()), seconds  # type: ignore[union-attr]


def units_by_node(server: S3Server) -> dict[str, dict[str, int]]:
    """Return node → stage → units that it published."""
    found = {name: Counter[str]() for name in NODES}
    for name, path in dict.fromkeys(server.written):
        if "/manifests/" in path:
            found[name][path.split("/")[-2]] += 1
    return {name: dict(counts) for name, counts in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mix", type=Path, default=ROOT / "mixes" / "quickstart.yaml", metavar="MIX.yaml")
    parser.add_argument("--tiny", action="store_true", help="the tiny mix of benchmarks/faults.py")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="mw2n", dir="/tmp"))  # short: Ray's sockets lie in it
    if asked.tiny:
        write_data(folder / "data")
        text = MIX.format(store="", data=folder / "data")
    else:
        text = asked.mix.read_text(encoding="utf-8")
    stem = "tiny" if asked.tiny else asked.mix.stem
    with s3_server() as server:
        store = f"{server.bucket('mixwright')}/store"
        with two_nodes(folder) as address:
            there, two = run(text, store, stem, folder, ["--address", address])
        units = units_by_node(server)
    here, one = run(text, str(folder / "store"), stem, folder, [])
    for name, counts in units.items():
        print(f"{name}: {', '.join(f'{stage} {n}' for stage, n in sorted(counts.items()))}")
    result = {
        "equal": here == there,
        "units": {name: sum(counts.values()) for name, counts in units.items()},
        "two_nodes_s3_s": round(two, 1),
        "one_process_local_s": round(one, 1),
        "mix": stem,
    }
    if result["equal"]:
        shutil.rmtree(folder)
    else:
        (folder / "there.json").write_bytes(there)
        (folder / "here.json").write_bytes(here)
        print(f"both are in {folder}")
    print(json.dumps(result))


if __name__ == "__main__":
    main()

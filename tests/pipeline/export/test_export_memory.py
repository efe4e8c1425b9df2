"""Protects that an export's memory does not grow with its shards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.documents import TableWriter
from pipeline.rewrite import DOCUMENTS
from pipeline.store import Store

CHILD = """
import sys
from dataclasses import replace
from pathlib import Path
from pipeline.export.base import Export
from pipeline.export.folder import Folder
from pipeline.export.mix import Domain, Part, read_mix
from pipeline.export.registry import FORMATS
from pipeline.store import Store

run, to, out, name = sys.argv[1:]
mix = read_mix(run)
documents = Domain("a.b", 1.0, 1, 1, 1, (Part("000", f"rewrite/{name}", None),))
FORMATS[to].data(Export(replace(mix, domains=(documents,)), Folder(out), 64))
print(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("to", ["parquet", "megatron"])
def test_six_times_the_shard_takes_no_more_memory(to: str, run_folder: str, tmp_path: Path) -> None:
    store, peaks = Store(str(Path(run_folder).parent)), []
    for documents in (2_000, 12_000):
        name = f"{to}{documents}"
        artefact = store.workspace()
        with TableWriter(artefact / "documents.parquet", DOCUMENTS) as writer:
            for i in range(documents):
                fields = dict.fromkeys(DOCUMENTS.names, "")
                writer.add({**fields, "id": str(i), "text": f"The {i}th document says little, {i} times over. " * 10})
        store.publish(f"rewrite/{name}", artefact, {})
        command = [sys.executable, "-c", CHILD, run_folder, to, str(tmp_path / name), name]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "POLARS_MAX_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=environment)
        peaks.append(int(done.stdout) // 1024)
    assert peaks[1] - peaks[0] < 50, peaks  # all of it in memory takes 190

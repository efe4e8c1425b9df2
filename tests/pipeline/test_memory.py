"""A worker's memory does not grow with its shard, also where every document has a megabyte."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

CHILD = """
import sys
from pathlib import Path
from pipeline.sources import work
from pipeline.documents import batches
from pipeline.units import Job

path, form, out = sys.argv[1:]
fields = {"text": "text", "id": "id", "group": None, "truth": None, "license": None, "license_field": None}
place = {"path": path, "name": "a", "format": form, "first_row": 0, "files": ()}
Path(out).mkdir()
counts = work(Job({"fields": fields}, {}, place, Path(out), lambda role: {}))
rows = sum(len(frame) for frame in batches(Path(out) / "documents.parquet", ["text"]))
assert rows == counts["documents"]
print(rows, Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0])
"""


def peak_mb(path: Path, form: str, out: Path) -> tuple[int, int]:
    """Return (documents, peak resident memory) of a process that reads one shard and its table again."""
    command = [sys.executable, "-c", CHILD, str(path), form, str(out)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "POLARS_MAX_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120, env=environment)
    rows, kilobytes = done.stdout.split()
    return int(rows), int(kilobytes) // 1024


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="peak memory is read from /proc")
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_four_times_the_shard_takes_no_more_memory(form: str, tmp_path: Path) -> None:
    peaks = []
    for documents in (50, 200):
        path = tmp_path / f"{documents}.{form}"
        rows = ({"id": str(i), "text": f"{i} megabyte " * 70_000} for i in range(documents))
        if form == "jsonl":
            with open(path, "w") as file:
                file.writelines(json.dumps(row) + "\n" for row in rows)
        else:
            schema = pa.schema([("id", pa.string()), ("text", pa.string())])
            with pq.ParquetWriter(path, schema, compression="snappy") as writer:
                for row in rows:
                    writer.write_table(pa.Table.from_pylist([row], schema=schema))
        found, peak = peak_mb(path, form, tmp_path / f"out-{documents}")
        assert found == documents
        peaks.append(peak)
    assert peaks[1] - peaks[0] < 60, peaks

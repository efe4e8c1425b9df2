"""Peak memory of a worker on one large shard, by unit: reading it, scoring it, selecting from it.

    python benchmarks/memory.py --gb 1 2

Makes a JSONL and a Parquet shard of each size from sentences of samples/ (seeded, every document another), reads each
whole (not in pieces), runs the Gopher, language and duplicate-signature scorers and select on the documents, every unit
in a process of its own, and prints each one's peak resident memory. The last line is one JSON object; `peak_mb` is the
largest figure at all, `growth` the largest ratio of a unit's peak between the greatest and the least size.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

ROOT = Path(__file__).parents[1]
MIX = """\
store: {store}
target: {{tokens: 1B}}
sources:
  big: {{path: {shard}, shard_bytes: 1T}}
  other: {{path: {root}/samples/proofs.parquet}}
annotate:
  gopher: {{}}
  language: {{}}
select:
  - {{name: too_short, drop: "gopher_words < 50"}}
  - {{name: not_english, drop: "language_label != 'en'"}}
"""
ROW_GROUP = 250_000


def documents(size: int, seed: int = 1) -> Iterator[dict[str, str]]:
    """Yield documents of 3 to 60 sentences until their text has `size` bytes."""
    sentences = []
    for name in ("wikipedia", "questions", "speeches"):
        for text in pl.read_parquet(ROOT / "samples" / f"{name}.parquet")["text"]:
            sentences += [each.strip() for each in text.split(". ") if len(each) > 20]
    draw, made, number = random.Random(seed), 0, 0
    while made < size:
        text = ". ".join(draw.choices(sentences, k=draw.randint(3, 60))) + "."
        yield {"id": f"doc-{number}", "text": text}
        made += len(text.encode())
        number += 1


def make(folder: Path, gb: float) -> dict[str, Path]:
    """Write one shard of the size in each format; the size counts bytes of text."""
    paths = {form: folder / f"{gb:g}.{form}" for form in ("jsonl", "parquet")}
    schema = pa.schema([("id", pa.string()), ("text", pa.string())])
    rows: list[dict[str, str]] = []
    with open(paths["jsonl"], "w", encoding="utf-8") as lines, pq.ParquetWriter(paths["parquet"], schema) as table:
        for row in documents(round(gb * 1e9)):
            lines.write(json.dumps(row, ensure_ascii=False) + "\n")
            rows.append(row)
            if len(rows) == ROW_GROUP:
                table.write_table(pa.Table.from_pylist(rows, schema=schema))
                rows = []
        table.write_table(pa.Table.from_pylist(rows, schema=schema))
    return paths


def run_unit(root: str, file: Path) -> None:
    """Do one pickled unit in this process and print its peak memory (called in a child process)."""
    from pipeline.execute import execute

    unit = pickle.loads(file.read_bytes())
    cpu = time.process_time()
    outcome = execute(root, unit)
    if outcome.error:
        raise SystemExit(outcome.error)
    print(json.dumps({"peak_mb": peak_mb(), "cpu_s": round(time.process_time() - cpu, 1)}))


def peak_mb() -> int:
    """Return this process's greatest resident memory. getrusage would count what the parent held when it forked."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def measure(folder: Path, shard: Path, last: str) -> dict[str, dict[str, float]]:
    """Run the units of the stages up to `last`, each in its own process; return unit → figures."""
    from pipeline.load import load_mix
    from pipeline.run import Run
    from pipeline.stages import STAGES

    store = folder / f"store-{shard.name}"
    mix = folder / f"{shard.name}.yaml"
    mix.write_text(MIX.format(store=store, shard=shard, root=ROOT))
    found: dict[str, dict[str, float]] = {}
    run = Run.open(load_mix(mix))
    for stage in STAGES:
        run.units[stage.name] = stage.units(run)
        for unit in run.units[stage.name]:
            pickled = folder / "unit.pickle"
            pickled.write_bytes(pickle.dumps(unit))
            command = [sys.executable, __file__, "--unit", run.store.root, str(pickled)]
            done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **THREADS})
            if done.returncode:
                raise SystemExit(f"{stage.name} {unit.name}: {done.stderr}")
            run.mark_done(unit)
            if not unit.name.startswith("other"):
                tail = unit.name.rpartition("/")[2]
                label = stage.name if tail in ("000", "big") else f"{stage.name} {tail}"
                found[label] = json.loads(done.stdout.splitlines()[-1])
                print(f"{shard.name}: {label}: {found[label]}", file=sys.stderr, flush=True)
        if stage.check:
            stage.check(run)
        if stage.name == last:
            return found
    raise ValueError(last)


THREADS = dict.fromkeys(("OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"), "1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gb", type=float, nargs="+", default=[1, 2], help="sizes of the shards, in GB of text")
    parser.add_argument("--folder", type=Path, help="where the shards are made; a temporary folder by default")
    parser.add_argument("--unit", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.unit:
        run_unit(args.unit[0], Path(args.unit[1]))
        return
    figures: dict[str, dict[str, dict[str, float]]] = {}
    for gb in args.gb:
        with tempfile.TemporaryDirectory(dir=args.folder) as name:
            paths = make(Path(name), gb)
            found = {"sources parquet": measure(Path(name), paths["parquet"], "sources")["sources"]}
            whole = measure(Path(name), paths["jsonl"], "select")
            found["sources jsonl"] = whole.pop("sources")
            figures[f"{gb:g}"] = found | whole
    peaks = {size: {unit: each["peak_mb"] for unit, each in units.items()} for size, units in figures.items()}
    least, greatest = f"{min(args.gb):g}", f"{max(args.gb):g}"
    print(
        json.dumps(
            {
                "peak_mb": max(max(each.values()) for each in peaks.values()),
                "growth": round(max(peaks[greatest][unit] / peaks[least][unit] for unit in peaks[least]), 2),
                "by_gb": figures,
            }
        )
    )


if __name__ == "__main__":
    main()

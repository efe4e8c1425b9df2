"""What bookkeeping costs with very many units: a stage of 100,000 that do next to nothing.

    python benchmarks/overhead.py [--units 100000] [--ray 3000] [--out DIR]

All but `--ray` units are done in this process by the function that workers call, which makes their artefacts and
manifests. A second process then walks the stage as `mixwright run` does: it lists the units, hashes their keys, looks
up which are finished and whole, and runs the missing ones on Ray with log, metrics and progress. A third finds nothing
to do. Keys, measured on these processes:

- `ms_per_unit`: CPU time of the driver for a unit, milliseconds: listing, hashing and looking up, over all units, plus
  submitting and collecting over those on Ray; Ray's own threads in the driver count, its other processes do not.
- `resume_s`: seconds on the clock in which the third process decides that nothing is missing; `list_s` is the part for
  listing and hashing.
- `growth_mb`: growth of resident memory of the second process while it decides, plus what a unit on Ray added after the
  first third of them, times all units.
- `worker_ms`: a worker's time on the clock for a unit, publishing included.

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
MIX = """\
store: {store}
target: {{tokens: 400k}}
sources: {{a: {{path: samples/wikipedia.parquet}}, b: {{path: samples/questions.parquet}}}}
"""


def tiny_units(count: int) -> list:
    """Return units as long as those of `score`; nothing is read."""
    from pipeline.units import Unit

    return [
        Unit("tiny", f"{i // 10:05d}|task-{i % 10}", 1, {"side": "steer", "number": i, "proxy": f"train/{i:020x}"})
        for i in range(count)
    ]


def resident_mb() -> float:
    return psutil.Process().memory_info().rss / 2**20


def fill(out: Path, count: int) -> float:
    """Do units here as a worker does; return its seconds for one."""
    from pipeline.execute import execute

    start = time.perf_counter()
    for unit in tiny_units(count):
        outcome = execute(str(out / "store"), unit)
        assert outcome.counts, outcome.error
    return (time.perf_counter() - start) / count


def walk(out: Path, count: int) -> dict[str, float]:
    """Walk the stage as the driver does; return times and memory."""
    import pipeline.driver as driver
    import pipeline.walk as walking
    from pipeline.load import load_mix
    from pipeline.progress import Progress
    from pipeline.run import Run
    from pipeline.stages import Stage

    found: dict[str, float] = {}
    marks: list[tuple[float, float]] = []

    def units(run: Run) -> list:
        start = time.perf_counter()
        listed = tiny_units(count)
        for unit in listed:
            unit.key  # noqa: B018  hashed here to be timed apart
        found["list_s"] = time.perf_counter() - start
        return listed

    def grouped(run: Run, missing: list) -> list:
        found["decided_s"] = time.perf_counter() - begun
        found["decided_cpu"] = time.process_time() - cpu
        found["decided_mb"] = resident_mb() - memory
        found["missing"] = len(missing)
        return [[unit] for unit in missing]

    plain = Run.mark_done

    def mark_done(self: Run, unit) -> None:
        plain(self, unit)
        if len(marks) == 0:
            found["first_cpu"] = time.process_time() - cpu
        marks.append((time.process_time(), resident_mb()))

    Run.mark_done = mark_done  # type: ignore[method-assign]
    walking.walk = lambda run: iter([Stage("tiny", "nothing", units)])  # type: ignore[assignment]
    walking.grouped = grouped
    run = driver.open_run(load_mix(out / "mix.yaml"))
    gc.collect()
    memory, begun, cpu = resident_mb(), time.perf_counter(), time.process_time()
    driver.run_stages(run, Progress())
    if len(marks) > 300:
        third = len(marks) // 3
        found["ray_cpu_each"] = (marks[-1][0] - marks[third][0]) / (len(marks) - third - 1)
        found["ray_mb_each"] = (marks[-1][1] - marks[third][1]) / (len(marks) - third - 1)
    return found


def child(out: Path, count: int) -> dict[str, float]:
    """Walk in a process of its own."""
    command = [sys.executable, __file__, "--walk", "--units", str(count), "--out", str(out)]
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'benchmarks' / 'hooks'}:{ROOT}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--units", type=int, default=100_000)
    parser.add_argument("--ray", type=int, default=3_000, help="units that are done on Ray")
    parser.add_argument("--out", type=Path, help="folder to work in; a temporary one if absent")
    parser.add_argument("--walk", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.walk:
        print(json.dumps(walk(args.out, args.units)))
        return
    sys.path.insert(0, str(ROOT / "benchmarks" / "hooks"))
    from pipeline.stages import WORK

    WORK["tiny"] = importlib.import_module("sitecustomize").tiny
    out = args.out or Path(tempfile.mkdtemp(prefix="mixwright-overhead-"))
    out.mkdir(parents=True, exist_ok=True)
    (out / "mix.yaml").write_text(MIX.format(store=out / "store"))
    worker = fill(out, args.units - args.ray)
    print(f"{args.units - args.ray} artefacts made, {1000 * worker:.2f} ms each", flush=True)
    some, none = child(out, args.units), child(out, args.units)
    assert (some["missing"], none["missing"]) == (args.ray, 0)
    found = {
        "ms_per_unit": round(1000 * (some["decided_cpu"] / args.units + some["ray_cpu_each"]), 3),
        "resume_s": round(none["decided_s"], 2),
        "list_s": round(none["list_s"], 2),
        "growth_mb": round(some["decided_mb"] + some["ray_mb_each"] * args.units, 1),
        "worker_ms": round(1000 * worker, 2),
        "units": args.units,
        "on_ray": args.ray,
        "ray_ms_each": round(1000 * some["ray_cpu_each"], 3),
        "decided_mb": round(some["decided_mb"], 1),
    }
    print(json.dumps(found), flush=True)
    if args.out is None:
        shutil.rmtree(out)  # takes longer than what is measured


if __name__ == "__main__":
    main()

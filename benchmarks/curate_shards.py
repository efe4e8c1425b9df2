"""The second half of `benchmarks/curate.py`: the pipeline on shards of 1 MB.

What Ray and bookkeeping cost: the stage `annotate` (all its scorers) through the runner on one core, beside its bare
functions called in a loop in one process on the same core. What a second core brings: the same stage on two. What a
changed threshold costs: a limit of a rule set is changed, and the run goes on to `select`. Workers are warm, for
starting Ray takes seconds whatever the shards. Overhead is of CPU seconds (medians), Ray's own processes included,
which other load on the machine moves little; the speed-up is of wall seconds, the least of the repeats.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
WARM_SHARDS = 4
MIX = """\
seed: 1
store: {store}
target: {{tokens: 1M}}
sources:
  first: {{path: "{folder}/first-*.jsonl"}}
  second: {{path: "{folder}/second-*.jsonl"}}
annotate:
  gopher: {{words: punctuation}}
  language: {{}}
select:
  - {{name: not_english, drop: "language_label <> 'en' OR language_probability <= 0.65"}}
  - {{rules: gopher_repetition, limits: {{duplicate_lines: {limit}}}}}
  - {{rules: gopher_quality}}
"""


def write_shards(rows: list[dict[str, str]], folder: Path, size: int = 1_000_000) -> int:
    """Write the documents as JSON lines, about 1 MB a file, in turn for each of two sources; return the files."""
    parts: list[list[str]] = [[]]
    length = 0
    for row in rows:
        line = json.dumps(row, ensure_ascii=False)
        if length > size:
            parts.append([])
            length = 0
        parts[-1].append(line)
        length += len(row["text"].encode())
    if length < size / 2 and len(parts) > 1:
        parts.pop()  # a rest would be a shard of another size
    for n, lines in enumerate(parts):
        name = ("first", "second")[n % 2]
        (folder / f"{name}-{n:03}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return len(parts)


def _mix(folder: Path, store: Path, limit: float) -> Path:
    path = folder / "curate.yaml"
    path.write_text(MIX.format(store=store, folder=folder, limit=limit), encoding="utf-8")
    return path


def child(task: str, mix: Path, cores: list[int]) -> dict[str, Any]:
    """Do one of the tasks below in a new process on some cores, workers included; return what it prints last."""
    command = [sys.executable, __file__, task, str(mix), ",".join(map(str, cores))]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def tree_seconds() -> float:
    """Return the CPU seconds of this process and all below it: Ray's own processes and the workers."""
    import psutil

    own = psutil.Process()
    times = [process.cpu_times() for process in (own, *own.children(recursive=True))]
    return sum(each.user + each.system for each in times)


def annotate_with_ray(mix: Path) -> dict[str, Any]:
    """Time the stage on warm workers: the first shards warm them, the others are timed."""
    from pipeline.driver import open_run
    from pipeline.load import load_mix
    from pipeline.progress import Progress
    from pipeline.runner import Runner
    from pipeline.stages import STAGES
    from pipeline.walk import grouped

    run = open_run(load_mix(mix))
    stages = {stage.name: stage for stage in STAGES}
    with Runner(run.store.root, Progress()) as runner:
        for name in ("sources", "benchmarks", "suite", "classifiers"):
            run.units[name] = stages[name].units(run)
            runner.run(name, grouped(run, run.units[name]), len(run.units[name]), run.mark_done)
        units = run.units["annotate"] = stages["annotate"].units(run)
        warm, timed = _warm_and_timed(units)
        runner.run("annotate", grouped(run, warm), len(warm), run.mark_done)
        start, cpu = time.perf_counter(), tree_seconds()
        runner.run("annotate", grouped(run, timed), len(timed), run.mark_done)
        return {"seconds": time.perf_counter() - start, "cpu": tree_seconds() - cpu}


def annotate_bare(mix: Path) -> dict[str, Any]:
    """Time the stage's own function on the same units, in a loop: no Ray, no keys, no manifests."""
    from pipeline.driver import open_run
    from pipeline.execute import job_of
    from pipeline.load import load_mix
    from pipeline.stages import STAGES, WORK

    run = open_run(load_mix(mix))
    for stage in STAGES:
        run.units[stage.name] = stage.units(run)
        if stage.name == "annotate":
            break
    warm, timed = ([job_of(run.store, unit) for unit in units] for units in _warm_and_timed(run.units["annotate"]))
    for job in warm:
        WORK["annotate"](job)
    start, cpu = time.perf_counter(), time.process_time()
    for job in timed:
        WORK["annotate"](job)
    result = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    for job in warm + timed:
        shutil.rmtree(job.out)
    return result


def _warm_and_timed(units: list[Any]) -> tuple[list[Any], list[Any]]:
    """Return the units of the first shards, which warm two workers, and all others."""
    shards = sorted({unit.inputs["documents"] for unit in units})
    warm = set(shards[:WARM_SHARDS])
    return [u for u in units if u.inputs["documents"] in warm], [u for u in units if u.inputs["documents"] not in warm]


def until_select(mix: Path) -> dict[str, Any]:
    """Run to `select`; return seconds and units done by stage, and what the plan said before."""
    from pipeline.driver import open_run, run_stages
    from pipeline.load import load_mix
    from pipeline.plan import plan
    from pipeline.progress import Progress

    start = time.perf_counter()
    todo = {}
    for stage in plan(open_run(load_mix(mix))):
        todo[stage.stage] = stage.todo
        if stage.stage == "select":
            break
    planned = time.perf_counter() - start
    executed = run_stages(open_run(load_mix(mix)), Progress(), until="select")
    return {
        "seconds": time.perf_counter() - start,
        "plan_seconds": planned,
        "planned": {stage: count for stage, count in todo.items() if count},
        "executed": executed,
    }


TASKS = {"ray": annotate_with_ray, "bare": annotate_bare, "select": until_select}


def measure_shards(rows: list[dict[str, str]], folder: Path, repeats: int = 5) -> dict[str, Any]:
    """Return `ray_overhead`, `two_core_speedup` and the cost of a changed threshold."""
    shards = write_shards(rows, folder)
    cores = sorted(os.sched_getaffinity(0))[:2]
    times: dict[str, list[dict[str, float]]] = {"bare": [], "one": [], "two": []}
    for n in range(repeats):
        for name, task, used in (("one", "ray", cores[:1]), ("bare", "bare", cores[:1]), ("two", "ray", cores)):
            store = folder / (f"store-{n}-two" if name == "two" else f"store-{n}")
            times[name].append(child(task, _mix(folder, store, 0.3), used))
        said = (f"{name} {each[-1]['seconds']:.2f} s ({each[-1]['cpu']:.2f} CPU)" for name, each in times.items())
        print("annotate: " + ", ".join(said))
    least = {name: min(one["seconds"] for one in each) for name, each in times.items()}
    cpu = {name: statistics.median(one["cpu"] for one in each) for name, each in times.items()}
    first = child("select", _mix(folder, folder / "store", 0.3), cores)
    changed = child("select", _mix(folder, folder / "store", 0.25), cores)
    print(f"to select from nothing {first['seconds']:.1f} s, with another limit {changed['seconds']:.1f} s")
    return {
        "shards": shards,
        "two_core_speedup": round(least["one"] / least["two"], 3),
        "ray_overhead": round(cpu["one"] / cpu["bare"] - 1, 3),
        "ray_overhead_wall": round(least["one"] / least["bare"] - 1, 3),
        "annotate": times,
        "threshold_units": {"planned": changed["planned"], "executed": changed["executed"]},
        "threshold_seconds": round(changed["seconds"], 2),
        "from_nothing_seconds": round(first["seconds"], 2),
    }


if __name__ == "__main__":
    os.sched_setaffinity(0, map(int, sys.argv[3].split(",")))
    print(json.dumps(TASKS[sys.argv[1]](Path(sys.argv[2]))))

"""How long the command line takes before it says anything.

    python benchmarks/startup.py [--runs 11] [MIX.yaml ...]

Each command is a process of its own, in turn with one that only imports the libraries that a check cannot do without
(pydantic, yaml, typer, polars, pyarrow, numba). Keys:

- `help_s`, `check_s`: least seconds on the clock of `mixwright --help` and of the slowest of the mixes to check; on a
  machine that does nothing else all runs are near it. `help_median_s`, `check_median_s`: the medians.
- `help_cpu_s`, `check_cpu_s`, `libraries_cpu_s`: least CPU-seconds.
- `ratio_vs_libraries`: `check_cpu_s` to `libraries_cpu_s`.

The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARIES = ("-c", "import pydantic, yaml, typer, polars, pyarrow.parquet, numba")


def seconds(arguments: tuple[str, ...]) -> tuple[float, float]:
    """Return wall and CPU seconds of one Python process."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True, env=environment)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mixes", nargs="*", default=["mixes/quickstart.yaml"])
    parser.add_argument("--runs", type=int, default=11)
    args = parser.parse_args()
    commands = {"libraries": LIBRARIES, "help": ("-m", "pipeline", "--help")}
    commands |= {mix: ("-m", "pipeline", "check", mix) for mix in args.mixes}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for _ in range(args.runs):
        for name, arguments in commands.items():
            found[name].append(seconds(arguments))
    for name, times in found.items():
        walls, cpus = zip(*times, strict=True)
        print(f"{name}: {min(walls):.2f} s, median {statistics.median(walls):.2f} s, CPU {min(cpus):.2f} s")
    slowest = max(args.mixes, key=lambda mix: min(found[mix]))
    result = {"libraries_cpu_s": min(cpu for _, cpu in found["libraries"])}
    for name, times in (("help", found["help"]), ("check", found[slowest])):
        walls, cpus = zip(*times, strict=True)
        result |= {f"{name}_s": min(walls), f"{name}_median_s": statistics.median(walls), f"{name}_cpu_s": min(cpus)}
    result["ratio_vs_libraries"] = result["check_cpu_s"] / result["libraries_cpu_s"]
    print(json.dumps({key: round(value, 3) for key, value in result.items()}))


if __name__ == "__main__":
    main()

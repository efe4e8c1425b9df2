"""Run the quickstart from nothing for several seeds: CPU-seconds, memory, and whether the proposal really wins.

    python benchmarks/quickstart.py --seeds 1 2 3 4 5 --out runs/quickstart-seeds

Each seed has a store of its own; a seed whose result is there already is not run again. Needs Linux (/proc). The last
line is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

MIX = Path(__file__).parents[1] / "mixes" / "quickstart.yaml"
TICKS = os.sysconf("SC_CLK_TCK")


def descendants(root: int) -> list[int]:
    """Return the process ids of a process and of everything that it started."""
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                fields = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(name)] = int(fields[1])
    found, frontier = [], [root]
    while frontier:
        found += frontier
        frontier = [child for child, parent in parents.items() if parent in frontier]
    return found


def usage(pid: int) -> tuple[float, float]:
    """Return CPU-seconds so far and proportional resident MB (shared pages split over their users) of a process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        memory = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)
    except OSError:
        return 0.0, 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS, int(memory[1]) / 1024 if memory else 0.0


def run(seed: int, out: Path) -> dict:
    """Run one seed and return what it cost and what it measured."""
    folder = out / f"seed-{seed}"
    done = folder / "result.json"
    if done.exists():
        return json.loads(done.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    text = re.sub(r"^seed: \d+$", f"seed: {seed}\nstore: {folder.resolve()}/store", MIX.read_text(), flags=re.M)
    mix = folder / "quickstart.yaml"
    mix.write_text(text)
    start = time.monotonic()
    process = subprocess.Popen([sys.executable, "-m", "pipeline", "run", str(mix)], stdout=subprocess.PIPE, text=True)
    cpu: dict[int, float] = {}
    peak = 0.0
    while process.poll() is None:
        total = 0.0
        for pid in descendants(process.pid):
            seconds, memory = usage(pid)
            cpu[pid] = max(cpu.get(pid, 0.0), seconds)
            total += memory
        peak = max(peak, total)
        time.sleep(1.0)
    wall = time.monotonic() - start
    output = process.stdout.read() if process.stdout else ""
    if process.returncode:
        raise SystemExit(f"seed {seed} ended with exit code {process.returncode}")
    measured = json.loads((Path(output.splitlines()[-1]) / "mix.json").read_text())["measured"]
    result: dict[str, Any] = {
        "seed": seed,
        "cpu_seconds": round(sum(cpu.values())),
        "wall_seconds": round(wall),
        "peak_mb": round(peak),
    }
    for name in ("natural", "uniform", "best_observed"):
        result[name] = {key: measured[name][key] for key in ("gain", "gain_se", "p_value")}
    result["wins"] = holds(result)
    done.write_text(json.dumps(result, indent=1) + "\n")
    return result


def holds(result: dict) -> bool:
    """Tell whether the proposal beats natural and uniform at 97.5 % and is within one SE of best observed or better."""
    beats = all(result[name]["p_value"] < 0.025 for name in ("natural", "uniform"))
    return beats and result["best_observed"]["gain"] >= -result["best_observed"]["gain_se"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--out", type=Path, default=Path("runs/quickstart-seeds"))
    options = parser.parse_args()
    results = []
    heads = ["seed", "CPU-s", "wall s", "peak MB", "gain over natural (SE)", "p"]
    print(f"| {' | '.join([*heads, 'over uniform', 'p', 'over best observed', 'holds'])} |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for seed in options.seeds:
        each = run(seed, options.out)
        results.append(each)
        cells = [str(each[key]) for key in ("seed", "cpu_seconds", "wall_seconds", "peak_mb")]
        for name in ("natural", "uniform", "best_observed"):
            gain = each[name]
            cells.append(f"{gain['gain']:+.4f} ({gain['gain_se']:.4f})")
            if name != "best_observed":
                cells.append(f"{gain['p_value']:.1e}")
        print(f"| {' | '.join([*cells, 'yes' if each['wins'] else 'no'])} |", flush=True)
    print(
        json.dumps(
            {
                "seeds": len(results),
                "holds": sum(each["wins"] for each in results),
                "cpu_seconds": max(each["cpu_seconds"] for each in results),
                "wall_seconds": max(each["wall_seconds"] for each in results),
                "peak_mb": max(each["peak_mb"] for each in results),
            }
        )
    )


if __name__ == "__main__":
    main()

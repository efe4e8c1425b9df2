"""What an eval costs that is added to a finished swarm: nothing is trained, and little but its forward passes is done.

    python benchmarks/reuse.py --out runs/reuse [--runs 32] [--tokens 100k]

Runs the quickstart's data with 32 proxies and one benchmark, then the same YAML with another benchmark added under two
metrics, then once more unchanged. The bare forward passes are timed in one process: the same checkpoints on the same
requests, nothing else. `--out` must be a new folder, or nothing is left to measure. The last line is one JSON object;
`eval_added_vs_forward` is the time of the second run over 1.3 x forward passes + 20 s, so at most 1 is within the bar.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
ADDED = "    commonsenseqa: {path: samples/evals/commonsenseqa.jsonl.gz, metric: [bpb, acc]}\n"


def mix_text(out: Path, runs: int, tokens: str) -> str:
    """Return the quickstart's YAML with one benchmark, fewer tokens and two proof seeds."""
    text = (ROOT / "mixes" / "quickstart.yaml").read_text(encoding="utf-8")
    text = re.sub(r"^seed: \d+$", f"seed: 1\nstore: {out}/store", text, flags=re.M)
    text = re.sub(r"^swarm: .*$", f"swarm: {{runs: {runs}, blocks: 4}}", text, flags=re.M)
    text = re.sub(r"^proxy: .*$", f"proxy: {{preset: quickstart, tokens: {tokens}}}", text, flags=re.M)
    text = re.sub(r"^validate: .*$", "validate: {seeds: 2}", text, flags=re.M)
    kept = [
        line for line in text.splitlines(True) if not re.match(r"    (?!arc_easy)\w+: +\{path: samples/evals/", line)
    ]
    return "".join(kept)


def run(mix: Path) -> tuple[float, dict[str, int]]:
    """Run a mix; return wall seconds and the units done by stage."""
    start = time.monotonic()
    command = [sys.executable, "-m", "pipeline", "run", str(mix)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    seconds = time.monotonic() - start
    said = done.stderr.rpartition("Units run: ")[2].replace("\n", " ")
    return seconds, {name: int(count) for name, count in re.findall(r"(\w+) (\d+)[,.]", said)}


def forward_seconds(mix: Path, name: str) -> tuple[float, int]:
    """Return the wall seconds of scoring one benchmark with every checkpoint of the run, and how many there are."""
    import torch

    from pipeline.driver import open_run
    from pipeline.load import load_mix
    from pipeline.plan import plan
    from proxy_models.hardware import NumericPlan
    from proxy_models.requests import load_requests
    from proxy_models.score import score

    torch.set_num_threads(1)
    state = open_run(load_mix(mix))
    list(plan(state))  # a plan is walked: it fills in the units
    (numerics,) = state.of("numerics")
    numeric = NumericPlan(**state.store.read_json(numerics.ref, "plan.json"))
    units = [unit for stage in ("score", "confirm") for unit in state.of(stage) if unit.name.endswith(f"|bench/{name}")]
    sets = {
        (unit.inputs["requests"], unit.args["side"]): load_requests(
            state.store.local(unit.inputs["requests"]) / f"{unit.args['side']}.npz"
        )
        for unit in units
    }
    checkpoints = [state.store.local(unit.inputs["proxy"]) for unit in units]
    start = time.monotonic()
    for unit, checkpoint in zip(units, checkpoints, strict=True):
        score(checkpoint, [sets[unit.inputs["requests"], unit.args["side"]]], numeric)
    return time.monotonic() - start, len(units)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--runs", type=int, default=32)
    parser.add_argument("--tokens", default="100k")
    asked = parser.parse_args()
    out = asked.out.resolve()
    if out.exists():
        sys.exit(f"{out}: exists already; give a new folder")
    out.mkdir(parents=True)
    mix = out / "reuse.yaml"
    text = mix_text(out, asked.runs, asked.tokens)
    mix.write_text(text, encoding="utf-8")
    first, _ = run(mix)
    print(f"first run {first:.0f} s")
    mix.write_text(text.replace("\nobjective:", f"{ADDED}\nobjective:"), encoding="utf-8")
    added, units = run(mix)
    print(f"with another eval {added:.1f} s: {units}")
    again, _ = run(mix)
    forward, count = forward_seconds(mix, "commonsenseqa")
    print(f"bare forward passes of {count} checkpoints {forward:.1f} s")
    result: dict[str, Any] = {
        "no_change_s": round(again, 2),
        "eval_added_trained": units.get("train", 0) + units.get("proof", 0),
        "eval_added_s": round(added, 2),
        "forward_s": round(forward, 2),
        "eval_added_vs_forward": round(added / (1.3 * forward + 20), 3),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

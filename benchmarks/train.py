"""Training steps on a CPU: ours beside nanoGPT's model.py and its step, one thread each, in turns.

    python benchmarks/train.py --nanogpt DIR

DIR is a checkout of github.com/karpathy/nanoGPT; nothing of it is here. Shape: width 128, 4 layers, 4 heads, vocabulary
4096, context 256, batch 16; feed-forward 384 (SwiGLU) against nanoGPT's 512 (GELU, two matrices). Each contestant is
a process of its own that waits for its turn; a turn is some steps, its cost the process's CPU seconds; medians over
turns. `capped` ones run with ONEDNN_MAX_CPU_ISA=AVX2. Compiled peers need g++ and are left out (null) with
`--no-compile`. The last line is one JSON object: ratios of tokens per CPU-second, and `two_core_speedup` (wall clock,
two of ours at once against one; null on one core). GPUs are not measured here.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import torch

from proxy_models.hardware import choose_plan
from proxy_models.optimiser import Optimiser
from proxy_models.settings import ModelConfig, OptimiserConfig
from proxy_models.train import fresh

MODEL = ModelConfig(vocab_size=4096, context=256, width=128, layers=4, heads=4, ff=384)
BATCH, BATCHES = 16, 8
TOKENS = BATCH * MODEL.context
CAPPED = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
CONTESTANTS: dict[str, dict[str, str]] = {
    "ours": {},
    "nanogpt": {},
    "ours capped": CAPPED,
    "nanogpt capped": CAPPED,
    "nanogpt compiled": {},
    "nanogpt compiled, no autocast": {},
}
"""Name -> environment of its process."""


def batches() -> list[torch.Tensor]:
    """The same rows of random ids for all, (BATCH, context + 1) each."""
    draw = torch.Generator().manual_seed(0)
    return [torch.randint(MODEL.vocab_size, (BATCH, MODEL.context + 1), generator=draw) for _ in range(BATCHES)]


def ours() -> Callable[[torch.Tensor], float]:
    """One step of ``proxy_models.train`` on a batch, in the numeric type of this machine."""
    plan = choose_plan("cpu", say=lambda text: print(text, file=sys.stderr))
    decoder = fresh(MODEL, 0, plan)
    optimiser = Optimiser(decoder, OptimiserConfig(schedule="constant"), 1_000_000, plan.torch_dtype)

    def step(batch: torch.Tensor) -> float:
        loss = decoder.loss(batch)
        loss.backward()
        value = loss.item()
        optimiser.step()
        return value

    return step


def nanogpt(folder: Path, compiled: bool, autocast: bool) -> Callable[[torch.Tensor], float]:
    """One step as its train.py takes it on a CPU: forward, backward, clip at 1, its AdamW."""
    spec = importlib.util.spec_from_file_location("nanogpt_model", folder / "model.py")
    if spec is None or spec.loader is None:
        raise SystemExit(f"{folder} holds no model.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    config = module.GPTConfig(
        block_size=MODEL.context,
        vocab_size=MODEL.vocab_size,
        n_layer=MODEL.layers,
        n_head=MODEL.heads,
        n_embd=MODEL.width,
        dropout=0.0,
        bias=False,
    )
    torch.manual_seed(0)
    model = module.GPT(config)
    optimiser = model.configure_optimizers(0.1, 1e-3, (0.9, 0.95), "cpu")
    run = torch.compile(model) if compiled else model

    def step(batch: torch.Tensor) -> float:
        with torch.autocast("cpu", torch.bfloat16) if autocast else nullcontext():
            _, loss = run(batch[:, :-1].contiguous(), batch[:, 1:].contiguous())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        return loss.item()

    return step


def work(name: str, folder: Path) -> None:
    """Answer every line of standard input, a number of steps, by the CPU seconds they took and the last loss."""
    torch.set_num_threads(1)
    answers, sys.stdout = sys.stdout, sys.stderr  # nanoGPT prints what it builds
    compiled, autocast = "compiled" in name, name == "nanogpt compiled"
    step = ours() if name.startswith("ours") else nanogpt(folder, compiled, autocast)
    rows, done, loss = batches(), 0, 0.0
    for line in sys.stdin:
        start = time.process_time()
        for _ in range(int(line)):
            loss = step(rows[done % BATCHES])
            done += 1
        print(time.process_time() - start, loss, file=answers, flush=True)


class Contestant:
    """A process that trains when told to."""

    def __init__(self, name: str, folder: Path) -> None:
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        root = str(Path(__file__).parents[1])
        environment = {**os.environ, **threads, **CONTESTANTS[name], "PYTHONPATH": root}
        command = [sys.executable, __file__, "--worker", name, "--nanogpt", str(folder)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, text=True)

    def start(self, steps: int) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{steps}\n")
        self.process.stdin.flush()

    def seconds(self) -> float:
        """Wait for the turn to end and return its CPU seconds."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("a contestant died; see its message above")
        return float(line.split()[0])

    def turn(self, steps: int) -> float:
        self.start(steps)
        return self.seconds()

    def close(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        self.process.wait()


def rates(names: list[str], folder: Path, turns: int, steps: int) -> dict[str, float]:
    """Tokens per CPU-second of every contestant, the median over the turns; each takes a turn unmeasured first."""
    contestants = {name: Contestant(name, folder) for name in names}
    taken: dict[str, list[float]] = {name: [] for name in names}
    for name, each in contestants.items():
        print(f"warming {name}: {each.turn(2):.1f} CPU-s", flush=True)
    for i in range(turns):
        for name, each in contestants.items():
            taken[name].append(each.turn(steps))
        print(f"turn {i + 1}: " + ", ".join(f"{name} {each[-1]:.2f}" for name, each in taken.items()), flush=True)
    for each in contestants.values():
        each.close()
    return {name: steps * TOKENS / statistics.median(each) for name, each in taken.items()}


def two_core_speedup(folder: Path, turns: int, steps: int) -> float | None:
    """Steps a second of two of ours at once over those of one, by the clock; medians. None on one core."""
    if len(os.sched_getaffinity(0)) < 2:
        return None
    pair = [Contestant("ours", folder) for _ in range(2)]
    for each in pair:
        each.turn(2)
    alone, both = [], []
    for _ in range(turns):
        start = time.perf_counter()
        pair[0].turn(steps)
        alone.append(time.perf_counter() - start)
        start = time.perf_counter()
        for each in pair:
            each.start(steps)
        for each in pair:
            each.seconds()
        both.append(time.perf_counter() - start)
    for each in pair:
        each.close()
    return 2 * statistics.median(alone) / statistics.median(both)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--nanogpt", type=Path, required=True, help="a checkout of nanoGPT")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--steps", type=int, default=8, help="steps of a turn")
    parser.add_argument("--no-compile", action="store_true", help="leave compiled peers out")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args.worker, args.nanogpt)
        return
    names = [name for name in CONTESTANTS if not (args.no_compile and "compiled" in name)]
    found = rates(names, args.nanogpt, args.turns, args.steps)
    for name, rate in found.items():
        print(f"{name}: {rate:,.0f} tokens per CPU-second")

    def ratio(one: str, two: str) -> float | None:
        return round(found[one] / found[two], 3) if two in found else None

    speedup = two_core_speedup(args.nanogpt, args.turns, args.steps)
    result = {
        "ratio_vs_nanogpt": ratio("ours", "nanogpt"),
        "ratio_vs_nanogpt_compiled": ratio("ours", "nanogpt compiled"),
        "ratio_vs_nanogpt_compiled_no_autocast": ratio("ours", "nanogpt compiled, no autocast"),
        "ratio_no_amx": ratio("ours capped", "nanogpt capped"),
        "two_core_speedup": speedup and round(speedup, 3),
        "tokens_per_cpu_second": round(found["ours"]),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

"""A large swarm, 512 runs x 64 domains x 110 tasks: how long choosing and fitting all laws takes.

    python benchmarks/big_swarm.py --tasks 4

The swarm is made up: Dirichlet mixes, and tasks of four kinds in turn (a power of useful tokens, the same with many
domains of some use, with domains that help each other, and little but noise), because what a task costs depends on its
surface and on its noise. `--tasks 110` is the whole swarm; fewer are extrapolated. One process; CPU seconds. The last
line is one JSON object: `seconds_per_task`, `minutes_110_one_core`, `minutes_110_two_cores` (tasks are independent).
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from pipeline.mixture.selection import choose
from pipeline.mixture.table import Swarm

RUNS, DOMAINS, ALL = 512, 64, 110
# A run's noise, in SDs of the task over the mixes.
NOISE = (0.05, 0.1, 0.1, 1.5)
SEED_BLOCKS = 4


def mixes(rng: np.random.Generator) -> np.ndarray:
    """(RUNS, DOMAINS): few domains in some mixes, all of them in others; shares below 0.1 % are none."""
    prior = rng.lognormal(0, 1, DOMAINS)
    prior /= prior.sum()
    rows = [rng.dirichlet(np.maximum((0.5, 2.0, 8.0)[i % 3] * DOMAINS * prior**0.5 / 8, 0.01)) for i in range(RUNS)]
    weights = np.where(np.array(rows) < 1e-3, 0.0, rows)
    return weights / weights.sum(axis=1, keepdims=True)


def measured(weights: np.ndarray, task: int) -> np.ndarray:
    """(n, d) -> (n,) bits per byte of task number `task`; the same number is always the same task."""
    rng = np.random.default_rng([task, 1])
    kind = task % len(NOISE)
    use = rng.lognormal(-1, 1, DOMAINS) if kind == 1 else np.where(rng.random(DOMAINS) < 0.1, rng.uniform(1, 5), 0.05)
    surface = (0.05 + weights @ use) ** -0.4
    if kind == 2:
        helped = rng.normal(size=(DOMAINS, DOMAINS)) * (rng.random((DOMAINS, DOMAINS)) < 0.05)
        surface = surface - 2 * np.einsum("ni,ij,nj->n", weights, helped, weights)
    return 2 + 0.1 * (surface - surface.mean()) / surface.std() + 0.1 * NOISE[kind] * rng.normal(size=len(weights))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=len(NOISE), help=f"tasks to fit, {ALL} for the whole swarm")
    args = parser.parse_args()
    weights = mixes(np.random.default_rng(0))
    runs, domains = (tuple(f"{kind}{i}" for i in range(n)) for kind, n in (("run", RUNS), ("domain", DOMAINS)))
    seconds = []
    for task in range(args.tasks):
        values = measured(weights, task)[:, None]
        swarm = Swarm(runs, domains, (f"task{task}",), weights, values, np.arange(RUNS) % SEED_BLOCKS)
        start = time.process_time()
        (fit,) = choose(swarm, seed=0)
        seconds.append(time.process_time() - start)
        print(f"task {task}: {seconds[-1]:.1f} CPU-s, {fit.law}, R2 {fit.score.r2:.3f}", flush=True)
    each = float(np.mean(seconds))
    minutes = ALL * each / 60
    result = {"seconds_per_task": each, "minutes_110_one_core": minutes, "minutes_110_two_cores": minutes / 2}
    print(json.dumps({"tasks": args.tasks, **{key: round(value, 2) for key, value in result.items()}}))


if __name__ == "__main__":
    main()

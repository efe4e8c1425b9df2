"""Proxies that are trained together in one process: on a GPU as many as fill it, elsewhere only where the YAML asks.

Which of them share a stack does not matter to any of them beyond rounding; that they were stacked is in their key, by
`proxy.stack` or by the numeric plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.numerics import read_plan
from pipeline.run import Run
from pipeline.swarm import diverged_counts, open_feed_of, preset_of, trained_counts
from pipeline.units import Job, Unit


def stacks(run: Run, units: Sequence[Unit]) -> list[list[Unit]]:
    """Return the train units in groups that one task trains together; of one unit where nothing is stacked."""
    from proxy_models.hardware import NumericPlan
    from proxy_models.presets import PRESETS

    (numerics,) = run.of("numerics")
    plan = NumericPlan(**run.manifest(numerics)["counts"]["plan"])
    groups: dict[str, list[list[Unit]]] = {}
    for unit in units:
        alike = {name: value for name, value in unit.args.items() if name not in ("weights", "seed")}
        size = unit.args.get("stack") or max(1, plan.stack_tokens // PRESETS[unit.args["preset"]].batch_tokens)
        found = groups.setdefault(repr(alike), [])
        if not found or len(found[-1]) == size:
            found.append([])
        found[-1].append(unit)
    return [group for found in groups.values() for group in found]


def train_together(jobs: Sequence[Job]) -> list[dict[str, Any]]:
    """Train the proxies of jobs that differ in mix and seed only; return the counts of each, as `train_proxy` does."""
    from proxy_models.stack import train_stack
    from proxy_models.train import Diverged

    models, configs = zip(*(preset_of(job) for job in jobs), strict=True)
    feeds = [open_feed_of(*each) for each in zip(jobs, models, configs, strict=True)]
    results = train_stack(models[0], configs, feeds, read_plan(jobs[0]), [job.out for job in jobs])
    return [
        diverged_counts(job, result) if isinstance(result, Diverged) else trained_counts(result)
        for job, result in zip(jobs, results, strict=True)
    ]

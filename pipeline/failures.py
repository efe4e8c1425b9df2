"""Proxies that diverged: the unit is finished, its result is the reason. They are not scored, and left out of the fit.

A run with the same key would diverge again, so nothing is gained by trying it again; too many of them stop the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.errors import BadDataError
from pipeline.run import Run
from pipeline.units import Job, Unit

FAILED = "failed"
"""Count of a train unit that gives the reason; absent where the proxy has a checkpoint."""
NAMED = 3
"""Runs that a message names; it counts the rest."""


def failed_units(run: Run, units: Iterable[Unit]) -> dict[str, str]:
    """Return name → reason of the finished units whose proxy diverged."""
    return failed_counts({unit.name: run.manifest(unit)["counts"] for unit in units if run.is_done(unit)})


def failed_counts(counts: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return run → reason from what training counted, by run."""
    return {name: each[FAILED] for name, each in counts.items() if FAILED in each}


def trained(run: Run, units: Iterable[Unit]) -> list[Unit]:
    """Return the units that have a checkpoint, or may have one when they are done."""
    units = list(units)
    lost = failed_units(run, units)
    return [unit for unit in units if unit.name not in lost]


def left_out(lost: Mapping[str, str], of: int, why: str) -> list[str]:
    """Return the warning about runs (name → reason) that are left out; none where there are none."""
    if not lost:
        return []
    named = "; ".join(f"{name}: {reason}" for name, reason in list(lost.items())[:NAMED])
    more = f"; and {len(lost) - NAMED} more" if len(lost) > NAMED else ""
    return [f"{len(lost)} of {of} proxies diverged and are left out of {why} ({named}{more})"]


def check_swarm(run: Run) -> None:
    """Raise BadDataError where more of the swarm diverged than `proxy.max_failed` allows."""
    units = {unit.ref: unit for unit in run.of("train")}.values()
    lost = failed_units(run, units)
    limit = run.config.proxy.max_failed
    if len(lost) > limit * len(units):
        (text,) = left_out(lost, len(units), "the fit")
        raise BadDataError(f"{text}: more than proxy.max_failed ({limit:g}) allows")


def check_pairs(run: Run, stage: str, letter: str, seeds: int) -> None:
    """Raise BadDataError where fewer than two seeds are left on which every mix has a proxy `<mix>-<letter><seed>`."""
    lost = failed_units(run, run.of(stage))
    if lost and len(whole_seeds(lost, letter, seeds)) < 2:
        (text,) = left_out(lost, len(run.of(stage)), f"stage {stage}")
        raise BadDataError(f"{text}: judging needs two seeds on which every mix has a proxy")


def whole_seeds(lost: Iterable[str], letter: str, seeds: int) -> list[int]:
    """Return the seeds, of 0 to `seeds` - 1, on which no mix lost its proxy `<mix>-<letter><seed>`.

    Seeds are paired: one that lacks a mix says nothing of the others.
    """
    gone = {name.rpartition(f"-{letter}")[2] for name in lost}
    return [seed for seed in range(seeds) if str(seed) not in gone]


def lost_runs(job: Job, design: Mapping[str, Any]) -> dict[str, str]:
    """Return run → reason of a design's proxies that diverged."""
    return failed_counts({mix["run"]: job.counts(f"train|{mix['run']}") for mix in design["mixes"]})

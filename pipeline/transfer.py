"""Stages `transfer` and `reconfirm`: the mixes of the proof once more with larger proxies (`validate.transfer`).

Off unless asked for: then both stages have no units.
"""

from __future__ import annotations

from pipeline.failures import check_pairs, trained
from pipeline.proof import mixes_of
from pipeline.run import Run, larger_proxy
from pipeline.swarm import score_units_of, swarm_of, train_unit
from pipeline.units import Unit

FIRST_BLOCK = 2000
"""Seed blocks of the larger proxies are numbered from here: with the proof's own, both sizes would share their luck."""


def train_units(run: Run) -> list[Unit]:
    """One unit per mix of the proof and fresh seed."""
    asked, proxy = run.config.validation.transfer, larger_proxy(run)
    if asked is None or proxy is None:
        return []
    plan = swarm_of(run)
    return [
        train_unit(run, f"{name}-t{i}", weights, FIRST_BLOCK + i, plan, proxy)
        for i in range(asked.seeds)
        for name, weights in mixes_of(run).items()
    ]


def check(run: Run) -> None:
    if run.config.validation.transfer:
        check_pairs(run, "transfer", "t", run.config.validation.transfer.seeds)


def score_units(run: Run) -> list[Unit]:
    """Confirm items of every task, for every larger proxy."""
    return [unit for proxy in trained(run, run.of("transfer")) for unit in score_units_of(run, proxy, "confirm")]

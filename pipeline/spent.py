"""What a run took, stage by stage: seconds and tokens from the manifests of its units, and what earlier runs had made.

Seconds differ from run to run and so are in no artefact; they are read as a run folder is filled.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.config import Prices
from pipeline.estimates import took
from pipeline.run import Run
from pipeline.run_units import earlier_runs, units_of
from pipeline.units import Unit

MANIFESTS = 400
"""Manifests read of a stage at most, evenly over its units; sums are scaled up from them."""
EARLIER = 5
"""Runs of the same YAML file that artefacts are looked for in."""


@dataclass(frozen=True)
class Spent:
    """One stage. units: of this run; shared: those that an earlier run of the YAML refers to as well.

    cpu, gpu: seconds; asked, written: tokens of a language model's prompts and replies that were paid. All of the runs
    that made the units, whenever that was. sampled: from a part of the manifests.
    """

    stage: str
    units: int
    shared: int
    cpu: float
    gpu: float
    asked: int
    written: int
    sampled: bool


def spent(run: Run) -> list[Spent]:
    """Return every stage that has finished units, in the order of the stages."""
    before = [folder for folder in earlier_runs(run, EARLIER + 1).folders if folder != run.folder]
    found = []
    for stage, listed in run.units.items():
        units = {unit.ref: unit for unit in listed if run.is_done(unit)}  # others were given up and left out
        if not units:
            continue
        known = {ref for folder in before for ref in units_of(run.store, folder, stage).values()}
        seen, scale = sampled(run, list(units.values()))

        def total(what: str, manifests: list[dict[str, Any]] = seen, scale: float = scale) -> float:
            return scale * sum(each["counts"].get(what, 0) for each in manifests)

        found.append(
            Spent(
                stage=stage,
                units=len(units),
                shared=sum(ref in known for ref in units),
                cpu=round(scale * sum(each["cpu_seconds"] for each in seen), 3),
                gpu=round(3600 * scale * sum(took(run, each).gpu_hours for each in seen), 3),
                asked=round(total("prompt_tokens")),
                written=round(total("completion_tokens")),
                sampled=scale > 1,
            )
        )
    return found


def sampled(run: Run, units: Sequence[Unit]) -> tuple[list[dict[str, Any]], float]:
    """Return manifests of at most MANIFESTS finished units, evenly over them, and how many units each stands for."""
    seen = [run.manifest(unit) for unit in units[:: max(1, -(-len(units) // MANIFESTS))]]
    return seen, len(units) / max(1, len(seen))


def money(prices: Prices, *, cpu: float, gpu: float, asked: float, written: float) -> float:
    """Return what seconds and tokens cost at these prices."""
    return (cpu * prices.cpu_hour + gpu * prices.gpu_hour) / 3600 + (
        asked * prices.million_prompt + written * prices.million_completion
    ) / 1e6

"""What a run took, stage by stage: seconds and tokens from the manifests of its units, and what earlier runs had made.

Seconds differ from run to run and so are in no artefact; they are read as a run folder is filled.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.config import Prices
from pipeline.estimates import took
from pipeline.run import Run
from pipeline.run_units import earlier_runs, units_of

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
        step = -(-len(units) // MANIFESTS)
        seen = [run.manifest(unit) for unit in list(units.values())[::step]]
        scale = len(units) / len(seen)

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
                sampled=step > 1,
            )
        )
    return found


def money(each: Spent, prices: Prices) -> float:
    """Return what a stage cost at these prices."""
    hours = each.cpu * prices.cpu_hour + each.gpu * prices.gpu_hour
    tokens = each.asked * prices.million_prompt + each.written * prices.million_completion
    return hours / 3600 + tokens / 1e6

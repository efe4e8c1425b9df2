"""A design that goes on from an earlier one: finished mixes as they are, and new ones for new domains (stage `design`).

Which earlier design, and which of its mixes, is decided by `pipeline.reuse`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pipeline.records import vector
from pipeline.units import Job, seed_of

EARLIER = "earlier"
"""Role of the earlier design among a design's inputs."""


def kept_of(job: Job) -> dict[str, Any] | None:
    """Return the earlier design with only the mixes that are kept; None for a design that knows of none."""
    if EARLIER not in job.inputs:
        return None
    earlier = json.loads((job.inputs[EARLIER] / "swarm.json").read_text())
    kept = set(job.args["kept"])
    return {**earlier, "mixes": [mix for mix in earlier["mixes"] if mix["run"] in kept]}


def added(
    job: Job, earlier: Mapping[str, Any], frozen: Any, names: Sequence[str], method: Mapping[str, Any]
) -> list[Any]:
    """Return the runs to add (`Mix`, over the totals of frozen groups): none where no domain is new.

    names: the domains on offer; method: what `extend` is to know of the design method and its limits.
    """
    from pipeline.mixture.designs import extend

    new = [
        group.name
        for group, row in zip(frozen.domains, frozen.matrix, strict=True)
        if any(share > 0 and name in job.args["new"] for share, name in zip(row, names, strict=True))
    ]
    if not new:
        return []
    number = earlier["grown"] + 1
    # a mix of what is gone lies elsewhere: it is a point of the fit, and no neighbour of a new mix
    mixes = {mix["mix"]: mix["weights"] for mix in earlier["mixes"] if not used(mix) - set(names)}
    found = extend(
        frozen.domains,
        new,
        [frozen.collapse(vector(weights, names)) for weights in mixes.values()],
        job.args["design"]["runs"],
        filled=runs_per_block(earlier, job.args["design"]["blocks"]),
        seed=seed_of([job.args["seed"], "grown", number]),
        **method,
    )
    return [replace(each, name=f"grown{number}-{each.name}", mix=f"grown{number}-{each.mix}") for each in found]


def grown(plan: Mapping[str, Any], earlier: Mapping[str, Any]) -> dict[str, Any]:
    """Return the plan of the new mixes with the earlier ones before them, byte for byte as they were.

    `gone`: domains that only earlier mixes have; their tokens and arrays are kept. Without a new mix the swarm is
    settled: no later round is asked for.
    """
    known = (*earlier["domains"], *earlier["gone"])
    held = set().union(*(used(mix) for mix in earlier["mixes"]))
    gone = [name for name in known if name in held and name not in plan["domains"]]
    parts = {
        part: {**plan[part], **{name: earlier[part][name] for name in gone}}
        for part in ("tokens", "own_per_target", "arrays")
    }
    return {
        **plan,
        **parts,
        "gone": gone,
        "mixes": [*earlier["mixes"], *plan["mixes"]],
        "settled": not plan["mixes"],
        "grown": earlier["grown"] + 1,
    }


def runs_per_block(design: Mapping[str, Any], blocks: int) -> list[int]:
    """Return how many runs of a design every seed block has."""
    return [sum(mix["block"] == block for mix in design["mixes"]) for block in range(blocks)]


def used(mix: Mapping[str, Any]) -> set[str]:
    """Return the domains that a mix of a design has a weight on."""
    return {name for name, weight in mix["weights"].items() if weight > 0}

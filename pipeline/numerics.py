"""Stage `numerics`: one numeric type for the whole run, chosen once on a worker and kept."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from pipeline.errors import InputError
from pipeline.run import Run
from pipeline.store import write_json
from pipeline.units import Job, Unit

VERSION = 1


def units(run: Run) -> list[Unit]:
    """One pinned unit, so that a swarm continued on another machine keeps its numeric type."""
    proxy = run.config.proxy
    device = {} if proxy.device == "auto" else {"device": proxy.device}
    return [run.pinned(Unit("numerics", "plan", VERSION, {"numeric": proxy.numeric, **device}))]


def work(job: Job) -> dict[str, Any]:
    """Write `plan.json`: device, numeric type, attention and torch version, as this worker's hardware does best."""
    from proxy_models.hardware import choose_plan

    reasons: list[str] = []
    try:
        plan = choose_plan(job.args.get("device", "auto"), say=reasons.append)
    except ValueError as error:
        raise InputError(f"proxy.device: {error}") from None
    forced = {"fp32": ("float32", "sdpa"), "bf16": ("bfloat16", "manual")}.get(job.args["numeric"])
    if forced:
        plan = replace(plan, dtype=forced[0], attention=forced[1] if plan.device == "cpu" else plan.attention)
        reasons = [f"proxies in {job.args['numeric']}, as the YAML says"]
    write_json(job.out / "plan.json", asdict(plan))
    return {"plan": asdict(plan), "reason": " ".join(reasons)}


def read_plan(job: Job) -> Any:
    """Return the `NumericPlan` among a job's inputs."""
    from proxy_models.hardware import NumericPlan

    return NumericPlan(**json.loads((job.inputs["numerics"] / "plan.json").read_text()))

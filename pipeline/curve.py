"""Stage `curve`: the swarm's proxies scored along their training, to say whether the order of the mixes had settled.

Off unless `proxy.curve` names shares of the training: the weights there are kept beside the checkpoint, so training
asks no eval, and a source added later is scored without training anything.
"""

from __future__ import annotations

from typing import Any

from pipeline.failures import trained
from pipeline.numerics import read_plan
from pipeline.run import Run
from pipeline.store import write_json
from pipeline.units import Job, Unit

VERSION = 1
TOKENS_SHARE = 0.1
"""Tokens scored of a proxy, over all tasks and points, as a share of those it was trained on.

Scoring a token is a third of training on it, so a curve costs about 3 % of the training.
"""


def units(run: Run) -> list[Unit]:
    """One unit per proxy of the swarm, over the steer items of all held-out tasks."""
    proxy = run.config.proxy
    if not proxy.curve:
        return []
    (numerics,) = run.of("numerics")
    requests = {unit.name: unit.ref for unit in run.of("requests") if unit.name.startswith("heldout/")}
    points = (len(proxy.curve) + 1) * len(requests)
    args = {"shares": proxy.curve, "tokens": max(1, round(TOKENS_SHARE * proxy.tokens / points))}
    return [
        Unit("curve", unit.name, VERSION, args, {"proxy": unit.ref, "numerics": numerics.ref, **requests})
        for unit in trained(run, run.of("train"))
    ]


def work(job: Job) -> dict[str, Any]:
    """Write `curve.json`, task → share of the training → bits per byte on a fixed few of the task's items."""
    from proxy_models.curve import curve, first_requests
    from proxy_models.requests import load_requests

    sets = {
        task: first_requests(load_requests(folder / "steer.npz"), job.args["tokens"])
        for task, folder in job.inputs.items()
        if task.startswith("heldout/")
    }
    found = curve(job.inputs["proxy"], job.args["shares"], sets, read_plan(job))
    curves = {
        task: {f"{share:g}": round(value, 6) for share, value in points.items()} for task, points in found.items()
    }
    write_json(job.out / "curve.json", curves)
    return {"bpb": curves, "requests": {task: len(requests) for task, requests in sets.items()}}

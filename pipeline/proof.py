"""Stages `proof`, `confirm` and `validate`: train the proposal and the baselines again and see who wins.

The seeds are fresh (no swarm run used them), paired over the mixes, and the items were never seen by fit or propose.
"""

from __future__ import annotations

import json
from typing import Any

from pipeline.failures import check_pairs, failed_units, left_out, trained, whole_seeds
from pipeline.run import Run, larger_proxy
from pipeline.store import write_json
from pipeline.swarm import score_units_of, swarm_of, train_unit
from pipeline.tasks import task_names
from pipeline.units import Job, Unit
from pipeline.verdict import judged, transferred

VALIDATE_VERSION = 5
FIRST_BLOCK = 1000
"""Seed blocks of the proof are numbered from here; the swarm's from 0."""


def mixes_of(run: Run) -> dict[str, dict[str, float]]:
    """Return the mixes to validate: the proposal, the baselines and the user's references."""
    (unit,) = run.of("propose")
    run.manifest(unit)
    proposal = run.store.read_json(unit.ref, "proposal.json")
    return {"proposal": proposal["weights"], **proposal["baselines"]}


def train_units(run: Run) -> list[Unit]:
    """One unit per mix and fresh seed."""
    plan = swarm_of(run)
    proxy = run.config.proxy.without_curve
    return [
        train_unit(run, f"{name}-s{i}", weights, FIRST_BLOCK + i, plan, proxy)
        for i in range(run.config.validation.seeds)
        for name, weights in mixes_of(run).items()
    ]


def check(run: Run) -> None:
    check_pairs(run, "proof", "s", run.config.validation.seeds)


def score_units(run: Run) -> list[Unit]:
    """Confirm items of every task, for every proxy of the proof."""
    return [unit for proxy in trained(run, run.of("proof")) for unit in score_units_of(run, proxy, "confirm")]


def validate_units(run: Run) -> list[Unit]:
    """One unit that judges, and writes mix.json."""
    (proposal,) = run.of("propose")
    inputs = {"propose": proposal.ref}
    inputs |= {f"score|{unit.name}": unit.ref for unit in [*run.of("confirm"), *run.of("reconfirm")]}
    args: dict[str, Any] = {
        "mixes": list(mixes_of(run)),
        "seeds": run.config.validation.seeds,
        "tasks": task_names(run.config),
    }
    if lost := failed_units(run, [*run.of("proof"), *run.of("transfer")]):
        args["failed"] = lost
    asked, larger = run.config.validation.transfer, larger_proxy(run)
    if asked and larger:
        args["transfer"] = {"preset": larger.preset, "tokens": larger.tokens, "seeds": asked.seeds}
    return [Unit("validate", "proof", VALIDATE_VERSION, args, inputs)]


def validate(job: Job) -> dict[str, Any]:
    """Write `mix.json` and `verdict.txt`."""
    proposal = json.loads((job.inputs["propose"] / "proposal.json").read_text())
    lost = job.args.get("failed", {})
    seeds = whole_seeds(lost, "s", job.args["seeds"])
    result, measured = judged(job, proposal, job.args["mixes"], job.args["tasks"], seeds, "s")
    headline = headline_of(result.headline, proposal["successor"])
    mix = {
        "weights": proposal["weights"],
        "baselines": proposal["baselines"],
        "predicted": proposal["predicted"],
        "measured": measured,
        "transfer": transferred(job, proposal, result),
        "headline": headline,
        "successor": proposal["successor"],
        "uncertainty": {
            "interval": proposal["interval"],
            "regret": proposal["regret"],
            "pooled_sd": result.sd,
            "freedom": result.freedom,
            "kl": proposal["kl"],
        },
        "repetition": proposal["repetition"],
        "objective": proposal["objective"],
        "best_observed_run": proposal["best_observed"]["run"],
        "pareto": proposal["pareto"],
        "binding": proposal["binding"],
        "recipe": proposal["recipe"],
        "worth": proposal["worth"],
        "optimum": proposal["optimum"],
        "warnings": [
            *proposal["warnings"],
            *left_out(lost, _proxies(job), "the proof, with all others on their seeds"),
        ],
    }
    write_json(job.out / "mix.json", mix)
    (job.out / "verdict.txt").write_text(headline + "\n", encoding="utf-8")
    return {"headline": headline}


def _proxies(job: Job) -> int:
    """Return how many proxies the proof trained, and the larger ones."""
    transfer = job.args["transfer"]["seeds"] if "transfer" in job.args else 0
    return len(job.args["mixes"]) * (job.args["seeds"] + transfer)


def headline_of(found: str, successor: dict[str, Any] | None) -> str:
    """Return the first line of a report: what was proven, and first that other evals would now ask for another mix."""
    if successor is None:
        return found
    gain = f"{successor['gain']:.4f} (SE {successor['se']:.4f})"
    return (
        f"The evals moved the best mix: another is predicted, not proven, to gain {gain} over this proposal; "
        f"`validate: {{retrain: true}}` trains its proof. Of this one: {found}"
    )

"""Stage `design` round by round: the first knows nothing, later ones put runs where they teach most about the optimum.

A later round reads what all runs before it measured, so design, train and score take turns. Its mixes are pinned: other
evals, or another objective, would choose other mixes, but never throw away proxies that are trained; one more round
asks anew.
"""

from __future__ import annotations

import json
from typing import Any

from pipeline import swarm
from pipeline.grow import runs_per_block
from pipeline.reuse import beside_earlier
from pipeline.run import Run
from pipeline.store import write_json
from pipeline.tasks import task_names, with_accuracies
from pipeline.units import Job, Unit

ROUND_VERSION = 2


def design_units(run: Run) -> list[Unit]:
    """The first round's unit; on every later walk the next round's beside those before it."""
    known = run.units.get("design", [])
    if not known:
        return [beside_earlier(run, unit) for unit in swarm.design_units(run)]
    if swarm.swarm_of(run)["settled"]:
        return known
    sizes, number = run.config.swarm.sizes, len(known)
    question = {
        "design": known[0].ref,
        "round": number,
        "sizes": sizes[: number + 1],
        "tolerance": run.config.swarm.tolerance,
        "blocks": run.config.swarm.blocks,
        **run.config.domain_origins(),
        "propose": run.config.propose.model_dump(mode="json", exclude={"recipe"}),  # which is no way to choose runs
        "target_tokens": run.config.target.tokens,
        "proxy": [run.preset, run.config.proxy.identity],
        "seed": run.config.seed,
    }
    asked = {
        "tasks": task_names(run.config),
        "fit": run.config.fit.model_dump(mode="json"),
        "objective": run.config.objective.model_dump(mode="json"),
    }
    inputs = {"design": known[-1].ref, **swarm.measured_inputs(run)}
    unit = Unit("design", f"round-{number + 1}", ROUND_VERSION, {**question, **asked}, inputs, pinned_by=question)
    return [*known, run.pinned(unit)]


def design(job: Job) -> dict[str, Any]:
    """Write `swarm.json`: the first round's, or the one before with this round's mixes behind its own."""
    return later_round(job) if "round" in job.args else swarm.design(job)


def later_round(job: Job) -> dict[str, Any]:
    """Choose the next mixes; none where the best guess is expected to lose less than the tolerance."""
    from pipeline.mixture.face import on_face, without
    from pipeline.mixture.objective import maximised_tasks
    from pipeline.mixture.rounds import next_mixes
    from pipeline.mixture.selection import choose
    from pipeline.mixture.surface import surface
    from pipeline.mixture.table import join
    from pipeline.proposal import collapsed, frozen_of, mix_of, objective_of, tables_of

    plan = json.loads((job.inputs["design"] / "swarm.json").read_text())
    whole, frozen, gone = frozen_of(plan), frozen_of({**plan, "gone": []}), len(plan["gone"])
    table = collapsed(join(*tables_of(job, plan)), whole)
    wanted = job.args["fit"]
    asked = with_accuracies(job.args["objective"], table.tasks)
    raised = maximised_tasks(asked["maximise"], table.tasks)
    fits = choose(table, seed=job.args["seed"], laws=wanted["laws"], force=wanted["law"], maximise=raised)
    objective = objective_of(table, whole.collapse(mix_of(plan, "natural")), asked, fits)
    domains = swarm.domains_of(job.args["domains"], plan["tokens"], job.args.get("buckets", ()))
    found = next_mixes(
        surface(table, on_face(fits, gone), objective),
        without(table.weights, gone)[0],
        frozen.limits(swarm.limits_of(domains, job.args["propose"], job.args["target_tokens"], frozen.shares)),
        job.args["sizes"][-1],
        seed=job.args["seed"] + job.args["round"],
    )
    settled = found.regret <= job.args["tolerance"]
    filled = runs_per_block(plan, job.args["blocks"])
    prefix = f"grown{plan['grown']}-" if plan["grown"] else ""  # the earlier design has rounds of its own
    for i, weights in enumerate([] if settled else found.mixes):
        block = filled.index(min(filled))
        filled[block] += 1
        name = f"{prefix}round{job.args['round'] + 1}-{i:03d}"
        shares = zip(plan["domains"], (round(float(weight), 12) for weight in frozen.expand(weights)), strict=True)
        plan["mixes"].append({"run": f"{name}-b{block}", "mix": name, "block": block, "weights": dict(shares)})
    write_json(job.out / "swarm.json", {**plan, "settled": settled})
    return {"runs": len(plan["mixes"]), "expected_regret": found.regret, "settled": settled}

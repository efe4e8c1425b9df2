"""Stage `laws`: for every task the law to believe, by cross-validation on the swarm.

One unit a task, which reads that task's scores alone: an eval that is added has its own law chosen and no other.
"""

from __future__ import annotations

import json
from typing import Any

from pipeline.config import Fit, Propose
from pipeline.run import Run
from pipeline.store import write_json
from pipeline.swarm import measured_inputs, swarm_of
from pipeline.tasks import requests_of, task_names, with_accuracies
from pipeline.units import Job, Unit

LAW_VERSION = 5
UNIT_VERSION = 2
"""Of what a unit writes beside the law."""


def law_version(maximised: bool) -> int:
    """Return the version of a law; what is better when higher was once fitted and judged as if it were a loss."""
    return LAW_VERSION + maximised


def units(run: Run) -> list[Unit]:
    """One unit per task, over all proxies and their scores on the requests of the task."""
    from pipeline.mixture.objective import maximised_tasks

    design = run.of("design")[-1]
    swarm_of(run)
    measured = measured_inputs(run)
    tasks = task_names(run.config)
    objective = with_accuracies(run.config.objective.model_dump(mode="json"), tasks)
    raised = maximised_tasks(objective["maximise"], tasks)
    units = []
    for task in tasks:
        scored = f"|{requests_of(task)}"
        inputs = {role: ref for role, ref in measured.items() if role.startswith("train|") or role.endswith(scored)}
        args = {
            "tasks": [task],
            "fit": laws_asked(run.config.fit, run.config.propose),
            "maximise": task in raised,
            "seed": run.config.seed,
        }
        units.append(
            Unit("laws", task, 10 * UNIT_VERSION + law_version(task in raised), args, {"design": design.ref, **inputs})
        )
    return units


def laws_asked(fit: Fit, propose: Propose) -> dict[str, Any]:
    """Return the `fit` section; a recipe forces its law and is compared with the linear one alone."""
    from pipeline.mixture.recipes import RECIPES

    if propose.recipe is None:
        return fit.model_dump(mode="json")
    law = RECIPES[propose.recipe].law
    return {"laws": ["linear", law], "law": law}


def work(job: Job) -> dict[str, Any]:
    """Write `law.json`: the law chosen for the task, the factor on its SDs, and the scores of every law tried; and
    `form.json`: that law, fitted, as the report computes it (`pipeline.mixture.compact`)."""
    from pipeline.mixture.compact import form_record
    from pipeline.mixture.selection import choose
    from pipeline.mixture.table import join
    from pipeline.proposal import collapsed, frozen_of, tables_of

    design = json.loads((job.inputs["design"] / "swarm.json").read_text())
    swarm = collapsed(join(*tables_of(job, design)), frozen_of(design))
    (found,) = choose(
        swarm,
        seed=job.args["seed"],
        laws=job.args["fit"]["laws"],
        force=job.args["fit"]["law"],
        maximise=job.args["tasks"] if job.args["maximise"] else (),
    )
    scores = [score.to_json(swarm.runs) for score in found.scores]
    write_json(job.out / "law.json", {"law": found.law, "scale": found.scale, "scores": scores})
    write_json(job.out / "form.json", form_record(found.model, found.scale, swarm.weights))
    return {"law": found.law}

"""Stages `fit` and `propose`: from the swarm's weights and scores to laws, and from laws to a mix."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.failures import left_out, lost_runs
from pipeline.grow import used
from pipeline.proven import beside_proven
from pipeline.records import proposal_record, task_record, vector
from pipeline.run import Run
from pipeline.store import write_json
from pipeline.swarm import domains_of, limits_of, measured_inputs, swarm_of
from pipeline.tables import read_table, write_table
from pipeline.tasks import measured_value, task_names, with_accuracies
from pipeline.units import Job, Unit

FIT_VERSION = 6
PROPOSE_VERSION = 11


# fit


def fit_units(run: Run) -> list[Unit]:
    """One unit over all proxies, their scores and the law of every task."""
    design = run.of("design")[-1]
    swarm_of(run)
    laws = {f"law|{unit.name}": unit.ref for unit in run.of("laws")}
    args = {
        "tasks": task_names(run.config),
        "objective": run.config.objective.model_dump(mode="json", exclude={"no_worse_than"}),
    }
    return [Unit("fit", "laws", FIT_VERSION, args, {"design": design.ref, **measured_inputs(run), **laws})]


def fit(job: Job) -> dict[str, Any]:
    """Write `ratios.csv`, `metrics.csv`, `blocks.json` and `fit.json` (laws and out-of-fold errors per task)."""
    from pipeline.mixture.objective import maximised_tasks

    design = json.loads((job.inputs["design"] / "swarm.json").read_text())
    ratios, metrics, blocks = tables_of(job, design)
    write_table(job.out / "ratios.csv", ratios)
    write_table(job.out / "metrics.csv", metrics)
    write_json(job.out / "blocks.json", blocks)
    frozen = frozen_of(design)
    swarm = collapsed(read_swarm(job.out), frozen)
    asked = with_accuracies(job.args["objective"], swarm.tasks)
    raised = maximised_tasks(asked["maximise"], swarm.tasks)
    chosen = {task: json.loads((job.inputs[f"law|{task}"] / "law.json").read_text()) for task in swarm.tasks}
    fits = [task_fit(swarm, t, chosen[task], task in raised) for t, task in enumerate(swarm.tasks)]
    objective = objective_of(swarm, frozen.collapse(mix_of(design, "natural")), asked, fits)
    prior = frozen.collapse(mix_of(design, "prior"))
    tasks = {each.task: task_record(swarm, t, each, objective, prior, by_run=True) for t, each in enumerate(fits)}
    lost = left_out(lost_runs(job, design), len(design["mixes"]), "the fit")
    write_json(job.out / "fit.json", {"tasks": tasks, "notes": [*objective.notes, *lost, *notes_of(design)]})
    return {"runs": len(swarm.runs), "laws": {each.task: each.law for each in fits}}


def notes_of(design: Mapping[str, Any]) -> list[str]:
    """Return what a reader of the fit has to know of runs with domains that are no longer on offer."""
    gone = design["gone"]
    if not gone:
        return []
    runs = sum(bool(used(mix) & set(gone)) for mix in design["mixes"])
    return [f"{runs} runs have {', '.join(gone)}, no longer on offer: the laws know them, no proposed mix has any"]


def tables_of(
    job: Job, design: Mapping[str, Any]
) -> tuple[dict[str, dict[str, float]], dict[str, dict[str, float]], dict[str, int]]:
    """Return realised weights, metrics and seed blocks by run, from what training and scoring counted.

    Proxies that diverged are left out.
    """
    lost = lost_runs(job, design)
    blocks = {mix["run"]: mix["block"] for mix in design["mixes"] if mix["run"] not in lost}
    ratios = {run: realised_weights(job.counts(f"train|{run}")["realised"], design) for run in blocks}
    metrics = {run: {task: measured_value(job, run, task) for task in job.args["tasks"]} for run in blocks}
    return ratios, metrics, blocks


def realised_weights(realised: Mapping[str, float], design: Mapping[str, Any]) -> dict[str, float]:
    """Turn shares of the proxy's own tokens into weights: shares of target tokens, for every domain of the swarm."""
    target = {name: realised.get(name, 0.0) / design["own_per_target"][name] for name in swarm_domains(design)}
    total = sum(target.values())
    return {name: value / total for name, value in target.items()}


def swarm_domains(design: Mapping[str, Any]) -> tuple[str, ...]:
    """Return all domains that the swarm's mixes have: those on offer, then those that are there no more."""
    return (*design["domains"], *design["gone"])


def read_swarm(folder: Path) -> Any:
    """Return the swarm of a fit artefact, joined by run id."""
    from pipeline.mixture.table import join

    blocks = json.loads((folder / "blocks.json").read_text())
    return join(read_table(folder / "ratios.csv"), read_table(folder / "metrics.csv"), blocks)


def frozen_of(design: Mapping[str, Any]) -> Any:
    """Return the groups whose ratios the design holds, over the swarm's domains; laws know only totals."""
    from pipeline.mixture.freeze import freeze

    return freeze(domains_of({name: name for name in swarm_domains(design)}, design["tokens"]), design["freeze"])


def collapsed(swarm: Any, frozen: Any) -> Any:
    """Return the swarm over the totals of frozen groups and the domains that are free."""
    names = tuple(domain.name for domain in frozen.domains)
    return replace(swarm, domains=names, weights=frozen.collapse(swarm.weights))


def mix_of(design: Mapping[str, Any], name: str) -> np.ndarray:
    """Return `natural`, `uniform` or `prior` of a design, over all domains of the swarm (d,)."""
    return vector(design[name], swarm_domains(design))


def objective_of(swarm: Any, natural: np.ndarray, options: Mapping[str, Any], fits: Any = None) -> Any:
    """Return the objective that the `objective` section asks for; natural: (d,), predicted if no run is it."""
    from pipeline.mixture.objective import build

    return build(
        swarm,
        natural,
        weights={**options["families"], **options["tasks"]},
        force=options["force"],
        maximise=options["maximise"],
        predicted=None if fits is None else np.array([float(each.model.predict(natural[None])[0]) for each in fits]),
    )


# propose


def propose_units(run: Run) -> list[Unit]:
    """One unit: the mix that the laws think best, under the caps."""
    (fitted,) = run.of("fit")
    design = run.of("design")[-1]
    args = {
        **run.config.domain_origins(),
        "objective": run.config.objective.model_dump(mode="json"),
        "propose": run.config.propose.model_dump(mode="json"),
        "references": run.config.references,
        "variants": [name for name in run.config.domain_names() if name in run.config.rewrite],
        "target_tokens": run.config.target.tokens,
        "seed": run.config.seed,
    }
    unit = Unit("propose", "mix", PROPOSE_VERSION, args, {"fit": fitted.ref, "design": design.ref})
    return [beside_proven(run, unit)]


def propose(job: Job) -> dict[str, Any]:
    """Write `proposal.json`: the proposal, its interval per weight, and what is predicted for it and every baseline."""
    from pipeline.mixture.face import on_face
    from pipeline.mixture.objective import maximised_tasks
    from pipeline.mixture.proposer import propose as solve
    from pipeline.mixture.recipes import RECIPES

    design = json.loads((job.inputs["design"] / "swarm.json").read_text())
    whole = frozen_of(design)
    swarm = collapsed(read_swarm(job.inputs["fit"]), whole)
    chosen = json.loads((job.inputs["fit"] / "fit.json").read_text())["tasks"]
    asked = with_accuracies(job.args["objective"], swarm.tasks)
    raised = maximised_tasks(asked["maximise"], swarm.tasks)
    fits = [task_fit(swarm, t, chosen[task], task in raised) for t, task in enumerate(swarm.tasks)]
    objective = objective_of(swarm, whole.collapse(mix_of(design, "natural")), asked, fits)
    # from here on only what is on offer
    frozen = frozen_of({**design, "gone": []})
    names, gone = tuple(design["domains"]), len(design["gone"])
    origins = {name: job.args["domains"][name] for name in names}
    domains = domains_of(origins, design["tokens"], job.args.get("buckets", ()))
    options = job.args["propose"]
    earlier = json.loads((job.inputs["proven"] / "proposal.json").read_text()) if "proven" in job.inputs else None
    given = {"natural": design["natural"], "uniform": design["uniform"], **job.args["references"]}
    baselines = {name: vector(weights, names) for name, weights in given.items()}
    proposal = solve(
        swarm,
        fits,
        objective,
        frozen.limits(limits_of(domains, options, job.args["target_tokens"], frozen.shares)),
        frozen.collapse(vector(design["prior"], names)),
        baselines={name: frozen.collapse(weights) for name, weights in baselines.items()},
        seed=job.args["seed"],
        kl_strength=options["kl"],
        extrapolate=options["extrapolate"],
        recipe=RECIPES[options["recipe"]] if options["recipe"] else None,
        proven=as_proven(earlier, names, frozen) if earlier else None,
        no_worse_than=job.args["objective"]["no_worse_than"],
        gone=gone,
        variants={each.name: origins[each.name] for each in frozen.domains if each.name in job.args["variants"]},
    )

    record = proposal_record(
        proposal,
        on_face(fits, gone),
        objective,
        domains,
        job.args["target_tokens"],
        freeze=frozen,
        as_given=baselines,
        proven=earlier["weights"] if earlier else None,
    )
    write_json(job.out / "proposal.json", {**record, "recipe": options["recipe"]})
    return {"predicted": proposal.predicted, "warnings": len(proposal.warnings)}


def as_proven(earlier: Mapping[str, Any], domains: tuple[str, ...], frozen: Any) -> Any:
    """Return the proposal that an earlier run proved, from its proposal.json."""
    from pipeline.mixture.proposer import Proven

    return Proven(
        weights=frozen.collapse(vector(earlier["weights"], domains)),
        kl_strength=float(earlier["kl"]["strength"]),
        best_observed=earlier["best_observed"]["run"],
    )


def task_fit(swarm: Any, task: int, chosen: Mapping[str, Any], maximised: bool) -> Any:
    """Return the law that `fit` chose for a task, fitted again on all runs, with its out-of-fold predictions."""
    from pipeline.mixture.selection import Score, TaskFit

    scores = tuple(Score.from_json(score, swarm.runs) for score in chosen["scores"])
    law = next(score for score in scores if score.law == chosen["law"])
    model = law.unfitted(maximised).fit(swarm.weights, swarm.values[:, task], swarm.blocks)
    return TaskFit(swarm.tasks[task], law.law, model, scores, chosen["scale"])

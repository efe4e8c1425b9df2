"""Stages `fit` and `propose`: from the swarm's weights and scores to laws, and from laws to a mix."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.proven import beside_proven
from pipeline.run import Run
from pipeline.store import write_json
from pipeline.swarm import domains_of, limits_of, swarm_of
from pipeline.units import Job, Unit

FIT_VERSION = 2
PROPOSE_VERSION = 3


# fit


def fit_units(run: Run) -> list[Unit]:
    """One unit over all proxies and their scores."""
    (design,) = run.of("design")
    swarm_of(run)
    inputs = {"design": design.ref}
    inputs |= {f"train|{unit.name}": unit.ref for unit in run.of("train")}
    inputs |= {f"score|{unit.name}": unit.ref for unit in run.of("score")}
    args = {
        "tasks": [unit.name for unit in run.of("requests")],
        "fit": run.config.fit.model_dump(mode="json"),
        "objective": run.config.objective.model_dump(mode="json"),
        "seed": run.config.seed,
    }
    return [Unit("fit", "laws", FIT_VERSION, args, inputs)]


def fit(job: Job) -> dict[str, Any]:
    """Write `ratios.csv`, `metrics.csv`, `blocks.json` and `fit.json` (laws and out-of-fold errors per task)."""
    from pipeline.mixture.selection import choose

    design = json.loads((job.inputs["design"] / "swarm.json").read_text())
    runs = {mix["run"]: mix["block"] for mix in design["mixes"]}
    ratios = {run: realised_weights(job.counts(f"train|{run}")["realised"], design) for run in runs}
    metrics = {run: {task: job.counts(f"score|{run}|{task}")["bpb"] for task in job.args["tasks"]} for run in runs}
    write_table(job.out / "ratios.csv", ratios)
    write_table(job.out / "metrics.csv", metrics)
    write_json(job.out / "blocks.json", runs)
    swarm = read_swarm(job.out)
    fits = choose(swarm, seed=job.args["seed"], laws=job.args["fit"]["laws"], force=job.args["fit"]["law"])
    objective = objective_of(swarm, design, job.args["objective"])
    prior = vector(design["prior"], swarm.domains)
    tasks = {}
    for t, each in enumerate(fits):
        signal = objective.signals[t]
        tasks[each.task] = {
            "law": each.law,
            "weight": float(objective.weights[t]),
            "mixture_sd": signal.mixture_sd,
            "seed_sd": signal.seed_sd if math.isfinite(signal.seed_sd) else None,
            "noisy": signal.noisy,
            "measured": dict(zip(swarm.runs, swarm.values[:, t].tolist(), strict=True)),
            "scale": each.scale,
            "scores": [score.to_json(swarm.runs) for score in each.scores],
            "contrasts": contrasts_of(swarm, t, prior),
        }
    write_json(job.out / "fit.json", {"tasks": tasks, "notes": list(objective.notes)})
    return {"runs": len(swarm.runs), "laws": {each.task: each.law for each in fits}}


def realised_weights(realised: Mapping[str, float], design: Mapping[str, Any]) -> dict[str, float]:
    """Turn shares of the proxy's own tokens into weights: shares of target tokens, for every domain of the design."""
    target = {name: realised.get(name, 0.0) / design["own_per_target"][name] for name in design["domains"]}
    total = sum(target.values())
    return {name: value / total for name, value in target.items()}


def contrasts_of(swarm: Any, task: int, prior: np.ndarray) -> list[dict[str, Any]]:
    """Return the linear law's coefficients as contrasts to the prior, with 95 % intervals."""
    from pipeline.mixture.laws.linear import Linear

    law = Linear().fit(swarm.weights, swarm.values[:, task], swarm.blocks)
    return [
        {"domain": each.domain, "effect": each.effect, "low": each.low, "high": each.high, "p_value": each.p_value}
        for each in law.contrasts(swarm.domains, prior)
    ]


def write_table(path: Path, rows: Mapping[str, Mapping[str, float]]) -> None:
    """Write run → column → value as CSV with the column `run` first."""
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        columns = list(next(iter(rows.values())))
        writer.writerow(["run", *columns])
        for run, row in rows.items():
            writer.writerow([run, *(repr(float(row[column])) for column in columns)])


def read_table(path: Path) -> dict[str, dict[str, float]]:
    """Read what `write_table` wrote."""
    with open(path, newline="", encoding="utf-8") as file:
        return {row.pop("run"): {k: float(v) for k, v in row.items()} for row in csv.DictReader(file)}


def read_swarm(folder: Path) -> Any:
    """Return the swarm of a fit artefact, joined by run id."""
    from pipeline.mixture.table import join

    blocks = json.loads((folder / "blocks.json").read_text())
    return join(read_table(folder / "ratios.csv"), read_table(folder / "metrics.csv"), blocks)


def vector(weights: Mapping[str, float], domains: tuple[str, ...]) -> np.ndarray:
    """Return weights (d,) in the order of the domains; absent ones are 0."""
    return np.array([weights.get(domain, 0.0) for domain in domains])


def objective_of(swarm: Any, design: Mapping[str, Any], options: Mapping[str, Any]) -> Any:
    from pipeline.mixture.objective import build

    weights = {**options["families"], **options["tasks"]}
    return build(swarm, vector(design["natural"], swarm.domains), weights=weights, force=options["force"])


# propose


def propose_units(run: Run) -> list[Unit]:
    """One unit: the mix that the laws think best, under the caps."""
    (fitted,) = run.of("fit")
    (design,) = run.of("design")
    args = {
        "domains": {name: run.config.origin(name) for name in run.config.domain_names()},
        "objective": run.config.objective.model_dump(mode="json"),
        "propose": run.config.propose.model_dump(mode="json"),
        "references": run.config.references,
        "target_tokens": run.config.target.tokens,
        "seed": run.config.seed,
    }
    unit = Unit("propose", "mix", PROPOSE_VERSION, args, {"fit": fitted.ref, "design": design.ref})
    return [beside_proven(run, unit)]


def propose(job: Job) -> dict[str, Any]:
    """Write `proposal.json`: the proposal, its interval per weight, and what is predicted for it and every baseline."""
    from pipeline.mixture.proposer import propose as solve
    from pipeline.mixture.spaces import repetition

    design = json.loads((job.inputs["design"] / "swarm.json").read_text())
    swarm = read_swarm(job.inputs["fit"])
    chosen = json.loads((job.inputs["fit"] / "fit.json").read_text())["tasks"]
    fits = [task_fit(swarm, t, chosen[task]) for t, task in enumerate(swarm.tasks)]
    objective = objective_of(swarm, design, job.args["objective"])
    domains = domains_of({name: job.args["domains"][name] for name in swarm.domains}, design["tokens"])
    options = job.args["propose"]
    earlier = json.loads((job.inputs["proven"] / "proposal.json").read_text()) if "proven" in job.inputs else None
    baselines = {"natural": design["natural"], "uniform": design["uniform"], **job.args["references"]}
    proposal = solve(
        swarm,
        fits,
        objective,
        limits_of(domains, options, job.args["target_tokens"]),
        vector(design["prior"], swarm.domains),
        baselines={name: vector(weights, swarm.domains) for name, weights in baselines.items()},
        seed=job.args["seed"],
        kl_strength=options["kl"],
        extrapolate=options["extrapolate"],
        proven=as_proven(earlier, swarm.domains) if earlier else None,
    )

    def named(values: np.ndarray) -> dict[str, float]:
        return {name: round(float(value), 9) for name, value in zip(swarm.domains, values, strict=True)}

    # a proven mix keeps every bit, or its proxies would have other keys
    weights = earlier["weights"] if earlier else normalised(named(proposal.weights))
    mixes = {"proposal": weights, **{name: named(each.weights) for name, each in proposal.baselines.items()}}
    write_json(
        job.out / "proposal.json",
        {
            "weights": weights,
            "interval": {"low": named(proposal.low), "high": named(proposal.high)},
            "optimum": named(proposal.optimum),
            "predicted": {
                "proposal": {"objective": proposal.predicted, "tasks": predicted_tasks(fits, proposal.weights)},
                **{
                    name: {
                        "objective": each.predicted,
                        "gain": each.gain,
                        "se": each.se,
                        "tasks": predicted_tasks(fits, each.weights),
                    }
                    for name, each in proposal.baselines.items()
                },
            },
            "baselines": {name: normalised(named(each.weights)) for name, each in proposal.baselines.items()},
            "best_observed": {"run": proposal.best_observed.run, "measured": proposal.best_observed.measured},
            "repetition": {
                name: repetition(domains, vector(each, swarm.domains), job.args["target_tokens"])
                for name, each in mixes.items()
            },
            "objective": {
                "weights": dict(zip(objective.tasks, objective.weights.tolist(), strict=True)),
                "reference": dict(zip(objective.tasks, objective.reference.tolist(), strict=True)),
            },
            "kl": {"nats": proposal.kl, "strength": finite(proposal.kl_strength)},
            "successor": successor_of(proposal, named),
            "binding": list(proposal.binding),
            "warnings": list(proposal.warnings),
        },
    )
    return {"predicted": proposal.predicted, "warnings": len(proposal.warnings)}


def as_proven(earlier: Mapping[str, Any], domains: tuple[str, ...]) -> Any:
    """Return the proposal that an earlier run proved, from its proposal.json."""
    from pipeline.mixture.proposer import Proven

    return Proven(
        weights=vector(earlier["weights"], domains),
        kl_strength=float(earlier["kl"]["strength"]),
        best_observed=earlier["best_observed"]["run"],
    )


def successor_of(proposal: Any, named: Any) -> dict[str, Any] | None:
    """Return the mix that the evals as they are now would propose in place of the proven one, if it is better."""
    if proposal.successor is None:
        return None
    each = proposal.successor
    return {"weights": normalised(named(each.weights)), "predicted": each.predicted, "gain": each.gain, "se": each.se}


def task_fit(swarm: Any, task: int, chosen: Mapping[str, Any]) -> Any:
    """Return the law that `fit` chose for a task, fitted again on all runs, with its out-of-fold predictions."""
    from pipeline.mixture.selection import Score, TaskFit

    scores = tuple(Score.from_json(score, swarm.runs) for score in chosen["scores"])
    law = next(score for score in scores if score.law == chosen["law"])
    model = law.unfitted().fit(swarm.weights, swarm.values[:, task], swarm.blocks)
    return TaskFit(swarm.tasks[task], law.law, model, scores, chosen["scale"])


def predicted_tasks(fits: list[Any], weights: np.ndarray) -> dict[str, float]:
    """Return every task's predicted value for one mix."""
    return {each.task: float(each.model.predict(weights[None])[0]) for each in fits}


def normalised(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights that are 0 or more and sum to 1 after rounding."""
    positive = {name: max(0.0, weight) for name, weight in weights.items()}
    total = sum(positive.values())
    return {name: weight / total for name, weight in positive.items()}


def finite(value: float) -> float | str:
    """Return a number that JSON can hold: infinity becomes the text `inf`."""
    return value if math.isfinite(value) else "inf"

"""What `fit` and `propose` write as JSON: plain dicts by name, from the mixture's arrays by place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pipeline.mixture.freeze import Freeze
    from pipeline.mixture.objective import Objective
    from pipeline.mixture.pareto import Estimate
    from pipeline.mixture.proposer import Proposal
    from pipeline.mixture.selection import TaskFit
    from pipeline.mixture.spaces import Domain
    from pipeline.mixture.table import Swarm


def task_record(
    swarm: Swarm, task: int, fit: TaskFit, objective: Objective, prior: np.ndarray, *, by_run: bool
) -> dict[str, Any]:
    """Return a task's entry of fit.json: its law, the scores of all laws, signal and noise, linear contrasts.

    `by_run` adds what every run measured and what each law predicted for it out of fold.
    """
    signal = objective.signals[task]
    scores = [score.to_json(swarm.runs) for score in fit.scores]
    record = {
        "law": fit.law,
        "scale": fit.scale,
        "weight": float(objective.weights[task]),
        "mixture_sd": signal.mixture_sd,
        "seed_sd": signal.seed_sd if math.isfinite(signal.seed_sd) else None,
        "noisy": signal.noisy,
        "scores": scores,
        "contrasts": contrasts_of(swarm, task, prior),
    }
    if by_run:
        record["measured"] = dict(zip(swarm.runs, swarm.values[:, task].tolist(), strict=True))
    else:
        for each in scores:
            del each["predicted"], each["std"]
    return record


def contrasts_of(swarm: Swarm, task: int, prior: np.ndarray) -> list[dict[str, Any]]:
    """Return the linear law's coefficients as contrasts to the prior, with 95 % intervals."""
    from pipeline.mixture.laws.linear import Linear

    law = Linear().fit(swarm.weights, swarm.values[:, task], swarm.blocks)
    return [
        {"domain": each.domain, "effect": each.effect, "low": each.low, "high": each.high, "p_value": each.p_value}
        for each in law.contrasts(swarm.domains, prior)
    ]


def proposal_record(
    proposal: Proposal,
    fits: Sequence[TaskFit],
    objective: Objective,
    domains: Sequence[Domain],
    target_tokens: float | None,
    *,
    freeze: Freeze,
    as_given: Mapping[str, np.ndarray],
    proven: Mapping[str, float] | None = None,
) -> dict[str, Any]:
    """Return proposal.json: the proposal, its interval per weight, what is predicted for it and for every baseline.

    `freeze` brings the proposal's weights back to all `domains`; `as_given`: the baselines over these, whatever ratios
    they hold. `target_tokens` None leaves `repetition` empty. `proven`: the weights of a proven proposal, which keep
    every bit, or its proxies would have other keys.
    """
    from pipeline.mixture.spaces import repetition

    names = tuple(domain.name for domain in domains)

    def by_name(values: np.ndarray) -> dict[str, float]:
        return {name: round(float(value), 9) for name, value in zip(names, values, strict=True)}

    def named(values: np.ndarray) -> dict[str, float]:
        return by_name(freeze.expand(values))

    weights = dict(proven) if proven else normalised(named(proposal.weights))
    baselines = {name: by_name(each) for name, each in as_given.items()}
    baselines["best_observed"] = named(proposal.best_observed.weights)
    epochs = {} if target_tokens is None else {"proposal": weights, **baselines}
    later = proposal.successor
    return {
        "weights": weights,
        "interval": {"low": named(proposal.low), "high": named(proposal.high)},
        "optimum": named(proposal.optimum),
        "predicted": {
            "proposal": {
                "objective": proposal.predicted,
                "tasks": predicted_tasks(fits, proposal.weights),
                "families": estimates(proposal.families["proposal"]),
            },
            **{
                name: {
                    "objective": each.predicted,
                    "gain": each.gain,
                    "se": each.se,
                    "probability": each.probability,
                    "tasks": predicted_tasks(fits, each.weights),
                    "families": estimates(proposal.families[name]),
                }
                for name, each in proposal.baselines.items()
            },
        },
        "baselines": {name: normalised(each) for name, each in baselines.items()},
        "best_observed": {"run": proposal.best_observed.run, "measured": proposal.best_observed.measured},
        "repetition": {
            name: repetition(domains, vector(each, names), target_tokens or 0.0) for name, each in epochs.items()
        },
        "objective": {
            "weights": dict(zip(objective.tasks, objective.weights.tolist(), strict=True)),
            "reference": dict(zip(objective.tasks, objective.reference.tolist(), strict=True)),
            "maximise": list(objective.maximised),
        },
        "pareto": [
            {
                "family_weights": each.family_weights,
                "weights": normalised(named(each.weights)),
                "families": estimates(each.families),
            }
            for each in proposal.front
        ],
        # what each rewritten variant adds: the proposal beside the mix with a part of its share given back to raw text
        "worth": {
            name: {
                "part": each.part,
                "gain": each.gain,
                "se": each.se,
                "covered": each.covered,
                "without": normalised(named(each.weights)),
            }
            for name, each in proposal.worths.items()
        },
        "kl": {"nats": finite(proposal.kl), "strength": finite(proposal.kl_strength)},
        # the mix that the evals as they are now would propose in place of the proven one, if it is better
        "successor": {
            "weights": normalised(named(later.weights)),
            "predicted": later.predicted,
            "gain": later.gain,
            "se": later.se,
        }
        if later
        else None,
        "binding": list(proposal.binding),
        "regret": proposal.regret,
        "warnings": [*proposal.warnings, *unfrozen(as_given, freeze)],
    }


def unfrozen(baselines: Mapping[str, np.ndarray], freeze: Freeze) -> list[str]:
    """Return a warning for every baseline that does not hold the frozen ratios, which the laws cannot see."""
    return [
        f"{name} does not hold the frozen ratios: it is predicted as if it did, and measured as it is"
        for name, weights in baselines.items()
        if np.abs(freeze.expand(freeze.collapse(weights)) - weights).max() > 1e-3
    ]


def predicted_tasks(fits: Sequence[TaskFit], weights: np.ndarray) -> dict[str, float]:
    """Return every task's predicted value for one mix."""
    return {each.task: float(each.model.predict(weights[None])[0]) for each in fits}


def estimates(families: Mapping[str, Estimate]) -> dict[str, dict[str, float]]:
    """Return every family's predicted value, relative to natural, and its standard error."""
    return {name: {"predicted": each.predicted, "se": each.se} for name, each in families.items()}


def objective_value(
    objective: Mapping[str, Any], metrics: Mapping[str, float], reference: Mapping[str, float]
) -> float:
    """Return the objective of task → metric, lower is better; objective: as proposal.json states it, `reference`: its
    tasks' values that count as 1."""
    raised = objective["maximise"]
    counted = {task: weight for task, weight in objective["weights"].items() if weight > 0}
    total = sum((-w if task in raised else w) * metrics[task] / reference[task] for task, w in counted.items())
    return total + 2 * sum(w for task, w in counted.items() if task in raised)


def vector(weights: Mapping[str, float], domains: Sequence[str]) -> np.ndarray:
    """Return weights (d,) in the order of the domains; absent ones are 0."""
    return np.array([weights.get(domain, 0.0) for domain in domains])


def normalised(weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights that are 0 or more and sum to 1 after rounding."""
    positive = {name: max(0.0, weight) for name, weight in weights.items()}
    total = sum(positive.values())
    return {name: weight / total for name, weight in positive.items()}


def finite(value: float) -> float | str:
    """Return a number that JSON can hold: infinity becomes the text `inf`."""
    return value if math.isfinite(value) else "inf"

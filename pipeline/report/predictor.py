"""The fitted laws as the page has them, and what their rounding costs.

`mixwright predict` fits the laws again; the report has their numbers (`pipeline.mixture.compact`), some rounded.
What the rounding costs, and how well intervals are interpolated, is measured on other mixes and told in the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.mixture.compact import Form, Smoother, anchors, checks, leaves_of, mean_of
from pipeline.mixture.freeze import Freeze
from pipeline.mixture.table import join
from pipeline.proposal import frozen_of
from pipeline.report.measures import tasks_of

LEAF_STEPS = 32767
ALL_LEAVES = 200_000
"""Leaves of all trees of a page: they take about 2.5 MB."""


@dataclass(frozen=True)
class Laws:
    """The forms as the page has them.

    runs: (n, v) mixes over the v totals that laws know; place: (d,) domain → its total; tasks: t of them, as in
    `forms`; raised: those whose metric is better when higher; factors: (t,) and offset: the objective's; inflation: see
    `Surface`. worst: the largest error of a form, and median and 90 % quantile of an SD's, on `checks` mixes;
    stands_in: forms are of smooth laws where trees would be too many.
    """

    domains: tuple[str, ...]
    place: np.ndarray
    runs: np.ndarray
    tasks: tuple[str, ...]
    raised: frozenset[str]
    forms: tuple[Form, ...]
    smoother: Smoother
    factors: np.ndarray
    offset: float
    inflation: float
    worst: Mapping[str, float]
    stands_in: bool

    def collapse(self, weights: np.ndarray) -> np.ndarray:
        """(m, d) over domains -> (m, v)"""
        virtual = np.zeros((len(weights), self.runs.shape[1]))
        for i, place in enumerate(self.place):
            virtual[:, place] += weights[:, i]
        return virtual

    def means(self, weights: np.ndarray) -> np.ndarray:
        """(m, d) -> (m, t)"""
        virtual = self.collapse(weights)
        return np.stack([mean_of(form, self.runs, virtual) for form in self.forms], axis=1)

    def sds(self, weights: np.ndarray) -> np.ndarray:
        """(m, d) -> (m, t) calibrated SDs of one measurement."""
        return self.smoother.sd(self.collapse(weights))

    def objective(self, means: np.ndarray) -> np.ndarray:
        """(m, t) -> (m,)"""
        return self.offset + means @ self.factors


def laws_of(data: dict[str, Any]) -> Laws:
    """Return the laws of the report's data (see `pipeline.report.collect`)."""
    design, objective = data["swarm"], data["mix"]["objective"]
    frozen = frozen_of(design)
    swarm = join(data["ratios"], data["metrics"])
    runs = frozen.collapse(swarm.weights)
    # as the page has them
    runs = runs.astype(np.float32).astype(float)
    tasks = tuple(tasks_of(data))
    given = affordable([data["forms"][task] for task in tasks])
    forms = tuple(rounded(form) for form in given)
    signs = np.array([-1 if task in objective["maximise"] else 1 for task in tasks])
    weights = np.array([objective["weights"][task] for task in tasks])
    factors = weights * signs / np.array([objective["reference"][task] for task in tasks])
    points = anchors(frozen.collapse(swarm.weights))
    smoother = Smoother.fit(points, np.stack([np.array(form["sds"]) for form in forms], axis=1))
    return Laws(
        domains=tuple(design["domains"]),
        place=places(frozen, design["domains"], swarm.domains),
        runs=runs,
        tasks=tasks,
        raised=frozenset(objective["maximise"]),
        forms=forms,
        smoother=smoother,
        factors=factors,
        offset=float(np.sum(weights * (1 - signs))),
        inflation=inflation(data["fit"]["tasks"], tasks, factors),
        stands_in=given != [data["forms"][task] for task in tasks],
        worst=errors(data, tasks, forms, smoother, runs, checks(frozen.collapse(swarm.weights))),
    )


def affordable(forms: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the forms, or where their trees are too many for a page, what stands in for the largest."""
    if sum(map(leaves_of, forms)) <= ALL_LEAVES:
        return list(forms)
    kept = ("sds", "checked")
    return [{**form["small"], **{key: form[key] for key in kept}} if "small" in form else form for form in forms]


def places(frozen: Freeze, domains: Sequence[str], columns: Sequence[str]) -> np.ndarray:
    """(d,): for each domain on offer the total that laws know it by; columns: all domains of the swarm."""
    return np.array([int(np.argmax(frozen.matrix[:, columns.index(name)] > 0)) for name in domains])


def inflation(tasks: Mapping[str, Any], names: Sequence[str], factors: np.ndarray) -> float:
    """Return the factor on the objective's variance: errors of a run's tasks are correlated (`Surface`)."""
    errors = []
    for name in names:
        task = tasks[name]
        score = next(each for each in task["scores"] if each["law"] == task["law"])
        errors.append([task["measured"][run] - score["predicted"][run] for run in task["measured"]])
    found = np.array(errors).T
    together, apart = float(np.mean((found @ factors) ** 2)), float(np.sum(np.mean(found**2, axis=0) * factors**2))
    return max(1.0, together / apart) if apart > 0 else 1.0


def rounded(form: Mapping[str, Any]) -> Form:
    """Return a form whose numbers the page can hold: bends and pulls in 4 bytes, leaves in 2."""
    trees = form["trees"]
    step = max((abs(value) for tree in trees for value in tree["values"]), default=0.0) / LEAF_STEPS
    single = np.float32
    return {
        **form,
        "slope": np.array(form["slope"]),
        "roots": {power: np.array(each) for power, each in form["roots"].items()},
        "bends": np.array(form["bends"], dtype=single).astype(float),
        "processes": [
            {"inverse": np.array(each["inverse"]), "pulls": np.array(each["pulls"], dtype=single).astype(float)}
            for each in form["processes"]
        ],
        "step": step,
        "trees": [
            {**tree, "values": [step * round(value / step) if step else 0.0 for value in tree["values"]]}
            for tree in trees
        ],
    }


def errors(
    data: Mapping[str, Any],
    tasks: Sequence[str],
    forms: Sequence[Form],
    smoother: Smoother,
    runs: np.ndarray,
    mixes: np.ndarray,
) -> dict[str, float]:
    """Return `mean`: the largest error of a prediction; `floors`: the same in noise floors (nan where none is known);
    `sd_median`, `sd_high`: median and 90 % quantile of the relative error of an SD."""
    off, floors = [], []
    sds = smoother.sd(mixes)
    relative = []
    for t, (task, form) in enumerate(zip(tasks, forms, strict=True)):
        error = float(np.abs(mean_of(form, runs, mixes) - form["checked"]["mean"]).max())
        off.append(error)
        noise = data["fit"]["tasks"][task]["seed_sd"]
        floors.append(error / noise if noise else np.nan)
        relative.append(np.abs(sds[:, t] / np.array(form["checked"]["sd"]) - 1))
    low, high = np.quantile(np.array(relative), [0.5, 0.9])
    known = [each for each in floors if np.isfinite(each)]
    return {
        "mean": max(off),
        "floors": max(known) if known else float("nan"),
        "sd_median": float(low),
        "sd_high": float(high),
    }

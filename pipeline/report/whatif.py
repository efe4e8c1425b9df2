"""What other mixes would score: the fitted laws in a form that the page computes with as sliders move.

`mixwright predict` fits the laws again; the page has their numbers (`pipeline.mixture.compact`), some of them rounded.
What the rounding costs, and how well intervals are interpolated, is measured here on other mixes and told in the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from pipeline.mixture.compact import Form, Smoother, anchors, checks, mean_of
from pipeline.mixture.freeze import Freeze
from pipeline.mixture.laws.ridge import FLOOR
from pipeline.mixture.spaces import Domain
from pipeline.mixture.table import join
from pipeline.proposal import frozen_of
from pipeline.report.decision import others_of
from pipeline.report.measures import tasks_of
from pipeline.report.packing import Packing
from pipeline.report.text import number, words
from pipeline.swarm import domains_of, limits_of

Z = 1.645
"""Half width of a 90 % interval in SDs."""
LEAF_STEPS = 32767


@dataclass(frozen=True)
class Laws:
    """The forms as the page has them. runs: (n, v) mixes over the v totals that laws know; place: (d,) domain → its
    total; tasks: t of them, as in `forms`; raised: those whose metric is better when higher; factors: (t,) and offset: the objective's; inflation: see `Surface`.

    worst: the largest error of a form, and median and 90 % quantile of the relative error of an SD, on `checks` mixes.
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


def laws_of(data: Mapping[str, Any]) -> Laws:
    """Return the laws of the report's data (see `pipeline.report.collect`)."""
    design, objective = data["swarm"], data["mix"]["objective"]
    frozen = frozen_of(design)
    swarm = join(data["ratios"], data["metrics"])
    runs = frozen.collapse(swarm.weights)
    # as the page has them
    runs = runs.astype(np.float32).astype(float)
    tasks = tuple(tasks_of(data))
    forms = tuple(rounded(data["forms"][task]) for task in tasks)
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
        worst=errors(data, tasks, forms, smoother, runs, checks(frozen.collapse(swarm.weights))),
    )


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


# the page


@dataclass(frozen=True)
class Slider:
    """One domain's row: percent of tokens now, and marks as percent. scale: the slider's right end."""

    name: str
    key: str
    value: float
    prior: float
    low: float
    high: float
    scale: float
    epochs: str


@dataclass(frozen=True)
class Line:
    """One predicted value's row, at the proposal. change: percent against natural."""

    name: str
    raised: bool
    weight: str
    value: float
    half: float
    change: float


@dataclass(frozen=True)
class WhatIf:
    """What the template shows, and `payload`: what the page computes with."""

    sliders: tuple[Slider, ...]
    lines: tuple[Line, ...]
    mixes: tuple[tuple[str, str], ...]
    accuracy: str
    payload: dict[str, Any]


def whatif(data: Mapping[str, Any], laws: Laws) -> WhatIf:
    """Return the section's content for the report's data and its laws."""
    mix, design = data["mix"], data["swarm"]
    names = ["proposal", *others_of(mix)]
    every = {"proposal": mix["weights"], **mix["baselines"]}
    mixes = {name: np.array([every[name].get(d, 0.0) for d in laws.domains]) for name in names}
    prior = np.array([design["prior"][d] for d in laws.domains])
    tried = np.array([[row[d] for d in laws.domains] for row in data["ratios"].values()])
    low, high = tried.min(axis=0), tried.max(axis=0)
    ends = np.minimum(1.0, 1.25 * np.maximum.reduce([high, prior, *mixes.values()]).max())
    scale = float(np.ceil(100 * ends / 5) * 5)
    config = yaml.safe_load(data["config"])
    limits, epochs = limits_and_epochs(data, config, laws.domains)
    both = np.stack([mixes["proposal"], mixes["natural"]])
    means, sds = laws.means(both), laws.sds(both)
    total = laws.objective(means)
    half = Z * np.sqrt(laws.inflation * np.sum((laws.factors * sds[0]) ** 2))
    lines = [Line("objective", False, "", float(total[0]), float(half), 100 * float(total[0] / total[1] - 1))]
    for t, task in enumerate(laws.tasks):
        lines.append(
            Line(
                task,
                task in laws.raised,
                f"{100 * mix['objective']['weights'][task]:.1f} %",
                float(means[0, t]),
                float(Z * sds[0, t]),
                100 * float(means[0, t] / means[1, t] - 1),
            )
        )
    sliders = [
        Slider(
            name,
            f"w{i}",
            100 * float(mixes["proposal"][i]),
            100 * float(prior[i]),
            100 * float(low[i]),
            100 * float(high[i]),
            scale,
            epochs_text(mix, config, name),
        )
        for i, name in enumerate(laws.domains)
    ]
    payload = {
        **packed(laws),
        "domains": list(laws.domains),
        "mixes": {name: each.tolist() for name, each in mixes.items()},
        "prior": prior.tolist(),
        "tried": [low.tolist(), high.tolist()],
        "scale": scale,
        "limits": limits,
        "epochs": epochs,
        "cap": config["propose"]["max_repetition"],
    }
    buttons = tuple((name, words(name)) for name in names)
    return WhatIf(tuple(sliders), tuple(lines), buttons, accuracy_of(laws), payload)


def epochs_text(mix: Mapping[str, Any], config: Mapping[str, Any], domain: str) -> str:
    origin = domain if domain in mix["repetition"]["proposal"] else domain.split(".")[0]
    return f"{number(mix['repetition']['proposal'][origin], 2)} of {config['propose']['max_repetition']:g}"


def limits_and_epochs(
    data: Mapping[str, Any], config: Mapping[str, Any], names: Sequence[str]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the limits (`name`, `row`: domain's place → factor, `most`), and of those the caps on repetition."""
    design = data["swarm"]
    origins = {name: name.split(".")[0] for name in names}
    raw = [name for name in names if "." not in name or name not in config["rewrite"]]
    buckets = [name for name in raw if "." in name]
    domains: list[Domain] = domains_of(origins, design["tokens"], buckets)
    shares = frozen_of({**design, "gone": []}).shares
    found = limits_of(domains, config["propose"], config["target"]["tokens"], shares)
    rows = [
        {"name": name, "row": {str(i): float(row[i]) for i in np.flatnonzero(row)}, "most": float(most)}
        for row, most, name in zip(found.A, found.b, found.names, strict=True)
    ]
    return rows, [row for row in rows if row["name"].startswith("repetition of ")]


def accuracy_of(laws: Laws) -> str:
    """Return how near the page is to `mixwright predict`, and what its intervals are."""
    worst = laws.worst
    share = "" if np.isnan(worst["floors"]) else f", {worst['floors']:.1g} of the task's noise floor at most"
    return (
        f"Computed in this page from the fitted laws. On {len(laws.forms[0]['checked']['mean'])} mixes between and "
        f"beyond those of the swarm it differed from what “mixwright predict” computes by at most {worst['mean']:.1g}"
        f"{share}. Intervals hold a proxy's measurement on such a mix with 90 %, as the laws' errors out of fold say; "
        f"their widths are interpolated between {len(laws.smoother.points)} mixes, off by {100 * worst['sd_median']:.0f} % "
        f"in the middle and by {100 * worst['sd_high']:.0f} % in nine of ten."
    )


def packed(laws: Laws) -> dict[str, Any]:
    """Return the laws for the page: small numbers as JSON, arrays by their place in `arrays`."""
    packing = Packing()
    thresholds = sorted({split[1] for form in laws.forms for tree in form["trees"] for split in tree["splits"]})
    rank = {value: i for i, value in enumerate(thresholds)}
    smoother = laws.smoother
    tasks = []
    for task, form, factor in zip(laws.tasks, laws.forms, laws.factors, strict=True):
        tasks.append(
            {
                "name": task,
                "raised": task in laws.raised,
                "factor": float(factor),
                "offset": float(form["offset"]),
                "slope": packing.add(form["slope"], "f8"),
                "roots": {power: packing.add(each, "f8") for power, each in form["roots"].items()},
                "bends": packing.add(form["bends"], "f4"),
                "exponentials": [{**each, "slope": packing.add(each["slope"], "f8")} for each in form["exponentials"]],
                "powers": [{**each, "use": packing.add(each["use"], "f8")} for each in form["powers"]],
                "processes": [
                    {"inverse": packing.add(each["inverse"], "f8"), "pulls": packing.add(each["pulls"], "f4")}
                    for each in form["processes"]
                ],
                **({"trees": trees_packed(form, rank, packing)} if form["trees"] else {}),
            }
        )
    return {
        "tasks": tasks,
        "place": laws.place.tolist(),
        "totals": laws.runs.shape[1],
        "runs": packing.add(laws.runs, "f4"),
        "thresholds": packing.add(np.array([*thresholds, np.inf]), "f8"),
        "anchors": packing.add(smoother.points, "f4"),
        "length": smoother.length,
        "level": packing.add(smoother.level, "f8"),
        "pulls": packing.add(smoother.pulls, "f4"),
        "offset": laws.offset,
        "inflation": laws.inflation,
        "floor": FLOOR,
        "z": Z,
        "arrays": packing.text(),
    }


def trees_packed(form: Form, rank: Mapping[float, int], packing: Packing) -> dict[str, Any]:
    """Return all trees of a form as arrays; a tree with fewer leaves than the largest is filled up with splits that no
    weight passes."""
    leaves = max(len(tree["values"]) for tree in form["trees"])
    count = len(form["trees"])
    values, features = np.zeros((count, leaves)), np.zeros((count, leaves - 1), dtype=int)
    ranks, bits = np.full((count, leaves - 1), len(rank)), np.full((count, leaves - 1), 2**leaves - 1)
    for t, tree in enumerate(form["trees"]):
        values[t, : len(tree["values"])] = np.round(np.array(tree["values"]) / (form["step"] or 1.0))
        for s, (feature, threshold, left) in enumerate(tree["splits"]):
            features[t, s], ranks[t, s], bits[t, s] = feature, rank[threshold], left
    return {
        "leaves": leaves,
        "count": count,
        "step": form["step"],
        "values": packing.add(values, "i2"),
        "features": packing.add(features, "u1" if features.max(initial=0) < 256 else "u2"),
        "ranks": packing.add(ranks, "u2" if len(rank) < 65536 else "u4"),
        "bits": packing.add(bits, "u1" if leaves <= 8 else "u4"),
    }

"""What other mixes would score: a row a domain to move, a row a task that follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import yaml

from pipeline.mixture.spaces import Domain
from pipeline.proposal import frozen_of
from pipeline.report.decision import others_of
from pipeline.report.packing import packed
from pipeline.report.predictor import Laws
from pipeline.report.text import number, words
from pipeline.swarm import domains_of, limits_of

Z = 1.645
"""Half width of a 90 % interval in SDs."""


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


def whatif(data: dict[str, Any], laws: Laws) -> WhatIf:
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
        "z": Z,
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
    rough = " The laws' trees would be megabytes: a smooth law stands in for them." if laws.stands_in else ""
    return (
        f"Computed in this page from the fitted laws. On {len(laws.forms[0]['checked']['mean'])} mixes between and "
        f"beyond those of the swarm it differed from what `mixwright predict` computes by at most {worst['mean']:.1g}"
        f"{share}.{rough} Intervals hold a proxy's measurement on such a mix with 90 %, as the laws' errors out of "
        f"fold say; their widths are interpolated between {len(laws.smoother.points)} mixes, off by "
        f"{100 * worst['sd_median']:.0f} % in the middle and by {100 * worst['sd_high']:.0f} % in nine of ten."
    )

"""What `mixwright fit` leaves behind: tables and fit.json, from which its laws are fitted again without a pickle."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import InputError, nearest
from pipeline.laws import law_version
from pipeline.mixture.freeze import Freeze, freeze
from pipeline.mixture.laws import EVERY, Law
from pipeline.mixture.selection import law_of
from pipeline.mixture.spaces import Domain
from pipeline.mixture.table import Swarm
from pipeline.own_swarm.swarm import read_swarm
from pipeline.tables import few

FORMAT = 1
"""Version of fit.json; another one is refused."""


@dataclass(frozen=True)
class Chosen:
    """What fit.json says of one task: its law (shares: those of a blend), its version, and its weight in the objective.

    maximised: the metric is better when higher.
    """

    law: str
    shares: Mapping[str, float]
    version: int
    maximised: bool
    weight: float


@dataclass(frozen=True)
class FitFolder:
    """A fit, read. swarm: its finished runs, over what the laws know: totals of frozen groups, and the other domains.

    domains: the columns that a mix needs; gone: those that are 0 where a mix has no column for them; frozen: brings
    weights over `domains` to the swarm's; chosen: task -> what was chosen, in the order of the swarm's tasks.
    """

    path: Path
    swarm: Swarm
    domains: tuple[str, ...]
    gone: tuple[str, ...]
    frozen: Freeze
    chosen: Mapping[str, Chosen]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user has to know before the laws are used."""
        if all(each.version == law_version(each.maximised) for each in self.chosen.values()):
            return ()
        return (f"{self.path} is of an earlier version: its laws are fitted again as they are now",)

    def law(self, task: str) -> Law:
        """Fit the law that was chosen for a task again. Raises InputError where there are too few runs for it."""
        chosen, column = self.chosen[task], self.swarm.tasks.index(task)
        try:
            law = law_of(chosen.law, chosen.shares, chosen.maximised)
            return law.fit(self.swarm.weights, self.swarm.values[:, column], self.swarm.blocks)
        except ValueError as error:
            raise InputError(f"task `{task}`: {error}") from error


def read_fit(path: Path) -> FitFolder:
    """Read a folder that `mixwright fit` wrote, from tables or from a MIX.yaml.

    Raises InputError where something is missing, broken, of another format, or does not belong together.
    """
    file = path / "fit.json"
    if not file.is_file():
        raise InputError(f"{file}: no such file; expected a folder that `mixwright fit` wrote")
    try:
        fitted = json.loads(file.read_text(encoding="utf-8"))
        if fitted["format"] != FORMAT:
            raise InputError(f"{file}: format {fitted['format']!r}, this Mixwright reads {FORMAT}; fit again")
        chosen = {task: _chosen(each) for task, each in fitted["tasks"].items()}
        gone, groups, blocks = fitted.get("gone", ()), fitted.get("freeze", {}), fitted.get("blocks")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{file}: not a fit.json that `mixwright fit` wrote; fit again") from None
    for task, each in chosen.items():
        if each.law not in EVERY:
            raise InputError(f"{file}: task `{task}` has the law `{each.law}`{nearest(str(each.law), EVERY)}")
    swarm = read_swarm(path / "ratios.csv", path / "metrics.csv").swarm
    unlike = sorted(set(swarm.tasks) ^ set(chosen))
    if unlike:
        raise InputError(f"{path}: fit.json and metrics.csv do not hold the same tasks: {few(unlike)}; fit again")
    try:
        labels = swarm.blocks if blocks is None else np.array([blocks[run] for run in swarm.runs], dtype=int)
        frozen = freeze([Domain(name, name, 1.0, True) for name in swarm.domains], groups)
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: fit.json and ratios.csv do not belong together ({error}); fit again") from None
    virtual = tuple(domain.name for domain in frozen.domains)
    seen = replace(swarm, domains=virtual, weights=frozen.collapse(swarm.weights), blocks=labels)
    return FitFolder(path, seen, swarm.domains, tuple(gone), frozen, {task: chosen[task] for task in swarm.tasks})


def _chosen(task: Mapping[str, Any]) -> Chosen:
    """KeyError or ValueError for an entry that `fit` did not write."""
    (shares,) = (score["shares"] for score in task["scores"] if score["law"] == task["law"])
    return Chosen(task["law"], shares, task["version"], task["maximised"], task["weight"])

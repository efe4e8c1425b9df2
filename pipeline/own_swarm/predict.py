"""`mixwright predict`: what the laws of a fit expect of other mixes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import InputError, nearest
from pipeline.mixture.laws import EVERY
from pipeline.mixture.selection import law_of
from pipeline.mixture.table import Swarm
from pipeline.own_swarm.fit import FORMAT
from pipeline.own_swarm.swarm import read_mixes, read_swarm
from pipeline.progress import Progress
from pipeline.proposal import law_version
from pipeline.tables import ending_of, few, write_table


def predict(folder: Path, ratios: Path, out: Path, progress: Progress) -> int:
    """Fit the laws named in FOLDER/fit.json again on its tables; write `run` and all tasks for the mixes of `ratios`.

    Returns the number of mixes. The laws are not stored: fitting the chosen ones takes seconds, is deterministic, and
    needs no pickle. Raises InputError for wrong input.
    """
    ending_of(out)
    if out.is_dir():
        raise InputError(f"{out}: --out is a folder, expected the file to write")
    if out.exists() and ratios.exists() and out.samefile(ratios):
        raise InputError(f"{out}: --out is the table of --ratios itself, which would be lost")
    chosen = read_fit(folder)
    own = read_swarm(folder / "ratios.csv", folder / "metrics.csv")
    unlike = sorted(set(own.swarm.tasks) ^ set(chosen))
    if unlike:
        raise InputError(f"{folder}: fit.json and metrics.csv do not hold the same tasks: {few(unlike)}; fit again")
    mixes, notes = read_mixes(ratios, own.swarm.domains)
    older = [task for task, each in chosen.items() if each["version"] != law_version(each["maximised"])]
    if older:
        notes = (*notes, f"{folder} is of an earlier version: its laws are fitted again as they are now")
    for note in notes:
        progress.say(note)
    predicted = np.empty((len(mixes.runs), len(own.swarm.tasks)))
    with progress.stage("predict", len(own.swarm.tasks), 0) as line:
        for t, task in enumerate(own.swarm.tasks):
            predicted[:, t] = _predicted(own.swarm, t, chosen[task], mixes.values)
            line.advance()
    rows = {
        run: dict(zip(own.swarm.tasks, row, strict=True))
        for run, row in zip(mixes.runs, predicted.tolist(), strict=True)
    }
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_table(out, rows)
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error}") from None
    return len(rows)


def read_fit(folder: Path) -> dict[str, Any]:
    """Return the tasks of FOLDER/fit.json. Raises InputError where it is missing, broken or of another format."""
    path = folder / "fit.json"
    if not path.is_file():
        raise InputError(f"{path}: no such file; expected a folder that `mixwright fit` wrote")
    try:
        fitted = json.loads(path.read_text(encoding="utf-8"))
        tasks = {}
        for task, each in fitted["tasks"].items():
            (shares,) = (score["shares"] for score in each["scores"] if score["law"] == each["law"])
            kept = {key: each[key] for key in ("law", "version", "maximised")}
            tasks[task] = {**kept, "shares": shares}
        if fitted["format"] != FORMAT:
            raise InputError(f"{path}: format {fitted['format']!r}, this Mixwright reads {FORMAT}; fit again")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(f"{path}: not a fit.json that `mixwright fit` wrote; fit again") from None
    for task, each in tasks.items():
        if each["law"] not in EVERY:
            raise InputError(f"{path}: task `{task}` has the law `{each['law']}`{nearest(str(each['law']), EVERY)}")
    return tasks


def _predicted(swarm: Swarm, task: int, chosen: Mapping[str, Any], weights: np.ndarray) -> np.ndarray:
    try:
        law = law_of(chosen["law"], chosen["shares"], chosen["maximised"])
        model = law.fit(swarm.weights, swarm.values[:, task], swarm.blocks)
    except ValueError as error:
        raise InputError(f"task `{swarm.tasks[task]}`: {error}") from error
    return model.predict(weights)

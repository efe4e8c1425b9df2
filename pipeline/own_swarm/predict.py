"""`mixwright predict`: what the laws of a fit expect of other mixes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.own_swarm.folder import read_fit
from pipeline.own_swarm.swarm import read_mixes
from pipeline.progress import Progress
from pipeline.tables import ending_of, write_table


def predict(folder: Path, ratios: Path, out: Path, progress: Progress) -> int:
    """Fit the laws named in FOLDER/fit.json again on its tables; write `run` and all tasks for the mixes of `ratios`.

    Returns the number of mixes. The laws are not stored: fitting the chosen ones takes seconds, is deterministic, and
    needs no pickle. Raises InputError for wrong input.
    """
    require_new(out, ratios, "--ratios")
    fitted = read_fit(folder)
    mixes, notes = read_mixes(ratios, fitted.domains, absent=fitted.gone)
    for note in (*notes, *fitted.notes):
        progress.say(note)
    tasks = fitted.swarm.tasks
    weights, predicted = fitted.frozen.collapse(mixes.values), np.empty((len(mixes.runs), len(tasks)))
    with progress.stage("predict", len(tasks), 0) as line:
        for t, task in enumerate(tasks):
            predicted[:, t] = fitted.law(task).predict(weights)
            line.advance()
    write_rows(
        out, {run: dict(zip(tasks, row, strict=True)) for run, row in zip(mixes.runs, predicted.tolist(), strict=True)}
    )
    return len(mixes.runs)


def require_new(out: Path, given: Path, option: str) -> None:
    """Raise InputError where `out` is no table to write, or is the very table that was given as `option`."""
    ending_of(out)
    if out.is_dir():
        raise InputError(f"{out}: --out is a folder, expected the file to write")
    if out.exists() and given.exists() and out.samefile(given):
        raise InputError(f"{out}: --out is the table of {option} itself, which would be lost")


def write_rows(out: Path, rows: dict[str, dict[str, float]]) -> None:
    """Write a table, in a folder that is made where there is none. Raises InputError where that cannot be."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        write_table(out, rows)
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error}") from None

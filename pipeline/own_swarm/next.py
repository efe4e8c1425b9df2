"""`mixwright next`: which mixes of a pool to train next, by what the runs so far have taught."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from pipeline.errors import InputError
from pipeline.mixture.designs import pick_next
from pipeline.mixture.table import SAME_MIX
from pipeline.own_swarm.folder import read_fit
from pipeline.own_swarm.predict import require_new, write_rows
from pipeline.own_swarm.swarm import read_mixes
from pipeline.progress import Progress


def choose_next(folder: Path, pool: Path, count: int, out: Path, progress: Progress) -> int:
    """Write `run` and weights of the `count` mixes of `pool` that tell most, the first one most; returns the count.

    They tell about all tasks that have a weight in the objective (see `designs.pick_next`). Mixes of the pool that the
    fit's runs had are left out with a note. Raises InputError for wrong input, or where fewer than `count` are left.
    """
    require_new(out, pool, "--pool")
    fitted = read_fit(folder)
    mixes, notes = read_mixes(pool, fitted.domains, absent=fitted.gone)
    for note in (*notes, *fitted.notes):
        progress.say(note)
    swarm, weights = fitted.swarm, fitted.frozen.collapse(mixes.values)
    had = np.array([np.abs(swarm.weights - mix).max(axis=1).min() <= SAME_MIX for mix in weights])
    if had.any():
        progress.say(f"{had.sum()} of {len(had)} mixes of {pool.name} were run already and are left out")
    left = np.flatnonzero(~had)
    if not 1 <= count <= len(left):
        raise InputError(f"{pool}: --runs {count}: expected 1 to {len(left)}, the mixes that have not been run")
    counted = [fitted.chosen[task].weight > 0 for task in swarm.tasks]
    progress.say(f"next: by what is not known yet of {sum(counted)} tasks")
    try:
        picked = left[pick_next(weights[left], count, swarm.weights, swarm.values[:, counted], swarm.blocks)]
    except ValueError as error:
        raise InputError(f"{folder}: {error}") from error
    rows = mixes.rows()
    write_rows(out, {mixes.runs[row]: rows[mixes.runs[row]] for row in picked})
    return count

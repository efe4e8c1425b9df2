"""What missing units are expected to take, from the manifests of earlier units of their stage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.run import Run
from pipeline.storage.files import sizes_in
from pipeline.units import Unit

SAMPLED = 20
"""Manifests of one stage that an estimate is the mean of, at most."""
WORK = {"proof": "train", "transfer": "train", "confirm": "score", "reconfirm": "score"}
"""Stage → the stage whose work its units are, where that is another one."""


@dataclass(frozen=True)
class Estimate:
    """Seconds on the clock of one worker, seconds of its cores, tokens, hours of a GPU, bytes in the store."""

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    tokens: float = 0.0
    gpu_hours: float = 0.0
    bytes: float = 0.0


def total(estimates: Iterable[Estimate]) -> Estimate:
    """Return the sum."""
    sums = Estimate()
    for each in estimates:
        sums = Estimate(*(a + b for a, b in zip(vars(sums).values(), vars(each).values(), strict=True)))
    return sums


def estimate(run: Run, stage: str, known: Mapping[str, str], missing: Sequence[Unit], units: int) -> Estimate | None:
    """Return `units` times the mean of earlier units; None where none is finished. known: name → earlier artefact.

    Those of earlier runs of the stage are asked first, then any of its kind of work. Tokens of `train` are those that
    the units ask for.
    """
    work = WORK.get(stage, stage)
    done = run.store_finished(work)
    refs = sorted(ref for ref in set(known.values()) if ref.split("/")[0] == work and ref.split("/")[1] in done)
    refs = refs or [f"{work}/{key}" for key in sorted(done)]
    if not refs:
        return None
    step = max(1, -(-len(refs) // SAMPLED))
    each = [took(run, run.store.manifest(ref)) for ref in refs[::step]]
    mean = [sum(column) / len(each) for column in zip(*(vars(one).values() for one in each), strict=True)]
    found = Estimate(*(round(units * value, 6) for value in mean))
    if work == "train" and missing:
        tokens = float(sum(unit.args["tokens"] for unit in missing))
        return Estimate(found.seconds, found.cpu_seconds, tokens, found.gpu_hours, found.bytes)
    return found


def took(run: Run, manifest: Mapping[str, Any]) -> Estimate:
    """Return what a finished unit took, by its manifest."""
    counts = manifest["counts"]
    gpu = counts.get("gpu_seconds", 0.0)
    numerics = manifest["recipe"]["inputs"].get("numerics")
    if numerics and numerics.split("/")[1] in run.store_finished("numerics"):
        plan = run.manifest_of(numerics)["counts"]["plan"]
        gpu = gpu or (manifest["seconds"] if plan["device"].startswith("cuda") else 0.0)
    tokens = counts.get("tokens", 0)
    size = sum(sizes_in(manifest).values())
    return Estimate(
        manifest["seconds"],
        manifest.get("cpu_seconds", 0.0),
        tokens if isinstance(tokens, int | float) else 0.0,
        gpu / 3600,
        size,
    )

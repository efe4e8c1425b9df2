"""Do a unit's work in this process, or in a child of it that may die, and publish its artefact."""

from __future__ import annotations

import shutil
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.apart import NATIVE, Died, apart
from pipeline.errors import InputError
from pipeline.poison import poisoned_document
from pipeline.redaction import redacted
from pipeline.storage.retry import may_pass
from pipeline.store import Store
from pipeline.units import Job, Unit


@dataclass(frozen=True)
class Outcome:
    """What came of one unit: counts, or the error that ended it.

    may_pass: whether the same unit may succeed later. signal: what ended the process that did it, e.g. `SIGSEGV`.
    document: id of the one that it ends by.
    """

    seconds: float
    counts: dict[str, Any] | None = None
    wrong_input: str | None = None
    error: str | None = None
    may_pass: bool = False
    signal: str | None = None
    document: str | None = None


def execute(root: str, unit: Unit) -> Outcome:
    """Do one unit in this process and publish its artefact. Errors are returned: the driver names the unit."""
    (outcome,) = execute_group(root, [unit])
    return outcome


def execute_group(root: str, units: Sequence[Unit]) -> list[Outcome]:
    """Do units of one stage in this process, several together as the stage does them; all of them fail, or none.

    Each one's seconds are its part of the whole.
    """
    from pipeline.stages import TOGETHER, WORK

    store = Store(root)
    start, cpu = time.perf_counter(), time.process_time()
    jobs: list[Job] = []

    def each(since: float) -> float:
        return round(since / len(units), 3)

    try:
        jobs += (job_of(store, unit) for unit in units)
        counts = [WORK[units[0].stage](jobs[0])] if len(jobs) == 1 else TOGETHER[units[0].stage](jobs)
        for unit, job, counted in zip(units, jobs, counts, strict=True):
            manifest = {
                "name": unit.name,
                "key": unit.key,
                "recipe": unit.recipe,
                "path": unit.place.get("path"),  # of a raw file as it was called then; not part of what it is
                "counts": counted,
                "seconds": each(time.perf_counter() - start),
                "cpu_seconds": each(time.process_time() - cpu),
            }
            store.publish(unit.ref, job.out, manifest)
            shutil.rmtree(store.scratch(unit.ref), ignore_errors=True)
        seconds = each(time.perf_counter() - start)
        return [Outcome(seconds, counts=counted) for counted in counts]
    except InputError as error:
        return [Outcome(each(time.perf_counter() - start), wrong_input=redacted(str(error)))] * len(units)
    except Exception as error:
        text = redacted(traceback.format_exc())  # what libraries say may hold a key of this worker
        return [Outcome(each(time.perf_counter() - start), error=text, may_pass=may_pass(error))] * len(units)
    finally:
        for job in jobs:
            shutil.rmtree(job.out, ignore_errors=True)


def published(root: str, units: Sequence[Unit]) -> list[Outcome] | None:
    """Return the outcomes of units that are all published: their worker was lost before it could say so."""
    store = Store(root)
    try:
        return [Outcome(each["seconds"], counts=each["counts"]) for each in (store.manifest(u.ref) for u in units)]
    except FileNotFoundError:
        return None


def job_of(store: Store, unit: Unit) -> Job:
    """Return what the stage's function gets; the folder to fill is new."""
    return Job(
        args=unit.args,
        inputs={role: store.local(ref) for role, ref in unit.inputs.items()},
        place=unit.place,
        out=store.workspace(),
        counts=lambda role: store.manifest(unit.inputs[role])["counts"],
        scratch=store.scratch(unit.ref),
    )


def execute_apart(root: str, units: Sequence[Unit]) -> list[Outcome]:
    """Do the same in a child process: where native code ends it, the outcome holds the signal and this process lives.

    For units whose worker died before. Of a unit alone the document is looked for that ends it.
    """
    start = time.perf_counter()
    found = apart(execute_group, root, units)
    if not isinstance(found, Died):
        return found
    seconds = time.perf_counter() - start
    document = poisoned_document(root, units[0]) if found.by in NATIVE and len(units) == 1 else None
    return [Outcome(seconds, error=f"ended by {found.by}", signal=found.by, document=document)] * len(units)

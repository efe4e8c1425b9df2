"""Run units on Ray: one task a unit or group, a bounded number in flight, each published before it is reported.

Ray carries only the unit's description and its counts; documents and checkpoints go through the store.
"""

from __future__ import annotations

import os
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.errors import InputError, UnitFailed
from pipeline.progress import Progress
from pipeline.store import Store
from pipeline.units import Job, Unit

IN_FLIGHT_PER_CPU = 3
"""Tasks submitted ahead of each core: enough that none waits for the driver, few enough that memory stays flat."""

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"), "1"
)
"""One process per core, one thread each: two spinning pools on the same cores cost up to ten times the time."""


@dataclass(frozen=True)
class Outcome:
    """What came of one unit: counts, or the error that ended it."""

    seconds: float
    counts: dict[str, Any] | None = None
    wrong_input: str | None = None
    error: str | None = None


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
    jobs = [_job(store, unit) for unit in units]

    def each(since: float) -> float:
        return round(since / len(units), 3)

    try:
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
        return [Outcome(each(time.perf_counter() - start), wrong_input=str(error))] * len(units)
    except Exception:
        return [Outcome(each(time.perf_counter() - start), error=traceback.format_exc())] * len(units)
    finally:
        for job in jobs:
            shutil.rmtree(job.out, ignore_errors=True)


def _job(store: Store, unit: Unit) -> Job:
    return Job(
        args=unit.args,
        inputs={role: store.local(ref) for role, ref in unit.inputs.items()},
        place=unit.place,
        out=store.workspace(),
        counts=lambda role: store.manifest(unit.inputs[role])["counts"],
        scratch=store.scratch(unit.ref),
    )


class Runner:
    """Starts Ray at the first unit that has to run, and not before. Use as a context manager."""

    def __init__(self, root: str, progress: Progress, address: str | None = None) -> None:
        self._root, self._progress, self._address = root, progress, address
        self._started = False
        self._remote: Any = None
        self.executed: dict[str, int] = {}

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        if self._started:
            import ray

            ray.shutdown()

    def run(self, stage: str, groups: Sequence[Sequence[Unit]], total: int, done: Callable[[Unit], None]) -> None:
        """Run groups of units in order of submission, each as one task; `done` is called for each unit as it is
        published.

        stage: for progress; total: units of the stage, finished ones included. Raises UnitFailed, InputError.
        """
        missing = sum(len(units) for units in groups)
        if not missing:
            return
        self._start()
        self.executed[stage] = self.executed.get(stage, 0) + missing
        with self._progress.stage(stage, total, total - missing) as line:
            for unit, outcome in self._outcomes(groups):
                if outcome.wrong_input:
                    raise InputError(outcome.wrong_input)
                if outcome.error:
                    raise UnitFailed(f"{stage}: unit `{unit.name}` ({unit.ref}) failed:\n{outcome.error}")
                done(unit)
                line.advance()

    def _outcomes(self, groups: Sequence[Sequence[Unit]]) -> Iterator[tuple[Unit, Outcome]]:
        import ray
        from ray.exceptions import RayError

        remote = self._remote  # one for all stages: each worker loads a remote function once
        most = IN_FLIGHT_PER_CPU * max(1, int(ray.cluster_resources().get("CPU", 1)))
        waiting: dict[Any, Sequence[Unit]] = {}
        queue = iter(groups)
        while True:
            while len(waiting) < most and (units := next(queue, None)) is not None:
                name = f"{units[0].stage}:{units[0].name}" + (f" and {len(units) - 1} more" if units[1:] else "")
                gpus = units[0].place.get("gpus", 0)
                options = {"name": name, **({"num_gpus": gpus} if gpus else {})}
                waiting[remote.options(**options).remote(self._root, units)] = units
            if not waiting:
                return
            ready, _ = ray.wait(list(waiting), num_returns=1)
            for reference in ready:
                units = waiting.pop(reference)
                try:
                    yield from zip(units, ray.get(reference), strict=True)
                except RayError as error:  # the worker died more often than Ray retries
                    yield units[0], Outcome(0.0, error=f"its worker died: {error}")

    def _start(self) -> None:
        if self._started:
            return
        import logging

        # Ray 2.60 otherwise writes a token to the home folder and demands it of every later cluster on the machine.
        os.environ.setdefault("RAY_AUTH_MODE", "disabled")
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray

        address = self._address or ("auto" if in_ray_job() or os.environ.get("RAY_ADDRESS") else "local")
        options: dict[str, Any] = {}
        if address == "local":
            options = {
                "num_cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
                "include_dashboard": False,
                "object_store_memory": 200 * 2**20,
            }
        self._progress.say("starting Ray" if address == "local" else f"joining Ray at {address}")
        ray.init(
            address=address,
            logging_level=logging.ERROR,
            log_to_driver=False,
            runtime_env={"env_vars": ONE_THREAD},
            **options,
        )
        self._remote = ray.remote(execute_group)
        self._started = True


def in_ray_job() -> bool:
    """Tell whether this process is the entrypoint of a submitted Ray job."""
    return "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ

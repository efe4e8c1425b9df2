"""The two sides of a Ray task: how Ray is started, and what runs on a worker."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from typing import Any

from pipeline.attempts import Attempt, Cause
from pipeline.errors import RayAbsent
from pipeline.execute import Outcome, execute_apart, execute_group, published
from pipeline.progress import Progress
from pipeline.units import Unit

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"), "1"
)
"""One process per core, one thread each: two spinning pools on the same cores cost up to ten times the time."""

_NO_GPU_UNASKED = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1"}
"""A task that asks for no GPU sees none; by default Ray leaves it all those of its node."""

_STARTS = 3
"""How often a Ray of this process is started before that counts as an error."""

ANNOUNCE_AFTER = 5.0
"""Seconds after which a running task says that it runs, so that one that waits for a node is not taken for stalled.
Shorter ones cost Ray's head nothing."""


def do_task(root: str, groups: Sequence[Sequence[Unit]], token: str, again: bool, apart: bool) -> list[list[Outcome]]:
    """Do groups of units on a worker, one after the other; again: an earlier worker may have finished them; apart: in a
    child process, where one died of them."""
    from ray.experimental import internal_kv

    said = threading.Event()

    def say() -> None:
        internal_kv._internal_kv_put(token, "1")
        said.set()

    timer = threading.Timer(ANNOUNCE_AFTER, say)
    timer.daemon = True
    timer.start()
    try:
        do = execute_apart if apart else execute_group
        return [(published(root, units) if again else None) or do(root, units) for units in groups]
    finally:
        timer.cancel()
        timer.join()
        if said.is_set():
            internal_kv._internal_kv_del(token)


def has_started(token: str) -> bool:
    """Tell whether a task has run for ANNOUNCE_AFTER seconds."""
    from ray.experimental import internal_kv

    return internal_kv._internal_kv_exists(token)


def start_ray(asked: str | None, progress: Progress) -> bool:
    """Join the Ray that is asked for, or the one of this job or environment; else start one in this process. Return
    whether it was started. Raises RayAbsent."""
    # Ray 2.60 otherwise writes a token to the home folder and demands it of every later cluster on the machine.
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    address = asked or ("auto" if in_ray_job() or os.environ.get("RAY_ADDRESS") else "local")
    options: dict[str, Any] = {}
    if address == "local":
        options = {
            "num_cpus": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
            "include_dashboard": False,
            "object_store_memory": 200 * 2**20,
        }
    progress.say("starting Ray" if address == "local" else f"joining Ray at {address}")
    for left in reversed(range(_STARTS)):
        try:
            ray.init(
                address=address,
                logging_level=logging.ERROR,
                log_to_driver=False,
                runtime_env={"env_vars": ONE_THREAD | _NO_GPU_UNASKED},
                **options,
            )
            break
        except Exception as error:  # Ray raises many types, plain Exception among them
            if address != "local" or not left:
                raise RayAbsent(f"Ray at {address}: {type(error).__name__}: {error}") from error
            progress.say(f"Ray did not start ({error}); trying again")
            ray.shutdown()
    return address == "local"


def in_ray_job() -> bool:
    """Tell whether this process is the entrypoint of a submitted Ray job."""
    return "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ


def results_of(reference: Any, attempts: Sequence[Attempt]) -> list[tuple[Cause | None, list[Outcome]]]:
    """Return what a finished task gave for each attempt and what was the matter with it: None where its units are done
    or their input is wrong."""
    import ray
    from ray import exceptions

    try:
        found = ray.get(reference)
    except exceptions.RayTaskError as error:  # an error of ours outside of the unit's own work
        return _all(attempts, "error", error)
    except exceptions.OutOfMemoryError as error:
        return _all(attempts, "out of memory", error)
    except (exceptions.WorkerCrashedError, exceptions.TaskCancelledError) as error:
        return _all(attempts, "worker died", error)
    except exceptions.RayError as error:  # its node, or the result with it
        return _all(attempts, "node lost", error)
    return [(_cause(outcomes[0]), outcomes) for outcomes in found]


def _all(attempts: Sequence[Attempt], cause: Cause, error: Exception) -> list[tuple[Cause | None, list[Outcome]]]:
    return [(cause, [Outcome(0.0, error=f"{type(error).__name__}: {error}")]) for _ in attempts]


def _cause(outcome: Outcome) -> Cause | None:
    if outcome.signal:
        return "worker died"
    return "error" if outcome.error else None

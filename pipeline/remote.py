"""The two sides of a Ray task: how Ray is started, and what runs on a worker."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pipeline.attempts import Attempt, Cause
from pipeline.errors import RayAbsent
from pipeline.execute import Outcome, execute_apart, execute_group, published
from pipeline.progress import Progress
from pipeline.storage.retry import may_pass
from pipeline.units import Unit

ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"), "1"
)
"""One process per core, one thread each: two spinning pools on the same cores cost up to ten times the time."""

_NO_GPU_UNASKED = {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1"}
"""A task that asks for no GPU sees none; by default Ray leaves it all those of its node."""

_STARTS = 3
"""How often a Ray of this process is started before that counts as an error."""


def do_task(
    root: str, groups: Sequence[Sequence[Unit]], token: str, folder: str, again: bool, apart: bool
) -> list[list[Outcome]]:
    """Do groups of units on a worker, one after the other; folder: the driver's working folder, to which paths of the
    mix are relative; again: an earlier worker may have finished them; apart: in a child process, where one died of
    them.

    It says first where it runs, so that one that waits for a node is not taken for stalled. Not later by a thread: a
    process that is stopped, or whose interpreter is held by native code, runs none.
    """
    import ray
    from ray.experimental import internal_kv

    with suppress(OSError):  # of a machine that does not have it
        os.chdir(folder)
    internal_kv._internal_kv_put(token, f"{ray.get_runtime_context().get_node_id()} {os.getpid()}")
    try:
        do = execute_apart if apart else execute_group
        return [(published(root, units) if again else None) or do(root, units) for units in groups]
    finally:
        with suppress(ray.exceptions.RayError):  # what is done is done, whether Ray's head answers or not
            internal_kv._internal_kv_del(token)


def where_it_runs(token: str) -> tuple[str, int] | None:
    """Return the node and the process that a task runs in; None where it has not started or has ended."""
    from ray.experimental import internal_kv

    said = internal_kv._internal_kv_get(token)
    if said is None:
        return None
    node, process = said.decode().split()
    return node, int(process)


def end_worker(node: str, process: int) -> None:
    """SIGKILL a worker. Ray's own way asks the worker to end itself, which one that is stopped does not do: it would
    keep its cores for good."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    there = NodeAffinitySchedulingStrategy(node, soft=False)
    ray.remote(num_cpus=0, max_retries=0)(_kill).options(scheduling_strategy=there).remote(process)


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def start_ray(asked: str | None, progress: Progress) -> bool:
    """Join the Ray that is asked for, or the one of this job or environment; else start one in this process. Return
    whether it was started. Raises RayAbsent."""
    # Ray 2.60 otherwise writes a token to the home folder and demands it of every later cluster on the machine.
    os.environ.setdefault("RAY_AUTH_MODE", "disabled")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # of a stalled task, of which the driver has let go
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
    except exceptions.RayTaskError as error:  # of ours outside of the unit's own work: no answer of the store, say
        return _all(attempts, "error", error, may_pass(error.cause))
    except exceptions.OutOfMemoryError as error:
        return _all(attempts, "out of memory", error)
    except (exceptions.WorkerCrashedError, exceptions.TaskCancelledError) as error:
        return _all(attempts, "worker died", error)
    except exceptions.RayError as error:  # its node, or the result with it
        return _all(attempts, "node lost", error)
    return [(_cause(outcomes[0]), outcomes) for outcomes in found]


def _all(
    attempts: Sequence[Attempt], cause: Cause, error: Exception, passes: bool = False
) -> list[tuple[Cause | None, list[Outcome]]]:
    return [(cause, [Outcome(0.0, error=f"{type(error).__name__}: {error}", may_pass=passes)]) for _ in attempts]


def _cause(outcome: Outcome) -> Cause | None:
    if outcome.signal:
        return "worker died"
    return "error" if outcome.error else None

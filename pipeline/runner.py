"""Run units on Ray: one task a unit or group, a bounded number in flight, each published before it is reported.

Ray carries only the unit's description and its counts; documents and checkpoints go through the store. What fails is
tried again as `pipeline.attempts` says; a unit that is given up stops no other.
"""

from __future__ import annotations

import heapq
import itertools
import math
import os
import statistics
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipeline.attempts import Attempt, Cause, Failure, after
from pipeline.errors import InputError
from pipeline.execute import Outcome
from pipeline.log import RunLog
from pipeline.metrics import Metrics
from pipeline.patience import PATIENCE, Patience
from pipeline.progress import Progress
from pipeline.remote import do_task, has_started, start_ray
from pipeline.units import Unit

IN_FLIGHT_PER_CPU = 3
"""Tasks submitted ahead of each core: enough that none waits for the driver, few enough that memory stays flat."""

TASK_SECONDS = 0.5
"""Units that take far less are done several in a task of about this length: submitting one costs a millisecond."""

HOPELESS = 20
"""Units of a stage that fail before one succeeds, after which the rest is not tried."""

_LOOK = 10.0
"""Seconds between two looks at the cluster's size and at tasks that give no result."""

_YOUNG = 60.0
"""Seconds for which nobody asks whether a task has started: most are done by then."""


@dataclass
class _Flying:
    """A submitted task. started: when it was first seen to run, by the driver's clock."""

    attempts: list[Attempt]
    token: str
    submitted: float
    started: float | None = None


@dataclass
class _Stage:
    """A stage's tasks: those that were not submitted yet, wait for their next try, or fly. seconds: of those done."""

    queue: deque[Attempt]
    later: list[tuple[float, int, Attempt]] = field(default_factory=list)
    flying: dict[Any, _Flying] = field(default_factory=dict)
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=101))
    failures: list[Failure] = field(default_factory=list)

    def next(self, most: int) -> list[Attempt]:
        """Return what the next task does: one attempt that is due, or first ones, several if they take no time; none
        where nothing is due. most: tasks in flight."""
        if self.later and self.later[0][0] <= time.monotonic():
            return [heapq.heappop(self.later)[2]]
        count = 1
        if len(self.queue) > most and self.seconds:
            count = int(min(TASK_SECONDS / max(self.median(), 0.001), len(self.queue) / most))
        return [self.queue.popleft() for _ in range(min(max(count, 1), len(self.queue)))]

    def median(self) -> float:
        """Return the median seconds of the last attempts that are done."""
        return statistics.median(self.seconds)


class Runner:
    """Starts Ray at the first unit that has to run, and not before. Use as a context manager."""

    def __init__(
        self,
        root: str,
        progress: Progress,
        address: str | None = None,
        log: RunLog | None = None,
        patience: Patience = PATIENCE,
    ) -> None:
        self._root, self._progress, self._address, self._log = root, progress, address, log
        self._patience = patience
        self._remote: Any = None
        self._metrics: Metrics | None = None
        self._numbers = itertools.count()
        self._most, self._node, self._looked = 0, 1, -math.inf
        self._pace = min(_LOOK, patience.least / 4)
        self._own = False
        self.executed: dict[str, int] = {}

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        if self._remote is not None:
            import ray

            ray.shutdown()

    def run(
        self, stage: str, groups: Sequence[Sequence[Unit]], total: int, done: Callable[[Unit], None]
    ) -> list[Failure]:
        """Run groups of units in order of submission, each as one task; `done` is called for each unit as it is
        published. Return the units that were given up, after all others are done.

        stage: for progress; total: units of the stage, finished ones included. Raises InputError.
        """
        missing = sum(len(units) for units in groups)
        if not missing:
            return []
        self._start()
        started = time.monotonic()
        self._note("stage started", stage, units=total, missing=missing)
        tasks = _Stage(deque(Attempt(units) for units in groups))
        finished = 0
        with self._progress.stage(stage, total, total - missing) as line:
            for unit, outcome in self._outcomes(stage, tasks):
                if outcome.wrong_input:
                    raise InputError(outcome.wrong_input)
                assert outcome.counts is not None
                done(unit)
                line.advance()
                finished += 1
                self.executed[stage] = self.executed.get(stage, 0) + 1
                counted = {name: n for name in ("documents", "tokens") if (n := outcome.counts.get(name))}
                self._note("unit done", stage, unit=unit.name, key=unit.key, seconds=outcome.seconds, **counted)
                if self._metrics:
                    self._metrics.done(stage, outcome.seconds, outcome.counts)
        seconds = round(time.monotonic() - started, 3)
        self._note("stage ended", stage, done=finished, failed=len(tasks.failures), seconds=seconds)
        return tasks.failures

    def _outcomes(self, stage: str, tasks: _Stage) -> Iterator[tuple[Unit, Outcome]]:
        """Yield every unit that is done, and wrong input; failures are kept in `tasks`."""
        import ray

        while True:
            self._look(stage, tasks)
            hopeless = not tasks.seconds and len(tasks.failures) >= HOPELESS
            while len(tasks.flying) < self._most and not hopeless and (attempts := tasks.next(self._most)):
                self._submit(tasks, attempts)
            if not tasks.flying:
                if hopeless or not tasks.later:
                    return
                time.sleep(max(0.0, tasks.later[0][0] - time.monotonic()))
                continue
            wait = self._pace
            if tasks.later and len(tasks.flying) < self._most:
                wait = min(wait, max(0.0, tasks.later[0][0] - time.monotonic()))
            ready, _ = ray.wait(list(tasks.flying), num_returns=1, timeout=wait)
            if ready:  # all that are: one wait a task would cost a pass over the tasks in flight for each
                ready, _ = ray.wait(list(tasks.flying), num_returns=len(tasks.flying), timeout=0)
            for reference in ready:
                attempts = tasks.flying.pop(reference).attempts
                for attempt, (cause, outcomes) in zip(attempts, _results(reference, attempts), strict=True):
                    if cause is None:
                        tasks.seconds.append(sum(each.seconds for each in outcomes))
                        yield from zip(attempt.units, outcomes, strict=True)
                    else:
                        self._failed(tasks, attempt, cause, outcomes[0])

    def _submit(self, tasks: _Stage, attempts: list[Attempt]) -> None:
        first = attempts[0]
        token = f"mixwright-{os.getpid()}-{next(self._numbers)}"
        options: dict[str, Any] = {"name": f"{first.stage}:{first.label}"}
        if gpus := first.units[0].place.get("gpus", 0):
            options["num_gpus"] = gpus
        if first.cpus > 1:
            options["num_cpus"] = first.cpus
        groups = [attempt.units for attempt in attempts]
        reference = self._remote.options(**options).remote(self._root, groups, token, first.tries > 0, first.apart)
        tasks.flying[reference] = _Flying(attempts, token, time.monotonic())

    def _failed(self, tasks: _Stage, attempt: Attempt, cause: Cause, outcome: Outcome) -> None:
        """Queue the next try of a task, or give its units up."""
        again, failures = after(attempt, cause, outcome, self._patience, self._node)
        pause = self._patience.pause(attempt.tries + 1) if again else 0
        for each in again:
            heapq.heappush(tasks.later, (time.monotonic() + pause, next(self._numbers), each))
        said = str(outcome.error).strip().splitlines()[-1]
        event = f"{'tried again' if again else 'given up'}: {cause}"
        self._progress.say(
            f"{attempt.stage}: {attempt.label}: {cause} ({said}); "
            + (f"trying again in {pause:g} s" if again else "given up")
        )
        if self._log:
            names = [unit.name for unit in attempt.units]
            self._log.incident(event, attempt.stage, units=names, tries=attempt.tries + 1, error=outcome.error)
        if self._metrics:
            self._metrics.incident(attempt.stage, event)
        tasks.failures += failures

    def _look(self, stage: str, tasks: _Stage) -> None:
        """Every few seconds: follow the cluster as it grows and shrinks, and restart what has stalled."""
        import ray

        now = time.monotonic()
        if now - self._looked < self._pace:
            return
        self._looked = now
        alive = [node for node in ray.nodes() if node["Alive"]]
        if self._own and not alive:
            self._restart(tasks)
            return
        self._most = IN_FLIGHT_PER_CPU * max(1, int(ray.cluster_resources().get("CPU", 1)))
        self._node = max((int(node["Resources"].get("CPU", 0)) for node in alive), default=1)
        if self._metrics:
            self._metrics.in_flight(stage, len(tasks.flying))
        median = tasks.median() if tasks.seconds else None
        for reference, each in list(tasks.flying.items()):
            expected = None if median is None else median * len(each.attempts)
            allowed = self._patience.limit(expected) * 2 ** each.attempts[0].stalls
            young = now - each.submitted < min(_YOUNG, allowed / 2)
            if each.started is None and not young and has_started(each.token):
                each.started = now
            if each.started is not None and now - each.started > allowed:
                ray.cancel(reference, force=True)
                del tasks.flying[reference]
                outcome = Outcome(now - each.started, error=f"no result in {now - each.started:.0f} s")
                for attempt in each.attempts:
                    self._failed(tasks, attempt, "stalled", outcome)

    def _restart(self, tasks: _Stage) -> None:
        """Start Ray anew where the one of this process has lost its only node."""
        import ray

        flying = list(tasks.flying.values())
        tasks.flying.clear()
        ray.shutdown()
        self._remote, self._looked = None, -math.inf
        self._start()
        for each in flying:
            for attempt in each.attempts:
                self._failed(tasks, attempt, "node lost", Outcome(0.0, error="Ray's only node is gone"))

    def _note(self, event: str, stage: str, **fields: Any) -> None:
        if self._log:
            self._log.write(event, stage=stage, **fields)

    def _start(self) -> None:
        if self._remote is None:
            self._own = start_ray(self._address, self._progress)
            import ray

            # What fails is tried again here, with pauses and counted, and not by Ray.
            self._remote = ray.remote(max_retries=0)(do_task)  # one for all stages: a worker loads it once
            self._metrics = Metrics()


def _results(reference: Any, attempts: Sequence[Attempt]) -> list[tuple[Cause | None, list[Outcome]]]:
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

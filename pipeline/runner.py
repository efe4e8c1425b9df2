"""Run units on Ray: one task a unit or group, a bounded number in flight, each published before it is reported.

Ray carries only the unit's description and its counts; documents and checkpoints go through the store. What fails is
tried again as `pipeline.attempts` says; a unit that is given up stops no other. Several stages may be at work: one that
waits for GPUs lets the next ones go on with all that does not depend on it.
"""

from __future__ import annotations

import itertools
import math
import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipeline.attempts import Attempt, Cause, Failure, after
from pipeline.errors import InputError
from pipeline.execute import Outcome
from pipeline.log import RunLog
from pipeline.metrics import Metrics
from pipeline.needs import ONE_CORE, Need
from pipeline.patience import PATIENCE, Patience
from pipeline.progress import Progress
from pipeline.remote import do_task, end_worker, results_of, start_ray, where_it_runs
from pipeline.stage_tasks import StageTasks
from pipeline.units import Unit

IN_FLIGHT = 3
"""Tasks in flight for each that the cluster can run at once: enough that none waits for the driver, few enough that
memory stays flat. A cluster that grows by what waits sees as much."""

HOLDS_GPU = ("rewrite",)
"""Stages whose workers keep a language model in a GPU's memory. They end with their task, or the model would be there
still when proxies come to the same GPU; loading it takes little beside rewriting a shard."""

_LOOK = 10.0
"""Seconds between two looks at the cluster's size and at tasks that give no result."""

_YOUNG = 60.0
"""Seconds for which nobody asks whether a task has started: most are done by then."""


@dataclass
class _Flying:
    """A submitted task. started: when it was first seen to run, by the driver's clock; place: its node and process."""

    tasks: StageTasks
    attempts: list[Attempt]
    token: str
    submitted: float
    started: float | None = None
    place: tuple[str, int] | None = None


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
        self._leaving: Any = None
        self._metrics: Metrics | None = None
        self._numbers = itertools.count()
        self._nodes: list[Mapping[str, float]] = []
        self._most: dict[Need, int] = {}
        self._looked = -math.inf
        self._pace = min(_LOOK, patience.least / 4)
        self._own = False
        self._open: list[StageTasks] = []
        self._flying: dict[Any, _Flying] = {}
        self._awaited: set[str] = set()
        self._told: set[tuple[str, Need]] = set()
        self.executed: dict[str, int] = {}

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, *_: object) -> None:
        for tasks in self._open:
            tasks.line.finish()
        if self._remote is not None:
            import ray

            ray.shutdown()

    def run(
        self, stage: str, groups: Sequence[Sequence[Unit]], total: int, done: Callable[[Unit], None]
    ) -> list[Failure]:
        """Run a stage alone to its end; see `add`. Return the units that were given up."""
        tasks = self.add(stage, groups, total, done)
        self.drive()
        return tasks.failures if tasks else []

    def add(
        self,
        stage: str,
        groups: Sequence[Sequence[Unit]],
        total: int,
        done: Callable[[Unit], None],
        need: Callable[[Unit], Need] = lambda unit: ONE_CORE,
    ) -> StageTasks | None:
        """Open a stage: queue groups of units, each as one task, in order. Return its tasks; None where there is none.

        total: units of the stage, finished ones included, for progress. done: called for each unit as it is published.
        A group that reads what units of open stages make is queued once these are done.
        """
        missing = sum(len(units) for units in groups)
        if not missing:
            return None
        self._start()
        self._note("stage started", stage, units=total, missing=missing)
        tasks = StageTasks(stage, self._progress.open(stage, total, total - missing), done)
        for units in groups:
            read = {ref for unit in units for ref in unit.inputs.values()} if self._awaited else set()
            tasks.add(Attempt(units, need=need(units[0])), read & self._awaited)
        self._awaited |= {unit.ref for units in groups for unit in units}
        self._open.append(tasks)
        return tasks

    def drive(self, until: StageTasks | None = None, leave_waiting: bool = False) -> None:
        """Work at all open stages until this one has nothing left but what waits for units of others; without one until
        all that can be done is done. Raises InputError for wrong input that a unit found.

        leave_waiting: what needs scarce machines is left in flight too, for a later call.
        """
        import ray

        while self._open:
            self._look()
            for tasks in self._open:
                for attempts in tasks.due(self._room):
                    self._submit(tasks, attempts)
            rest = until.needs() if until else {need for tasks in self._open for need in tasks.needs()}
            if all(leave_waiting and need.waits for need in rest):
                break
            wait = min([self._pace, *(tasks.next_try for tasks in self._open)])
            if not self._flying:
                time.sleep(wait)
                continue
            ready, _ = ray.wait(list(self._flying), num_returns=1, timeout=wait)
            if ready:  # all that are: one wait a task would cost a pass over the tasks in flight for each
                ready, _ = ray.wait(list(self._flying), num_returns=len(self._flying), timeout=0)
            for reference in ready:
                self._settle(reference)
        for tasks in [each for each in self._open if each.is_complete]:
            self._close(tasks)

    def drop(self) -> None:
        """Cancel what is in flight and forget the open stages."""
        import ray

        for reference in list(self._flying):
            ray.cancel(reference, force=True)
            self._land(reference)
        for tasks in list(self._open):
            self._close(tasks)
        self._awaited.clear()

    def _settle(self, reference: Any) -> None:
        """Take a finished task's results: units that are done, and failures."""
        each = self._land(reference)
        for attempt, (cause, outcomes) in zip(each.attempts, results_of(reference, each.attempts), strict=True):
            if cause is not None:
                self._failed(each.tasks, attempt, cause, outcomes[0])
                continue
            each.tasks.took(attempt, sum(outcome.seconds for outcome in outcomes))
            for unit, outcome in zip(attempt.units, outcomes, strict=True):
                self._done(each.tasks, unit, outcome)

    def _done(self, tasks: StageTasks, unit: Unit, outcome: Outcome) -> None:
        if outcome.wrong_input:
            raise InputError(outcome.wrong_input)
        assert outcome.counts is not None
        tasks.done(unit)
        tasks.line.advance()
        tasks.units_done += 1
        self._awaited.discard(unit.ref)
        for other in self._open:
            other.release(unit.ref)
        self.executed[tasks.name] = self.executed.get(tasks.name, 0) + 1
        counted = {name: n for name in ("documents", "tokens") if (n := outcome.counts.get(name))}
        self._note("unit done", tasks.name, unit=unit.name, key=unit.key, seconds=outcome.seconds, **counted)
        if self._metrics:
            self._metrics.done(tasks.name, outcome.seconds, outcome.counts)

    def _close(self, tasks: StageTasks) -> None:
        self._open.remove(tasks)
        tasks.line.finish()
        tasks.closed = True
        seconds = round(time.monotonic() - tasks.started, 3)
        self._note("stage ended", tasks.name, done=tasks.units_done, failed=len(tasks.failures), seconds=seconds)

    def _room(self, need: Need) -> int:
        """Return how many more tasks with a need may be submitted."""
        if need not in self._most:
            self._most[need] = IN_FLIGHT * max(1, need.at_once(self._nodes))
        return self._most[need] - sum(tasks.in_flight[need] for tasks in self._open)

    def _submit(self, tasks: StageTasks, attempts: list[Attempt]) -> None:
        first = attempts[0]
        token = f"mixwright-{os.getpid()}-{next(self._numbers)}"
        need = first.need
        if need.gpu_if_any and any(node.get("GPU", 0) >= 1 for node in self._nodes):
            need = replace(need, gpus=1)
        groups = [attempt.units for attempt in attempts]
        remote = self._leaving if first.stage in HOLDS_GPU and need.gpus else self._remote
        reference = remote.options(name=f"{first.stage}:{first.label}", **need.options()).remote(
            self._root, groups, token, os.getcwd(), first.tries > 0, first.apart
        )
        self._flying[reference] = _Flying(tasks, attempts, token, time.monotonic())
        tasks.in_flight[first.need] += 1

    def _land(self, reference: Any) -> _Flying:
        """Forget a task that was in flight."""
        each = self._flying.pop(reference)
        each.tasks.in_flight[each.attempts[0].need] -= 1
        return each

    def _failed(self, tasks: StageTasks, attempt: Attempt, cause: Cause, outcome: Outcome) -> None:
        """Queue the next try of a task, or give its units up."""
        largest = max((node.get("CPU", 0) for node in self._nodes), default=1)
        again, failures = after(attempt, cause, outcome, self._patience, largest)
        pause = self._patience.pause(attempt.tries + 1) if again else 0
        for each in again:
            tasks.again(each, pause)
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

    def _look(self) -> None:
        """Every few seconds: follow the cluster as it grows and shrinks, and restart what has stalled."""
        import ray

        now = time.monotonic()
        if now - self._looked < self._pace:
            return
        self._looked = now
        self._nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        self._most.clear()
        if self._own and not self._nodes:
            self._restart()
            return
        for tasks in self._open:
            if self._metrics:
                self._metrics.in_flight(tasks.name, sum(tasks.in_flight.values()))
            for need in tasks.needs():
                if not need.at_once(self._nodes):
                    self._missing(tasks.name, need)
        for reference, each in list(self._flying.items()):
            self._watch(reference, each, now)

    def _missing(self, stage: str, need: Need) -> None:
        """Say once that no node has what a stage's tasks need. Raises InputError where none can come."""
        if self._own:
            has = Need(cpus=self._nodes[0].get("CPU", 0), gpus=self._nodes[0].get("GPU", 0))
            raise InputError(f"stage {stage} needs {need} for one task, and this machine has {has}")
        if (stage, need) not in self._told:
            self._told.add((stage, need))
            self._progress.say(f"{stage}: waiting for a node with {need}; no node of the cluster has it now")

    def _watch(self, reference: Any, each: _Flying, now: float) -> None:
        """End the worker of a task that gives no result for far longer than others of its kind."""
        median = each.tasks.median(each.attempts[0])
        expected = None if median is None else median * len(each.attempts)
        allowed = self._patience.limit(expected) * 2 ** each.attempts[0].stalls
        young = now - each.submitted < min(_YOUNG, allowed / 2)
        if each.place is None and not young and (place := where_it_runs(each.token)):
            each.started, each.place = now, place
        if each.place and each.started is not None and now - each.started > allowed:
            end_worker(*each.place)
            self._land(reference)
            outcome = Outcome(now - each.started, error=f"no result in {now - each.started:.0f} s")
            for attempt in each.attempts:
                self._failed(each.tasks, attempt, "stalled", outcome)

    def _restart(self) -> None:
        """Start Ray anew where the one of this process has lost its only node."""
        import ray

        flying = [self._land(reference) for reference in list(self._flying)]
        ray.shutdown()
        self._remote, self._looked = None, -math.inf
        self._start()
        for each in flying:
            for attempt in each.attempts:
                self._failed(each.tasks, attempt, "node lost", Outcome(0.0, error="Ray's only node is gone"))

    def _note(self, event: str, stage: str, **fields: Any) -> None:
        if self._log:
            self._log.write(event, stage=stage, **fields)

    def _start(self) -> None:
        if self._remote is None:
            self._own = start_ray(self._address, self._progress)
            import ray

            # What fails is tried again here, with pauses and counted, and not by Ray.
            self._remote = ray.remote(max_retries=0)(do_task)  # one for all stages: a worker loads it once
            self._leaving = ray.remote(max_retries=0, max_calls=1)(do_task)
            self._metrics = Metrics()

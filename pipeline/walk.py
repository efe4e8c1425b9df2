"""Walk through the stages: list the units, run what is missing, look at what is finished, go on."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from pipeline.attempts import Failure
from pipeline.log import RunLog
from pipeline.patience import Patience, patiently
from pipeline.placing import need_of
from pipeline.progress import Progress
from pipeline.run import NotYet, Run
from pipeline.run_units import remember_units
from pipeline.runner import Runner
from pipeline.stage_tasks import StageTasks
from pipeline.stages import GROUPS, ROUND, Stage, walk
from pipeline.tracking import TRACKED, Tracker
from pipeline.units import Unit

T = TypeVar("T")


@dataclass(frozen=True)
class _Listed:
    """A stage whose units are listed; tasks: those of the missing ones, None where none was."""

    stage: Stage
    units: list[Unit]
    tasks: StageTasks | None


@dataclass
class Walk:
    """One way through the stages of a run.

    A stage that waits for scarce machines is left at work while the next ones are listed and run, up to one whose units
    cannot be listed before, or to the swarm, whose lists ask what is finished.
    """

    run: Run
    runner: Runner
    log: RunLog
    progress: Progress
    patience: Patience
    tracker: Tracker | None = None
    _unfinished: deque[_Listed] = field(default_factory=deque)

    def to(self, until: str | None) -> list[Failure]:
        """Run stage after stage up to `until` (all if None); return the units that were given up in the first stage
        that has such."""
        for stage in walk(self.run):
            if stage.name == ROUND[0] and (failures := self._all()):
                return failures
            try:
                units, groups = self._patiently(partial(self._list, stage))
            except NotYet:
                if failures := self._all():
                    return failures
                units, groups = self._patiently(partial(self._list, stage))
            self._patiently(partial(remember_units, self.run, stage.name))
            self._open(stage, units, groups)
            if failures := self._finish():
                return failures
            if stage.name == until:
                break
        return self._all()

    def _list(self, stage: Stage) -> tuple[list[Unit], list[list[Unit]]]:
        """Return a stage's units, and the missing ones as tasks; what was hashed and cut is kept, whatever follows."""
        known = len(self.run.fingerprints)
        try:
            units = self.run.units[stage.name] = stage.units(self.run)
        finally:
            if len(self.run.fingerprints) > known:
                self.run.save_fingerprints()
        missing = {unit.ref: unit for unit in units if not self.run.is_done(unit)}
        return units, grouped(self.run, list(missing.values()))

    def _open(self, stage: Stage, units: list[Unit], groups: list[list[Unit]]) -> None:
        """Run the missing units of a stage, but what waits for machines."""
        for unit in itertools.chain(*groups):
            if unit.ref in self.run.damaged:
                self.log.incident("damaged artefact", unit.stage, units=[unit.name], key=unit.key)
                self.run.store.discard(unit.ref)
        if self.tracker:
            for unit in filter(self.run.is_done, units):
                self._track(stage, unit)
        total = len({unit.ref for unit in units})
        tasks = self.runner.add(stage.name, groups, total, partial(self._done, stage), partial(need_of, self.run))
        self._unfinished.append(_Listed(stage, units, tasks))
        if tasks:
            self.runner.drive(tasks, leave_waiting=stage.waits)

    def _done(self, stage: Stage, unit: Unit) -> None:
        self.run.mark_done(unit)
        self._track(stage, unit)

    def _track(self, stage: Stage, unit: Unit) -> None:
        if self.tracker and unit.stage in TRACKED:
            self.tracker.log(stage.name, unit, self.run.manifest(unit)["counts"])

    def _all(self) -> list[Failure]:
        """Run and finish all that is open."""
        self.runner.drive()
        return self._finish()

    def _finish(self) -> list[Failure]:
        """Pin and check the stages that are complete, in order; return the failures of the first that has such."""
        while self._unfinished and ((tasks := self._unfinished[0].tasks) is None or tasks.closed):
            each = self._unfinished.popleft()
            if each.tasks and each.tasks.failures:
                self.runner.drop()
                return each.tasks.failures
            self._patiently(partial(self._look_at, each))
        return []

    def _look_at(self, each: _Listed) -> None:
        if each.stage.pinned:
            for unit in each.units:
                self.run.pin(unit)
        if each.stage.check:
            each.stage.check(self.run)

    def _patiently(self, call: Callable[[], T]) -> T:
        return patiently(call, self.patience, self.progress.say)


def grouped(run: Run, units: Sequence[Unit]) -> list[list[Unit]]:
    """Return the units of a stage as the tasks that do them."""
    group = GROUPS.get(units[0].stage) if units else None
    return group(run, units) if group else [[unit] for unit in units]

"""What a run would do, and why: `mixwright plan` walks the stages and executes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import ceil
from typing import Any

from pipeline.changes import Change, changes
from pipeline.estimates import Estimate, estimate, total
from pipeline.grow import EARLIER
from pipeline.load import resolved
from pipeline.run import NotYet, Run
from pipeline.run_units import Earlier, earlier_runs, units_of
from pipeline.stages import walk
from pipeline.units import Unit
from pipeline.why import Why, reasons

RUNS = 5
"""Earlier runs of the YAML that are looked through for a unit of the same name."""


@dataclass(frozen=True)
class StagePlan:
    """What a stage has and lacks: `missing` units. None are known where an earlier stage must finish first."""

    stage: str
    does: str
    done: int
    missing: tuple[Unit, ...] = ()
    waits_for: str | None = None

    @property
    def todo(self) -> int:
        return len(self.missing)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(unit.name for unit in self.missing)


def plan(run: Run) -> Iterator[StagePlan]:
    """Yield what every stage would do, without doing it; a stage of a later round carries the round's number."""
    rounds = Counter[str]()
    for stage in walk(run):
        rounds[stage.name] += 1
        name = stage.name if rounds[stage.name] == 1 else f"{stage.name} {rounds[stage.name]}"
        try:
            units = {unit.ref: unit for unit in stage.units(run)}
        except NotYet as missing:
            yield StagePlan(name, stage.does, 0, waits_for=str(missing))
            continue
        run.units[stage.name] = list(units.values())
        todo = tuple(unit for unit in units.values() if not run.is_done(unit))
        yield StagePlan(name, stage.does, len(units) - len(todo), todo)


@dataclass(frozen=True)
class Retrain:
    """What becomes of an earlier swarm's proxies.

    earlier: proxies of its mixes; kept: those that hold as they are; new: proxies that are trained in place of and
    beside them, later rounds included (all of them, if no round settles the swarm); proof: proxies of the proof, at
    most: those of the earlier one are used again where its mixes stay.
    """

    earlier: int
    kept: int
    new: int
    proof: int

    def __str__(self) -> str:
        if self.new == 0:
            return f"swarm: all {self.kept} finished proxies are used again, none is trained; proof: up to {self.proof}"
        again = f"{self.kept} of {self.earlier} finished proxies are used again, " if self.earlier else ""
        lost = f"{self.earlier - self.kept} no longer hold, " if self.earlier > self.kept else ""
        return f"swarm: {again}{lost}{self.new} are trained; proof: up to {self.proof} more"


@dataclass(frozen=True)
class Explained:
    """A stage's plan, the reasons for its missing units and what they are expected to take (None: nothing known)."""

    plan: StagePlan
    why: tuple[Why, ...] = ()
    expected: Estimate | None = None
    assumed: int | None = None
    """Units, at most, that the estimate of a stage whose units are not known yet is for."""

    def record(self) -> dict[str, Any]:
        return {
            "stage": self.plan.stage,
            "does": self.plan.does,
            "done": self.plan.done,
            "todo": self.plan.todo,
            "units": list(self.plan.names),
            "waits_for": self.plan.waits_for,
            "why": [asdict(each) for each in self.why],
            "expected_units": self.assumed if self.plan.waits_for else self.plan.todo,
            "expected": asdict(self.expected) if self.expected else None,
        }


@dataclass(frozen=True)
class RunPlan:
    """All stages, what changed in the YAML since the run `since`, the swarm's fate and the notes of the walk."""

    stages: tuple[Explained, ...]
    since: str | None
    changed: tuple[Change, ...]
    retrain: Retrain | None
    notes: tuple[str, ...] = field(default=())

    @property
    def expected(self) -> Estimate:
        return total(each.expected for each in self.stages if each.expected)

    @property
    def unknown(self) -> list[str]:
        """Stages that have or may have something to do, of which no unit was ever finished here."""
        return [
            each.plan.stage for each in self.stages if each.expected is None and (each.plan.todo or each.plan.waits_for)
        ]

    def record(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "since": self.since,
            "changed": [asdict(each) for each in self.changed],
            "stages": [each.record() for each in self.stages],
            "retrain": asdict(self.retrain) if self.retrain else None,
            "expected": asdict(self.expected),
            "not_estimated": self.unknown,
            "notes": list(self.notes),
        }


def explained_plan(run: Run) -> RunPlan:
    """Return the plan with reasons and estimates; a bounded number of manifests is read, whatever the store's size."""
    earlier = earlier_runs(run, RUNS)
    stages = list(plan(run))
    retrain = retrained(run, earlier)
    expected = _unlisted(run, retrain)
    found = []
    for each in stages:
        name = each.stage.split(" ")[0]
        known = _known(run, earlier, name) if each.todo or each.waits_for else {}
        why = tuple(reasons(run, each.missing, known)) if each.todo else ()
        first = name == each.stage
        assumed = expected.get(name) if each.waits_for and first else None
        size = each.todo or assumed
        found.append(Explained(each, why, estimate(run, name, known, each.missing, size) if size else None, assumed))
    before, now = dict(earlier.config or {}), resolved(run.config)
    changed = tuple(each for each in changes(before, now) if before and each.key != "store")  # where, not what
    return RunPlan(tuple(found), next(iter(earlier.folders), None), changed, retrain, tuple(dict.fromkeys(run.notes)))


def retrained(run: Run, earlier: Earlier) -> Retrain | None:
    """Return what a design that has to be made does to an earlier one's proxies; None where none has to be made."""
    units = run.units.get("design", [])
    if not units or run.is_done(units[0]):
        return None
    config, unit = run.config, units[0]
    proof = _proof(run)
    later = sum(config.swarm.sizes[1:])
    if EARLIER in unit.inputs:
        before = len(run.store.read_json(unit.inputs[EARLIER], "swarm.json")["mixes"])
        kept, new = len(unit.args["kept"]), unit.args["new"]
        return Retrain(before, kept, _added(run, kept, new) + later if new else 0, proof)
    before = 0
    for ref in reversed(list(_known(run, earlier, "design").values())):
        if ref.split("/")[1] in run.store_finished("design"):
            before = len(run.store.read_json(ref, "swarm.json")["mixes"])
            break
    return Retrain(before, 0, sum(config.swarm.sizes), proof)


def _added(run: Run, kept: int, new: Sequence[str]) -> int:
    """Return how many runs `mixture.designs.extend` adds: natural and uniform on two blocks, corners and draws.

    One that is kept among the baselines is counted here though `extend` leaves it out: changed text touches both.
    """
    runs, baselines = run.config.swarm.sizes[0], 4
    share = ceil(runs * len(new) / len(run.config.domain_names()))
    return baselines + max(share, 2 * len(new), runs - kept - baselines)


def _unlisted(run: Run, retrain: Retrain | None) -> dict[str, int]:
    """Return how many units those stages have, at most, that cannot list them yet; larger proxies are not counted."""
    requests, proof = run.units.get("requests"), _proof(run)
    origins = {run.config.origin(domain) for domain in run.config.domain_names()}
    tasks = len(requests) if requests else len(origins) + len(run.config.evals.benchmarks)
    unread = sum(not run.is_done(unit) for unit in requests) if requests else tasks
    rest = {"proof": proof, "confirm": proof * tasks, "laws": tasks, "fit": 1, "propose": 1, "validate": 1, "report": 1}
    if retrain is None:
        return rest
    return {**rest, "train": retrain.new, "score": retrain.new * tasks + retrain.kept * unread}


def _proof(run: Run) -> int:
    """Return how many proxies the proof has, at most: the proposal, natural, uniform, best observed and references."""
    return (4 + len(run.config.references)) * run.config.validation.seeds


def _known(run: Run, earlier: Earlier, stage: str) -> Mapping[str, str]:
    """Return name → artefact of the stage in the earlier runs; of several the newest one's."""
    known: dict[str, str] = {}
    for folder in earlier.folders:
        for name, ref in units_of(run.store, folder, stage).items():
            known.setdefault(name, ref)
    return known

"""What a failed task means for its units: try again and when, or give up. No Ray here; see docs/failures.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from pipeline.apart import NATIVE
from pipeline.execute import Outcome
from pipeline.needs import ONE_CORE, Need
from pipeline.patience import Patience
from pipeline.units import Unit

Cause = Literal["error", "worker died", "out of memory", "node lost", "stalled"]


@dataclass(frozen=True)
class Attempt:
    """Units to do as one task, and what happened to them so far.

    need: what it asks of Ray; more cores where memory ran out, so that less runs beside it. apart: in a child process,
    so that it is seen what ends it.
    """

    units: Sequence[Unit]
    errors: int = 0
    deaths: int = 0
    lost: int = 0
    stalls: int = 0
    need: Need = ONE_CORE
    apart: bool = False

    @property
    def tries(self) -> int:
        """How often it was tried before."""
        return self.errors + self.deaths + self.lost + self.stalls

    @property
    def stage(self) -> str:
        return self.units[0].stage

    @property
    def kind(self) -> tuple[Need, Any]:
        """What it shares with attempts that take about as long: a model takes longer for a variant than rules do."""
        return self.need, self.units[0].args.get("variant")

    @property
    def label(self) -> str:
        """The units, for people."""
        return f"{self.units[0].name}" + (f" and {len(self.units) - 1} more" if self.units[1:] else "")


@dataclass(frozen=True)
class Failure:
    """A unit that was given up. signal: where native code ended its process each time. document: id of the one by which
    it does."""

    unit: Unit
    reason: str
    signal: str | None = None
    document: str | None = None


def after(
    attempt: Attempt, cause: Cause, outcome: Outcome, patience: Patience, most_cpus: float
) -> tuple[list[Attempt], list[Failure]]:
    """Return the next attempts, or the units that are given up.

    Units that failed together are tried one by one, so that one cannot take the others with it; a lost node was none's
    fault. most_cpus: cores of the largest node.
    """
    more = max(attempt.need.cpus, min(2 * attempt.need.cpus, most_cpus))
    tried = replace(
        attempt,
        errors=attempt.errors + (cause == "error"),
        deaths=attempt.deaths + (cause in ("worker died", "out of memory")),
        lost=attempt.lost + (cause == "node lost"),
        stalls=attempt.stalls + (cause == "stalled"),
        need=replace(attempt.need, cpus=more) if cause == "out of memory" else attempt.need,
        apart=attempt.apart or cause == "worker died",
    )
    if len(attempt.units) > 1 and cause != "node lost":
        return [replace(tried, units=[unit]) for unit in attempt.units], []
    if not (
        tried.errors > len(patience.pauses)
        or (cause == "error" and not outcome.may_pass)
        or outcome.document is not None
        or tried.deaths >= patience.deaths
        or tried.lost >= patience.lost
        or tried.stalls >= patience.stalls
    ):
        return [tried], []
    signal = outcome.signal if cause == "worker died" and outcome.signal in NATIVE else None
    reason = (
        outcome.error if tried.tries == 1 and cause == "error" else f"{cause}, {tried.tries} tries: {outcome.error}"
    )
    return [], [Failure(unit, str(reason), signal, outcome.document) for unit in attempt.units]

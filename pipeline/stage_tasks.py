"""The tasks of one stage on their way: blocked by units before them, due, to be tried again later, or in flight."""

from __future__ import annotations

import heapq
import itertools
import statistics
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pipeline.attempts import Attempt, Failure
from pipeline.needs import Need
from pipeline.progress import Line
from pipeline.units import Unit

TASK_SECONDS = 0.5
"""Units that take far less are done several in a task of about this length: submitting one costs a millisecond."""

HOPELESS = 20
"""Units of a stage that fail before one succeeds, after which the rest is not tried."""

_KEPT = 101
"""Durations that the median is taken of."""

_ORDER = itertools.count()


@dataclass
class StageTasks:
    """A stage's tasks. done: called for each unit as it is published.

    `blocked` holds attempts under each artefact that they wait for, with all of these; `in_flight` counts submitted
    tasks by need; `seconds` holds the last durations of attempts by kind.
    """

    name: str
    line: Line
    done: Callable[[Unit], None]
    queues: dict[Need, deque[Attempt]] = field(default_factory=dict)
    blocked: dict[str, list[tuple[Attempt, set[str]]]] = field(default_factory=dict)
    later: list[tuple[float, int, Attempt]] = field(default_factory=list)
    in_flight: Counter[Need] = field(default_factory=Counter)
    seconds: dict[object, deque[float]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    units_done: int = 0
    closed: bool = False
    started: float = field(default_factory=time.monotonic)

    def add(self, attempt: Attempt, waits_for: set[str]) -> None:
        """Queue an attempt; waits_for: artefacts that it reads and that are not there yet."""
        for ref in waits_for:
            self.blocked.setdefault(ref, []).append((attempt, waits_for))
        if not waits_for:
            self.queues.setdefault(attempt.need, deque()).append(attempt)

    def release(self, ref: str) -> None:
        """Queue what waited for an artefact and for no other."""
        for attempt, refs in self.blocked.pop(ref, ()):
            refs.discard(ref)
            if not refs:
                self.add(attempt, refs)

    def again(self, attempt: Attempt, pause: float) -> None:
        """Try an attempt (again) after `pause` seconds."""
        heapq.heappush(self.later, (time.monotonic() + pause, next(_ORDER), attempt))

    def due(self, room: Callable[[Need], int]) -> Iterator[list[Attempt]]:
        """Yield what is to be submitted now, a task at a time: one attempt, or several first ones if they take no time.

        room: how many tasks with a need may still be submitted; asked again for each.
        """
        if self.hopeless:
            for rest in (self.queues, self.blocked, self.later):
                rest.clear()
        while self.later and self.later[0][0] <= time.monotonic():
            attempt = heapq.heappop(self.later)[2]
            self.queues.setdefault(attempt.need, deque()).appendleft(attempt)
        for need, queue in list(self.queues.items()):
            while queue and (free := room(need)) > 0:
                count, seconds = 1, self.median(queue[0])
                if len(queue) > free and seconds is not None and not queue[0].tries:
                    count = int(min(TASK_SECONDS / max(seconds, 0.001), len(queue) / free))
                yield [queue.popleft() for _ in range(min(max(count, 1), len(queue)))]

    def took(self, attempt: Attempt, seconds: float) -> None:
        """Keep how long an attempt took that is done."""
        self.seconds.setdefault(attempt.kind, deque(maxlen=_KEPT)).append(seconds)

    def median(self, attempt: Attempt) -> float | None:
        """Return the median seconds of the last attempts of a kind that are done; None where there is none."""
        found = self.seconds.get(attempt.kind)
        return statistics.median(found) if found else None

    @property
    def hopeless(self) -> bool:
        return not self.seconds and len(self.failures) >= HOPELESS

    @property
    def next_try(self) -> float:
        """Seconds until the next attempt that is tried again; infinite where none is."""
        return max(0.0, self.later[0][0] - time.monotonic()) if self.later else float("inf")

    def needs(self) -> set[Need]:
        """Return what is asked for by all that is queued, later or in flight."""
        return (
            {need for need, queue in self.queues.items() if queue}
            | {attempt.need for *_, attempt in self.later}
            | {need for need, count in self.in_flight.items() if count}
        )

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left, not even what is blocked."""
        return not self.blocked and not self.needs()

"""How long the driver tries again what fails and may pass. docs/failures.md says it for users."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pipeline.storage.retry import again

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """Times in seconds.

    pauses: before each further try of what may pass; a unit fails after the last of them. deaths: workers that a unit
    may take with it. lost: nodes that may be lost under it. stalls: times that it may give no result for `first`
    seconds, or where the stage has results for the greater of `least` and `times` x their median; each time it gets
    twice as long.
    """

    pauses: tuple[float, ...] = (1, 4, 15, 60, 240)
    deaths: int = 3
    lost: int = 20
    stalls: int = 3
    least: float = 600
    times: float = 20
    first: float = 6 * 3600

    def pause(self, tries: int) -> float:
        """Return the pause before the next try after `tries` of them, at least 1."""
        return self.pauses[min(tries, len(self.pauses)) - 1]

    def limit(self, median: float | None) -> float:
        """Return after how long without a result a unit counts as stalled."""
        return self.first if median is None else max(self.least, self.times * median)


PATIENCE = Patience()
"""What runs use."""


def patiently(call: Callable[[], T], patience: Patience, say: Callable[[str], None]) -> T:
    """Return what `call` returns; where it raises what may pass, say so and try again, as long as patience lasts."""
    return again(
        call,
        patience.pauses,
        say=lambda error, pause: say(f"{type(error).__name__}: {error}; trying again in {pause:g} s"),
    )

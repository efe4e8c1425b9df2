"""When the next request may go out, and how long to wait before one is tried again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

FIRST_WAIT = 1.0
LONGEST_WAIT = 60.0
LONGEST_ASKED = 600.0
"""Seconds that a server's Retry-After is heeded at most."""


class Pace:
    """Spaces the requests of several threads evenly, and holds all of them back while a server asks for it."""

    def __init__(self, per_minute: float | None) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def wait(self, stop: threading.Event) -> bool:
        """Sleep until this thread's turn. Return whether it has come: False where `stop` was set before."""
        with self._lock:
            turn = max(self._next, time.monotonic())
            self._next = turn + self._gap
        return not stop.wait(max(0.0, turn - time.monotonic()))

    def hold(self, seconds: float) -> None:
        """Let no request that has no turn yet go out before `seconds` have passed."""
        with self._lock:
            self._next = max(self._next, time.monotonic() + seconds)


def back_off(attempt: int, draw: random.Random, first: float = FIRST_WAIT) -> float:
    """Return seconds to wait after failed attempt 0, 1, …: doubling, of which half is random, so that workers part."""
    return min(LONGEST_WAIT, first * 2**attempt) * draw.uniform(0.5, 1.0)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds that a server asks for (RFC 9110, 10.2.3: seconds or a date); None where it does not."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            then = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (then - datetime.now(UTC)).total_seconds() if then.tzinfo else 0.0
    return min(max(seconds, 0.0), LONGEST_ASKED) if seconds == seconds else None

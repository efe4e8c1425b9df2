"""Counters that Ray exports to its dashboard and to Prometheus, beside its own: `ray_mixwright_…`, by stage."""

from __future__ import annotations

from typing import Any


class Metrics:
    """Units, documents, tokens and seconds of work done, and incidents. Ray must be running."""

    def __init__(self) -> None:
        from ray.util.metrics import Counter, Gauge

        def counter(name: str, says: str, *tags: str) -> Counter:
            return Counter(f"mixwright_{name}", says, tag_keys=("stage", *tags))

        self._units = counter("units_done", "Units finished.")
        self._documents = counter("documents", "Documents read or written by finished units.")
        self._tokens = counter("tokens", "Tokens written or trained on by finished units.")
        self._seconds = counter("unit_seconds", "Seconds on the clock of finished units, summed.")
        self._incidents = counter("incidents", "Retries, failures, stalls, by kind.", "kind")
        self._in_flight = Gauge("mixwright_units_in_flight", "Tasks submitted and not finished.", tag_keys=("stage",))

    def done(self, stage: str, seconds: float, counts: dict[str, Any]) -> None:
        """Count a finished unit. counts: what it counted; only numbers called `documents` and `tokens` are read."""
        tags = {"stage": stage}
        self._units.inc(1, tags)
        for counter, value in (
            (self._seconds, seconds),
            (self._documents, counts.get("documents")),
            (self._tokens, counts.get("tokens")),
        ):
            if isinstance(value, (int, float)) and value > 0:
                counter.inc(value, tags)

    def incident(self, stage: str, kind: str) -> None:
        self._incidents.inc(1, {"stage": stage, "kind": kind})

    def in_flight(self, stage: str, number: int) -> None:
        self._in_flight.set(number, {"stage": stage})

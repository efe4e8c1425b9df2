"""The run's log: JSON lines below `logs/RUN/` in the store, one object an event, and counts of what went wrong.

Every line has `time` (UTC), `run`, `event`; `stage`, `unit`, `seconds` and what else belongs to the event. Nothing of a
document or of the environment is logged, but for the messages of errors, without secrets. Times are in no artefact.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from pipeline.redaction import redacted
from pipeline.storage.retry import may_pass
from pipeline.store import Store, to_json

FLUSH_SECONDS = {True: 2.0, False: 60.0}
"""Least seconds between two writes, by whether the store is local: an object store gets an object each time."""
MOST_LINES = 20_000
"""Lines that wait for a store out of reach; the oldest go first."""


class RunLog:
    """Events of one command on a run. `incidents` counts (stage, event) of all commands on it so far."""

    def __init__(self, store: Store, run: str) -> None:
        self._store, self._run, self._parts = store, run, 0
        self._folder = f"logs/{run}"
        self._name = datetime.now(UTC).strftime("%Y%m%dT%H%M%S.%f")
        self._lines: list[str] = []
        self._last = time.monotonic()
        known = json.loads(store.read_text(f"{self._folder}/incidents.json") or "[]")
        self.incidents = Counter[tuple[str, str]]({(each["stage"], each["event"]): each["times"] for each in known})

    def write(self, event: str, **fields: Any) -> None:
        """Log an event; lines are written every few seconds."""
        fields = {name: redacted(each) if isinstance(each, str) else each for name, each in fields.items()}
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._lines.append(json.dumps({"time": now, "run": self._run, "event": event, **fields}, ensure_ascii=False))
        if time.monotonic() - self._last >= FLUSH_SECONDS[self._store.is_local]:
            self.flush()

    def incident(self, event: str, stage: str, **fields: Any) -> None:
        """Log and count something that went wrong, and write it at once."""
        self.incidents[stage, event] += 1
        self.write(event, stage=stage, **fields)
        self.flush()

    def flush(self) -> None:
        """Write what waits. What cannot be written now waits on: a log stops no run."""
        self._last = time.monotonic()
        if not self._lines:
            return
        try:
            self._append("".join(f"{line}\n" for line in self._lines))
            self._lines.clear()
            if self.incidents:
                self._store.write_text(f"{self._folder}/incidents.json", to_json(incident_rows(self.incidents)))
        except Exception as error:
            if not may_pass(error):
                raise
            del self._lines[:-MOST_LINES]

    def _append(self, text: str) -> None:
        if (folder := self._store.folder) is not None:
            path = folder / self._folder / f"{self._name}.jsonl"
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "a", encoding="utf-8") as file:
                file.write(text)
        else:
            self._store.write_text(f"{self._folder}/{self._name}-{self._parts:04d}.jsonl", text)
            self._parts += 1


def incident_rows(incidents: Counter[tuple[str, str]]) -> list[dict[str, Any]]:
    """Return what went wrong as JSON: stage, event, times."""
    return [{"stage": stage, "event": event, "times": n} for (stage, event), n in sorted(incidents.items())]

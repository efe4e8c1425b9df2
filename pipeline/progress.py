"""Progress: live lines of the stages at work in a terminal, plain lines elsewhere. All of it goes to standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from pipeline.redaction import redacted
from pipeline.visible import visible

PLAIN_EVERY = 10.0
"""Seconds between two plain lines of one stage."""


class Line(Protocol):
    """One stage's progress."""

    def advance(self) -> None:
        """One more unit is done."""
        ...

    def finish(self) -> None:
        """Write its last line and show it no more."""
        ...


class Progress:
    """Writes progress to standard error, live where that is a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._bar: Bar | None = None

    def say(self, text: str) -> None:
        """Write one line, without secrets and with nothing in it that a terminal would obey."""
        self._console.print(visible(redacted(text)), soft_wrap=True, markup=False, highlight=False)

    def open(self, name: str, total: int, done: int) -> Line:
        """Show `done` of `total` units of a stage until its line is finished; several may be open."""
        plain = _PlainLine(self, name, total, done)
        if not self._console.is_terminal:
            return plain
        if self._bar is None:
            self._bar = self._live_bar()
            self._bar.start()
        return _LiveLine(self, self._bar, self._bar.add_task(name, total=total, completed=done, rate=""), plain)

    @contextmanager
    def stage(self, name: str, total: int, done: int) -> Iterator[Line]:
        """Show `done` of `total` units of a stage while the body runs."""
        line = self.open(name, total, done)
        try:
            yield line
        finally:
            line.finish()

    def close(self, task: TaskID) -> None:
        """Take a line out of the live ones."""
        assert self._bar is not None
        self._bar.remove_task(task)
        if not self._bar.task_ids:
            self._bar.stop()
            self._bar = None

    def _live_bar(self) -> Bar:
        wide, wider = self._console.width >= 60, self._console.width >= 80
        return Bar(
            TextColumn("{task.description:<11}"),
            *([BarColumn(bar_width=None)] if wide else []),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            *([TimeElapsedColumn()] if wider else []),
            TimeRemainingColumn(compact=True),
            console=self._console,
            refresh_per_second=2,
            expand=wide,
            transient=True,
        )


class _LiveLine:
    def __init__(self, progress: Progress, bar: Bar, task: TaskID, plain: _PlainLine) -> None:
        self._progress, self._bar, self._task, self._plain = progress, bar, task, plain

    def advance(self) -> None:
        self._plain.count()
        self._bar.update(self._task, advance=1, rate=_rate(self._plain.rate))

    def finish(self) -> None:
        self._progress.close(self._task)
        self._plain.finish()


class _PlainLine:
    def __init__(self, progress: Progress, name: str, total: int, done: int) -> None:
        self._progress, self._name, self._total = progress, name, total
        self._before = self._done = done
        self._start = self._last = time.monotonic()

    @property
    def rate(self) -> float:
        return (self._done - self._before) / max(time.monotonic() - self._start, 1e-9)

    def count(self) -> None:
        self._done += 1

    def advance(self) -> None:
        self.count()
        if time.monotonic() - self._last >= PLAIN_EVERY and self._done < self._total:
            self._last = time.monotonic()
            self._write(f"{_span((self._total - self._done) / self.rate)} left")

    def finish(self) -> None:
        self._write("done" if self._done >= self._total else "stopped")

    def _write(self, state: str) -> None:
        seconds = _span(time.monotonic() - self._start)
        self._progress.say(f"{self._name}: {self._done}/{self._total}, {_rate(self.rate)}, {seconds}, {state}")


def _rate(per_second: float) -> str:
    return f"{per_second:.1f}/s" if per_second >= 1 else f"{per_second * 60:.1f}/min"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"

"""Progress: one live line a stage in a terminal, plain lines elsewhere. All of it goes to standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

PLAIN_EVERY = 10.0
"""Seconds between two plain lines of one stage."""


class Line(Protocol):
    def advance(self) -> None:
        """One more unit is done."""
        ...


class Progress:
    """Writes progress to standard error, live where that is a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)

    def say(self, text: str) -> None:
        """Write one line."""
        self._console.print(text, soft_wrap=True, markup=False)

    @contextmanager
    def stage(self, name: str, total: int, done: int) -> Iterator[Line]:
        """Show `done` of `total` units of a stage while the body runs."""
        if not self._console.is_terminal:
            line = _PlainLine(self, name, total, done)
            yield line
            line.finish()
            return
        wide, wider = self._console.width >= 60, self._console.width >= 80
        bar = Bar(
            TextColumn("{task.description:<11}"),
            *([BarColumn(bar_width=None)] if wide else []),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            *([TimeElapsedColumn()] if wider else []),
            TimeRemainingColumn(compact=True),
            console=self._console,
            refresh_per_second=2,
            expand=wide,
        )
        with bar:
            task = bar.add_task(name, total=total, completed=done, rate="")
            yield _LiveLine(bar, task)


class _LiveLine:
    def __init__(self, bar: Bar, task) -> None:
        self._bar, self._task, self._start, self._done = bar, task, time.monotonic(), 0

    def advance(self) -> None:
        self._done += 1
        rate = self._done / max(time.monotonic() - self._start, 1e-9)
        self._bar.update(self._task, advance=1, rate=_rate(rate))


class _PlainLine:
    def __init__(self, progress: Progress, name: str, total: int, done: int) -> None:
        self._progress, self._name, self._total = progress, name, total
        self._before = self._done = done
        self._start = self._last = time.monotonic()

    def advance(self) -> None:
        self._done += 1
        if time.monotonic() - self._last >= PLAIN_EVERY and self._done < self._total:
            self._last = time.monotonic()
            self._write()

    def finish(self) -> None:
        self._write()

    def _write(self) -> None:
        seconds = time.monotonic() - self._start
        rate = (self._done - self._before) / max(seconds, 1e-9)
        left = "done" if self._done >= self._total else f"{(self._total - self._done) / max(rate, 1e-9):.0f} s left"
        text = f"{self._name}: {self._done}/{self._total}, {_rate(rate)}, {seconds:.0f} s, {left}"
        self._progress.say(text)


def _rate(per_second: float) -> str:
    return f"{per_second:.1f}/s" if per_second >= 1 else f"{per_second * 60:.1f}/min"

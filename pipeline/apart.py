"""Call a function in a child process, so that this one lives on whatever ends it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

NATIVE = {"SIGSEGV", "SIGBUS", "SIGILL", "SIGFPE", "SIGABRT", "SIGTRAP", "SIGSYS"}
"""Signals by which code ends its own process; SIGKILL and SIGTERM come from elsewhere."""


@dataclass(frozen=True)
class Died:
    """What ended a child: a signal's name, or `exit code N`."""

    by: str


def apart(call: Callable[..., Any], *args: Any) -> Any:
    """Return what `call(*args)` returns in a child process, or Died. Starting the child takes a second or two.

    call: a module's function, which returns its own errors: one that it raises ends the child too.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_child, args=(there, os.getpid(), call, args))
    child.start()
    there.close()
    try:
        return here.recv()
    except EOFError:
        child.join()
        code = child.exitcode or 0
        return Died(signal.Signals(-code).name if code < 0 else f"exit code {code}")
    finally:
        child.join()


def _child(there: Connection, parent: int, call: Callable[..., Any], args: tuple[Any, ...]) -> None:
    def follow() -> None:  # a worker that is killed does not end its children
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()
    there.send(call(*args))

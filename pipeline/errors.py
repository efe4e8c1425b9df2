"""The errors a user can cause, each with the exit code of the command line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class MixwrightError(Exception):
    """Base of the errors that end a command with one message and no traceback."""

    exit_code = 1


class InputError(MixwrightError):
    """Wrong input: the YAML, a path in it, or a file it names. Exit code 2."""

    exit_code = 2


class BadDataError(MixwrightError):
    """More of a source is unreadable than its `max_bad_fraction` allows. Exit code 3."""

    exit_code = 3


class UnitFailed(MixwrightError):
    """Units of work were given up; the message names them and why. Exit code 1."""


class RayAbsent(MixwrightError):
    """Ray could not be joined or started. Exit code 1."""


_MOST_NAMES = 16
"""Known names that a message lists."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ` (did you mean X?)`, or the known names, for the end of an error message."""
    names = sorted(known)
    name = str(name)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f" (did you mean `{close[0]}`?)"
    if len(names) > _MOST_NAMES:
        best = difflib.get_close_matches(name, names, n=5, cutoff=0)
        return f" (the nearest of {len(names)}: {', '.join(best)})"
    return f" (known: {', '.join(names)})" if names else ""

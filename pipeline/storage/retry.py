"""What fails and may pass is tried again: the one list of such errors, and calls to a store that wait for it.

docs/failures.md says for users what is tried again and how long.
"""

from __future__ import annotations

import errno
import random
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from pipeline.errors import MixwrightError

T = TypeVar("T")

FIRST_WAIT = 0.2
"""Seconds before the second try of a call; each later wait is twice as long, spread by half so that workers come
apart."""
LONGEST_WAIT = 20.0
PATIENCE = 180.0
"""Seconds of waiting after which a store counts as unreachable."""

_FINAL = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
_FINAL_NUMBERS = {errno.EINVAL, errno.EMSGSIZE, errno.ENAMETOOLONG, errno.ENOSYS, errno.EROFS}
_OF_THIS_MACHINE = {errno.ENOSPC, errno.EDQUOT}
_PASSING = {
    # names, not classes: the libraries are optional, and none of these is an OSError
    "aiohttp.ClientError",  # connection reset, payload cut off
    "azure.ServiceRequestError",
    "azure.ServiceResponseError",
    "botocore.ConnectionError",  # no connection to be had
    "botocore.HTTPClientError",  # time-outs, closed connections
    "botocore.IncompleteReadError",
    "botocore.ResponseParserError",  # a body cut off
    "gcsfs.HttpError",
    "google.TransportError",
    "httpx.TransportError",
    "torch.OutOfMemoryError",
    "urllib3.HTTPError",
}
"""Package and class of further errors that may pass."""
_NO_ACCESS = {
    "azure.ClientAuthenticationError",
    "botocore.NoCredentialsError",
    "botocore.TokenRetrievalError",
    "google.DefaultCredentialsError",
    "google.RefreshError",
}
"""Errors of who has no credentials: for good, or while the service that gives them to machines is too busy."""


class StoreError(MixwrightError):
    """The store refuses what is asked of it, or is damaged. Exit code 1."""


class Unreachable(StoreError):
    """The store gave no answer for minutes, or there are no credentials for it. Exit code 1; the same command goes on
    later."""


class Truncated(Exception):
    """A copy is shorter or longer than its original; copying again may help."""


def may_pass(error: BaseException) -> bool:
    """Tell whether the same call may succeed later: a full disk, too little memory, a store or server out of reach.

    "Not found", "exists", "forbidden" and wrong arguments are answers: asking again changes nothing.
    """
    if isinstance(error, OSError):
        return not isinstance(error, _FINAL) and error.errno not in _FINAL_NUMBERS
    return isinstance(error, MemoryError | Truncated | Unreachable) or _is_of(error, _PASSING)


def again(
    call: Callable[[], T],
    pauses: Iterable[float],
    passes: Callable[[BaseException], bool] = may_pass,
    say: Callable[[Exception, float], None] = lambda error, pause: None,
) -> T:
    """Return what `call` returns; where its error passes, say so, pause and call again. The last error is raised."""
    for pause in pauses:
        try:
            return call()
        except Exception as error:
            if not passes(error):
                raise
            say(error, pause)
            time.sleep(pause)
    return call()


def patiently(call: Callable[[], T], what: str, patience: float | None = None) -> T:
    """Return what a call to the store returns, trying again with growing pauses while its error may pass.

    What this machine lacks (disk, memory, credentials) is not waited for here: its unit fails, gives back what it
    holds, and is tried again later. what: the file, for the message. Raises Unreachable after `patience` seconds
    (PATIENCE) or without credentials, StoreError where access is refused; other errors come as they are.
    """
    since = time.monotonic()
    try:
        return again(call, _pauses(PATIENCE if patience is None else patience), _is_the_stores)
    except PermissionError as error:
        raise StoreError(f"{what}: the store refuses access: {error}") from error
    except Exception as error:
        if _is_of(error, _NO_ACCESS):
            raise Unreachable(f"{what}: no access: {_named(error)}") from error
        if not _is_the_stores(error):
            raise
        passed = time.monotonic() - since
        raise Unreachable(f"{what}: the store failed for {passed:.0f} s, last with {_named(error)}") from error


def _pauses(patience: float) -> Iterator[float]:
    wait, since = FIRST_WAIT, time.monotonic()
    while time.monotonic() - since + wait <= patience:
        yield wait * random.uniform(0.5, 1.5)  # no result depends on it
        wait = min(2 * wait, LONGEST_WAIT)


def _is_the_stores(error: BaseException) -> bool:
    """Tell whether an error may pass and is not of this machine."""
    here = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno in _OF_THIS_MACHINE)
    return may_pass(error) and not here


def is_refused(error: Exception) -> bool:
    """Whether an object store said that the file exists, by an error that fsspec's driver did not translate."""
    response = getattr(error.__cause__, "response", None) or {}
    return response.get("Error", {}).get("Code") in ("PreconditionFailed", "412")


def _is_of(error: BaseException, names: set[str]) -> bool:
    """Tell whether an error is of one of the classes, called by package and name."""
    return any(f"{kind.__module__.partition('.')[0]}.{kind.__name__}" in names for kind in type(error).__mro__)


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

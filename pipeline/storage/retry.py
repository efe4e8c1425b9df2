"""Calls to a store that are tried again where the failure may pass, and end in one message where it does not."""

from __future__ import annotations

import asyncio
import errno
import random
import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.errors import MixwrightError

T = TypeVar("T")

FIRST_WAIT = 0.2
"""Seconds before the second try; each later wait is twice as long, spread by half so that workers come apart."""
LONGEST_WAIT = 20.0
PATIENCE = 180.0
"""Seconds of waiting after which a store counts as unreachable."""

_FINAL = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
_FINAL_NUMBERS = {
    getattr(errno, name)
    for name in (
        "EACCES",
        "EDQUOT",
        "EINVAL",
        "EMSGSIZE",
        "ENAMETOOLONG",
        "ENOENT",
        "ENOSPC",
        "ENOSYS",
        "EPERM",
        "EROFS",
    )
}
_PASSING = {
    # names, not classes: the libraries of stores are optional, and none of these is an OSError
    "ClientError",  # aiohttp: connection reset, payload cut off; botocore's is translated by s3fs before it comes here
    "ConnectionError",  # botocore's own: no connection to be had
    "HTTPClientError",  # botocore: connect and read time-outs, closed connections
    "IncompleteReadError",
    "ResponseParserError",  # botocore: a body cut off
    "HttpError",  # gcsfs
    "ServiceRequestError",  # azure
    "ServiceResponseError",
}


class StoreError(MixwrightError):
    """The store cannot be reached, or refuses what is asked of it. Exit code 1; the same command goes on later."""


class Truncated(Exception):
    """A copy is shorter or longer than its original; copying again may help."""


def may_pass(error: BaseException) -> bool:
    """Whether a store's error may be gone at the next try: time-outs, 5xx, lost connections, cut-off copies.

    "Not found", "exists", "forbidden", a full disk and wrong arguments are answers: asking again changes nothing.
    """
    if isinstance(error, Truncated | asyncio.TimeoutError | TimeoutError | ConnectionError):
        return True
    if isinstance(error, _FINAL):
        return False
    if isinstance(error, OSError):
        return error.errno not in _FINAL_NUMBERS
    return any(base.__name__ in _PASSING for base in type(error).__mro__)


def patiently(call: Callable[[], T], what: str, patience: float | None = None) -> T:
    """Return what `call` returns, trying again with back-off while its error may pass.

    what: the file, for the message. Raises StoreError after `patience` seconds (PATIENCE) and where access is
    refused; other errors that will not pass come as they are.
    """
    patience = PATIENCE if patience is None else patience
    wait, since = FIRST_WAIT, time.monotonic()
    while True:
        try:
            return call()
        except PermissionError as error:
            raise StoreError(f"{what}: the store refuses access: {error}") from error
        except Exception as error:
            if not may_pass(error):
                raise
            passed = time.monotonic() - since
            if passed + wait > patience:
                raise StoreError(f"{what}: the store failed for {passed:.0f} s, last with {_named(error)}") from error
            time.sleep(wait * random.uniform(0.5, 1.5))  # no result depends on it
            wait = min(2 * wait, LONGEST_WAIT)


def is_refused(error: Exception) -> bool:
    """Whether an object store said that the file exists, by an error that fsspec's driver did not translate."""
    response = getattr(error.__cause__, "response", None) or {}
    return response.get("Error", {}).get("Code") in ("PreconditionFailed", "412")


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__

"""One list says what may pass; a call to the store waits for a store, never for this machine."""

from __future__ import annotations

import errno
import os
import time

import pytest

from pipeline.storage import retry
from pipeline.storage.retry import StoreError, Truncated, Unreachable, may_pass, patiently


def named(module: str, name: str) -> Exception:
    """Return an error of a library that need not be installed."""
    return type(name, (Exception,), {"__module__": module})()


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError(errno.EDQUOT, "Disk quota exceeded"),
        OSError(errno.EIO, "Input/output error"),
        OSError("a driver that gives no number"),
        ConnectionResetError(),
        TimeoutError(),
        MemoryError(),
        Truncated("3 of 5 bytes"),
        Unreachable("s3://b/x: the store failed for 180 s"),
        named("torch", "OutOfMemoryError"),
        named("aiohttp.client_exceptions", "ClientError"),
        named("botocore.exceptions", "HTTPClientError"),
        named("urllib3.exceptions", "HTTPError"),
        named("azure.core.exceptions", "ServiceRequestError"),
    ],
    ids=lambda error: f"{type(error).__name__} {error}",
)
def test_may_pass(error: Exception) -> None:
    assert may_pass(error)


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(),
        PermissionError(),
        OSError(errno.EROFS, "Read-only file system"),
        OSError(errno.EINVAL, "Invalid argument"),
        OSError(errno.ENAMETOOLONG, "File name too long"),
        ValueError(),
        StoreError("the store refuses access"),
        named("botocore.exceptions", "NoCredentialsError"),
        named("somewhere.else", "HTTPClientError"),
    ],
    ids=lambda error: f"{type(error).__name__} {error}",
)
def test_will_not_pass(error: Exception) -> None:
    assert not may_pass(error)


def test_installed_libraries_call_their_errors_as_the_list_does() -> None:
    """A class that was renamed would stop being waited for, and nothing else would say so."""
    import aiohttp
    import botocore.exceptions
    import botocore.parsers
    import torch
    import urllib3.exceptions

    for error in (
        aiohttp.ClientPayloadError("cut off"),
        botocore.exceptions.ReadTimeoutError(endpoint_url="http://x"),
        botocore.exceptions.EndpointConnectionError(endpoint_url="http://x"),
        botocore.exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2),
        botocore.parsers.ResponseParserError("cut off"),
        torch.OutOfMemoryError("CUDA out of memory"),
        urllib3.exceptions.ProtocolError("broken"),
    ):
        assert may_pass(error), error


def test_a_store_out_of_reach_is_waited_for_and_its_end_may_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """The unit that met it is tried again, minutes later; it was given up at once."""
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.01)
    calls = []

    def call() -> None:
        calls.append(1)
        raise ConnectionResetError("reset")

    with pytest.raises(Unreachable, match=r"x.json: the store failed for \d+ s, last with ConnectionResetError: reset"):
        patiently(call, "x.json", patience=0.1)
    assert len(calls) > 2


def test_a_full_disk_comes_out_of_a_call_at_once() -> None:
    """Its unit lets go of what it wrote to that disk, and is tried again later."""
    calls = []

    def call() -> None:
        calls.append(1)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    since = time.monotonic()
    with pytest.raises(OSError, match="No space left") as raised:
        patiently(call, "x.json", patience=60)
    assert (len(calls), time.monotonic() - since < 1) == (1, True)
    assert may_pass(raised.value)


def test_refused_access_is_said_at_once_and_will_not_pass() -> None:
    def call() -> None:
        raise PermissionError("403")

    with pytest.raises(StoreError, match="x.json: the store refuses access: 403") as raised:
        patiently(call, "x.json", patience=60)
    assert not may_pass(raised.value)


def test_missing_credentials_are_said_at_once_and_may_come() -> None:
    """A person without any reads it now; of a thousand workers some are not served by a busy metadata service."""
    from botocore.exceptions import NoCredentialsError

    def call() -> None:
        raise NoCredentialsError

    since = time.monotonic()
    with pytest.raises(Unreachable, match="x.json: no access: NoCredentialsError: Unable to locate") as raised:
        patiently(call, "x.json", patience=60)
    assert time.monotonic() - since < 1
    assert may_pass(raised.value)

"""A real S3 server (moto's) on loopback, which can be told to fail."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

Fault = Callable[[int, str, str], str | None]
"""Call's number, method and path → `500`, `503`, `reset` or None: how the server fails."""


@dataclass
class S3Server:
    """Its address, and how it fails now.

    calls: (method, path) of all requests. written: (access key, path) of all puts, the key as the client calls itself:
    any is let in.
    """

    url: str = ""
    fault: Fault = lambda number, method, path: None
    calls: list[tuple[str, str]] = field(default_factory=list)
    written: list[tuple[str, str]] = field(default_factory=list)

    def bucket(self, name: str) -> str:
        """Make an empty bucket and return its URL."""
        import boto3

        boto3.client("s3").create_bucket(Bucket=name)
        return f"s3://{name}"


class _Failing:
    """moto's application behind a door that sometimes fails."""

    def __init__(self, app: Any, server: S3Server) -> None:
        self._app, self._server = app, server

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self._server.calls.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        if environ["REQUEST_METHOD"] == "PUT":
            key = environ.get("HTTP_AUTHORIZATION", "").partition("Credential=")[2].partition("/")[0]
            self._server.written.append((key, environ["PATH_INFO"]))
        fault = self._server.fault(len(self._server.calls), environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if fault is None:
            return self._app(environ, start)
        if fault == "reset":
            environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
            return []
        code, text = {"500": ("InternalError", "500 x"), "503": ("SlowDown", "503 x")}[fault]
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start(text, [("Content-Type", "application/xml"), ("Connection", "close")])
        return [f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>made to fail</Message></Error>".encode()]


@contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server, with the environment that leads every S3 client of this and of started processes to it."""
    import logging

    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from s3fs import S3FileSystem
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = S3Server()
    app = DomainDispatcherApplication(create_backend_app)
    http = make_server("127.0.0.1", 0, _Failing(app, server), threaded=True)  # type: ignore[arg-type]
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, daemon=True)
    thread.start()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": server.url,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",  # so that it is the store that tries again
        }.items():
            patch.setenv(name, value)
        S3FileSystem.clear_instance_cache()  # those of an earlier server of this process know its address
        yield server
    http.shutdown()
    thread.join()

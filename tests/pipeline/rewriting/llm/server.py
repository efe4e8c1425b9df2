"""A chat-completions server on loopback that answers, or fails in the ways that servers do, as a test asks it to."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

OK = "ok"
ODD = {
    "shape": b'{"choices": []}',
    "text": b'{"choices": [{"message": "a"}]}',
    "usage": b'{"choices": [{"message": {"content": "a"}}], "usage": "none"}',
    "infinite": b'{"choices": [{"message": {"content": "a"}}], "usage": {"prompt_tokens": Infinity}}',
    "negative": b'{"choices": [{"message": {"content": "a"}}], "usage": {"completion_tokens": -1}}',
    "deep": b"[" * 100_000,
    "bytes": b"\xff\xfe{",
}
"""Bodies with status 200 that are no reply."""

FAULTS = ("500", "503", "429", "garbage", *ODD, "half", "close", "hang")
"""What may happen in place of a reply: statuses, a body that is no JSON or no reply, half a body, none, silence."""


class Http(ThreadingHTTPServer):
    request_queue_size = 256  # the standard library's 5 would refuse connections that a test did not ask it to
    daemon_threads = True


def answer_to(text: str) -> str:
    return f"Question: How long is the text?\nAnswer: {len(text)} characters of {text[-20:]}"


@dataclass
class Server:
    """plan: (what is asked, number of the attempt at it) → what happens. Counts what it was asked and answered."""

    plan: Callable[[str, int], str] = lambda text, attempt: OK
    reply: Callable[[str], str] = answer_to
    retry_after: str = "0"
    finish_reason: str = "stop"
    attempts: Counter[str] = field(default_factory=Counter)
    answered: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    times: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Server:
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                owner._answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._http = Http(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    def _answer(self, http: BaseHTTPRequestHandler) -> None:
        import time

        body = json.loads(http.rfile.read(int(http.headers["content-length"])))
        asked = body["messages"][-1]["content"] if "messages" in body else body["prompt"]
        name = json.dumps([asked, body["seed"]])
        with self.lock:
            attempt = self.attempts[name]
            self.attempts[name] += 1
            self.bodies.append(body)
            self.times.append(time.monotonic())
            self.keys.add(http.headers["authorization"])
            happens = self.plan(asked, attempt)
            self.happened[happens] += 1
        text = self.reply(asked)
        message = {"message": {"role": "assistant", "content": text}} if "messages" in body else {"text": text}
        usage = {"prompt_tokens": len(asked.split()), "completion_tokens": len(text.split())}
        choice = {"index": 0, "finish_reason": self.finish_reason, **message}
        whole = json.dumps({"choices": [choice], "usage": usage}).encode()
        if happens == "hang":
            self.stop.wait(30)
        elif happens == "close":
            http.close_connection = True
            http.connection.close()
        elif happens == "half":
            self._send(http, 200, whole, cut=len(whole) // 2)
        elif happens == "garbage":
            self._send(http, 200, b"<html>busy</html>")
        elif happens in ODD:
            self._send(http, 200, ODD[happens])
        elif happens != OK:  # an error that repeats the key, as some servers' do
            told = json.dumps({"error": {"message": f"no: {http.headers['authorization']}"}}).encode()
            self._send(http, int(happens), told)
        else:
            with self.lock:
                self.answered[name] += 1
            self._send(http, 200, whole)

    def _send(self, http: BaseHTTPRequestHandler, status: int, body: bytes, cut: int | None = None) -> None:
        http.send_response(status)
        http.send_header("content-type", "application/json")
        http.send_header("content-length", str(len(body)))
        if status in (429, 503):
            http.send_header("retry-after", self.retry_after)
        http.end_headers()
        try:
            http.wfile.write(body[:cut])
        except OSError:  # the client had enough
            http.close_connection = True
        if cut is not None:
            http.wfile.flush()
            http.close_connection = True

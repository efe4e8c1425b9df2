"""Backend `openai`: any OpenAI-compatible endpoint, through the official client (optional extra `openai`).

The key comes from the environment variable that `key_env` names and goes into the client only: what a server says is
never quoted (some repeat the key in their errors), failures have codes instead. Nor is `key_env` itself, in which a key
may stand by mistake.
"""

from __future__ import annotations

import os
import random
import re
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.errors import InputError
from pipeline.rewriting.llm.base import Answer, Failure, Likelihood, Reply, Request
from pipeline.rewriting.llm.openai_reply import read_body
from pipeline.rewriting.llm.pace import FIRST_WAIT, Pace, back_off, retry_after

REFUSED = {
    401: "the key was refused",
    402: "payment is asked for",
    403: "access was refused",
    404: "there is no such model or path",
}
"""Statuses that no request of this run would be spared."""

GIVE_UP = 10
"""Requests in a row that may stay unanswered, or be refused alike, before the server is given up."""

MAX_BODY = 16 << 20
"""Bytes of a body that are read: more is no reply to one request."""

AGAIN = {408: "timeout", 409: "server_error", 425: "server_error", 429: "rate_limited"}
"""Statuses below 500 after which the same request may succeed."""


class OpenAIConfig(BaseModel):
    """The `backend` of a task's params with `kind: openai`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Literal["openai"]
    model: str = Field(description="Name of the model, as the server knows it.")
    revision: str = Field("", description="A name for the weights where the model's name does not tell them apart.")
    base_url: str = Field(description="Where the API is, e.g. http://localhost:8000/v1.")
    key_env: str | None = Field(None, description="Name of the environment variable that holds the key.")
    concurrency: int = Field(8, ge=1, le=1024, description="Requests in flight, over all workers.")
    requests_per_minute: float | None = Field(None, gt=0, description="Over all workers; no limit if absent.")
    timeout_seconds: float = Field(120, gt=0, description="How long a reply may be silent.")
    retries: int = Field(6, ge=0, le=100, description="Times that a request is tried again.")
    first_wait_seconds: float = Field(
        FIRST_WAIT, ge=0, description="Before the first retry; doubles from one to the next."
    )

    @field_validator("base_url")
    @classmethod
    def _plain(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("expected http:// or https:// and a host")
        if parts.username or parts.password or "?" in value or "#" in value:
            raise ValueError(
                "no user, password, query or fragment may stand in it: keys come from the environment (`key_env`)"
            )
        return value

    @field_validator("key_env")
    @classmethod
    def _a_name(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Z][A-Z0-9_]{0,63}", value):
            raise ValueError("expected the name of an environment variable (A-Z, 0-9 and _, up to 64), not a key")
        return value


def identity(config: OpenAIConfig) -> dict[str, Any]:
    """Return what replies depend on: the model, not where or how fast it is asked."""
    return {"kind": config.kind, "model": config.model, "revision": config.revision}


class ServerSilent(RuntimeError):
    """The server answers nothing: the unit fails, and is done when the server is back."""


class ServerRefuses(RuntimeError):
    """The server refuses one request after the other alike: the unit fails, for nothing says that they are at fault."""


class OpenAIBackend:
    """`workers`: processes that share the limits; each takes its part of them."""

    def __init__(self, config: OpenAIConfig, workers: int) -> None:
        """Raises InputError where the client is not installed or the key is not in the environment."""
        try:
            import httpx2  # the client's own, whose errors it passes on while a body is read
            import openai
        except ImportError:
            raise InputError("the backend `openai` needs its client: pip install 'mixwright[openai]'") from None
        key = "none"  # servers without keys ignore it; without it the client would look for one itself
        if config.key_env is not None:
            key = os.environ.get(config.key_env, "")
            if not key:
                raise InputError("the environment variable that `key_env` names is not set on this worker")
        self._config, self._openai, self._httpx = config, openai, httpx2
        self._client = openai.OpenAI(
            api_key=key, base_url=config.base_url, timeout=config.timeout_seconds, max_retries=0
        )
        self._threads = max(1, config.concurrency // workers)
        self._pace = Pace(config.requests_per_minute / workers if config.requests_per_minute else None)
        self._retries: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._silent = 0  # requests in a row that stayed unanswered
        self._refused: list[str] = []  # reasons of requests in a row that were refused alike
        self._stopped = threading.Event()

    def groups(self, requests: Sequence[Request]) -> list[list[int]]:
        return [[i] for i in range(len(requests))]

    def generate(self, requests: Sequence[Request]) -> Iterator[tuple[int, Answer]]:
        """Yield answers as they arrive. Raises InputError where the server refuses the key or the model, ServerSilent
        where it answers nothing any more, ServerRefuses where it refuses whatever it is asked."""
        with ThreadPoolExecutor(self._threads) as pool:
            pending = {pool.submit(self._ask, request): i for i, request in enumerate(requests)}
            try:
                for future in as_completed(pending):
                    answer = future.result()
                    yield pending[future], answer
                    self._give_up(answer)
            finally:
                self._stopped.set()  # wakes those that wait to try again
                pool.shutdown(cancel_futures=True)
                self._stopped.clear()

    def log_likelihood(self, pairs: Sequence[tuple[str, str]]) -> list[Likelihood]:
        raise NotImplementedError("chat APIs give no likelihood of a text that they did not write")

    def spent(self) -> dict[str, int | float]:
        return {f"retried_{reason}": n for reason, n in sorted(self._retries.items())}

    def _give_up(self, answer: Answer) -> None:
        """Raise where this answer is the last of too many failures in a row."""
        lost = answer if isinstance(answer, Failure) else None
        self._silent = self._silent + 1 if lost and not lost.lasting else 0
        before = self._refused if lost and lost.reason in self._refused else []
        self._refused = [*before, lost.reason] if lost and lost.lasting else []
        if self._silent >= GIVE_UP:
            raise ServerSilent(
                f"{self._config.base_url}: {GIVE_UP} requests in a row stayed unanswered, each after "
                f"{self._config.retries} retries ({dict(self._retries)}); what was answered is kept"
            )
        if len(self._refused) >= GIVE_UP:
            raise ServerRefuses(
                f"{self._config.base_url}: the server refused {GIVE_UP} requests in a row with {self._refused[0]}: it "
                "does not take what the task asks (a parameter, or prompts of this length); what was answered is kept"
            )

    def _ask(self, request: Request) -> Answer:
        """Ask until there is a reply, a lasting failure, or no retry left."""
        draw = random.Random(request.seed)
        failure = Failure("connection", lasting=False)
        for attempt in range(self._config.retries + 1):
            if not self._pace.wait(self._stopped):
                return failure
            answer, asked = self._once(request)
            if isinstance(answer, Reply) or answer.lasting:
                return answer
            failure = answer
            if attempt < self._config.retries:
                with self._lock:
                    self._retries[failure.reason] += 1
                wait = back_off(attempt, draw, self._config.first_wait_seconds)
                if asked is not None:  # all threads would be told the same
                    self._pace.hold(asked)
                if self._stopped.wait(max(wait, asked or 0.0)):
                    return failure
        return failure

    def _once(self, request: Request) -> tuple[Answer, float | None]:
        """Return the answer to one attempt, and the seconds that the server asks to wait."""
        openai = self._openai
        try:
            raw = self._send(request)
        except (openai.APITimeoutError, self._httpx.TimeoutException):
            return Failure("timeout", lasting=False), None
        except openai.APIStatusError as error:
            status = error.status_code
            if status in REFUSED:
                asked = f"model `{self._config.model}`"
                raise InputError(f"{self._config.base_url}: status {status} ({asked}): {REFUSED[status]}") from None
            if status >= 500 or status in AGAIN:
                return Failure(AGAIN.get(status, "server_error"), lasting=False), retry_after(error.response.headers)
            return Failure(f"status_{status}", lasting=True), None
        except (openai.OpenAIError, self._httpx.HTTPError):  # refused, cut off in the middle, nothing of HTTP
            return Failure("connection", lasting=False), None
        try:
            return read_body(raw, request), None
        except ValueError:
            return Failure("garbage", lasting=False), None

    def _send(self, request: Request) -> bytes:
        """Return the body of the answer, or its beginning where it has more than MAX_BODY bytes (no JSON then)."""
        sampling = request.sampling
        options: dict[str, Any] = {
            "model": self._config.model,
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": request.seed,
            **({"stop": list(sampling.stop)} if sampling.stop else {}),
        }
        if request.messages:
            messages: Any = [{"role": role, "content": content} for role, content in request.messages]
            sent = self._client.chat.completions.with_streaming_response.create(messages=messages, **options)
        else:
            sent = self._client.completions.with_streaming_response.create(prompt=request.prompt, **options)
        body = bytearray()
        with sent as response:
            for chunk in response.iter_bytes():
                body += chunk
                if len(body) > MAX_BODY:
                    break
        return bytes(body[:MAX_BODY])

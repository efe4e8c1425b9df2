"""What a backend is: requests in, replies or reasoned failures out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn. temperature 0: the likeliest each time. stop: texts that end a reply, left out of it."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 256
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Request:
    """One call of a model: chat `messages` as (role, content), or a `prompt` to be continued; exactly one of them."""

    sampling: Sampling
    seed: int
    messages: tuple[tuple[str, str], ...] = ()
    prompt: str = ""

    def content(self) -> dict[str, Any]:
        """Return the whole request as JSON values: what a reply is cached by."""
        return asdict(self)

    @property
    def characters(self) -> int:
        return len(self.prompt) + sum(len(content) for _, content in self.messages)


@dataclass(frozen=True)
class Reply:
    """finish_reason: `stop` (the model or a stop text ended it); all else means that it was cut: `length` at
    max_tokens, others by a server (`content_filter`)."""

    text: str
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True)
class Failure:
    """No reply. reason: a code, never text from outside. lasting: whether asking again would fail again."""

    reason: str
    lasting: bool

    @property
    def unanswered(self) -> bool:
        """Whether the backend is at fault, or may be: only what is `TOO_LONG` for it is surely the document's."""
        return self != TOO_LONG


TOO_LONG = Failure("too_long", lasting=True)
Answer = Reply | Failure


@dataclass(frozen=True)
class Likelihood:
    """total: Σ log p of a continuation's tokens, in nats."""

    total: float
    tokens: int


class Backend(Protocol):
    """What writes. Built once per worker."""

    def groups(self, requests: Sequence[Request]) -> list[list[int]]:
        """Return the requests, by position, in groups that are answered together.

        A reply may depend, by rounding, on its group, so a group is cached whole or asked for whole. What is sure to
        fail is in a group of its own: failures are not cached.
        """
        ...

    def generate(self, requests: Sequence[Request]) -> Iterator[tuple[int, Answer]]:
        """Yield (position, answer) as answers arrive, each position once."""
        ...

    def log_likelihood(self, pairs: Sequence[tuple[str, str]]) -> list[Likelihood]:
        """Return the likelihood of each (context, continuation), in order, where it can (`BackendSpec.scores`)."""
        ...

    def spent(self) -> dict[str, int | float]:
        """Return what the manifest counts besides tokens: retries by reason, seconds on a GPU."""
        ...

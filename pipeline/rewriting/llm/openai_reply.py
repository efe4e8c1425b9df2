"""What an OpenAI-compatible server's body says. Nothing of it is trusted: any shape is a reply, or a ValueError."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from pipeline.rewriting.llm.base import Reply, Request

CHARACTERS_A_TOKEN = 4
"""Of English in large vocabularies; used where a server does not count tokens."""

_HALF = re.compile("[\ud800-\udfff]")
"""Half of a surrogate pair: JSON can hold it, UTF-8 cannot."""


def read_body(body: bytes, request: Request) -> Reply:
    """Return the reply in a response's body. Raises ValueError for anything else."""
    try:
        return read_reply(json.loads(body), request)
    except RecursionError:
        raise ValueError("expected JSON that is not nested without end") from None


def read_reply(data: Any, request: Request) -> Reply:
    """Return the reply in a response's JSON. Raises ValueError for another shape.

    A server that counts no tokens is taken to have used one for every four characters; without a finish_reason the
    reply is taken to have ended by itself.
    """
    try:
        choice = data["choices"][0]
        text = choice["message"]["content"] if request.messages else choice["text"]
        reason = choice.get("finish_reason")
        usage = {} if data.get("usage") is None else data["usage"]
        counts = usage.get("prompt_tokens"), usage.get("completion_tokens")
    except (KeyError, TypeError, IndexError, AttributeError):
        raise ValueError("expected choices with a message or a text, and usage with counts") from None
    text = _text(text)
    return Reply(text, _text(reason) or "stop", _tokens(counts[0], request.characters), _tokens(counts[1], len(text)))


def _text(value: Any) -> str:
    if value is None:  # content of a refusal, or of a call of a tool
        return ""
    if not isinstance(value, str):
        raise ValueError("expected text")
    return _HALF.sub("\ufffd", value)


def _tokens(value: Any, characters: int) -> int:
    if value is None or value == 0:
        return -(-characters // CHARACTERS_A_TOKEN)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53 or math.isnan(value):
        raise ValueError("expected a count of tokens")
    return int(value)

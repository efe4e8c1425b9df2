"""Replies by the content of their request, in the store: what was answered once is never asked, or paid, again.

    ROOT/cache/rewrite/<aa>/<key>.json

The key is a hash of the backend's identity (kind, model, content of its files) and the whole request with its sampling
and seed; where a backend answers requests in groups, on which a reply depends by rounding, of the others of the group
too. A reply is written whole or not at all, as soon as it arrives; two workers that write the same key write a reply to
the same request, and the last one stays. Failures are not kept.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from pipeline.rewriting.llm.base import Answer, Backend, Reply, Request
from pipeline.store import Store, to_json
from pipeline.units import digest


@dataclass
class Tally:
    """What a worker asked for. requests = cached + answered + failed, requests of the same content counted once."""

    requests: int = 0
    cached: int = 0
    failed: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class ReplyCache:
    store: Store
    identity: Mapping[str, Any]
    tally: Tally = field(default_factory=Tally)

    def answers(self, backend: Backend, requests: Sequence[Request]) -> list[Answer]:
        """Return an answer to each request, in order, from the cache where it has one."""
        names = [digest([self.identity, request.content()], 40) for request in requests]
        first = {name: i for i, name in reversed(list(enumerate(names)))}
        once = sorted(first.values())
        keys: dict[str, str] = {}
        known: dict[str, Answer] = {}
        missing: list[int] = []
        for group in backend.groups([requests[i] for i in once]):
            members = [names[once[i]] for i in group]
            keys |= {name: digest([name, members], 40) if len(members) > 1 else name for name in members}
            found = {name: self.read(keys[name]) for name in members}
            whole = {name: reply for name, reply in found.items() if reply is not None}
            if len(whole) == len(members):
                known |= whole
            else:
                missing += [once[i] for i in group]
        self.tally.requests += len(once)
        self.tally.cached += len(known)
        for position, answer in backend.generate([requests[i] for i in missing]):
            name = names[missing[position]]
            known[name] = answer
            if isinstance(answer, Reply):
                self.store.write_text(self._path(keys[name]), to_json(asdict(answer)))
            else:
                self.tally.failed[answer.reason] = self.tally.failed.get(answer.reason, 0) + 1
        return [known[name] for name in names]

    def read(self, key: str) -> Reply | None:
        """Return a cached reply; None where there is none, or its file is damaged (it is then asked for again)."""
        try:
            text = self.store.read_text(self._path(key))
            if text is None:
                return None
            value = json.loads(text)
            prompt, completion = int(value["prompt_tokens"]), int(value["completion_tokens"])
            if min(prompt, completion) < 0:
                return None
            return Reply(str(value["text"]), str(value["finish_reason"]), prompt, completion)
        except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
            return None

    def _path(self, key: str) -> str:
        return f"cache/rewrite/{key[:2]}/{key}.json"

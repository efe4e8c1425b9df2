"""A rewriter that asks a model: segments, requests, replies, items, checks, text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pipeline.rewriting.base import Rejected, Rewrite
from pipeline.rewriting.llm.base import Answer, Backend, Failure, Reply, Request
from pipeline.rewriting.llm.checks import CHECKS, Passage
from pipeline.rewriting.llm.grounding import nearest_span
from pipeline.rewriting.llm.params import Budget
from pipeline.rewriting.llm.parsers import PARSERS, Item
from pipeline.rewriting.llm.reply_cache import ReplyCache
from pipeline.rewriting.llm.round_trip import scores
from pipeline.rewriting.llm.segments import passed_over, segments
from pipeline.rewriting.llm.task import Task
from pipeline.rewriting.llm.templates import render
from pipeline.units import seed_of

WAVE = 64
"""Documents at most that are asked about before what they cost is counted against a budget."""

WAVE_CHARACTERS = 16 << 20
"""Of prompts that are held at a time: some thousand requests, enough to fill a GPU or a server."""

CHARACTERS_A_TOKEN = 3
"""For the estimate of a prompt's tokens before it is sent: on the safe side for English."""


@dataclass(frozen=True)
class Part:
    """A segment as the output template sees it: its text, and the items that were accepted."""

    text: str
    items: tuple[Item, ...]


class Unanswered(RuntimeError):
    """Too many requests stayed without an answer: the unit fails, and a later run asks only for what is missing."""


@dataclass
class _Segment:
    """One segment on its way: what was asked (nothing where it is too short), what is left of the replies."""

    passage: Passage
    asked: list[Request] = field(default_factory=list)
    items: list[Item] = field(default_factory=list)


@dataclass
class _Document:
    values: Mapping[str, Any]
    segments: list[_Segment]
    rejected: list[Rejected] = field(default_factory=list)
    candidates: int = 0

    @property
    def requests(self) -> list[Request]:
        return [request for segment in self.segments for request in segment.asked]

    def estimate(self) -> Counter[str]:
        """Return characters of its prompts, and the tokens of prompts and replies that they take at most."""
        asked = self.requests
        return Counter(
            characters=sum(request.characters for request in asked),
            prompt=sum(-(-request.characters // CHARACTERS_A_TOKEN) for request in asked),
            completion=sum(request.sampling.max_tokens for request in asked),
        )


@dataclass
class ModelRewriter:
    """Rewrites many documents at a time, so that a backend has enough to do at once.

    judge: who does the round trip. budget: this shard's part. max_unanswered: share of requests.
    """

    task: Task
    backend: Backend
    judge: Backend
    cache: ReplyCache
    seed: int
    budget: Budget = field(default_factory=Budget)  # type: ignore[call-arg]
    max_unanswered: float = 0.01
    prompt_tokens: int = 0
    completion_tokens: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)

    def rewrite(self, document: Mapping[str, Any]) -> tuple[list[Rewrite], list[Rejected]]:
        (found,) = self.rewrite_many([document])
        return found

    def rewrite_many(self, documents: Sequence[Mapping[str, Any]]) -> list[tuple[list[Rewrite], list[Rejected]]]:
        """Return what `rewrite` would of each document, in order; over a budget, what is left of it goes to the first.

        Without a rewrite the last rejection of a document is `nothing_accepted` or `over_budget`. A wave ends before a
        document that the budget does not cover by estimate; what the wave really took is then counted, and only a
        document that what is left does not cover alone is refused.
        """
        found: list[tuple[list[Rewrite], list[Rejected]]] = []
        wave: list[_Document] = []
        held: Counter[str] = Counter()
        for values in documents:
            document = self._document(values)
            estimate = document.estimate()
            if wave and (self._full(wave, held) or not self._covered(held + estimate)):
                found += self._wave(wave)
                wave, held = [], Counter()
            if self._covered(held + estimate):
                wave.append(document)
                held += estimate
            else:
                found.append(([], [*document.rejected, Rejected("over_budget", _text(document)[:200])]))
        return found + self._wave(wave)

    def finish(self) -> dict[str, Any]:
        """Return what the manifest counts. Raises Unanswered where more than `max_unanswered` of the requests are."""
        tally = self.cache.tally
        lost = sum(self.unanswered.values())
        if lost > self.max_unanswered * tally.requests:
            raise Unanswered(
                f"{lost} of {tally.requests} requests stayed unanswered or were refused ({dict(self.unanswered)}), "
                f"more than max_unanswered ({self.max_unanswered:g}) allows; what was answered is kept"
            )
        cost = self.budget.price(self.prompt_tokens, self.completion_tokens)
        return {
            "requests": tally.requests,
            "cached": tally.cached,
            "failed": dict(tally.failed),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            **({"cost": round(cost, 6)} if cost else {}),
            **self._spent(),
        }

    def _spent(self) -> dict[str, int | float]:
        """Return what backend and judge count, together."""
        spent = dict(self.backend.spent())
        if self.judge is not self.backend:
            for name, value in self.judge.spent().items():
                spent[name] = spent.get(name, 0) + value
        return spent

    @cached_property
    def _checks(self) -> list[tuple[Any, Any]]:
        named = [next(iter(section.items())) for section in self.task.checks]
        return [(CHECKS[name].check, CHECKS[name].params.model_validate(params)) for name, params in named]

    @cached_property
    def _parser(self) -> tuple[Any, Any]:
        ((name, params),) = self.task.parser.items()
        return PARSERS[name].parse, PARSERS[name].params.model_validate(params)

    def _document(self, values: Mapping[str, Any]) -> _Document:
        passages = segments(str(values.get("text") or ""), self.task.segment)
        document = _Document(values, [_Segment(Passage(text, str(values.get("title") or ""))) for text in passages])
        for segment in document.segments:
            if reason := passed_over(segment.passage.text, segment.passage.title, self.task.segment):
                document.rejected.append(Rejected(reason, segment.passage.text))
            else:
                segment.asked = self._requests(segment.passage, values)
        return document

    def _requests(self, passage: Passage, values: Mapping[str, Any]) -> list[Request]:
        """Return the samples of one segment, each with a seed of its own."""
        prompt, sampling = self.task.prompt, self.task.sampling.drawn()
        asked = []
        for sample in range(self.task.samples):
            shown = {"text": passage.text, "title": passage.title, "fields": dict(values), "sample": sample}
            messages = tuple((each.role, render(each.content, **shown)) for each in prompt.messages or ())
            text = render(prompt.completion, **shown) if prompt.completion is not None else ""
            asked.append(Request(sampling, seed_of(["rewrite", self.seed, text, messages, sample]), messages, text))
        return asked

    def _full(self, wave: list[_Document], held: Counter[str]) -> bool:
        return held["characters"] >= WAVE_CHARACTERS or (self.budget.limited and len(wave) >= WAVE)

    def _covered(self, estimate: Counter[str]) -> bool:
        """Whether the budget covers it beside what was taken so far."""
        return self.budget.covers(
            self.prompt_tokens + estimate["prompt"], self.completion_tokens + estimate["completion"]
        )

    def _wave(self, documents: list[_Document]) -> list[tuple[list[Rewrite], list[Rejected]]]:
        answers = iter(self.cache.answers(self.backend, [request for each in documents for request in each.requests]))
        for document in documents:
            for segment in document.segments:
                self._read(document, segment, [next(answers) for _ in segment.asked])
        if self.task.round_trip is not None:
            self._round_trip(documents)
        return [self._written(document) for document in documents]

    def _read(self, document: _Document, segment: _Segment, answers: list[Answer]) -> None:
        """Parse and check the replies to one segment."""
        parse, params = self._parser
        seen: set[str] = set()
        for request, answer in zip(segment.asked, answers, strict=True):
            if isinstance(answer, Failure):
                document.rejected.append(Rejected(f"unanswered_{answer.reason}", segment.passage.text[:200]))
                if answer.unanswered:
                    self.unanswered[answer.reason] += 1
                continue
            self._count(answer)
            begun = request.prompt.rpartition("\n")[2] if self.task.prompt.continues else ""
            items, rejected = parse(begun + answer.text, answer.finish_reason != "stop", params)
            document.candidates += len(items) + len(rejected)
            document.rejected += rejected
            for parsed in items:
                item = parsed if self.task.snap is None else _snapped(parsed, segment.passage.text, self.task.snap)
                reason = self._reason(item, segment.passage)
                if not reason and item.text.casefold() in seen:
                    reason = "duplicate"
                seen.add(item.text.casefold())
                if reason:
                    document.rejected.append(Rejected(reason, item.text))
                else:
                    segment.items.append(item)

    def _count(self, reply: Reply) -> None:
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens

    def _reason(self, item: Item, passage: Passage) -> str:
        return next((reason for check, params in self._checks if (reason := check(item, passage, params))), "")

    def _round_trip(self, documents: list[_Document]) -> None:
        """Keep the pairs that pass the round trip."""
        limits = self.task.round_trip
        assert limits is not None
        held = [
            (document, segment, item)
            for document in documents
            for segment in document.segments
            for item in segment.items
        ]
        if not held:
            return
        found = scores([(item, segment.passage) for _, segment, item in held], limits, self.judge)
        for segment in {id(segment): segment for _, segment, _ in held}.values():
            segment.items = []
        for (document, segment, item), score in zip(held, found, strict=True):
            reason = score.reason(limits)
            if reason:
                document.rejected.append(Rejected(reason, item.text))
            else:
                segment.items.append(item)

    def _written(self, document: _Document) -> tuple[list[Rewrite], list[Rejected]]:
        """Fill in the output."""
        asked: set[str] = set()
        for segment in document.segments:
            segment.items = self._kept(document, segment, asked)
        items = [item for segment in document.segments for item in segment.items]
        if not items:
            return [], [*document.rejected, Rejected("nothing_accepted", _text(document)[:200])]
        values = document.values
        shown = {"title": str(values.get("title") or ""), "fields": dict(values)}
        detail: dict[str, str | int | float] = {"items": len(items), "candidates": document.candidates}
        if self.task.per == "document":
            parts = [Part(segment.passage.text, tuple(segment.items)) for segment in document.segments]
            texts = [render(self.task.output, text=_text(document), segments=parts, **shown)]
        else:
            texts = [
                render(self.task.output, text=segment.passage.text, item=item, **shown)
                for segment in document.segments
                for item in segment.items
            ]
        return [Rewrite(text.strip(), detail) for text in texts], document.rejected

    def _kept(self, document: _Document, segment: _Segment, asked: set[str]) -> list[Item]:
        """Return the items without those whose question or answer another has, and at most `max_items`."""
        kept: list[Item] = []
        answers: set[str] = set()
        for item in segment.items:
            question, answer = item.question.casefold(), item.answer.casefold()
            if item.question and (question in asked or answer in answers):
                document.rejected.append(Rejected("duplicate", item.text))
            elif self.task.max_items is not None and len(kept) >= self.task.max_items:
                document.rejected.append(Rejected("over_max_items", item.text))
            else:
                kept.append(item)
                asked.add(question)
                answers.add(answer)
        return kept


def _snapped(item: Item, text: str, similarity: float) -> Item:
    answer = nearest_span(item.answer, text, similarity)
    return Item(f"{item.question}\n{answer}", item.question, answer)


def _text(document: _Document) -> str:
    return str(document.values.get("text") or "")

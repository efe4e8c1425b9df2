"""Every candidate is accounted for, budgets hold, and what a server does not answer is counted or stops the unit."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.rewriting.llm import model_rewriter
from pipeline.rewriting.llm.model_rewriter import ModelRewriter, Unanswered
from pipeline.rewriting.llm.openai_api import OpenAIBackend, OpenAIConfig
from pipeline.rewriting.llm.params import Budget
from pipeline.rewriting.llm.reply_cache import ReplyCache
from pipeline.rewriting.llm.task import Task
from pipeline.store import Store
from tests.pipeline.rewriting.llm.server import OK, Server

TASK = {
    "about": "pairs",
    "prompt": {"messages": [{"role": "user", "content": "Ask about: {{ text }}"}]},
    "parser": {"qa_pairs": {}},
    "checks": ["boilerplate", "grounded", "no_leak"],
    "output": "{{ text }}\n{% for s in segments %}{% for i in s.items %}{{ i.question }} {{ i.answer }}\n"
    "{% endfor %}{% endfor %}",
}
REPLY = """Question: Who painted it?
Answer: Ada
Question: When was it painted?
Answer: 1999
Question: Is it by Ada?
Answer: Ada
Question: Who painted it?
Answer: Ada
something else"""


@pytest.fixture
def rewriter(tmp_path: Path) -> Callable[..., ModelRewriter]:
    def make(server: Server, task: dict[str, Any] | None = None, **options: Any) -> ModelRewriter:
        config = OpenAIConfig(
            kind="openai", model="m", base_url=server.url, retries=0, timeout_seconds=5, first_wait_seconds=0.01
        )
        backend = OpenAIBackend(config, 1)
        cache = ReplyCache(Store(str(tmp_path)), {"kind": "openai", "model": "m"})
        return ModelRewriter(Task.model_validate({**TASK, **(task or {})}), backend, backend, cache, 1, **options)

    return make


def test_every_candidate_ends_as_a_pair_or_with_a_reason(rewriter: Callable[..., ModelRewriter]) -> None:
    with Server(reply=lambda asked: REPLY) as server:
        ((rewrite,), rejected) = rewriter(server).rewrite({"id": "a", "text": "It was painted by Ada in 1900."})
    assert rewrite.text == "It was painted by Ada in 1900.\nWho painted it? Ada"
    assert [each.reason for each in rejected] == ["number_not_in_source", "answer_in_question", "duplicate"]
    assert rewrite.detail == {"items": 1, "candidates": 4}


def test_a_document_of_which_nothing_passes_is_dropped_with_a_reason(rewriter: Callable[..., ModelRewriter]) -> None:
    with Server(reply=lambda asked: "Sure! I would love to.") as server:
        rewrites, rejected = rewriter(server).rewrite({"id": "a", "text": "It was painted by Ada."})
    assert rewrites == []
    assert [each.reason for each in rejected] == ["unparsable", "nothing_accepted"]


@pytest.mark.parametrize("reason", ["length", "content_filter", "tool_calls"])
def test_a_reply_that_did_not_end_by_itself_is_no_whole_text(
    reason: str, rewriter: Callable[..., ModelRewriter]
) -> None:
    task = {"parser": "text", "checks": [], "output": "{{ segments[0].items[0].text }}"}
    with Server(reply=lambda asked: "It was Ada who painted", finish_reason=reason) as server:
        rewrites, rejected = rewriter(server, task).rewrite({"id": "a", "text": "It was painted by Ada."})
    assert rewrites == []
    assert [each.reason for each in rejected] == ["truncated", "nothing_accepted"]


def test_many_at_once_are_what_one_at_a_time_are(rewriter: Callable[..., ModelRewriter], tmp_path: Path) -> None:
    documents = [{"id": str(i), "text": f"Number {i} was painted by Ada.\n\nAnd so was {i + 1}."} for i in range(9)]
    with Server(reply=lambda asked: f"Question: Who did {asked[-12:]}?\nAnswer: Ada") as server:
        many = rewriter(server).rewrite_many(documents)
        asked = server.attempts.total()
        one = rewriter(server)
        assert [one.rewrite(document) for document in documents] == many
        assert server.attempts.total() == asked == 9
        assert one.finish()["cached"] == 9


def test_a_text_written_of_each_item(rewriter: Callable[..., ModelRewriter]) -> None:
    task = {"per": "item", "output": "{{ title }}: {{ item.text }}", "parser": "list", "checks": []}
    with Server(reply=lambda asked: "- one thing\n- another") as server:
        rewrites, _ = rewriter(server, task).rewrite({"id": "a", "text": "It is so.", "title": "Painting"})
    assert [each.text for each in rewrites] == ["Painting: one thing", "Painting: another"]


def test_samples_have_seeds_of_their_own(rewriter: Callable[..., ModelRewriter]) -> None:
    with Server() as server:
        rewriter(server, {"samples": 3}).rewrite({"id": "a", "text": "It was painted by Ada."})
        seeds = {body["seed"] for body in server.bodies}
    assert len(seeds) == 3


def test_what_is_over_the_budget_is_refused_and_counted(rewriter: Callable[..., ModelRewriter]) -> None:
    documents = [{"id": str(i), "text": f"Number {i} was painted by Ada."} for i in range(200)]
    task = {"sampling": {"max_tokens": 20}}
    with Server(reply=lambda asked: "Question: Who painted it?\nAnswer: Ada") as server:
        limited = rewriter(server, task, budget=Budget(tokens=1500))  # type: ignore[call-arg]
        found = limited.rewrite_many(documents)
        asked = server.attempts.total()
        counts = limited.finish()
        again = rewriter(server, task, budget=Budget(tokens=1500))  # type: ignore[call-arg]
        assert again.rewrite_many(documents) == found, "a re-run from the cache spends the budget alike"
    over = [i for i, (rewrites, rejected) in enumerate(found) if rejected and rejected[-1].reason == "over_budget"]
    assert over == list(range(asked, 200)), "the first documents have it, and every other one says why not"
    assert 0 < counts["prompt_tokens"] + counts["completion_tokens"] <= 1500
    assert server.attempts.total() == asked


def over_budget(found: list[tuple[list[Any], list[Any]]]) -> list[int]:
    return [i for i, (_, rejected) in enumerate(found) if any(each.reason == "over_budget" for each in rejected)]


def test_one_long_document_leaves_the_budget_to_the_others(rewriter: Callable[..., ModelRewriter]) -> None:
    documents = [{"id": str(i), "text": f"Number {i} was painted by Ada."} for i in range(30)]
    long = {"id": "long", "text": "All of it was painted by Ada. " * 2000}
    with Server(reply=lambda asked: "Question: Who painted it?\nAnswer: Ada") as server:
        limited = rewriter(server, {"sampling": {"max_tokens": 20}}, budget=Budget(tokens=3000))  # type: ignore[call-arg]
        found = limited.rewrite_many([*documents[:10], long, *documents[10:]])
    assert over_budget(found) == [10]


def test_a_budget_is_used_up_to_less_than_a_document(rewriter: Callable[..., ModelRewriter]) -> None:
    """Replies take a tenth of what they might: waves that are admitted by the worst case must not end it early."""
    documents = [{"id": str(i), "text": f"Number {i} was painted by Ada."} for i in range(500)]
    task = {"sampling": {"max_tokens": 100}}
    with Server(reply=lambda asked: "Question: Who painted it?\nAnswer: Ada") as server:
        limited = rewriter(server, task, budget=Budget(tokens=2000))  # type: ignore[call-arg]
        found = limited.rewrite_many(documents)
    spent = limited.prompt_tokens + limited.completion_tokens
    assert 2000 - 120 <= spent <= 2000
    assert over_budget(found), "the budget covers all: nothing is tested"


def test_prompts_of_few_characters_are_held_at_a_time(
    rewriter: Callable[..., ModelRewriter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_rewriter, "WAVE_CHARACTERS", 1000)
    documents = [{"id": str(i), "text": f"Number {i} was painted by Ada. " * 10} for i in range(20)]
    with Server() as server:
        made = rewriter(server)
        asked: list[int] = []
        answers = made.cache.answers

        def watched(backend: Any, requests: list[Any]) -> list[Any]:
            asked.append(sum(request.characters for request in requests))
            return answers(backend, requests)

        monkeypatch.setattr(ReplyCache, "answers", lambda _, backend, requests: watched(backend, requests))
        assert len(made.rewrite_many(documents)) == 20
    assert len(asked) == 5
    assert max(asked) < 1000 + 400


def test_the_judge_is_counted_too(rewriter: Callable[..., ModelRewriter]) -> None:
    class Judge:
        def spent(self) -> dict[str, int | float]:
            return {"gpu_seconds": 2.5}

    with Server() as server:
        judged = rewriter(server)
        judged.judge = Judge()  # type: ignore[assignment]
        assert judged.finish()["gpu_seconds"] == 2.5
        judged.backend = Judge()  # type: ignore[assignment]
        assert judged.finish()["gpu_seconds"] == 5.0
        judged.judge = judged.backend
        assert judged.finish()["gpu_seconds"] == 2.5, "one that is both is counted once"


def test_costs_are_counted_in_the_prices_given(rewriter: Callable[..., ModelRewriter]) -> None:
    budget = Budget(cost=1.0, prompt_price=1e6, completion_price=2e6)  # type: ignore[call-arg]
    with Server(reply=lambda asked: "one two") as server:
        priced = rewriter(server, {"sampling": {"max_tokens": 1}}, budget=budget.model_copy(update={"cost": 1e4}))
        priced.rewrite({"id": "a", "text": "three words more"})
        counts = priced.finish()
    assert counts["prompt_tokens"] == 5
    assert counts["completion_tokens"] == 2
    assert counts["cost"] == 5 * 1 + 2 * 2


def test_too_many_requests_without_an_answer_stop_the_unit(rewriter: Callable[..., ModelRewriter]) -> None:
    documents = [{"id": str(i), "text": f"Number {i} was painted by Ada."} for i in range(20)]

    def plan(asked: str, attempt: int) -> str:
        return "500" if re.search(r"Number (3|7) ", asked) and attempt == 0 else OK

    with Server(plan=plan) as server:
        strict = rewriter(server)
        strict.rewrite_many(documents)
        with pytest.raises(Unanswered, match="2 of 20"):
            strict.finish()
        again = rewriter(server)
        found = again.rewrite_many(documents)
        assert server.attempts.total() == 22, "only what was missing is asked for again"
        assert again.finish()["cached"] == 18
        assert not any(each.reason.startswith("unanswered") for _, rejected in found for each in rejected)


def test_a_share_of_unanswered_requests_may_be_allowed(rewriter: Callable[..., ModelRewriter]) -> None:
    documents = [{"id": str(i), "text": f"Number {i} was painted by Ada."} for i in range(20)]
    with Server(plan=lambda asked, attempt: "500" if "Number 3 " in asked else OK) as server:
        lenient = rewriter(server, max_unanswered=0.05)
        found = lenient.rewrite_many(documents)
        assert [each.reason for each in found[3][1]] == ["unanswered_server_error", "nothing_accepted"]
        assert lenient.finish()["failed"] == {"server_error": 1}


@pytest.mark.parametrize("status", ["400", "422"])
def test_requests_that_the_server_refuses_count_as_unanswered(
    status: str, rewriter: Callable[..., ModelRewriter]
) -> None:
    documents = [{"id": str(i), "text": f"Number {i} was painted by Ada."} for i in range(20)]
    with Server(plan=lambda asked, attempt: status if re.search(r"Number (3|7) ", asked) else OK) as server:
        strict = rewriter(server)
        strict.rewrite_many(documents)
        with pytest.raises(Unanswered, match="2 of 20"):
            strict.finish()
        lenient = rewriter(server, max_unanswered=0.1)
        lenient.rewrite_many(documents)
        assert lenient.finish()["failed"] == {f"status_{status}": 2}


def test_what_a_document_says_is_never_a_template(rewriter: Callable[..., ModelRewriter]) -> None:
    hostile = "{{ 7 * 7 }} {% for x in range(9) %}x{% endfor %} {{ ''.__class__ }}"
    with Server() as server:
        rewriter(server).rewrite({"id": "a", "text": hostile})
        assert server.bodies[0]["messages"][0]["content"] == f"Ask about: {hostile}"

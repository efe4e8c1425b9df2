"""A server that refuses, is silent or sends nonsense: retried, counted, no reply lost and none doubled."""

from __future__ import annotations

import json
import random
import threading
import time
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.rewriting.llm import openai_api
from pipeline.rewriting.llm.base import Answer, Failure, Reply, Request, Sampling
from pipeline.rewriting.llm.openai_api import OpenAIBackend, OpenAIConfig, ServerRefuses, ServerSilent
from pipeline.rewriting.llm.openai_reply import read_reply
from pipeline.rewriting.llm.pace import Pace, back_off, retry_after
from tests.pipeline.rewriting.llm.server import FAULTS, OK, Server, answer_to

SAMPLING = Sampling(temperature=0.5, top_p=0.9, max_tokens=50, stop=("\n\n",))


def config(url: str, **changes: Any) -> OpenAIConfig:
    quick = {"timeout_seconds": 0.4, "first_wait_seconds": 0.01, "retries": 4, "concurrency": 8}
    return OpenAIConfig(**{"kind": "openai", "model": "small", "base_url": url, **quick, **changes})


def chat(text: str, seed: int = 1) -> Request:
    return Request(SAMPLING, seed, messages=(("user", text),))


def ask(backend: OpenAIBackend, requests: list[Request]) -> list[Answer]:
    """Return the answers in order, each position having been answered exactly once."""
    found: dict[int, Answer] = {}
    for position, answer in backend.generate(requests):
        assert position not in found, "answered twice"
        found[position] = answer
    return [found[i] for i in range(len(requests))]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_is_retried_and_counted(fault: str) -> None:
    with Server(plan=lambda text, attempt: fault if attempt < 2 else OK) as server:
        backend = OpenAIBackend(config(server.url), 1)
        (answer,) = ask(backend, [chat("a")])
        assert isinstance(answer, Reply)
        assert answer.text == answer_to("a")
        assert server.attempts.total() == 3
        reason = {"hang": "timeout", "429": "rate_limited", "500": "server_error", "503": "server_error"}.get(fault)
        reason = reason or ("connection" if fault in ("half", "close") else "garbage")
        assert backend.spent() == {f"retried_{reason}": 2}


def test_under_every_fault_at_once_no_request_is_lost_doubled_or_mixed_up() -> None:
    draw = random.Random(3)
    faults = {
        (f"text {i}", attempt): draw.choice(FAULTS) for i in range(60) for attempt in range(4) if draw.random() < 0.4
    }
    with Server(plan=lambda text, attempt: faults.get((text, attempt), OK)) as server:
        backend = OpenAIBackend(config(server.url), 1)
        answers = ask(backend, [chat(f"text {i}") for i in range(60)])
        assert [answer.text for answer in answers if isinstance(answer, Reply)] == [
            answer_to(f"text {i}") for i in range(60)
        ]
        assert set(server.answered.values()) == {1}, "an answered request was asked again"
        failed = server.attempts.total() - 60
        assert failed == sum(n for what, n in server.happened.items() if what != OK)
        assert sum(backend.spent().values()) == failed


def test_a_body_without_end_is_not_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_api, "MAX_BODY", 100_000)
    with Server(reply=lambda asked: "a" * (99_000 if asked == "some" else 110_000)) as server:
        long, some = ask(OpenAIBackend(config(server.url, retries=0), 1), [chat("endless"), chat("some")])
    assert long == Failure("garbage", lasting=False)
    assert isinstance(some, Reply)


def test_what_is_asked_is_what_the_request_says() -> None:
    with Server() as server:
        backend = OpenAIBackend(config(server.url), 1)
        ask(backend, [chat("a", seed=7), Request(SAMPLING, 8, prompt="b")])
        bodies = sorted(server.bodies, key=lambda body: body["seed"])
    common = {"model": "small", "temperature": 0.5, "top_p": 0.9, "max_tokens": 50, "stop": ["\n\n"]}
    assert bodies[0] == {**common, "seed": 7, "messages": [{"role": "user", "content": "a"}]}
    assert bodies[1] == {**common, "seed": 8, "prompt": "b"}


def test_after_the_last_retry_the_failure_has_a_reason() -> None:
    with Server(plan=lambda text, attempt: "500") as server:
        (answer,) = ask(OpenAIBackend(config(server.url, retries=2), 1), [chat("a")])
        assert answer == Failure("server_error", lasting=False)
        assert server.attempts.total() == 3


def test_a_request_that_the_server_rejects_is_not_asked_again() -> None:
    with Server(plan=lambda text, attempt: "400" if text == "bad" else OK) as server:
        bad, good = ask(OpenAIBackend(config(server.url), 1), [chat("bad"), chat("good")])
        assert bad == Failure("status_400", lasting=True)
        assert isinstance(good, Reply)
        assert server.attempts.total() == 2


@pytest.mark.parametrize("status", ["401", "402", "403", "404"])
def test_a_refused_key_or_model_ends_at_once_and_the_message_holds_no_key(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THE_KEY", "sk-very-secret-123")
    with Server(plan=lambda text, attempt: status) as server:
        backend = OpenAIBackend(config(server.url, key_env="THE_KEY", concurrency=1), 1)
        with pytest.raises(InputError, match=f"status {status}") as caught:
            ask(backend, [chat(f"{i}") for i in range(20)])
        assert server.keys == {"Bearer sk-very-secret-123"}, "the key did not reach the server"
        assert server.attempts.total() < 4
    assert "secret" not in str(caught.value)
    assert "THE_KEY" not in str(caught.value), "what stands in `key_env` may be a key"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_a_missing_key_is_told_without_what_may_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THE_KEY", raising=False)
    with pytest.raises(InputError, match="`key_env`") as caught:
        OpenAIBackend(config("http://127.0.0.1:9/v1", key_env="THE_KEY"), 1)
    assert "THE_KEY" not in str(caught.value)


def test_no_key_of_the_environment_goes_to_a_server_that_asked_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-another-server")
    with Server() as server:
        ask(OpenAIBackend(config(server.url), 1), [chat("a")])
        assert server.keys == {"Bearer none"}


def test_a_server_that_is_gone_is_given_up_after_ten_requests() -> None:
    with Server() as server:
        url = server.url
    backend = OpenAIBackend(config(url, retries=1, concurrency=2), 1)
    answers = backend.generate([chat(f"{i}") for i in range(500)])
    assert [next(answers)[1] for _ in range(10)] == [Failure("connection", lasting=False)] * 10
    with pytest.raises(ServerSilent, match="10 requests in a row"):
        next(answers)


def test_a_server_that_refuses_ten_requests_in_a_row_is_given_up() -> None:
    with Server(plan=lambda text, attempt: "400") as server:
        backend = OpenAIBackend(config(server.url, concurrency=2), 1)
        with pytest.raises(ServerRefuses, match="10 requests in a row with status_400"):
            ask(backend, [chat(f"{i}") for i in range(500)])
        assert server.attempts.total() < 20


def test_refusals_between_replies_are_no_reason_to_stop() -> None:
    with Server(plan=lambda text, attempt: "400" if int(text) % 2 else OK) as server:
        answers = ask(OpenAIBackend(config(server.url, concurrency=1), 1), [chat(f"{i}") for i in range(40)])
    assert answers.count(Failure("status_400", lasting=True)) == 20


def test_all_threads_wait_as_long_as_the_server_asks() -> None:
    with Server(
        plan=lambda text, attempt: "429" if text == "first" and attempt == 0 else OK, retry_after="1"
    ) as server:
        backend = OpenAIBackend(config(server.url, concurrency=1), 1)
        start = time.monotonic()
        ask(backend, [chat("first"), chat("second")])
        assert server.times[1] - server.times[0] >= 0.99
        assert time.monotonic() - start < 4


def test_requests_keep_to_the_rate_and_workers_share_it() -> None:
    with Server() as server:
        backend = OpenAIBackend(config(server.url, requests_per_minute=2400), 2)  # 1,200 each: one in 50 ms
        ask(backend, [chat(f"{i}") for i in range(10)])
        times = sorted(server.times)
        assert times[-1] - times[0] >= 9 * 0.05 - 0.1, "the first may arrive late"


def test_who_waits_for_a_turn_is_woken_by_the_end() -> None:
    with Server(plan=lambda text, attempt: "401") as server:
        slow = config(server.url, requests_per_minute=2, concurrency=4)  # the second turn comes after 30 seconds
        start = time.monotonic()
        with pytest.raises(InputError, match="401"):
            ask(OpenAIBackend(slow, 1), [chat(f"{i}") for i in range(4)])
        assert time.monotonic() - start < 10
        assert server.attempts.total() == 1, "who was woken must not ask"


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({}) is None
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({"retry-after": "-3"}) == 0
    assert retry_after({"retry-after": "nan"}) is None
    assert retry_after({"retry-after": "1e9"}) == 600
    assert retry_after({"retry-after": formatdate(time.time() + 30, usegmt=True)}) == pytest.approx(30, abs=2)


def test_waits_double_up_to_a_minute() -> None:
    draw = random.Random(1)
    for attempt in range(12):
        whole = min(60, 2**attempt)
        assert whole / 2 <= back_off(attempt, draw) <= whole
    assert Pace(None).wait(threading.Event())


@pytest.mark.parametrize(
    ("choice", "text", "reason"),
    [
        ({"message": {"content": "a"}, "finish_reason": "length"}, "a", "length"),
        ({"message": {"content": None}, "finish_reason": "content_filter"}, "", "content_filter"),
    ],
)
def test_replies_are_read(choice: dict[str, Any], text: str, reason: str) -> None:
    reply = read_reply({"choices": [choice]}, chat("12345678"))
    assert (reply.text, reply.finish_reason) == (text, reason)
    assert reply.prompt_tokens == 2, "without usage, a token for every four characters"


MESSAGE = {"message": {"content": "a"}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize(
    "data",
    [
        *(None, 3, [], {}, {"choices": [{}]}, {"choices": [{"message": {"content": 3}}]}, {"choices": {"0": MESSAGE}}),
        *({"choices": [{**MESSAGE, "finish_reason": odd}]} for odd in (3, ["stop"], {})),
        *({"choices": [MESSAGE], "usage": odd} for odd in ("none", [3], 7)),
        *(
            {"choices": [MESSAGE], "usage": {"prompt_tokens": odd}}
            for odd in (-1, float("nan"), float("inf"), "7", 10**400, True)
        ),
    ],
)
def test_other_shapes_are_refused(data: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        read_reply(data, chat("a"))


@given(JSON, JSON, JSON, JSON)
def test_any_json_is_a_reply_or_refused(content: Any, reason: Any, usage: Any, count: Any) -> None:
    for data in (
        content,
        {"choices": content},
        {"choices": [{"message": {"content": content}, "finish_reason": reason}], "usage": usage},
        {"choices": [MESSAGE], "usage": {"prompt_tokens": count, "completion_tokens": count}},
    ):
        try:
            reply = read_reply(data, chat("a"))
        except ValueError:
            continue
        reply.text.encode()
        assert reply.prompt_tokens >= 0
        assert reply.completion_tokens >= 0


def test_half_a_character_is_replaced() -> None:
    reply = read_reply(json.loads('{"choices": [{"message": {"content": "a \\ud83d b \\ud83d\\ude00"}}]}'), chat("a"))
    assert reply.text == "a \ufffd b 😀"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"base_url": "https://me:sk-1@host/v1"}, "no user, password"),
        ({"base_url": "http://host/v1#sk-1"}, "no user, password, query or fragment"),
        ({"base_url": "http://host/v1?sk-1"}, "no user, password"),
        ({"base_url": "ftp://host"}, "expected http"),
        ({"key_env": "sk-12-34"}, "not a key"),
        ({"api_key": "sk-1"}, "Extra inputs"),
    ],
)
def test_keys_cannot_stand_in_the_yaml(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        config(**{"url": "http://host/v1", **changes}) if "base_url" not in changes else OpenAIConfig(
            **{"kind": "openai", "model": "m", **changes}
        )

"""What was answered is never paid for again: not by a re-run, a second worker, or after a worker was killed."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.rewriting.llm.base import Answer, Failure, Likelihood, Reply, Request, Sampling
from pipeline.rewriting.llm.openai_api import OpenAIBackend, OpenAIConfig
from pipeline.rewriting.llm.reply_cache import ReplyCache
from pipeline.store import Store
from tests.pipeline.rewriting.llm.server import OK, Server, answer_to

IDENTITY = {"kind": "openai", "model": "small", "revision": ""}


def requests(count: int, temperature: float = 0.0) -> list[Request]:
    return [Request(Sampling(temperature, max_tokens=9), i, (("user", f"text {i}"),)) for i in range(count)]


def backend(url: str, concurrency: int = 4, retries: int = 0) -> OpenAIBackend:
    options = {"retries": retries, "first_wait_seconds": 0.01, "timeout_seconds": 5.0}
    return OpenAIBackend(
        OpenAIConfig(kind="openai", model="small", base_url=url, concurrency=concurrency, **options), 1
    )


WORKER = """
import sys
from pipeline.rewriting.llm.reply_cache import ReplyCache
from pipeline.store import Store
from tests.pipeline.rewriting.llm.test_reply_cache import IDENTITY, backend, requests
ReplyCache(Store(sys.argv[2]), IDENTITY).answers(backend(sys.argv[1], concurrency=3), requests(40))
"""


def files(store: Path) -> list[Path]:
    return sorted((store / "cache" / "rewrite").glob("??/*.json"))


def test_a_killed_worker_repeats_no_request_that_was_answered(tmp_path: Path) -> None:
    with Server() as server:
        answered: list[str] = []

        def plan(text: str, attempt: int) -> str:  # the server falls silent, with requests of the worker's in flight
            answered.append(text)
            return OK if len(answered) <= 17 or killed else "hang"

        killed = False
        server.plan = plan
        worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, server.url, str(tmp_path)], cwd=Path(__file__).parents[4]
        )
        until = time.monotonic() + 30
        while (len(files(tmp_path)) < 17 or len(answered) < 20) and time.monotonic() < until:
            time.sleep(0.01)
        worker.send_signal(signal.SIGKILL)
        assert worker.wait() == -signal.SIGKILL
        assert len(files(tmp_path)) == 17
        killed = True
        cache = ReplyCache(Store(str(tmp_path)), IDENTITY)
        found = cache.answers(backend(server.url), requests(40))
        assert [answer.text for answer in found if isinstance(answer, Reply)] == [
            answer_to(f"text {i}") for i in range(40)
        ]
        assert set(server.answered.values()) == {1}, "an answered request was asked again"
        assert server.answered.total() == 40
        assert (cache.tally.requests, cache.tally.cached) == (40, 17)
        assert not list(tmp_path.rglob("*.tmp"))


def test_a_second_run_asks_nothing_and_gives_the_same(tmp_path: Path) -> None:
    with Server() as server:
        first = ReplyCache(Store(str(tmp_path)), IDENTITY).answers(backend(server.url), requests(10))
        again = ReplyCache(Store(str(tmp_path)), IDENTITY).answers(backend("http://127.0.0.1:9/v1"), requests(10))
        assert first == again
        assert server.attempts.total() == 10


def test_equal_requests_of_one_call_are_asked_once(tmp_path: Path) -> None:
    with Server() as server:
        cache = ReplyCache(Store(str(tmp_path)), IDENTITY)
        found = cache.answers(backend(server.url), requests(3) * 5)
        assert found == found[:3] * 5
        assert server.attempts.total() == cache.tally.requests == 3


def test_workers_side_by_side_leave_whole_replies(tmp_path: Path) -> None:
    with Server() as server:

        def work(_: int) -> list[Answer]:
            return ReplyCache(Store(str(tmp_path)), IDENTITY).answers(backend(server.url), requests(30))

        with ThreadPoolExecutor(4) as pool:
            first, *others = pool.map(work, range(4))
        assert all(other == first for other in others)
        assert len(files(tmp_path)) == 30
        assert not list(tmp_path.rglob("*.tmp"))


@pytest.mark.parametrize(
    "changed",
    [
        ({**IDENTITY, "model": "large"}, requests(1)),
        (IDENTITY, requests(1, temperature=0.5)),
        (IDENTITY, [Request(Sampling(max_tokens=9), 99, (("user", "text 0"),))]),
        (IDENTITY, [Request(Sampling(max_tokens=9), 0, (("system", "text 0"),))]),
        (IDENTITY, [Request(Sampling(max_tokens=9), 0, prompt="text 0")]),
    ],
)
def test_another_model_sampling_seed_or_prompt_is_another_reply(
    changed: tuple[dict, list[Request]], tmp_path: Path
) -> None:
    with Server() as server:
        ReplyCache(Store(str(tmp_path)), IDENTITY).answers(backend(server.url), requests(1))
        ReplyCache(Store(str(tmp_path)), changed[0]).answers(backend(server.url), changed[1])
        assert server.attempts.total() == 2


WHOLE = b'{"text": "a", "finish_reason": "stop", "prompt_tokens": %s, "completion_tokens": 1}'
DAMAGE = [b"", b"{", b"[]", b'{"text": "a"}', b"null", b"\xff\xfe{", b"[" * 100_000, WHOLE % b"Infinity", WHOLE % b"-1"]


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_asked_for_again(damage: bytes, tmp_path: Path) -> None:
    with Server() as server:
        first = ReplyCache(Store(str(tmp_path)), IDENTITY).answers(backend(server.url), requests(1))
        files(tmp_path)[0].write_bytes(damage)
        assert ReplyCache(Store(str(tmp_path)), IDENTITY).answers(backend(server.url), requests(1)) == first
        assert server.attempts.total() == 2


def test_failures_are_counted_and_not_kept(tmp_path: Path) -> None:
    with Server(plan=lambda text, attempt: "400" if text == "text 1" and attempt == 0 else OK) as server:
        cache = ReplyCache(Store(str(tmp_path)), IDENTITY)
        assert cache.answers(backend(server.url), requests(3))[1] == Failure("status_400", lasting=True)
        assert cache.tally.failed == {"status_400": 1}
        assert isinstance(cache.answers(backend(server.url), requests(3))[1], Reply)
        assert server.attempts.total() == 4


class Pairs:
    """A backend that answers in pairs, and says of each reply with whom it was answered."""

    def groups(self, requests: Sequence[Request]) -> list[list[int]]:
        return [list(range(i, min(i + 2, len(requests)))) for i in range(0, len(requests), 2)]

    def generate(self, requests: Sequence[Request]) -> Iterator[tuple[int, Answer]]:
        for group in self.groups(requests):
            for i in group:
                yield i, Reply(str([requests[j].seed for j in group]), "stop", 1, 1)

    def log_likelihood(self, pairs: Sequence[tuple[str, str]]) -> list[Likelihood]:
        return []

    def spent(self) -> dict[str, int | float]:
        return {}


def test_a_group_that_is_half_there_is_answered_whole(tmp_path: Path) -> None:
    """Replies of a batch depend on it by rounding: after a kill the batches must be those of an undisturbed run."""
    whole = ReplyCache(Store(str(tmp_path / "a")), IDENTITY).answers(Pairs(), requests(7))
    ReplyCache(Store(str(tmp_path / "b")), IDENTITY).answers(Pairs(), requests(7))
    for file in files(tmp_path / "b")[::3]:
        file.unlink()
    cache = ReplyCache(Store(str(tmp_path / "b")), IDENTITY)
    assert cache.answers(Pairs(), requests(7)) == whole
    assert 0 < cache.tally.cached < 7


SOME = st.lists(st.integers(0, 5), unique=True)


@given(st.lists(SOME, max_size=4), SOME)
def test_replies_of_groups_do_not_depend_on_what_was_asked_before(before: list[list[int]], now: list[int]) -> None:
    every = requests(6)
    with TemporaryDirectory() as used, TemporaryDirectory() as fresh:
        for asked in before:
            ReplyCache(Store(used), IDENTITY).answers(Pairs(), [every[i] for i in asked])
        first = ReplyCache(Store(used), IDENTITY).answers(Pairs(), [every[i] for i in now])
        assert first == ReplyCache(Store(fresh), IDENTITY).answers(Pairs(), [every[i] for i in now])
        again = ReplyCache(Store(used), IDENTITY)
        assert again.answers(Pairs(), [every[i] for i in now]) == first
        assert again.tally.cached == len(now)

"""A model's task as part of a mix: provenance, counts, nothing paid twice, and the key written nowhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipeline.errors import InputError
from pipeline.execute import execute
from pipeline.load import load_mix
from pipeline.rewrite import units
from pipeline.run import Run
from tests.pipeline.conftest import SAMPLES, walk_here
from tests.pipeline.rewriting.llm.server import OK, Server

KEY = "sk-do-not-write-me-9f3"
MIX = """\
seed: 1
store: {folder}/store
target: {{tokens: 400k}}
sources:
  wikipedia: {{path: "{folder}/wikipedia-*.parquet", group: group, license_field: license}}
  questions: {{path: "{folder}/questions.parquet", group: group, license: CC-BY-SA-3.0}}
rewrite:
  wikipedia.facts:
    task: {folder}/facts.yaml
    params:
      backend: {{kind: openai, model: small, base_url: "{url}", key_env: MIX_KEY, retries: 3, first_wait_seconds: 0.01}}
tokenize: {{vocab_size: 1000, sample: 300k}}
proxy: {{preset: tiny, tokens: 24k}}
evals: {{heldout: {{fraction: 0.2, characters: 8k}}}}
"""
TASK = """\
about: facts
prompt: {messages: [{role: user, content: "Facts of {{ title }}: {{ text }}"}]}
sampling: {temperature: 0.5, max_tokens: 64}
parser: list
checks: [boilerplate, grounded]
output: "{% for s in segments %}{% for i in s.items %}{{ i.text }}\\n{% endfor %}{% endfor %}"
"""


def first_words(asked: str) -> str:
    text = asked.partition(": ")[2]
    return f"- {text[:60]}\n- It has 123456789 words"


@pytest.fixture
def mix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    rows = pl.read_parquet(SAMPLES / "wikipedia.parquet").head(60)
    rows.head(30).write_parquet(tmp_path / "wikipedia-0.parquet")
    rows.tail(30).write_parquet(tmp_path / "wikipedia-1.parquet")
    pl.read_parquet(SAMPLES / "questions.parquet").head(60).write_parquet(tmp_path / "questions.parquet")
    monkeypatch.setenv("MIX_KEY", KEY)

    def write(server: Server, *changes: tuple[str, str]) -> Path:
        (tmp_path / "facts.yaml").write_text(TASK)
        text = MIX.format(folder=tmp_path, url=server.url)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "mix.yaml").write_text(text)
        return tmp_path / "mix.yaml"

    return write


def rewritten(run: Run) -> pl.DataFrame:
    return pl.concat(pl.read_parquet(run.store.local(u.ref) / "documents.parquet") for u in run.of("rewrite"))


def counts(run: Run) -> list[dict[str, Any]]:
    return [run.manifest(unit)["counts"] for unit in run.of("rewrite")]


def test_documents_say_how_they_were_made_and_manifests_what_it_took(mix: Callable[..., Path]) -> None:
    with Server(
        reply=first_words, plan=lambda asked, attempt: "500" if attempt == 0 and "a" in asked else OK
    ) as server:
        run = walk_here(mix(server), until="rewrite")
        assert server.keys == {f"Bearer {KEY}"}
    frame, counted = rewritten(run), counts(run)
    assert len(frame) > 30
    assert set(frame["task"]) == {"facts"}
    assert set(frame["backend"]) == {"openai"}
    assert set(frame["model"]) == {"small"}
    assert frame["prompt"].n_unique() == 1
    assert json.loads(frame["sampling"][0]) == {
        "max_tokens": 64, "samples": 1, "seed": 1, "stop": [], "temperature": 0.5, "top_p": 1.0,
    }  # fmt: skip
    assert frame["origin"].n_unique() == len(frame)
    total = sum(each["documents_in"] for each in counted)
    assert sum(each["requests"] for each in counted) == total == server.answered.total()
    assert sum(each["rejected"]["number_not_in_source"] for each in counted) == total
    assert sum(each["retried_server_error"] for each in counted) == server.happened["500"] > 0
    assert all(each["prompt_tokens"] > 0 and each["completion_tokens"] > 0 for each in counted)
    assert all("cpu_seconds" in run.manifest(unit) for unit in run.of("rewrite"))


def test_the_key_is_written_nowhere(mix: Callable[..., Path], tmp_path: Path) -> None:
    with Server(reply=first_words) as server:
        path = mix(server)
        run = walk_here(path, until="rewrite")
        run.save_fingerprints()
        files = [file for file in tmp_path.rglob("*") if file.is_file()]
        assert len(files) > 60
        assert not [file for file in files if KEY.encode() in file.read_bytes()]
        # nor told, when the server repeats it in its errors
        shutil.rmtree(tmp_path / "store" / "cache")
        server.plan = lambda asked, attempt: "401"
        outcome = execute(run.store.root, run.of("rewrite")[0])
        assert outcome.wrong_input
        assert KEY not in outcome.wrong_input
        server.plan = lambda asked, attempt: "500"
        outcome = execute(run.store.root, run.of("rewrite")[0])
        assert "in a row stayed unanswered" in str(outcome.error)
        assert KEY not in str(outcome.error)


def test_where_and_how_fast_is_asked_is_not_in_the_key_and_what_is_asked_is(
    mix: Callable[..., Path], tmp_path: Path
) -> None:
    with Server(reply=first_words) as server:
        run = walk_here(mix(server), until="rewrite")
        asked = server.attempts.total()

        def keys(*changes: tuple[str, str]) -> list[str]:
            other = Run.open(load_mix(mix(server, *changes)))
            other.units = run.units
            return [unit.key for unit in units(other)]

        same = keys()
        assert same == [unit.key for unit in run.of("rewrite")]
        assert same == keys(("retries: 3", "retries: 9, concurrency: 2, requests_per_minute: 5, timeout_seconds: 3"))
        assert same == keys((server.url, "http://elsewhere/v1"), ("MIX_KEY", "OTHER_KEY"))
        assert not set(same) & set(keys(("model: small", "model: large")))
        assert not set(same) & set(keys(("seed: 1", "seed: 2")))
        assert not set(same) & set(keys(("    params:", "    params:\n      budget: {tokens: 10M}")))

        # another output of the same replies pays nothing
        path = mix(server)
        (tmp_path / "facts.yaml").write_text(TASK.replace("{{ i.text }}", "* {{ i.text }}"))
        again = walk_here(path, until="rewrite")
        assert server.attempts.total() == asked
    assert rewritten(again)["text"][0].startswith("* ")
    assert sum(each["cached"] for each in counts(again)) == asked


def test_a_budget_is_one_for_all_shards(mix: Callable[..., Path]) -> None:
    with Server(reply=first_words) as server:
        run = walk_here(mix(server, ("    params:", "    params:\n      budget: {tokens: 3000}")), until="rewrite")
    counted = counts(run)
    assert len(counted) == 2
    assert all(each["rejected"]["over_budget"] > 0 for each in counted)
    assert 0 < sum(each["prompt_tokens"] + each["completion_tokens"] for each in counted) <= 3000


def test_rules_have_provenance_too(mix: Callable[..., Path]) -> None:
    with Server() as server:
        text = mix(server).read_text()
        start, end = text.index("  wikipedia.facts"), text.index("tokenize:")
        path = mix(server, (text[start:end], "  wikipedia.qa: {task: wiki_qa}\n"))
        frame = rewritten(walk_here(path, until="rewrite"))
    assert set(frame.select("task", "backend", "model").rows()) == {("wiki_qa", "rules", "")}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("facts.yaml", "fax.yaml"), "no such file"),
        (("/facts.yaml", "/facts"), "there is no rewriting task"),
        (("kind: openai", "kind: opnai"), "`rewrite.wikipedia.facts.params.backend.kind`: there is no backend `opnai`"),
        (("retries: 3", "retry: 3"), "unknown key (did you mean `retries`?)"),
    ],
)
def test_mistakes_are_found_when_the_mix_is_read(change: tuple[str, str], says: str, mix: Callable[..., Path]) -> None:
    with Server() as server, pytest.raises(InputError) as caught:
        load_mix(mix(server, change))
    assert says in str(caught.value)
    assert "mix.yaml:" in str(caught.value)

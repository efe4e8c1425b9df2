"""Secrets come from the environment only and stay there: a YAML that holds one is refused, and no message, log or
manifest quotes one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.execute import execute
from pipeline.load import load_mix
from pipeline.log import RunLog
from pipeline.redaction import environment_secrets, redacted, secret_in
from pipeline.store import Store
from pipeline.units import Unit
from pipeline.yaml_lines import read_yaml

ROOT = Path(__file__).parents[2]
HELD = "wJalrXUtnFEMI/K7MDENG+bPxRfiCY"
"""A key of no known form, as it stands in the environment."""

SECRETS = {
    "s3://KEY:wJalrXUt/nFEMI+K7@bucket/runs": "wJalrXUt/nFEMI+K7",
    "https://me:hunter2@example.org/data.jsonl": "hunter2",
    "https://:hunter2@example.org/": "hunter2",
    "HTTPS://me:hunter2@example.org:8000/": "hunter2",
    "s3://bucket/x?X-Amz-Credential=AKIX%2F2026&X-Amz-Signature=abcdef0123": "abcdef0123",
    "https://a.blob.core.windows.net/c/x.parquet?sv=2024&sig=Zm9v%3D": "Zm9v%3D",
    "https://host/x?access_token=abc123": "abc123",
    "AKIA" + "A1B2" * 4: "A1B2A1B2",
    "sk-proj-" + "abcDEF123_" * 3: "abcDEF123_",
    "hf_" + "aB3" * 12: "aB3aB3",
    "ghp_" + "aB3" * 12: "aB3aB3",
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl": "eyJzdWIi",
}
PLAIN = [
    "s3://bucket/runs",
    "abfs://container@account.dfs.core.windows.net/runs",
    "hdfs://user@namenode:8020/data",
    "http://localhost:8000/v1",
    "http://localhost:8000/v1@2",
    "https://huggingface.co/x/resolve/main/a.parquet?download=true",
    "mail me: a@b.org",
    "samples/*.parquet",
    "key: token",
    "note://a:b c@d",
]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", HELD)
    environment_secrets.cache_clear()
    yield
    environment_secrets.cache_clear()


@pytest.mark.parametrize("text", SECRETS)
def test_a_yaml_with_a_secret_is_refused_by_line_and_does_not_show_it(tmp_path: Path, text: str) -> None:
    for line in (f"store: '{text}'", f"'{text}': 1", f"sources: {{a: {{path: '{text}'}}}}", f"a: [1, '{text}']"):
        path = tmp_path / "mix.yaml"
        path.write_text(f"seed: 1\n{line}\n")
        with pytest.raises(InputError, match=r"mix.yaml:2: .*secrets come from the environment only") as caught:
            read_yaml(path)
        assert SECRETS[text] not in str(caught.value)


@pytest.mark.parametrize("text", SECRETS)
def test_secrets_of_known_forms_are_taken_out_of_messages(text: str) -> None:
    found = redacted(f"GET {text} failed: {text}, again at http://host:80/x")
    assert SECRETS[text] not in found
    assert found.endswith("again at http://host:80/x")


@pytest.mark.parametrize("text", PLAIN)
def test_what_is_no_secret_stays(text: str) -> None:
    assert secret_in(text) is None
    assert redacted(text) == text


@given(st.text(max_size=80), st.text(max_size=80))
@example("http://a:80", "b@c")
def test_a_secret_of_the_environment_is_found_in_any_text(before: str, after: str) -> None:
    assert HELD not in redacted(before + HELD + after)


def test_a_failing_unit_and_the_log_say_no_secret(tmp_path: Path) -> None:
    """As where a library puts the key that it was given into its error."""
    place = {"path": f"/nowhere/{HELD}", "format": "jsonl", "name": "x", "first_row": 0, "files": ()}
    fields = {"text": "text", "id": "id", "group": None, "truth": None, "license_field": None}
    unit = Unit("sources", "a/000", 1, {"source": "a", "content": "", "fields": fields}, place=place)
    outcome = execute(str(tmp_path), unit)
    assert outcome.error is not None
    assert "No such file" in outcome.error
    assert HELD not in outcome.error
    log = RunLog(Store(str(tmp_path)), "run")
    log.incident("unit failed", "sources", reason=f"with {HELD}: s3://k:{HELD}@b")
    assert HELD not in "".join(path.read_text() for path in tmp_path.rglob("*.json*"))


def test_no_message_of_the_command_line_says_a_secret(tmp_path: Path) -> None:
    """Neither a mistake's message nor the traceback of an error that is ours."""
    key = HELD.replace("/", "_")
    (tmp_path / key).mkdir()
    (tmp_path / key / "mix.json").write_text("not JSON")
    for command in (["check", f"{key}.yaml"], ["status", key], ["diff", key, key]):
        done = subprocess.run(
            [sys.executable, "-m", "pipeline", *command],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "MY_API_KEY": key},
            capture_output=True,
            text=True,
        )
        assert done.returncode in (1, 2)
        assert done.stderr
        assert key not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "backend",
    [
        "{kind: openai, model: m, base_url: 'http://h/v1', api_key: hunter2hunter2}",
        "{kind: openai, base_url: 'http://h/v1', api_key: hunter2hunter2}",
        "{kind: openai, model: m, base_url: 'http://h/v1', key_env: hunter2hunter2}",
        "{kind: openai, model: m, base_url: 'http://me:hunter2hunter2@h/v1'}",
        "{model: m, api_key: hunter2hunter2}",
    ],
)
def test_a_key_in_a_backend_is_a_mistake_that_is_not_quoted(tiny_yaml, backend: str) -> None:
    variant = ("ocr.clean:", f"ocr.told: {{task: wiki_qa_llm, params: {{backend: {backend}}}}}\n  ocr.clean:")
    with pytest.raises(InputError, match=r"ocr.told.params.backend|secrets come from the environment") as caught:
        load_mix(tiny_yaml(variant))
    assert "hunter2" not in str(caught.value)

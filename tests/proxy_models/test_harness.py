"""Protects the requests made of lm-evaluation-harness' tasks: they ask what the harness itself asks, shots included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from proxy_models.readers import read_requests

pytest.importorskip("lm_eval", reason="needs the extra `lm-eval`")

from proxy_models.harness import export, lines_of, load_task

TASK = """\
task: {name}
dataset_path: json
dataset_kwargs: {{data_files: {{test: "{folder}/rows.json"}}}}
test_split: test
output_type: {kind}
doc_to_text: "Question: {{{{question}}}}\\nAnswer:"
{rest}
metadata: {{version: 1.0}}
"""
CHOICES = """\
fewshot_split: test
num_fewshot: 1
doc_to_choice: choices
doc_to_target: answer
metric_list: [{metric: acc}, {metric: acc_mutual_info}]
"""
ROWS = [
    {"question": "What is wet?", "choices": ["water", "sand"], "answer": 0, "word": "water", "torn": 0},
    {"question": "What is dry?", "choices": ["water", "sand", "rain"], "answer": 1, "word": "sand", "torn": 7},
]


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    (tmp_path / "rows.json").write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    kinds = {
        "wet_or_dry": ("multiple_choice", CHOICES),
        "word": ("loglikelihood", 'doc_to_target: "{{word}}"'),
        "written": ("generate_until", 'doc_to_target: "{{word}}"'),
        "torn": ("multiple_choice", "doc_to_choice: choices\ndoc_to_target: torn"),
    }
    for name, (kind, rest) in kinds.items():
        (tmp_path / f"{name}.yaml").write_text(TASK.format(name=name, folder=tmp_path, kind=kind, rest=rest))
    return tmp_path


def test_choices_come_with_shots_gold_and_rows_without_the_question(tasks: Path) -> None:
    assert export("wet_or_dry", tasks / "out.jsonl.gz", tasks) == 10
    requests = read_requests(tasks / "out.jsonl.gz")
    first = [r for r in requests if r.item == "0" and not r.unconditional]
    assert [(r.continuation, r.gold) for r in first] == [(" water", True), (" sand", False)]
    assert all(r.context.startswith("Question: What is dry?\nAnswer: sand\n\n") for r in first), "one shot"
    assert all(r.context.endswith("Question: What is wet?\nAnswer:") for r in first)
    bare = [r for r in requests if r.item == "1" and r.unconditional]
    assert [(r.context, r.continuation, r.choice) for r in bare] == [
        ("", " water", 0),
        ("", " sand", 1),
        ("", " rain", 2),
    ]


def test_the_lines_are_the_harness_own_requests(tasks: Path) -> None:
    task = load_task("wet_or_dry", tasks)
    lines = list(lines_of(task, "wet_or_dry"))
    assert [(line["request"]["context"], line["request"]["continuation"]) for line in lines] == [
        instance.arguments for instance in task.instances
    ]


def test_a_single_continuation_is_gold(tasks: Path) -> None:
    assert export("word", tasks / "out.jsonl", tasks, limit=1) == 1
    (request,) = read_requests(tasks / "out.jsonl")
    assert (request.choice, request.gold, request.continuation.strip()) == (None, True, "water")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("written", "task written is of type generate_until; only multiple_choice and loglikelihood"),
        ("torn", "task torn, document 1: expected one right answer among 3 choices, got 7"),
    ],
)
def test_what_cannot_become_requests_is_refused(tasks: Path, name: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        export(name, tasks / "out.jsonl", tasks)
    assert not (tasks / "out.jsonl").exists()

"""Requests from lm-evaluation-harness' tasks, as lines that ``readers.py`` reads as `olmes` (optional extra `lm-eval`).

    python -m proxy_models.harness TASK --out FILE [--include FOLDER] [--limit N]

The harness builds prompts and choices itself (shots, templates, delimiters), so a set asks what the harness asks.
"""

from __future__ import annotations

import argparse
import gzip
import json
from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from proxy_models.readers import UNCONDITIONAL

_KINDS = ("multiple_choice", "loglikelihood")


def export(name: str, out: Path, include: Path | None = None, limit: int | None = None) -> int:
    """Write a task's requests to a .jsonl or .jsonl.gz; return how many lines.

    name: of a task, not of a group. include: folder with task YAMLs of one's own. limit: of documents, the first ones;
    all if None. Raises ValueError for an unknown task, one that generates text or scores whole documents, and a
    document with several right answers.
    """
    lines = list(lines_of(load_task(name, include), name, limit))
    with gzip.open(out, "wt", encoding="utf-8") if out.suffix == ".gz" else open(out, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    return len(lines)


def load_task(name: str, include: Path | None = None) -> Any:
    """The harness's task of that name. Raises ValueError as ``export``."""
    try:
        from lm_eval.tasks import TaskManager  # type: ignore[import-not-found]
    except ImportError as error:
        raise ValueError("tasks of the harness need the extra `lm-eval`: pip install 'mixwright[lm-eval]'") from error
    # one's own folder is searched first and alone: reading the harness's 14,000 YAMLs takes a quarter of a minute
    manager = TaskManager(include_path=str(include), include_defaults=False) if include else TaskManager()
    if include and name not in manager.all_subtasks:
        manager = TaskManager(include_path=str(include))
    if name not in manager.all_subtasks:
        raise ValueError(f"lm-evaluation-harness has no task {name}{_nearest(name, manager.all_subtasks)}")
    task = manager.load([name])["tasks"][name]
    if task.OUTPUT_TYPE not in _KINDS:
        raise ValueError(f"task {name} is of type {task.OUTPUT_TYPE}; only {' and '.join(_KINDS)} have continuations")
    return task


def _nearest(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def lines_of(task: Any, name: str, limit: int | None = None) -> Iterator[dict[str, Any]]:
    """OLMES lines of a task's requests. Rows without the question come along where the task asks for them
    (`acc_mutual_info`)."""
    task.build_all_requests(limit=limit, rank=0, world_size=1)
    for instance in task.instances:
        number = instance.doc_id
        context, continuation = instance.arguments
        label, choice = None, instance.idx
        if task.OUTPUT_TYPE == "multiple_choice":
            choices = task.doc_to_choice(instance.doc)
            label = _label(task, instance.doc, choices, f"task {name}, document {number}")
            number += UNCONDITIONAL * (choice // len(choices))  # rows without the question stand behind the others
            choice %= len(choices)
        yield {
            "request_type": "loglikelihood",
            "request": {"context": context, "continuation": continuation},
            "idx": choice,
            "task_name": name,
            "doc_id": number,
            "native_id": instance.doc_id,
            "label": label,
        }


def _label(task: Any, document: Any, choices: list[str], place: str) -> int:
    """The number of the right choice, which tasks give as a number or as the choice's text."""
    right = task.doc_to_text(document) if task.multiple_input else task.doc_to_target(document)
    if isinstance(right, str) and right in choices:
        return choices.index(right)
    if isinstance(right, int) and 0 <= right < len(choices):
        return right
    raise ValueError(f"{place}: expected one right answer among {len(choices)} choices, got {right!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Requests from a task of lm-evaluation-harness.")
    parser.add_argument("task")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help=".jsonl or .jsonl.gz to write")
    parser.add_argument("--include", type=Path, metavar="FOLDER", help="folder with task YAMLs of your own")
    parser.add_argument("--limit", type=int, metavar="N", help="the first N documents; all if absent")
    asked = parser.parse_args()
    try:
        print(f"{asked.out}: {export(asked.task, asked.out, asked.include, asked.limit)} requests")
    except ValueError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()

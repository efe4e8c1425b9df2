"""Tasks by name: what is measured on which requests.

`heldout/<source>` and `bench/<name>` are bits per byte; `bench/<name>.<metric>` is an accuracy of the same benchmark. A
name always means the same metric, so a task that is better when higher is known by its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pipeline.config import Config
from pipeline.units import Job
from proxy_models.metrics import ACCURACIES, Metric


def task_names(config: Config) -> list[str]:
    """Return the tasks in order: `heldout/<source>`, then those of every benchmark."""
    sources = dict.fromkeys(config.origin(domain) for domain in config.domain_names())
    found = [f"heldout/{name}" for name in sources]
    for name, benchmark in config.evals.benchmarks.items():
        found += [task_name(name, metric) for metric in benchmark.metric]
    return found


def task_name(benchmark: str, metric: Metric) -> str:
    """Return the name of the task that a metric of a benchmark is."""
    return f"bench/{benchmark}" if metric == "bpb" else f"bench/{benchmark}.{metric}"


def requests_of(task: str) -> str:
    """Return the name of the `requests` unit that a task is scored on."""
    return task.partition(".")[0]


def measured_value(job: Job, proxy: str, task: str) -> float:
    """Return a task's metric of one proxy, from what scoring its requests counted."""
    return job.counts(f"score|{proxy}|{requests_of(task)}")[task.partition(".")[2] or "bpb"]


def with_accuracies(objective: Mapping[str, Any], tasks: Iterable[str]) -> dict[str, Any]:
    """Return the `objective` section with the accuracies among the tasks as tasks to maximise."""
    raised = [task for task in tasks if is_accuracy(task)]
    return {**objective, "maximise": list(dict.fromkeys([*objective["maximise"], *raised]))}


def is_accuracy(task: str) -> bool:
    """Whether a run's own task is better when higher."""
    return task.partition(".")[2] in ACCURACIES

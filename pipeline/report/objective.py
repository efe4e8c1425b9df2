"""The objective as mix.json states it, and how tasks are marked whose metric is better when higher."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.records import objective_value


def sign(mix: Mapping[str, Any], task: str) -> int:
    """Return 1 where a lower metric is better, -1 where a higher one is."""
    return -1 if task in mix["objective"]["maximise"] else 1


def marked(mix: Mapping[str, Any], task: str) -> str:
    """Return the task's name, after an arrow where higher is better."""
    return f"↑ {task}" if sign(mix, task) < 0 else task


def side(mix: Mapping[str, Any]) -> str:
    """Return which changes of a task are better, for captions."""
    plain = "below 0 is better"
    return f"{plain}, above 0 for tasks marked ↑" if mix["objective"]["maximise"] else plain


def unit(mix: Mapping[str, Any]) -> str:
    """Return what the tasks are measured in, for captions: accuracies among them are named."""
    return "bits per byte; tasks marked ↑: accuracy" if mix["objective"]["maximise"] else "bits per byte"


def value(mix: Mapping[str, Any], metrics: Mapping[str, float]) -> float:
    """Return the objective of task → metric, relative to the reference of mix.json; lower is better."""
    return objective_value(mix["objective"], metrics, mix["objective"]["reference"])

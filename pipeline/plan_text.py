"""A plan for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from pipeline.estimates import Estimate
from pipeline.plan import Explained, RunPlan

_NAMED = 4
_CHANGES = 20
_INDENT = " " * 13


def plan_text(plan: RunPlan) -> str:
    """Return the lines of `mixwright plan`."""
    return "\n".join(_lines(plan))


def _lines(plan: RunPlan) -> Iterator[str]:
    if plan.since:
        yield f"since {plan.since}: {'the YAML is the same' if not plan.changed else ''}".rstrip()
        yield from (f"  {change}" for change in plan.changed[:_CHANGES])
        if len(plan.changed) > _CHANGES:
            yield f"  … and {len(plan.changed) - _CHANGES} more keys"
    for each in plan.stages:
        yield from _stage(each)
    if plan.retrain:
        yield str(plan.retrain)
    yield from plan.notes
    if any(each.plan.todo or each.assumed for each in plan.stages):
        yield f"expected in all: {amount(plan.expected)}"
        if plan.unknown:
            yield f"not estimated (none finished yet, or none listed): {', '.join(plan.unknown)}"


def _stage(each: Explained) -> Iterator[str]:
    plan, expected = each.plan, f"; {amount(each.expected)}" if each.expected else ""
    if plan.waits_for:
        most = f", up to {each.assumed} unit{'s'[: each.assumed > 1]}" if each.assumed else ""
        yield f"{plan.stage:<12} decided after {plan.waits_for}: {plan.does}{most}{expected}"
        return
    names = f": {', '.join(plan.names[:_NAMED])}{' …' if plan.todo > _NAMED else ''}" if plan.todo else ""
    yield f"{plan.stage:<12} {plan.done} done, {plan.todo} to do{names}{expected}"
    for why in each.why:
        yield f"{_INDENT}{why.units}: {why.reason}"


def amount(expected: Estimate) -> str:
    """Return an estimate in words; parts that are 0 are left out."""
    parts = [f"{_time(expected.cpu_seconds)} of a core"]
    if expected.gpu_hours:
        parts.append(f"{expected.gpu_hours:.3g} GPU hours")
    if expected.tokens:
        parts.append(f"{expected.tokens:,.0f} tokens")
    return ", ".join([*parts, f"{bytes_text(expected.bytes)} on disk"])


def bytes_text(size: float) -> str:
    """Return bytes with a decimal unit."""
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"


def _time(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds < 600 else f"{seconds / 3600:.3g} h"

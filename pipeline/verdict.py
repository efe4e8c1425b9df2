"""What the proof measured, judged: objectives of the mixes by seed, the proposal's gains, and whether sizes agree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.failures import whole_seeds
from pipeline.records import objective_value
from pipeline.tasks import measured_value
from pipeline.units import Job

if TYPE_CHECKING:
    from pipeline.mixture.judge import Judgement


def judged(
    job: Job, proposal: Mapping[str, Any], mixes: list[str], tasks: list[str], seeds: Sequence[int], letter: str
) -> tuple[Judgement, dict[str, Any]]:
    """Return the judgement on proxies called `<mix>-<letter><seed>`, and what mix.json says of every mix.

    The objective is the one that was proposed for (same task weights), on confirm items, relative to the natural mix's
    mean over these seeds. seeds: those on which every mix has a proxy.
    """
    from pipeline.mixture.judge import judge

    table = {
        mix: {i: {task: measured_value(job, f"{mix}-{letter}{i}", task) for task in tasks} for i in seeds}
        for mix in mixes
    }
    means = {
        mix: {task: sum(row[task] for row in rows.values()) / len(seeds) for task in tasks}
        for mix, rows in table.items()
    }
    values = {
        mix: {i: objective_value(proposal["objective"], row, means["natural"]) for i, row in rows.items()}
        for mix, rows in table.items()
    }
    same = tuple(name for name in mixes[1:] if proposal["baselines"][name] == proposal["weights"])
    result = judge(values, same_as_proposal=same)
    measured: dict[str, Any] = {}
    for mix in mixes:
        each = result.mixes[mix]
        measured[mix] = {"mean": each.mean, "se": each.se, "seeds": list(each.per_seed), "tasks": means[mix]}
    for name, each in result.comparisons.items():
        measured[name] |= {"gain": each.gain, "gain_se": each.se, "p_value": each.p_value}
        measured[name] |= {"wins": each.wins, "verdict": each.verdict}
    return result, measured


def transferred(job: Job, proposal: Mapping[str, Any], small: Judgement) -> dict[str, Any] | None:
    """Return what mix.json says of the larger proxies; None where there are none."""
    from pipeline.mixture.transfer import agreement

    asked = job.args.get("transfer")
    if asked is None:
        return None
    seeds = whole_seeds(job.args.get("failed", {}), "t", asked["seeds"])
    large, measured = judged(job, proposal, job.args["mixes"], job.args["tasks"], seeds, "t")
    return {
        **asked,
        "seeds": len(seeds),
        **asdict(agreement(small, large)),
        "headline": large.headline,
        "measured": measured,
    }

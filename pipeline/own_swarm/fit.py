"""`mixwright fit`: from a swarm's tables to laws, a proposal and a report, in a folder that `predict` reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.errors import InputError
from pipeline.laws import law_version, laws_asked
from pipeline.mixture.freeze import freeze
from pipeline.mixture.objective import Objective, maximised_tasks
from pipeline.mixture.proposer import Proposal, propose
from pipeline.mixture.recipes import RECIPES
from pipeline.mixture.selection import TaskFit, choose
from pipeline.mixture.spaces import Domain, Limits, uniform
from pipeline.mixture.table import Swarm
from pipeline.own_swarm.config import OwnConfig, load_own_config
from pipeline.own_swarm.folder import FORMAT
from pipeline.own_swarm.names import names_of
from pipeline.own_swarm.report import render_report
from pipeline.own_swarm.swarm import read_swarm
from pipeline.progress import Progress
from pipeline.proposal import objective_of
from pipeline.records import normalised, proposal_record, task_record, vector
from pipeline.store import to_json
from pipeline.swarm import limits_of
from pipeline.tables import few, write_table


@dataclass(frozen=True)
class Space:
    """Where a mix is looked for. prior: (d,), also the natural mix; kl: strength of the pull to it, None by rule.

    target_tokens: None where repetition is unknown.
    """

    domains: tuple[Domain, ...]
    prior: np.ndarray
    limits: Limits
    kl: float | None
    target_tokens: float | None


@dataclass(frozen=True)
class Solved:
    """One law a task, what is minimised, and the mix that it gives."""

    fits: list[TaskFit]
    objective: Objective
    proposal: Proposal


def fit(
    ratios: Path, metrics: Path, config: Path | None, out: Path, progress: Progress, sets: Sequence[str] = ()
) -> dict[str, Any]:
    """Fit laws to a swarm, propose a mix, and write ratios.csv, metrics.csv, proposal.json, report.md and fit.json.

    sets: `key=value` over the config.
    Returns the proposal as it stands in proposal.json. Raises InputError for wrong input.
    """
    if out.exists() and not out.is_dir():
        raise InputError(f"{out}: --out is a file, expected a folder (it is made where there is none)")
    for given, kept in ((ratios, out / "ratios.csv"), (metrics, out / "metrics.csv")):
        if given.exists() and kept.exists() and given.samefile(kept):
            raise InputError(f"{out}: --out holds the table {given}, which would be overwritten; give another folder")
    own = read_swarm(ratios, metrics)
    options, config_notes = load_own_config(config, own, sets)
    space, space_notes = space_of(own.swarm, options)
    notes = [*own.notes, *config_notes, *space_notes]
    for note in notes:
        progress.say(note)
    solved = solve(own.swarm, options, space, progress, metrics=metrics, config=config)
    baselines = {name: each.weights for name, each in solved.proposal.baselines.items() if name != "best_observed"}
    record = proposal_record(
        solved.proposal,
        solved.fits,
        solved.objective,
        space.domains,
        space.target_tokens,
        freeze=freeze(space.domains, {}),
        as_given=baselines,
    )
    record["natural"] = "tokens" if options.tokens else "mean of the runs"
    record["recipe"] = options.propose.recipe
    fitted = {
        "format": FORMAT,
        "runs": {"finished": len(own.swarm.runs), "planned": own.planned},
        "domains": list(own.swarm.domains),
        "seed": options.seed,
        "tasks": {
            each.task: {
                "version": law_version(each.task in solved.objective.maximised),
                "maximised": each.task in solved.objective.maximised,
                **task_record(own.swarm, t, each, solved.objective, space.prior, by_run=False),
            }
            for t, each in enumerate(solved.fits)
        },
        "notes": [*notes, *solved.objective.notes],
    }
    write(out, own.swarm, record, fitted)
    return record


def solve(
    swarm: Swarm, options: OwnConfig, space: Space, progress: Progress, *, metrics: Path, config: Path | None
) -> Solved:
    """Choose the laws, build the objective and propose; the paths are for messages."""
    with wrong_input(f"{metrics}: {len(swarm.runs)} finished runs"):
        fits = laws_of(swarm, options, progress)
    with wrong_input(str(metrics)):
        objective = objective_of(swarm, space.prior, options.objective.model_dump(mode="json"))
    progress.say("propose: looking for the best mix")
    references = {name: vector(weights, swarm.domains) for name, weights in options.references.items()}
    with wrong_input(str(config or metrics)):
        proposal = propose(
            swarm,
            fits,
            objective,
            space.limits,
            space.prior,
            baselines={"natural": space.prior, "uniform": uniform(space.domains), **references},
            seed=options.seed,
            kl_strength=space.kl,
            extrapolate=options.propose.extrapolate,
            no_worse_than=options.objective.no_worse_than,
            recipe=RECIPES[options.propose.recipe] if options.propose.recipe else None,
        )
    return Solved(fits, objective, proposal)


@contextmanager
def wrong_input(place: str) -> Iterator[None]:
    """Turn what the mixture says of its input (too few runs, limits that collide) into the user's error."""
    try:
        yield
    except ValueError as error:
        raise InputError(f"{place}: {error}") from error


def laws_of(swarm: Swarm, options: OwnConfig, progress: Progress) -> list[TaskFit]:
    """Choose a law for every task; one at a time, so that there is progress to show."""
    asked = laws_asked(options.fit, options.propose)
    raised = maximised_tasks(options.objective.maximise, swarm.tasks)
    fits = []
    with progress.stage("fit", len(swarm.tasks), 0) as line:
        for t, task in enumerate(swarm.tasks):
            one = replace(swarm, tasks=(task,), values=swarm.values[:, t : t + 1])
            fits += choose(one, seed=options.seed, laws=asked["laws"], force=asked["law"], maximise=raised)
            line.advance()
    return fits


def space_of(swarm: Swarm, options: OwnConfig) -> tuple[Space, list[str]]:
    """Return domains, prior and limits from what is known of tokens; without them the mean of the runs is natural.

    Every domain is an origin of its own: the tables do not say which of them hold the same text.
    """
    notes = []
    tokens, target = options.tokens, options.target.tokens if options.target else None
    kl = options.propose.kl
    if tokens:
        prior = vector(normalised(tokens), swarm.domains)
    else:
        prior = swarm.weights.mean(axis=0)
        notes.append("`domains` gives no tokens: the natural mix is taken to be the mean of the runs")
        if kl is None and options.propose.recipe is None:
            kl = 0.0
        empty = [name for name, weight in zip(swarm.domains, prior, strict=True) if weight == 0]
        if kl and empty and options.propose.recipe is None:
            raise InputError(
                f"`propose.kl` pulls to the mean of the runs, which is 0 on {few(empty)}: give tokens under `domains`"
            )
    capped = tokens and target
    if not capped:
        notes.append("no repetition caps: they need the tokens of all `domains` and `target.tokens`")
    domains = tuple(Domain(name, name, tokens.get(name, 1.0), is_raw=True) for name in swarm.domains)
    choices = options.propose.model_dump(mode="json")
    if not capped:
        choices["max_repetition"] = None
    limits = limits_of(list(domains), choices, target, names_of(swarm.domains).groups)
    return Space(domains, prior, limits, kl, target if capped else None), notes


def write(out: Path, swarm: Swarm, record: dict[str, Any], fitted: dict[str, Any]) -> None:
    """Write the folder; fit.json last, because `predict` takes it for the sign that the rest is there."""

    def rows(columns: Sequence[str], values: np.ndarray) -> dict[str, dict[str, float]]:
        return {run: dict(zip(columns, row, strict=True)) for run, row in zip(swarm.runs, values.tolist(), strict=True)}

    try:
        out.mkdir(parents=True, exist_ok=True)
        (out / "fit.json").unlink(missing_ok=True)
        write_table(out / "ratios.csv", rows(swarm.domains, swarm.weights))
        write_table(out / "metrics.csv", rows(swarm.tasks, swarm.values))
        (out / "proposal.json").write_text(to_json(record), encoding="utf-8")
        (out / "report.md").write_text(render_report(record, fitted), encoding="utf-8")
        (out / "fit.json").write_text(to_json(fitted), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error}") from None

"""One command on a run: open it, walk through its stages, publish what they made."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from pipeline.attempts import Failure
from pipeline.crashed import leave_out
from pipeline.errors import InputError, UnitFailed
from pipeline.load import LoadedMix
from pipeline.log import RunLog, incident_rows
from pipeline.patience import PATIENCE, Patience, patiently
from pipeline.progress import Progress
from pipeline.remote import in_ray_job
from pipeline.run import Run, larger_proxy
from pipeline.runner import Runner
from pipeline.storage.retry import StoreError
from pipeline.store import to_json
from pipeline.tracking import Tracker
from pipeline.walk import Walk

_WHOLE, _NAMED = 3, 50
"""Failed units that a message gives with their whole error, and that it names."""


def open_run(mix: LoadedMix) -> Run:
    """Return a run on the mix's store. Raises InputError for a relative store inside a Ray job."""
    store = mix.config.store
    if in_ray_job() and "://" not in store and not Path(store).is_absolute():
        raise mix.error(
            ("store",),
            f"`{store}` is relative, and a Ray job's working folder is a temporary copy: what it writes there is lost. "
            "Give an absolute path or a URL.",
        )
    try:
        return patiently(partial(Run.open, mix), PATIENCE, Progress().say)
    except (ImportError, ValueError, OSError) as error:
        raise mix.error(("store",), f"cannot open `{store}`: {error}") from None


def run_stages(
    run: Run,
    progress: Progress,
    address: str | None = None,
    until: str | None = None,
    patience: Patience = PATIENCE,
    tracker: Tracker | None = None,
) -> dict[str, int]:
    """Run every stage up to `until` (all if None) and return the number of units executed, by stage.

    tracker: where proxies are logged, those that were finished before too.

    Finished units are never run again; Ray starts only if one is missing. A stage whose units cannot all be done ends
    the run once all others of it are done; a shard that crashes native code is left out instead. Raises UnitFailed, and
    StoreError for a store that cannot be written.
    """
    try:
        log = patiently(partial(RunLog, run.store, run.folder), patience, progress.say)
        log.write("run started", until=until)
        log.flush()  # now, so that a store that cannot be written is said before anything runs
    except OSError as error:
        raise StoreError(f"{run.store.root}: cannot be written: {error}") from None
    try:
        with Runner(run.store.root, progress, address, log, patience) as runner:
            while failures := Walk(run, runner, log, progress, patience, tracker).to(until):
                rest = leave_out(run, failures)
                if rest:
                    raise UnitFailed(_listing(rest))
                progress.say(f"left out: {', '.join(sorted(map(_left_out, failures)))}; going on")
                run.walk_again()
            log.write("run ended", executed=runner.executed)
            return runner.executed
    except BaseException as error:
        log.write("run ended", error=f"{type(error).__name__}: {error}")
        raise
    finally:
        log.flush()


def _listing(failures: Sequence[Failure]) -> str:
    """Return the message that names the units that were given up, the first ones with their whole error."""
    units = "1 unit" if len(failures) == 1 else f"{len(failures)} units"
    lines = [f"{units} of stage {failures[0].unit.stage} failed, what else could be done is done:"]
    for failure in failures[:_WHOLE]:
        lines.append(f"unit `{failure.unit.name}` ({failure.unit.ref}): {failure.reason}")
    for failure in failures[_WHOLE:_NAMED]:
        lines.append(f"unit `{failure.unit.name}` ({failure.unit.ref}): {failure.reason.strip().splitlines()[-1]}")
    if len(failures) > _NAMED:
        lines.append(f"and {len(failures) - _NAMED} more; all are in the log of the run")
    return "\n".join(lines)


def _left_out(failure: Failure) -> str:
    return failure.unit.name if failure.document is None else f"document `{failure.document}` of {failure.unit.name}"


def publish_folder(run: Run) -> str:
    """Copy the finished run's files into its run folder, with what it cost and what went wrong on the way, and return
    the folder's path or URL."""
    patiently(partial(_publish_folder, run), PATIENCE, Progress().say)
    return f"{run.store.root.rstrip('/')}/{run.folder}"


def _publish_folder(run: Run) -> None:
    from pipeline.costs import costs
    from pipeline.report.costs import with_costs
    from pipeline.report.incidents import with_incidents
    from pipeline.report.made_with import facts, with_facts
    from pipeline.spent import spent

    (report,) = run.of("report")
    folder = run.store.local(report.ref)
    for file in sorted(folder.iterdir()):
        run.store.copy_in(file, f"{run.folder}/{file.name}")
    mix = json.loads((folder / "mix.json").read_text(encoding="utf-8"))
    by_domain = costs(run, run.store.read_json(run.of("design")[-1].ref, "swarm.json")["tokens"])
    run.store.write_text(f"{run.folder}/costs.json", to_json([asdict(each) for each in by_domain]))
    by_stage = spent(run)
    run.store.write_text(f"{run.folder}/stages.json", to_json([asdict(each) for each in by_stage]))
    incidents = incident_rows(RunLog(run.store, run.folder).incidents)
    run.store.write_text(f"{run.folder}/incidents.json", to_json(incidents))
    page = (folder / "report.html").read_text(encoding="utf-8")
    page = with_costs(with_incidents(page, incidents), by_domain, mix, by_stage, run.config.report.prices)
    run.store.write_text(f"{run.folder}/report.html", with_facts(page, facts(run)))


def suggest_size(run: Run, *, gpu_hours: float | None, cpu_hours: float | None) -> str:
    """Return, for a terminal, which preset and how many runs a budget of one kind buys.

    Raises InputError for both kinds or hours that are not above 0.
    """
    from pipeline.budget import Ask, render, suggest
    from pipeline.speeds import speed_of
    from proxy_models.presets import PRESETS

    if gpu_hours is not None and cpu_hours is not None:
        raise InputError("give --gpu-hours or --cpu-hours, not both")
    hours, unit, device = (cpu_hours, "core", "cpu") if gpu_hours is None else (gpu_hours, "GPU", "cuda")
    config, larger = run.config, larger_proxy(run)
    # a size is considered at its own tokens, for with far fewer it ranks worse; `tiny` is for tests
    fitting = {n: each.tokens for n, each in PRESETS.items() if each.tokens <= config.target.tokens and n != "tiny"}
    mixes = 4 + len(config.references)  # the proposal, natural, uniform, best observed
    ask = Ask(
        sizes={**fitting, config.proxy.preset: config.proxy.tokens},
        vocab_size=config.tokenize.vocab_size,
        domains=len(config.domain_names()),
        proof=mixes * config.validation.seeds,
        fixed=(larger.preset, larger.tokens, mixes * config.validation.transfer.seeds)
        if larger and config.validation.transfer
        else None,
    )
    speed = speed_of(run.store, config, device)
    try:
        found = suggest(hours or 0.0, ask, speed, PRESETS)
    except ValueError as error:
        raise InputError(f"--{'gpu' if device == 'cuda' else 'cpu'}-hours: {error}") from None
    return render(hours or 0.0, unit, found, ask, speed)


def summary(executed: dict[str, int], started: float) -> str:
    """Return one line on what was done."""
    seconds = time.monotonic() - started
    if not executed:
        return f"Nothing to do: every unit is finished ({seconds:.1f} s)."
    done = ", ".join(f"{name} {count}" for name, count in executed.items())
    return f"Done in {seconds:.0f} s. Units run: {done}."

"""Walk through the stages: list the units, run what is missing, go on."""

from __future__ import annotations

import itertools
import json
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from pipeline.attempts import Failure
from pipeline.crashed import leave_out
from pipeline.damage import discard
from pipeline.errors import InputError, UnitFailed
from pipeline.load import LoadedMix
from pipeline.log import RunLog, incident_rows
from pipeline.patience import PATIENCE, Patience, patiently
from pipeline.placing import need_of
from pipeline.progress import Progress
from pipeline.remote import in_ray_job
from pipeline.run import NotYet, Run, larger_proxy
from pipeline.run_units import remember_units
from pipeline.runner import Runner
from pipeline.stage_tasks import StageTasks
from pipeline.stages import GROUPS, ROUND, Stage, walk
from pipeline.store import to_json
from pipeline.units import Unit

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
    except (ImportError, ValueError) as error:
        raise mix.error(("store",), f"cannot open `{store}`: {error}") from None


def run_stages(
    run: Run, progress: Progress, address: str | None = None, until: str | None = None, patience: Patience = PATIENCE
) -> dict[str, int]:
    """Run every stage up to `until` (all if None) and return the number of units executed, by stage.

    Finished units are never run again; Ray starts only if one is missing. A stage whose units cannot all be done ends
    the run once all others of it are done; a shard that crashes native code is left out instead. Raises UnitFailed.
    """
    log = patiently(partial(RunLog, run.store, run.folder), patience, progress.say)
    log.write("run started", until=until)
    try:
        with Runner(run.store.root, progress, address, log, patience) as runner:
            while failures := _walk(run, runner, log, progress, until, patience):
                rest = leave_out(run, failures)
                if rest:
                    raise UnitFailed(_listing(rest))
                progress.say(f"left out: {', '.join(sorted({failure.unit.name for failure in failures}))}; going on")
                run.walk_again()
            log.write("run ended", executed=runner.executed)
            return runner.executed
    except BaseException as error:
        log.write("run ended", error=f"{type(error).__name__}: {error}")
        raise
    finally:
        log.flush()


@dataclass(frozen=True)
class _Walked:
    """A stage that was listed; tasks: those of its units that were missing, None where none was."""

    stage: Stage
    units: list[Unit]
    tasks: StageTasks | None


def _walk(
    run: Run, runner: Runner, log: RunLog, progress: Progress, until: str | None, patience: Patience
) -> list[Failure]:
    """Run stage after stage; return the units that were given up in the first stage that has such.

    A stage that waits for scarce machines is left at work while the next ones are listed and run, up to one whose units
    cannot be listed before, or to the swarm, whose lists ask what is finished.
    """
    unfinished: deque[_Walked] = deque()

    def listed(stage: Stage) -> tuple[list[Unit], list[list[Unit]]]:
        units = run.units[stage.name] = _listed(stage, run)
        missing = {unit.ref: unit for unit in units if not run.is_done(unit)}
        return units, grouped(run, list(missing.values()))

    def finish(stage: Stage, units: list[Unit]) -> None:
        if stage.pinned:
            for unit in units:
                run.pin(unit)
        if stage.check:
            stage.check(run)

    def failures() -> list[Failure]:
        """Finish the stages that are complete, in order; return the failures of the first that has such."""
        while unfinished and (unfinished[0].tasks is None or unfinished[0].tasks.closed):
            each = unfinished.popleft()
            if each.tasks and each.tasks.failures:
                runner.drop()
                return each.tasks.failures
            patiently(partial(finish, each.stage, each.units), patience, progress.say)
        return []

    for stage in walk(run):
        if stage.name == ROUND[0]:
            runner.drive()
            if failed := failures():
                return failed
        try:
            units, groups = patiently(partial(listed, stage), patience, progress.say)
        except NotYet:
            runner.drive()
            if failed := failures():
                return failed
            units, groups = patiently(partial(listed, stage), patience, progress.say)
        patiently(partial(remember_units, run, stage.name), patience, progress.say)
        for unit in itertools.chain(*groups):
            if unit.ref in run.damaged:
                log.incident("damaged artefact", unit.stage, units=[unit.name], key=unit.key)
                discard(run.store, unit.ref)
        total = len({unit.ref for unit in units})
        tasks = runner.add(stage.name, groups, total, run.mark_done, partial(need_of, run))
        unfinished.append(_Walked(stage, units, tasks))
        if tasks:
            runner.drive(tasks, leave_waiting=stage.waits)
        if failed := failures():
            return failed
        if stage.name == until:
            break
    runner.drive()
    return failures()


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


def _listed(stage: Stage, run: Run) -> list[Unit]:
    """Return a stage's units; what was hashed and cut for them is kept, whatever follows."""
    known = len(run.fingerprints)
    try:
        return stage.units(run)
    finally:
        if len(run.fingerprints) > known:
            run.save_fingerprints()


def grouped(run: Run, units: Sequence[Unit]) -> list[list[Unit]]:
    """Return the units of a stage as the tasks that do them."""
    group = GROUPS.get(units[0].stage) if units else None
    return group(run, units) if group else [[unit] for unit in units]


def publish_folder(run: Run) -> str:
    """Copy the finished run's files into its run folder, with what it cost and what went wrong on the way, and return
    the folder's path or URL."""
    patiently(partial(_publish_folder, run), PATIENCE, Progress().say)
    return f"{run.store.root.rstrip('/')}/{run.folder}"


def _publish_folder(run: Run) -> None:
    from pipeline.costs import costs
    from pipeline.report.costs import with_costs
    from pipeline.report.incidents import with_incidents

    (report,) = run.of("report")
    folder = run.store.local(report.ref)
    for file in sorted(folder.iterdir()):
        run.store.copy_in(file, f"{run.folder}/{file.name}")
    mix = json.loads((folder / "mix.json").read_text(encoding="utf-8"))
    spent = costs(run, run.store.read_json(run.of("design")[-1].ref, "swarm.json")["tokens"])
    run.store.write_text(f"{run.folder}/costs.json", to_json([asdict(each) for each in spent]))
    incidents = incident_rows(RunLog(run.store, run.folder).incidents)
    run.store.write_text(f"{run.folder}/incidents.json", to_json(incidents))
    page = (folder / "report.html").read_text(encoding="utf-8")
    run.store.write_text(f"{run.folder}/report.html", with_costs(with_incidents(page, incidents), spent, mix))


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


def find_run_folder(path: Path) -> Path:
    """Return a run folder that holds mix.json. Raises InputError otherwise."""
    if not (path / "mix.json").is_file():
        raise InputError(f"{path}: not a finished run folder (it holds no mix.json)")
    return path

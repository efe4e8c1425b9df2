"""`mixwright fit MIX.yaml`: laws and a proposal from the proxies that a run has finished so far, and nothing trained.

The same functions as in the stages `fit` and `propose`, on a design without the mixes that are not measured yet. What
comes of it stays outside the store: the run's own fit waits for the whole swarm.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipeline import laws, proposal
from pipeline.errors import InputError
from pipeline.mixture.objective import maximised_tasks
from pipeline.own_swarm.folder import FORMAT
from pipeline.own_swarm.report import render_report
from pipeline.plan import plan
from pipeline.run import Run
from pipeline.store import to_json
from pipeline.tasks import with_accuracies
from pipeline.units import Job, Unit


def fit_finished(run: Run, out: Path) -> dict[str, Any]:
    """Fit what is measured and write ratios.csv, metrics.csv, fit.json, proposal.json and report.md into `out`.

    It is a folder as `own_swarm.folder.read_fit` reads it. Returns the proposal as it stands in proposal.json. Raises
    InputError where no design is finished, or too few runs.
    """
    design, finished = finished_runs(run)
    later = [] if design["settled"] else run.config.swarm.sizes[len(run.of("design")) :]
    planned = len(design["mixes"]) + sum(later)
    done = {name: units for name, units in finished.items() if units}
    said = f"{len(done)} of {planned} runs of the swarm are trained and scored"
    kept = {**design, "mixes": [mix for mix in design["mixes"] if mix["run"] in done]}
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "swarm.json").write_text(to_json(kept), encoding="utf-8")
        law_units = run.units["laws"] = laws.units(run)
        (fit_unit,) = run.units["fit"] = proposal.fit_units(run)
        (propose_unit,) = proposal.propose_units(run)
        inputs = {"design": Path(folder)}
        refs = {role: ref for units in done.values() for role, ref in units.items()}
        try:
            for i, unit in enumerate(law_units):
                place = inputs[f"law|{unit.name}"] = Path(folder) / str(i)
                place.mkdir()
                laws.work(_job(run, unit, inputs, refs, place))
            proposal.fit(_job(run, fit_unit, inputs, refs, out))
            proposal.propose(_job(run, propose_unit, {**inputs, "fit": out}, refs, out))
        except ValueError as error:
            raise InputError(f"{said}: {error}") from error
    record = json.loads((out / "proposal.json").read_text(encoding="utf-8")) | {"natural": "tokens"}
    fitted = json.loads((out / "fit.json").read_text(encoding="utf-8"))
    asked = with_accuracies(fit_unit.args["objective"], fitted["tasks"])
    raised = maximised_tasks(asked["maximise"], list(fitted["tasks"]))
    for name, task in fitted["tasks"].items():
        task |= {"version": laws.law_version(name in raised), "maximised": name in raised}
    if len(done) < planned:
        fitted["notes"].append(f"the swarm is unfinished: {said}")
    # what a table of weights and one of metrics do not say, and the laws cannot be fitted again without
    fitted |= {
        "format": FORMAT,
        "runs": {"finished": len(done), "planned": planned},
        "blocks": json.loads((out / "blocks.json").read_text(encoding="utf-8")),
        **{key: design[key] for key in ("gone", "freeze")},
    }
    (out / "blocks.json").unlink()
    (out / "fit.json").write_text(to_json(fitted), encoding="utf-8")
    (out / "report.md").write_text(render_report(record, fitted), encoding="utf-8")
    return record


def finished_runs(run: Run) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
    """Return the last finished round's design, and by run its train and score artefacts, empty where one is missing."""
    for stage in plan(run):
        if stage.stage == "laws":
            break
    designs = [unit for unit in run.units.get("design", []) if run.is_done(unit)]
    if not designs or "score" not in run.units:
        raise InputError(f"{run.mix.document.name}: no mix of its swarm is chosen yet: start `mixwright run` first")
    run.units["design"] = designs
    scores: dict[str, list[Unit]] = {}
    for unit in run.of("score"):
        scores.setdefault(unit.name.split("|")[0], []).append(unit)
    found = {}
    for unit in run.of("train"):
        units = [unit, *scores.get(unit.name, [])]  # one that diverged has no scores: the fit counts it
        roles = {f"{each.stage}|{each.name}": each.ref for each in units}
        found[unit.name] = roles if all(map(run.is_done, units)) else {}
    return run.store.read_json(designs[-1].ref, "swarm.json"), found


def _job(run: Run, unit: Unit, inputs: Mapping[str, Path], refs: Mapping[str, str], out: Path) -> Job:
    return Job(unit.args, inputs, {}, out, lambda role: run.store.manifest(refs[role])["counts"])

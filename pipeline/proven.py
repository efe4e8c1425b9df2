"""New evals train nothing: the mixes that were proven stay the proposal and its baselines while only evals change.

`validate` remembers which proposal it proved, under the question that was asked: the swarm, the objective, the limits,
the laws. The same question with other evals finds it there. The proposal is then compared with what the laws now think
best; where the data can tell the proven one from the best, the better mix stands beside it, predicted and not proven,
until `validate.retrain` asks for a proof of its own.
"""

from __future__ import annotations

from dataclasses import replace

from pipeline.run import Run
from pipeline.store import to_json
from pipeline.units import Unit, digest


def beside_proven(run: Run, unit: Unit) -> Unit:
    """Return the `propose` unit, with the proposal that an earlier run proved among its inputs if there is one.

    A question that was answered before keeps its answer: then, and with `validate.retrain`, the unit stays as it is.
    """
    if run.config.validation.retrain or run.is_done(unit):
        return unit
    key = run.pinned_key(_pin(run, unit), unit.stage)
    if key is None or key == unit.key:
        return unit
    run.notes.append(f"propose: only evals changed, so nothing is trained and what {run.mix.stem} proved is kept")
    return replace(unit, inputs={**unit.inputs, "proven": f"{unit.stage}/{key}"})


def remember(run: Run) -> None:
    """Remember the proposal that was just proven; the first one stays, unless `validate.retrain` asks for the last."""
    (unit,) = run.of("propose")
    path = _pin(run, unit)
    last = run.config.validation.retrain
    if last or run.store.read_text(path) is None:  # another driver may write it now
        run.store.write_text(path, to_json({"key": unit.key}), create=not last)


def _pin(run: Run, unit: Unit) -> str:
    """Name what was asked: the swarm's proxies (they stand for the data), and all that is asked of them but evals."""
    question = [unit.version, unit.args, run.config.fit.model_dump(mode="json"), [each.ref for each in run.of("train")]]
    return f"pins/{run.mix.stem}/proof-{digest(question, 12)}.json"

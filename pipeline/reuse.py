"""Finished proxies go on where only the domains changed: an added domain trains only new runs, a removed one none.

Every design whose swarm is finished is remembered under the YAML's stem and the question that was asked, domains left
out. Another set of domains then starts from the remembered design that leaves the fewest domains new: of its mixes
those stay whose proxies are finished under the YAML as it is. A mix that touches a domain whose text changed has other
inputs, so its proxy is another one, and it leaves; a mix that has a domain which is no longer on offer stays as a point
of the fit. Bounds on weights are not asked about: they say where new mixes may lie.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline.grow import EARLIER
from pipeline.run import Run
from pipeline.store import to_json
from pipeline.swarm import train_unit
from pipeline.units import Unit, digest


@dataclass(frozen=True)
class Start:
    """An earlier design as seen from the present domains.

    kept: its runs that are finished; new: domains of which it has no run with the present text, or did not offer;
    removed: whether it offered others.
    """

    ref: str
    kept: tuple[str, ...]
    new: tuple[str, ...]
    removed: bool


def beside_earlier(run: Run, unit: Unit) -> Unit:
    """Return the first round's `design` unit, with an earlier design among its inputs if one can go on.

    A question that was answered before keeps its answer. Another method or number of runs, other groups, or another
    bound with the same domains, is designed anew.
    """
    unit = run.pinned(replace(unit, pinned_by={"args": unit.args, "inputs": unit.inputs}))
    if run.is_done(unit):
        return unit
    starts = [_start(run, unit, f"{unit.stage}/{key}") for key in reversed(_remembered(run, unit))]
    starts = [start for start in starts if start.kept and (start.new or start.removed)]
    if not starts:
        return unit
    start = min(starts, key=lambda each: len(each.new))  # of equals the last one finished
    rest = f"new runs are for {', '.join(start.new)}" if start.new else "none is trained"
    run.notes.append(f"design: {len(start.kept)} finished proxies of {run.mix.stem} are used again; {rest}")
    return replace(
        unit,
        args={**unit.args, "kept": list(start.kept), "new": list(start.new)},
        inputs={**unit.inputs, EARLIER: start.ref},
    )


def remember(run: Run) -> None:
    """Remember the swarm's design, all rounds in it, once its last round is trained and scored."""
    designs = run.of("design")
    last = designs[-1]
    if len(designs) < len(run.config.swarm.sizes) and not run.store.read_json(last.ref, "swarm.json")["settled"]:
        return
    folder = _pins(run, designs[0])
    known = _entries(run, folder)
    if last.key not in known:
        # a file of its own: another driver may remember a design at the same moment
        number = max(known.values(), default=0) + 1
        run.store.write_text(f"{folder}/{number:06d}-{last.key}.json", to_json({"key": last.key}))


def _start(run: Run, unit: Unit, ref: str) -> Start:
    earlier = run.store.read_json(ref, "swarm.json")
    kept = [
        mix["run"]
        for mix in earlier["mixes"]
        if run.is_done(train_unit(run, mix["run"], mix["weights"], mix["block"], earlier))
    ]
    arrays: dict[str, dict[str, str]] = {}
    for role, array in unit.inputs.items():
        arrays.setdefault(role.split("/")[0], {})[role] = array
    same = [name for name in arrays if name in earlier["domains"] and arrays[name] == earlier["arrays"][name]]
    new = tuple(name for name in unit.args["domains"] if name not in same)
    return Start(ref, tuple(kept), new, removed=bool(set(earlier["domains"]) - set(unit.args["domains"])))


def _remembered(run: Run, unit: Unit) -> list[str]:
    """Return the keys of the finished designs under this question, the first finished first."""
    done = run.store.finished(unit.stage)
    return [key for key in _entries(run, _pins(run, unit)) if key in done]


def _entries(run: Run, folder: str) -> dict[str, int]:
    """Return key → number of the designs in a folder of pins, in order of the numbers."""
    found: dict[str, int] = {}
    for name in sorted(Path(entry.name).stem for entry in run.store.entries(folder) if entry.name.endswith(".json")):
        number, key = name.split("-")
        found.setdefault(key, int(number))  # two drivers on one run may both write it
    return found


def _pins(run: Run, unit: Unit) -> str:
    """Return the folder for what was asked but for the domains: how mixes are chosen, and what their proxies are."""
    asked: dict[str, Any] = {
        **{name: unit.args[name] for name in ("design", "target_tokens", "seed")},
        "max_repetition": unit.args["propose"]["max_repetition"],
        "proxy": [run.preset, run.config.proxy.identity],
    }
    return f"pins/{run.mix.stem}/swarm-{digest([unit.version, asked], 12)}"

"""`mixwright diff RUN_A RUN_B`: what differs between two finished runs, by their run folders (paths or URLs)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import yaml

from pipeline.changes import Change, changes
from pipeline.errors import InputError
from pipeline.run_folder import no_run, place_of
from pipeline.run_units import config_of, stages_of, units_of

_NAMED = 6


def diff_record(first: str, second: str) -> dict[str, Any]:
    """Return the differences as JSON: keys of the YAML, weights, what was measured, units by stage."""
    one, other = Finished(first), Finished(second)
    parts = {
        "YAML": changes(one.config(), other.config()),
        "weights": _numbers(one.mix["weights"], other.mix["weights"]),
        "measured": _numbers(_measured(one.mix), _measured(other.mix)),
    }
    return {name: [asdict(each) for each in found] for name, found in parts.items()} | {"units": _units(one, other)}


def diff_text(first: str, second: str) -> str:
    """Return the same as text."""
    record = diff_record(first, second)
    lines: list[str] = []
    for title, found in record.items():
        rows = list(_unit_rows(found)) if title == "units" else [str(Change(**each)) for each in found]
        if rows:
            lines += [title, *(f"  {row}" for row in rows)]
    return "\n".join(lines) or "no difference"


class Finished:
    """A run folder: its YAML, mix and units. Raises InputError where it is none."""

    def __init__(self, folder: str) -> None:
        self.store, self.name = place_of(folder)
        text = self.store.read_text(f"{self.name}/mix.json")
        if text is None:
            raise no_run(folder)
        self.mix: Mapping[str, Any] = json.loads(text)

    def config(self) -> dict[str, Any]:
        found = config_of(self.store, self.name)
        if found is None:  # a copy of the folder alone has it too
            text = self.store.read_text(f"{self.name}/mix.yaml")
            found = yaml.safe_load(text) if text else None
        if found is None:
            raise InputError(f"{self.store.root}/{self.name}: its YAML and units are not known; run it again")
        return found

    def units(self) -> dict[str, dict[str, str]]:
        return {stage: units_of(self.store, self.name, stage) for stage in stages_of(self.store, self.name)}


def _units(one: Finished, other: Finished) -> dict[str, dict[str, list[str]]]:
    """Return stage → what happened → names of units."""
    before, after = one.units(), other.units()
    found: dict[str, dict[str, list[str]]] = {}
    for stage in dict.fromkeys([*before, *after]):
        old, new = before.get(stage, {}), after.get(stage, {})
        what = {
            "changed": [name for name in new if name in old and old[name] != new[name]],
            "only in the second": [name for name in new if name not in old],
            "only in the first": [name for name in old if name not in new],
        }
        if kept := {name: units for name, units in what.items() if units}:
            found[stage] = kept
    return found


def _unit_rows(found: Mapping[str, Mapping[str, list[str]]]) -> Iterator[str]:
    for stage, what in found.items():
        for name, units in what.items():
            yield f"{stage}: {len(units)} {name}: {', '.join(units[:_NAMED])}{' …' if len(units) > _NAMED else ''}"


def _numbers(old: Mapping[str, float], new: Mapping[str, float]) -> Iterator[Change]:
    for change in changes(dict(old), dict(new)):
        delta = f" ({new[change.key] - old[change.key]:+.4g})" if change.key in old and change.key in new else ""
        yield Change(change.key, change.old, f"{change.new}{delta}")


def _measured(mix: Mapping[str, Any]) -> dict[str, float]:
    """Return the means of the measured mixes, and the proposal's tasks."""
    means = {f"{name} (objective)": each["mean"] for name, each in mix["measured"].items()}
    return {**means, **{f"proposal {task}": value for task, value in mix["measured"]["proposal"]["tasks"].items()}}

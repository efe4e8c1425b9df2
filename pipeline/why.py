"""Why a unit has to be done: its recipe beside that of the unit of the same stage and name in an earlier run."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.changes import changes
from pipeline.run import Run
from pipeline.units import Unit

COMPARED = 60
"""Manifests that are read for the reasons of one stage, at most: spread evenly over its missing units."""
_TOGETHER = 3
_SHOWN = 8


@dataclass(frozen=True)
class Why:
    """A reason that `units` units of a stage have in common, and the names of the first of them."""

    reason: str
    units: int
    names: tuple[str, ...]


def reasons(run: Run, missing: Sequence[Unit], known: Mapping[str, str]) -> Iterator[Why]:
    """Yield the reasons of a stage's missing units, the most frequent first. known: name → earlier artefact."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    changed = []
    for unit in missing:
        ref = known.get(unit.name)
        if ref is None:
            found["new: no earlier run has it" if known else "no earlier run is known"].append(unit.name)
        elif ref == unit.ref:
            found["unchanged, but not finished"].append(unit.name)
        elif ref.split("/")[1] not in run.store_finished(unit.stage):
            found["changed; the earlier one is not there to compare with"].append(unit.name)
        else:
            changed.append((unit, ref))
    step = max(1, -(-len(changed) // COMPARED))
    for i, (unit, ref) in enumerate(changed):
        if i % step:
            found[f"changed; one in {step} of the stage was compared"].append(unit.name)
        else:
            found["; ".join(causes(run.store.manifest(ref)["recipe"], unit))].append(unit.name)
    order = sorted(found.items(), key=lambda pair: -len(pair[1]))
    for reason, names in order[:_SHOWN]:
        yield Why(reason, len(names), tuple(names[:_SHOWN]))
    if rest := [name for _, names in order[_SHOWN:] for name in names]:
        yield Why("other changes", len(rest), tuple(rest[:_SHOWN]))


def causes(old: Mapping, unit: Unit) -> list[str]:
    """Return which parts of the key differ: the version, arguments with old and new value, inputs by stage."""
    found = []
    if old["version"] != unit.version:
        found.append(f"version: {old['version']} → {unit.version}")
    by_top: defaultdict[str, list[str]] = defaultdict(list)
    for change in changes(old["args"], dict(unit.args)):
        by_top[change.key.split(".")[0].split("[")[0]].append(str(change))
    for top, lines in by_top.items():
        found += lines if len(lines) <= _TOGETHER else [f"{top}: {len(lines)} values changed"]
    before = dict(old["inputs"])
    for what, roles in (
        ("changed", [role for role, ref in unit.inputs.items() if role in before and before[role] != ref]),
        ("added", [role for role in unit.inputs if role not in before]),
        ("removed", [role for role in before if role not in unit.inputs]),
    ):
        stages = dict.fromkeys((unit.inputs.get(role) or before[role]).split("/")[0] for role in roles)
        found += [f"input {what}: {', '.join(stages)}"] if stages else []
    return found or ["pinned to another artefact"]

"""Shards that crash native code: left out and counted, where no try again helps.

A unit of one shard that a signal of its own making ended on every try, SIGSEGV say, is remembered with its reason in
`pins/<stem>/crashed.json`. From then on `sources` reads nothing of that shard and sets it aside as a whole. What is
made of the others is what it would be had the shard been empty, under other keys: an entry that is taken out of the
file brings the shard back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from pipeline.attempts import Failure
from pipeline.run import Run
from pipeline.store import to_json
from pipeline.units import Unit

CRASHED = "crashed"
"""Argument of a `sources` unit that is left out: why."""


def crashed_shards(run: Run) -> dict[str, str]:
    """Return key of a `sources` unit → why its shard is left out."""
    text = run.store.read_text(_path(run))
    return json.loads(text)["why"] if text else {}


def leave_out(run: Run, failures: Sequence[Failure]) -> list[Failure]:
    """Remember the shards whose units crashed; return the other failures."""
    shards = {unit.ref: unit for unit in run.units.get("sources", [])}
    found, rest = {}, []
    for failure in failures:
        shard = _shard_of(failure.unit, shards)
        if failure.signal and shard and CRASHED not in shard.args:
            found[shard.key] = f"crashed {_what(failure.unit)} ({failure.signal})"
        else:
            rest.append(failure)
    if found:
        why = {**crashed_shards(run), **found}
        run.store.write_text(_path(run), to_json({"keys": sorted(why), "why": why}))
    return rest


def _shard_of(unit: Unit, shards: dict[str, Unit]) -> Unit | None:
    ref = unit.ref if unit.stage == "sources" else unit.inputs.get("documents")
    return shards.get(ref) if ref else None


def _what(unit: Unit) -> str:
    return "its reader" if unit.stage == "sources" else f"stage {unit.stage}"


def _path(run: Run) -> str:
    return f"pins/{run.mix.stem}/crashed.json"

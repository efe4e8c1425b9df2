"""What crashes native code, where no try again helps: left out and counted, a document if one is found, else a shard.

A unit of one shard that a signal of its own making ended on every try, SIGSEGV say, is remembered with its reason in
`pins/<stem>/crashed.json`. From then on `sources` sets aside the document that did it; where no single one did, or the
reader itself crashed, it reads nothing of that shard and sets it aside as a whole. What is made of the others is what
it would be had these not been there, under other keys: an entry that is taken out of the file brings them back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pipeline.attempts import Failure
from pipeline.run import Run
from pipeline.store import to_json
from pipeline.units import Unit

CRASHED = "crashed"
"""Argument of a `sources` unit whose shard is left out: why."""

CRASHED_DOCUMENTS = "crashed_documents"
"""Argument of a `sources` unit: id of a document that is left out → why."""


def without_crashed(run: Run, units: Sequence[Unit]) -> list[Unit]:
    """Return the `sources` units with what is left out of them as arguments."""
    text = run.store.read_text(_path(run))
    if not text:
        return list(units)
    crashed = json.loads(text)
    found = []
    for unit in units:
        more: dict[str, Any] = {}
        if why := crashed["why"].get(unit.key):
            more[CRASHED] = why
        elif documents := crashed.get("documents", {}).get(unit.key):
            more[CRASHED_DOCUMENTS] = documents
        found.append(replace(unit, args={**unit.args, **more}) if more else unit)
    return found


def leave_out(run: Run, failures: Sequence[Failure]) -> list[Failure]:
    """Remember the documents and shards whose units crashed; return the other failures."""
    shards = {unit.ref: unit for unit in run.units.get("sources", [])}
    why: dict[str, str] = {}
    documents: dict[str, dict[str, str]] = {}
    rest = []
    for failure in failures:
        shard = _shard_of(failure.unit, shards)
        if not failure.signal or not shard or CRASHED in shard.args:
            rest.append(failure)
            continue
        reason, key = f"crashed {_what(failure.unit)} ({failure.signal})", _plain(shard).key
        if failure.document is None or failure.document in shard.args.get(CRASHED_DOCUMENTS, {}):
            why[key] = reason
        else:
            documents.setdefault(key, dict(shard.args.get(CRASHED_DOCUMENTS, {})))[failure.document] = reason
    if why or documents:
        text = run.store.read_text(_path(run))
        known = json.loads(text) if text else {}
        found = {
            "why": {**known.get("why", {}), **why},
            "documents": {**known.get("documents", {}), **documents},
        }
        run.store.write_text(_path(run), to_json({"keys": sorted({*found["why"], *found["documents"]}), **found}))
    return rest


def _plain(shard: Unit) -> Unit:
    """Return a `sources` unit as it is with nothing left out."""
    args = {name: value for name, value in shard.args.items() if name not in (CRASHED, CRASHED_DOCUMENTS)}
    return replace(shard, args=args)


def _shard_of(unit: Unit, shards: dict[str, Unit]) -> Unit | None:
    ref = unit.ref if unit.stage == "sources" else unit.inputs.get("documents")
    return shards.get(ref) if ref else None


def _what(unit: Unit) -> str:
    return "its reader" if unit.stage == "sources" else f"stage {unit.stage}"


def _path(run: Run) -> str:
    return f"pins/{run.mix.stem}/crashed.json"

"""`mixwright gc`: what a store holds that no run, finished or going on, and no pin refers to.

Kept: every artefact that a run's list of units names, of runs whose folder is there or that are younger than the age
limit; what pins name; the inputs of kept designs and matches, from which later runs go on; all that is younger than
the limit.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import InputError
from pipeline.run_units import CONFIG, FOLDER
from pipeline.store import Entry, Store

DAYS = 14.0
"""Age in days below which nothing is removed, so that a run in progress, which may stop for a while, loses nothing."""
OWN = ("cache", "data", "logs", "manifests", "pins", "scratch", "tmp", FOLDER)
"""Folders of a store that are no run folders."""
_KEY = re.compile(r"[0-9a-f]{20}")


@dataclass
class Garbage:
    """Files to remove, manifests first, and what they are: kind → (files, bytes). limit: the time, in seconds since
    1970, after which nothing goes that changed."""

    limit: float
    files: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    bytes: Counter[str] = field(default_factory=Counter)

    def add(self, kind: str, entry: Entry) -> None:
        self.files.append(entry.name)
        self.counts[kind] += 1
        self.bytes[kind] += entry.size


def find_garbage(store: Store, days: float = DAYS, now: float | None = None) -> Garbage:
    """Return what can go. Raises InputError where the folder is no store, a run in it has no list of its units that can
    be read, or a folder of the store is a link: what lies behind it may be anybody's."""
    limit = (time.time() if now is None else now) - days * 86400
    manifests = {
        entry.name.removeprefix("manifests/").removesuffix(".json"): entry for entry in store.entries("manifests")
    }
    folders = store.folders()
    if not manifests and not set(folders) & set(OWN):
        raise InputError(f"{store.root}: no store of mixwright (it has no manifests)")
    for place in [store.folder / name for name in OWN] if store.folder else ():
        if place.is_symlink():
            raise InputError(f"{place}: a link; nothing is removed from a store whose folders lie elsewhere")
    runs = _runs(store)
    for name in folders:
        if name not in OWN and name not in runs and store.read_text(f"{name}/mix.json") is not None:
            raise InputError(
                f"{store.root}: run folder `{name}` has no list of its units, so what it needs is not known: run its "
                "YAML again (nothing is done twice), or remove the folder"
            )
    found = Garbage(limit)
    kept = _pinned(store, manifests)
    rewrites = False
    for name, run in runs.items():
        refs = run.refs(store)
        newest = max([run.changed, *(manifests[ref].changed for ref in refs if ref in manifests)])
        if newest > limit or store.read_text(f"{name}/mix.json") is not None:
            kept |= refs
            rewrites |= any(ref.startswith("rewrite/") for ref in refs)
        else:
            for entry in run.entries:
                found.add("lists of units", entry)
    kept = _with_designs(store, kept, manifests)
    gone = {ref for ref, entry in manifests.items() if ref not in kept and entry.changed <= limit}
    for ref in sorted(gone):
        found.add("artefacts", manifests[ref])
    for entry in _data(store, manifests, gone, limit):
        found.add("files of artefacts", entry)
    for kind in ("tmp", "scratch", *(() if rewrites else ("cache",))):
        for entry in store.entries(kind):
            if entry.changed <= limit:
                found.add({"cache": "cached replies"}.get(kind, kind), entry)
    return found


def remove_garbage(store: Store, garbage: Garbage) -> None:
    """Remove it: manifests before the files they name, so that no artefact is ever half there."""
    for name in garbage.files:
        store.remove(name)
    store.remove_empty_folders(garbage.files, garbage.limit)


def garbage_record(garbage: Garbage) -> dict[str, Any]:
    """Return what would go as JSON: files and bytes, in all and by kind."""
    kinds = {kind: {"files": n, "bytes": garbage.bytes[kind]} for kind, n in garbage.counts.items()}
    return {"files": len(garbage.files), "bytes": garbage.bytes.total(), "kinds": kinds}


def garbage_text(garbage: Garbage) -> str:
    """Return a table of what would go."""
    from pipeline.plan_text import bytes_text

    rows = [
        f"{kind:<20} {count:>8} files {bytes_text(garbage.bytes[kind]):>10}" for kind, count in garbage.counts.items()
    ]
    return "\n".join([*rows, f"{'in all':<20} {len(garbage.files):>8} files {bytes_text(garbage.bytes.total()):>10}"])


@dataclass
class _Run:
    entries: list[Entry] = field(default_factory=list)

    @property
    def changed(self) -> float:
        return max(entry.changed for entry in self.entries)

    def refs(self, store: Store) -> set[str]:
        found: set[str] = set()
        for entry in self.entries:
            if not entry.name.endswith(f"/{CONFIG}.json") and (text := store.read_text(entry.name)):
                try:
                    found |= set(json.loads(text)["units"].values())
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    raise InputError(
                        f"{store.root}: `{entry.name}` is no list of units, so what the run needs is not known"
                    ) from None
        return found


def _runs(store: Store) -> dict[str, _Run]:
    runs: defaultdict[str, _Run] = defaultdict(_Run)
    for entry in store.entries(FOLDER):
        if entry.name.endswith(".json"):  # not one that is being written
            runs[entry.name.split("/")[1]].entries.append(entry)
    return runs


def _pinned(store: Store, manifests: Iterable[str]) -> set[str]:
    """Return the artefacts that pins name, by their keys."""
    by_key = {ref.rpartition("/")[2]: ref for ref in manifests}
    keys = {key for entry in store.entries("pins") for key in _KEY.findall(store.read_text(entry.name) or "")}
    return {by_key[key] for key in keys if key in by_key}


def _with_designs(store: Store, kept: set[str], manifests: Iterable[str]) -> set[str]:
    """Return what is kept with the inputs of designs, and matches, from which later runs go on."""
    there, known = set(manifests), set(kept)
    todo = [ref for ref in kept if ref.startswith(("design/", "matches/"))]
    while todo:
        ref = todo.pop()
        if ref in there:
            new = set(store.manifest(ref)["recipe"]["inputs"].values()) - known
            known |= new
            todo += new
    return known


def _data(store: Store, manifests: dict[str, Entry], gone: set[str], limit: float) -> Iterable[Entry]:
    """Yield old files that are of no artefact, of one that goes, or of an attempt that lost."""
    attempts: defaultdict[str, set[str]] = defaultdict(set)
    entries = list(store.entries("data"))
    for entry in entries:
        ref, attempt = _owner(entry.name)
        attempts[ref].add(attempt)
    for entry in entries:
        ref, attempt = _owner(entry.name)
        if entry.changed > limit and ref not in gone:
            continue
        lost = not store.is_local and len(attempts[ref]) > 1 and ref in manifests
        if ref in gone or ref not in manifests or (lost and store.manifest(ref)["attempt"] != attempt):
            yield entry


def _owner(name: str) -> tuple[str, str]:
    """Return the artefact and the attempt that a file below `data` is of; of a stray one, names that none has."""
    _, *parts = name.split("/")
    return "/".join(parts[:2]), parts[2] if len(parts) > 2 else ""

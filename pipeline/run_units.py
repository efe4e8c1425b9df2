"""Which artefacts a run refers to: written as its stages are listed, so that a run in progress has it too.

    ROOT/units/<run folder>/<stage>.json    {"units": {name: "stage/key"}}
    ROOT/units/<run folder>/config.json     the resolved YAML

`plan` compares with it, `diff` reads it and `gc` keeps what it names. One file a stage: a swarm of 100,000 units is one
small read, and no manifest is opened to know a unit by its name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.load import resolved
from pipeline.run import Run
from pipeline.store import Store, to_json

FOLDER = "units"
CONFIG = "config"


def remember_units(run: Run, stage: str) -> None:
    """Write the units of a stage that was just listed, unless they are known, and the resolved YAML."""
    path, text = f"{FOLDER}/{run.folder}/{stage}.json", to_json({"units": {u.name: u.ref for u in run.of(stage)}})
    if run.store.read_text(path) != text:
        run.store.write_text(path, text)
    # each time, for its age says when the run was last at work
    run.store.write_text(f"{FOLDER}/{run.folder}/{CONFIG}.json", to_json(resolved(run.config)))


def units_of(store: Store, folder: str, stage: str) -> dict[str, str]:
    """Return name → `stage/key` of a run's stage, by the name of its run folder; empty where it is not known."""
    text = store.read_text(f"{FOLDER}/{folder}/{stage}.json")
    return json.loads(text)["units"] if text else {}


def config_of(store: Store, folder: str) -> dict[str, Any] | None:
    """Return the resolved YAML of a run; None where it is not known."""
    text = store.read_text(f"{FOLDER}/{folder}/{CONFIG}.json")
    return json.loads(text) if text else None


def stages_of(store: Store, folder: str) -> list[str]:
    """Return the stages of which a run's units are known."""
    names = [entry.name.rpartition("/")[2].removesuffix(".json") for entry in store.entries(f"{FOLDER}/{folder}")]
    return sorted(name for name in names if name != CONFIG)


@dataclass(frozen=True)
class Earlier:
    """Runs to compare with, the nearest first: their run folders, and the resolved YAML of the nearest."""

    folders: tuple[str, ...]
    config: Mapping[str, Any] | None


def earlier_runs(run: Run, most: int) -> Earlier:
    """Return the last `most` runs of the same YAML file; of the store where the file has none."""
    newest: dict[str, float] = {}
    for entry in run.store.entries(FOLDER):
        if not entry.name.endswith(".json"):
            continue
        folder = entry.name.split("/")[1]
        newest[folder] = max(newest.get(folder, 0.0), entry.changed)
    folders = sorted(newest, key=lambda name: (-newest[name], name))
    own = [name for name in folders if name.rpartition("-")[0] == run.mix.stem]
    chosen = (own or folders)[:most]
    return Earlier(tuple(chosen), config_of(run.store, chosen[0]) if chosen else None)

"""Units of work: what a stage does to one shard, one mix, one checkpoint.

A unit is named by the hash of exactly what its result depends on: the stage and its version, its arguments and the
keys of the artefacts it reads. The same key therefore always means the same bytes, and a finished unit is never
done again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


def digest(value: Any, length: int = 20) -> str:
    """Return the first `length` hex digits of the SHA-256 of a value's canonical JSON."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:length]


def seed_of(value: Any) -> int:
    """Return the seed, 0 to 2^31 - 1, of a random stream that is named by a JSON value."""
    return int(digest(value, 12), 16) % 2**31


@dataclass(frozen=True)
class Unit:
    """One piece of work and the name of its result.

    stage: name of the stage whose function does the work (`pipeline.stages.WORK`).
    name: for people, unique within the stage, e.g. `wikipedia/000`.
    args: JSON values that the result depends on.
    inputs: role → artefact (`stage/key`) that is read.
    place: JSON values that say where to read from and do not change the result (paths); not in the key.
    version: the stage's version; raised when its code changes what it writes.
    pinned_by: of a pinned unit, what asks for another artefact when it changes; all of `args` where it is None.
    """

    stage: str
    name: str
    version: int
    args: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    place: Mapping[str, Any] = field(default_factory=dict)
    pinned_key: str | None = None
    pinned_by: Mapping[str, Any] | None = None

    @property
    def recipe(self) -> dict[str, Any]:
        """What the key is made of."""
        return {"stage": self.stage, "version": self.version, "args": self.args, "inputs": dict(self.inputs)}

    @property
    def key(self) -> str:
        return self.pinned_key or digest(self.recipe)

    @property
    def ref(self) -> str:
        """The artefact's address in the store: `stage/key`."""
        return f"{self.stage}/{self.key}"


@dataclass(frozen=True)
class Job:
    """What a stage's function gets: local folders of its inputs, its arguments and an empty folder to fill."""

    args: Mapping[str, Any]
    inputs: Mapping[str, Path]
    place: Mapping[str, Any]
    out: Path
    counts: Callable[[str], dict[str, Any]]
    """Returns what the stage that made an input counted, by the input's role."""
    scratch: Path | None = None
    """Where a unit may keep what it needs to go on after its worker is killed; removed once it is published."""

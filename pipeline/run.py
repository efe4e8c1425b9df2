"""The state of one run while the driver walks through the stages."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from pipeline.config import Config, Proxy
from pipeline.load import LoadedMix, resolved
from pipeline.store import Store, to_json
from pipeline.units import Unit, digest


def preset_values(proxy: Proxy) -> dict[str, Any]:
    """Return the values behind a preset's name."""
    from proxy_models.presets import PRESETS

    return asdict(PRESETS[proxy.preset])


def micro_tokens(proxy: Proxy) -> int | None:
    """Return how much of the preset's batch goes forwards and backwards at once on a CPU; None where all of it does."""
    from proxy_models.presets import PRESETS

    return PRESETS[proxy.preset].micro_tokens


def larger_proxy(run: Run) -> Proxy | None:
    """Return preset and tokens of the larger proxies that `validate.transfer` asks for; None where it does not."""
    from proxy_models.presets import PRESETS

    asked = run.config.validation.transfer
    if asked is None:
        return None
    size = {"preset": asked.preset, "tokens": asked.tokens or PRESETS[asked.preset].tokens}
    return run.config.proxy.without_curve.model_copy(update=size)


class NotYet(Exception):
    """A stage's units cannot be listed before an earlier stage has finished."""


@dataclass
class Run:
    """A mix, its store, and the units of the stages walked so far.

    Attributes: `units` (stage → its units in order); `notes` (facts for the report and the terminal);
    `fingerprints` (stamp of a file → hash of its content); `damaged` (finished units whose files are not whole).
    """

    mix: LoadedMix
    store: Store
    units: dict[str, list[Unit]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    fingerprints: dict[str, str] = field(default_factory=dict)
    damaged: set[str] = field(default_factory=set)
    _finished: dict[str, set[str]] = field(default_factory=dict)
    _whole: set[str] = field(default_factory=set)
    _manifests: dict[str, dict[str, Any]] = field(default_factory=dict)

    @classmethod
    def open(cls, mix: LoadedMix) -> Run:
        run = cls(mix, Store(mix.config.store))
        run.fingerprints = json.loads(run.store.read_text("fingerprints.json") or "{}")
        return run

    @property
    def config(self) -> Config:
        return self.mix.config

    @property
    def preset(self) -> dict[str, Any]:
        """The values behind the proxy preset's name, as they belong in keys."""
        return preset_values(self.config.proxy)

    @property
    def model_context(self) -> int:
        return self.preset["context"]

    @property
    def folder(self) -> str:
        """Name of the run folder: the YAML's stem and the hash of its resolved content."""
        return f"{self.mix.stem}-{digest(resolved(self.config), 8)}"

    def of(self, stage: str) -> list[Unit]:
        """Return the units of an earlier stage. Raises NotYet where they are not known yet."""
        if stage not in self.units:
            raise NotYet(stage)
        return self.units[stage]

    def store_finished(self, stage: str) -> set[str]:
        """Return the keys of the stage's artefacts, listed once a run."""
        if stage not in self._finished:
            self._finished[stage] = self.store.finished(stage)
        return self._finished[stage]

    def is_done(self, unit: Unit) -> bool:
        return unit.key in self.store_finished(unit.stage) and self._is_whole(unit.ref)

    def _is_whole(self, ref: str) -> bool:
        if ref not in self._whole:
            (self._whole if self.store.is_whole(ref) else self.damaged).add(ref)
        return ref in self._whole

    def mark_done(self, unit: Unit) -> None:
        self._finished.setdefault(unit.stage, set()).add(unit.key)
        self._whole.add(unit.ref)
        self.damaged.discard(unit.ref)

    def walk_again(self) -> None:
        """Forget the stages walked so far, not what is finished."""
        self.units.clear()
        self.notes.clear()

    def manifest(self, unit: Unit) -> dict[str, Any]:
        """Return a finished unit's manifest. Raises NotYet where it is unfinished."""
        if unit.ref not in self._manifests and not self.is_done(unit):
            raise NotYet(unit.stage)
        return self.manifest_of(unit.ref)

    def manifest_of(self, ref: str) -> dict[str, Any]:
        """Return the manifest of a finished artefact, read once a run."""
        if ref not in self._manifests:
            self._manifests[ref] = self.store.manifest(ref)
        return self._manifests[ref]

    def pinned(self, unit: Unit) -> Unit:
        """Return the unit, or the earlier artefact that stands for it.

        What is fitted on data (vocabulary, classifiers, contamination suite, numeric plan) is kept once made: as
        long as its own arguments stay the same, other inputs do not change it. Otherwise a new eval or domain would
        silently change every proxy.
        """
        key = self.pinned_key(self._pin_path(unit), unit.stage)
        if key is None or key == unit.key:
            return unit
        self.notes.append(f"{unit.stage}/{unit.name}: kept as pinned by an earlier run of {self.mix.stem}")
        return replace(unit, pinned_key=key)

    def pinned_key(self, path: str, stage: str) -> str | None:
        """Return the key that a pin names; None where there is no pin, or its artefact is gone."""
        text = self.store.read_text(path)
        key = json.loads(text)["key"] if text else None
        return key if key in self.store.finished(stage) else None

    def pin(self, unit: Unit) -> None:
        """Remember a finished unit as the one that its name stands for."""
        path = self._pin_path(unit)
        if self.store.read_text(path) is None:  # another driver may write it now: the first one stays
            self.store.write_text(path, to_json({"key": unit.key, "name": unit.name}), create=True)

    def _pin_path(self, unit: Unit) -> str:
        asked = unit.args if unit.pinned_by is None else unit.pinned_by
        recipe = digest([unit.stage, unit.version, unit.name, asked], 12)
        return f"pins/{self.mix.stem}/{unit.stage}-{recipe}.json"

    def save_fingerprints(self) -> None:
        self.store.write_text("fingerprints.json", to_json(self.fingerprints))

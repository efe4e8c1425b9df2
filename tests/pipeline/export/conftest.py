"""The curated tiny run with a mix of chosen weights, exported once a format."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.export.mix import Mix, read_mix
from pipeline.export.write import write_export
from pipeline.run import Run

WEIGHTS = {"wikipedia": 0.35, "questions": 0.3, "ocr": 0.0, "wikipedia.qa": 0.15, "ocr.clean": 0.2}
"""One domain is left out; of a target of 400,000 tokens `wikipedia` is repeated, `ocr.clean` is not used up."""
CONTEXT = 64


@dataclass(frozen=True)
class Exported:
    """An export and the run it is of."""

    mix: Mix
    folder: Path

    def json(self, name: str) -> Any:
        return json.loads((self.folder / name).read_text(encoding="utf-8"))

    @property
    def weights(self) -> dict[str, float]:
        return {domain.name: domain.weight for domain in self.mix.weighted}

    def error(self, tokens: dict[str, int]) -> float:
        """Return the greatest difference of a domain's share of tokens from its weight."""
        assert set(tokens) == set(self.weights)
        return max(abs(count / sum(tokens.values()) - self.weights[name]) for name, count in tokens.items())


@pytest.fixture(scope="session")
def run_folder(curated: Run, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run folder in a copy of the curated run's store; only its weights are chosen, not found by a swarm."""
    store = tmp_path_factory.mktemp("exported") / "store"
    shutil.copytree(curated.store.root, store)
    folder = store / curated.folder
    folder.mkdir()
    (folder / "mix.json").write_text(json.dumps({"weights": WEIGHTS}), encoding="utf-8")
    return str(folder)


@pytest.fixture(scope="session")
def exported(run_folder: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Exported]:
    """Export to a format, once."""
    done: dict[str, Exported] = {}

    def export(to: str) -> Exported:
        if to not in done:
            out = tmp_path_factory.mktemp("exports") / to
            write_export(run_folder, to, str(out), weights_only=False, context=CONTEXT, say=lambda _: None)
            done[to] = Exported(read_mix(run_folder), out)
        return done[to]

    return export


@pytest.fixture(scope="session")
def own_ids(curated: Run) -> dict[str, np.ndarray]:
    """The run's own token arrays, by domain: what its proxies are trained on."""
    found: dict[str, list[np.ndarray]] = {}
    for unit in curated.of("tokenize"):
        ids = np.fromfile(curated.store.local(unit.ref) / "tokens.bin", dtype="<u2")
        found.setdefault(unit.args["domain"], []).append(ids)
    return {name: np.concatenate(parts) for name, parts in found.items()}

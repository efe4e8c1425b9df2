"""Two runs are compared by their YAML, weights, measures and units."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.diff import diff_text
from pipeline.errors import InputError
from pipeline.store import Store, to_json


def finished(store: Store, name: str, seed: int, weight: float, mean: float, units: dict[str, str]) -> str:
    measured = {"proposal": {"mean": mean, "tasks": {"heldout/a": mean}}, "natural": {"mean": 1.0, "tasks": {}}}
    mix = {"weights": {"a": weight, "b": 1 - weight}, "measured": measured}
    store.write_text(f"{name}/mix.json", to_json(mix))
    store.write_text(f"units/{name}/config.json", to_json({"seed": seed, "select": [{"drop": f"x < {seed}"}]}))
    store.write_text(f"units/{name}/select.json", to_json({"units": units}))
    return f"{store.root}/{name}"


@pytest.mark.parametrize("root", ["{}", "memory://diff"])
def test_every_kind_of_difference_is_named(tmp_path: Path, root: str) -> None:
    store = Store(root.format(tmp_path))
    one = finished(store, "mix-1", 1, 0.25, 0.9, {"a/0": "select/k", "b/0": "select/l", "c/0": "select/m"})
    two = finished(store, "mix-2", 2, 0.5, 0.8, {"a/0": "select/n", "b/0": "select/l", "d/0": "select/o"})
    assert diff_text(one, one) == "no difference"
    assert diff_text(one, f"{two}/").splitlines() == [
        "YAML",
        "  seed: 1 → 2",
        '  select[0].drop: "x < 1" → "x < 2"',
        "weights",
        "  a: 0.25 → 0.5 (+0.25)",
        "  b: 0.75 → 0.5 (-0.25)",
        "measured",
        "  proposal (objective): 0.9 → 0.8 (-0.1)",
        "  proposal heldout/a: 0.9 → 0.8 (-0.1)",
        "units",
        "  select: 1 changed: a/0",
        "  select: 1 only in the second: d/0",
        "  select: 1 only in the first: c/0",
    ]


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no mix.json"):
        diff_text(str(tmp_path), str(tmp_path))

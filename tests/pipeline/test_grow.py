"""A grown design: earlier mixes as they were, new ones over what is on offer, a frozen group still one thing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.proposal import frozen_of
from pipeline.swarm import design
from pipeline.units import Job

TOKENS = {"a": 4000, "b": 2000, "c": 1000, "d": 3000}


def made(folder: Path, domains: str, freeze: dict[str, Any] | None = None, **earlier: Any) -> dict[str, Any]:
    """Run a design's job over these domains and return swarm.json; earlier: `kept`, `new`, and the `design`."""
    options = {"runs": 12, "method": "spread", "blocks": 2, "min_weight": 0.0, "freeze": freeze or {}}
    args = {
        "domains": {name: name for name in domains},
        "design": options,
        "propose": {"max_repetition": 4.0, "bounds": {}},
        "target_tokens": 10_000,
        "seed": 1,
    }
    inputs = {f"{name}/000": Path(f"key-of-{name}") for name in domains}
    if earlier:
        args |= {"kept": earlier["kept"], "new": earlier["new"]}
        inputs["earlier"] = earlier["design"]
    out = folder / domains
    out.mkdir()

    def counts(role: str) -> dict[str, int]:
        return {"tokens": 2 * TOKENS[role[0]], "target_tokens": TOKENS[role[0]]}

    design(Job(args, inputs, {}, out, counts))
    return json.loads((out / "swarm.json").read_text())


def test_a_removed_domain_is_kept_for_the_fit_with_its_arrays_and_only_if_a_mix_has_it(tmp_path: Path) -> None:
    old = made(tmp_path, "abcd")
    assert old["arrays"]["c"] == {"c/000": "tokenize/key-of-c"}
    everything = [mix["run"] for mix in old["mixes"]]
    new = made(tmp_path, "ab", kept=everything, new=[], design=tmp_path / "abcd")
    assert (new["domains"], new["gone"]) == (["a", "b"], ["c", "d"])
    for part in ("tokens", "own_per_target", "arrays"):
        assert new[part] == old[part]
    assert new["mixes"] == old["mixes"]
    assert new["settled"]
    assert new["natural"] == {"a": pytest.approx(2 / 3), "b": pytest.approx(1 / 3)}
    bare = [mix["run"] for mix in old["mixes"] if not mix["weights"]["d"]]
    if bare:
        assert "d" not in made(tmp_path, "abc", kept=bare, new=[], design=tmp_path / "abcd")["gone"]


def test_a_group_stays_one_thing_to_weigh_and_its_ratio_holds_in_new_mixes(tmp_path: Path) -> None:
    groups = {"ab": ["a", "b"]}
    old = made(tmp_path, "abc", groups)
    new = made(tmp_path, "abcd", groups, kept=[mix["run"] for mix in old["mixes"]], new=["d"], design=tmp_path / "abc")
    added = new["mixes"][len(old["mixes"]) :]
    assert [mix["mix"] for mix in added[::2]][:2] == ["grown1-natural", "grown1-uniform"]
    assert all(mix["weights"]["a"] == pytest.approx(2 * mix["weights"]["b"]) for mix in added)
    assert all(mix["weights"]["d"] > 0 for mix in added)
    assert sum(mix["block"] == 0 for mix in new["mixes"]) == len(new["mixes"]) / 2
    assert new["grown"] == 1
    assert [domain.name for domain in frozen_of(new).domains] == ["ab", "c", "d"]
    last = made(tmp_path, "abd", groups, kept=[mix["run"] for mix in new["mixes"]], new=[], design=tmp_path / "abcd")
    assert [domain.name for domain in frozen_of(last).domains] == ["ab", "d", "c"], "what is gone stands last"

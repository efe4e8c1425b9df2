"""A bound holds for a domain, a source with all its variants or a frozen group: in designs and in what is proposed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.load import load_mix
from pipeline.mixture.designs import METHODS
from pipeline.own_swarm.config import load_own_config
from pipeline.own_swarm.fit import space_of
from pipeline.own_swarm.swarm import read_swarm
from pipeline.swarm import design, domains_of, limits_of
from pipeline.units import Job

BOUNDS = "{wikipedia: {max: 0.5}, wikipedia.*: {max: 0.6}, text: {min: 0.1}}"


def test_what_a_bound_may_be_called(tiny_yaml) -> None:
    freeze = ("runs: 12", "runs: 12, freeze: {text: [questions, ocr]}")
    config = load_mix(tiny_yaml(freeze, ("validate:", f"propose: {{bounds: {BOUNDS}}}\nvalidate:"))).config
    names = ["wikipedia", "questions", "ocr", "wikipedia.qa", "ocr.clean"]
    domains = domains_of({name: config.origin(name) for name in config.domain_names()}, dict.fromkeys(names, 1e9))
    within = limits_of(domains, config.propose.model_dump(), 1, config.swarm.freeze)
    rows = dict(zip(within.names, within.A.tolist(), strict=True))
    assert [domain.name for domain in domains] == names
    assert rows["weight of wikipedia <= 0.5"] == [1, 0, 0, 0, 0]  # the raw domain alone, as ever
    assert rows["weight of wikipedia.* <= 0.6"] == [1, 0, 0, 1, 0]
    assert rows["weight of text >= 0.1"] == [0, -1, -1, 0, 0]


@pytest.mark.parametrize("method", METHODS)
def test_every_mix_of_a_design_keeps_them(method: str, tmp_path: Path) -> None:
    origins = {
        "wiki": "wiki",
        "wiki.qa": "wiki",
        "wiki.short": "wiki",
        "code": "code",
        "ocr": "ocr",
        "papers": "papers",
    }
    bounds = {"wiki.*": {"min": 0.1, "max": 0.3}, "scans": {"min": 0.0, "max": 0.25}, "code": {"min": 0.2, "max": 1.0}}
    options = {"runs": 14, "method": method, "blocks": 2, "min_weight": 0.02, "freeze": {"scans": ["ocr", "papers"]}}
    args = {
        "domains": origins,
        "design": options,
        "propose": {"max_repetition": 4.0, "bounds": bounds},
        "target_tokens": 1000,
        "seed": 1,
    }
    inputs = {f"{name}/0": tmp_path for name in origins}
    design(Job(args, inputs, {}, tmp_path, lambda role: {"target_tokens": 1000, "tokens": 1000}))
    mixes = json.loads((tmp_path / "swarm.json").read_text())["mixes"]
    chosen = [each["weights"] for each in mixes if each["mix"] not in ("natural", "uniform")]
    assert len(chosen) >= 10
    for weights in chosen:
        wiki = sum(weights[name] for name in origins if origins[name] == "wiki")
        assert 0.1 - 1e-6 <= wiki <= 0.3 + 1e-6
        assert weights["ocr"] + weights["papers"] <= 0.25 + 1e-6
        assert weights["ocr"] == pytest.approx(weights["papers"])
        assert weights["code"] >= 0.2 - 1e-6


def test_a_source_of_a_swarm_from_elsewhere_is_bounded_with_its_variants(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("run,train_wiki,train_wiki.qa,train_code\nx,0.2,0.2,0.6\ny,0.5,0.1,0.4\n")
    (tmp_path / "m.csv").write_text("run,t\nx,1\ny,2\n")
    own, config = read_swarm(tmp_path / "r.csv", tmp_path / "m.csv"), tmp_path / "c.yaml"
    for name in ("wiki.*", "train_wiki.*"):
        config.write_text(f"propose: {{bounds: {{{name}: {{max: 0.3}}, wiki: {{max: 0.2}}}}}}")
        space, _ = space_of(own.swarm, load_own_config(config, own)[0])
        rows = dict(zip(space.limits.names, space.limits.A.tolist(), strict=True))
        assert rows == {f"weight of {name} <= 0.3": [1, 1, 0], "weight of train_wiki <= 0.2": [1, 0, 0]}
    config.write_text("seed: 1\npropose: {bounds: {wik.*: {max: 0.3}}}")
    with pytest.raises(InputError, match=r"c.yaml:2: .*no domain or group `wik.\*` \(did you mean `wiki.\*`\?\)"):
        load_own_config(config, own)
    config.write_text("propose:\n  bounds: {wiki.*: {max: 0.3}, code: {max: 0.6}}")
    with pytest.raises(InputError, match=r"c.yaml:2: .*no mix satisfies all of: weight of wiki.\* <= 0.3; weight of"):
        load_own_config(config, own)

"""A size is called small or enough only where both ways of counting parameters leave no other answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipeline.fidelity import Known, fidelity
from proxy_models.presets import PRESETS, preset

VOCABULARY = 4096


@pytest.mark.parametrize("name", PRESETS)
def test_parameters_are_those_of_the_model_without_its_embedding(name: str) -> None:
    model, _ = preset(name, VOCABULARY)
    found = fidelity(PRESETS[name], VOCABULARY)
    assert found.parameters == model.parameters - VOCABULARY * model.width
    assert found.layers == found.parameters - VOCABULARY * model.width


def test_the_published_sizes_are_judged_as_published() -> None:
    paper = replace(PRESETS["1m"], width=128, layers=4, ff=512)
    assert fidelity(paper, 100_352).known is Known.ENOUGH
    assert fidelity(replace(paper, width=12, heads=1, ff=32), 100_352).known is Known.SMALL


def test_a_small_vocabulary_neither_condemns_nor_saves() -> None:
    paper = replace(PRESETS["1m"], width=128, layers=4, ff=512)
    assert fidelity(paper, VOCABULARY).known is Known.UNKNOWN, "the same layers, a smaller head"
    assert fidelity(replace(paper, layers=3), VOCABULARY).known is Known.SMALL
    known = {name: fidelity(each, VOCABULARY).known for name, each in PRESETS.items()}
    assert known["quickstart"] is known["1m"] is Known.SMALL
    assert known["4m"] is Known.UNKNOWN
    assert known["14m"] is Known.ENOUGH

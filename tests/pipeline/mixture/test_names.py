"""The names that a YAML may give are those that are registered, in the same order."""

from __future__ import annotations

from pipeline.mixture import names
from pipeline.mixture.designs import METHODS
from pipeline.mixture.laws import LAWS
from pipeline.mixture.recipes import RECIPES
from pipeline.stage_names import WITH_UNITS
from pipeline.stages import WORK


def test_names_are_what_is_registered() -> None:
    assert tuple(LAWS) == names.LAWS
    assert tuple(METHODS) == names.METHODS
    assert tuple(RECIPES) == names.RECIPES
    assert tuple(WORK) == WITH_UNITS

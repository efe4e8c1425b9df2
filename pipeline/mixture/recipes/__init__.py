"""Recipes of other projects, by the name that `propose.recipe` gives: for who wants to reproduce their results.

A recipe chooses the law and finds the mix. What surrounds it stays: baselines are predicted by the recipe's own laws,
the proof is measured as ever.
"""

from pipeline.mixture.recipes import olmix, regmix
from pipeline.mixture.recipes.base import Recipe

RECIPES: dict[str, Recipe] = {"regmix": regmix.RECIPE, "olmix": olmix.RECIPE}

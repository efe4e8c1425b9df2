"""Sections about the choice of a mix: what it shall be good at, laws, limits, mixes to compare with."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from pipeline.config.base import Count, Section


class Target(Section):
    """The training run that the mix is for."""

    tokens: Count = Field(
        description="Token budget of the training run that the mix is for; repetition caps come from it."
    )
    tokenizer: str | None = Field(
        None, description="The target's tokenizer.json: weights are shares of its tokens. The proxies' own if absent."
    )


class Objective(Section):
    """What the mix shall be good at: a weighted mean of tasks relative to the natural mix, lower is better.

    Names in `force`, `maximise` and `no_worse_than` are tasks or families.
    """

    families: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, description="Weight per family (`heldout`, `bench`); 1 if absent."
    )
    tasks: dict[str, Annotated[float, Field(ge=0)]] = Field(
        default_factory=dict, description="Weight per task within its family; 1 if absent."
    )
    force: list[str] = Field(
        default_factory=list, description="Tasks or families that keep their weight though flagged as noisy."
    )
    maximise: list[str] = Field(
        default_factory=list,
        description="Tasks or families whose metric is better when higher (accuracies); 1 % more counts as 1 % less "
        "of another. A run knows its own accuracies; this is for a swarm from elsewhere.",
    )
    no_worse_than: dict[str, str] = Field(
        default_factory=dict,
        description="Task or family → `natural`, `uniform` or a name in `references`: the proposal's predicted metric"
        " of that task, or of each task of the family, is not worse than predicted for that mix. Only "
        "predicted means are guarded; the report's table of tasks shows what was then measured. Guards "
        "that no allowed mix keeps are an error that names them.",
    )


class Fit(Section):
    """How each task's dependence on the weights is learnt (the laws)."""

    laws: list[str] | None = Field(
        None,
        min_length=1,
        description="Laws to choose from by cross-validation; all if absent, `lightgbm` from 128 runs on.",
    )
    law: str | None = Field(None, description="One law for all tasks.")


class Bound(Section):
    min: float = Field(0.0, ge=0, le=1, description="Least weight.")
    max: float = Field(1.0, ge=0, le=1, description="Greatest weight.")


class Propose(Section):
    """What the proposed mix may be."""

    max_repetition: float = Field(4.0, gt=0, description="Epochs over one origin in the target run, at most.")
    bounds: dict[str, Bound] = Field(
        default_factory=dict,
        description="Least and greatest weight of a domain; of `source.*`, a source with all its variants together "
        "(`source` alone is the raw domain); or of a group of `swarm.freeze`. Designs keep them too. "
        "Bounds that no mix satisfies are an error that names them.",
    )
    extrapolate: bool = Field(False, description="Allow mixes outside the region that the swarm covered.")
    kl: float | None = Field(
        None,
        ge=0,
        description="Strength of the pull to the prior; if absent the strongest that stays within one standard error "
        "of the optimum, and within a twentieth of what another seed changes.",
    )
    recipe: str | None = Field(
        None,
        description="Find the mix as another project does, with its own law in place of `fit`; limits and the rest of"
        " the run stay. pipeline/mixture/recipes says what differs from the originals.",
    )


References = dict[str, dict[str, float]]
"""The user's own mixes: name → domain → weight."""

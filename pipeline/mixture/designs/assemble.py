"""The swarm: baselines, the mixes that a design method adds, and their seed blocks."""

from collections.abc import Sequence

import numpy as np

from pipeline.errors import nearest
from pipeline.mixture.designs.base import Mix, Named, Request, allowed_centre
from pipeline.mixture.designs.methods import METHODS
from pipeline.mixture.polytope import require_nonempty, whole_simplex
from pipeline.mixture.spaces import Domain, Limits, limits, natural, uniform

# Mixes that run on several seeds: noise that differs between mixes must not be taken from one or two of them.
_NOISE = 3


def swarm(
    domains: Sequence[Domain],
    runs: int,
    *,
    seed: int,
    method: str = "spread",
    within: Limits | None = None,
    blocks: int = 4,
    replicates: int = 2,
    corner_share: float = 0.35,
    apart: float = 0.03,
    min_weight: float = 0.0,
) -> list[Mix]:
    """`runs` runs in all, replicates included; the same arguments give the same list.

    Natural, uniform and a third, distant mix (two where natural is uniform) run on `replicates` blocks each: they
    measure the noise. The other mixes are chosen by `method` (a name in METHODS). All but natural and uniform satisfy
    `within`, which only says what a proposal may be, and have no weight between 0 and `min_weight`. `corner_share`:
    what a one-at-a-time corner lifts its domain to, as far as the limits allow. `apart`: smallest total-variation
    distance between two mixes. ValueError for an unknown method, where `runs` is too few, or where the limits allow no
    mix or not enough.
    """
    if method not in METHODS:
        raise ValueError(f"there is no design method `{method}`{nearest(method, METHODS)}")
    if blocks < 1 or not 1 <= replicates <= blocks:
        raise ValueError(f"replicates must lie between 1 and the {blocks} seed blocks, got {replicates}")
    least = _NOISE * replicates
    if runs < least:
        raise ValueError(
            f"{runs} runs are too few: natural, uniform and a third mix on {replicates} blocks need {least}"
        )
    within = within if within is not None else limits(domains)
    require_nonempty(whole_simplex(within))
    centre = allowed_centre(domains, within)
    chosen: list[Named] = [("natural", natural(domains)), ("uniform", uniform(domains))]
    if np.abs(chosen[0][1] - chosen[1][1]).max() < 1e-12:  # all raw and of a size: one baseline, twice named
        chosen = chosen[:1]
    wanted = runs - _NOISE * (replicates - 1)
    count = wanted - len(chosen)
    lift = tuple(range(len(domains)))
    request = Request(tuple(domains), within, centre, tuple(chosen), count, apart, corner_share, lift, min_weight)
    baselines = list(range(len(chosen)))
    chosen += METHODS[method](request, np.random.default_rng(seed))
    if len(chosen) < wanted:
        raise ValueError(
            f"only {len(chosen)} mixes at least {apart:g} apart fit inside the limits, {wanted} are wanted: "
            "loosen the limits or ask for fewer runs"
        )
    return assign(chosen, _noise_mixes(chosen, baselines), replicates, [0] * blocks)


def _noise_mixes(chosen: Sequence[Named], baselines: Sequence[int]) -> list[int]:
    """The baselines, and up to _NOISE in all the mixes farthest from those before; fewer where there are fewer."""
    repeated = list(baselines)
    while len(repeated) < min(_NOISE, len(chosen)):
        anchors = [chosen[i][1] for i in repeated]
        others = [i for i in range(len(chosen)) if i not in repeated]
        repeated.append(max(others, key=lambda i: min(np.abs(chosen[i][1] - a).sum() for a in anchors)))
    return repeated


def assign(chosen: Sequence[Named], repeated: Sequence[int], replicates: int, filled: Sequence[int]) -> list[Mix]:
    """The runs of the chosen mixes: `repeated` ones on blocks 0 .. replicates-1, the others on the emptiest in turn.

    filled: runs that every block has already.
    """
    runs = list(filled)
    result: list[Mix] = []

    def add(i: int, block: int) -> None:
        runs[block] += 1
        result.append(Mix(f"{chosen[i][0]}-b{block}", chosen[i][1], block, chosen[i][0]))

    for i in repeated:
        for block in range(replicates):
            add(i, block)
    for i in range(len(chosen)):
        if i not in repeated:
            add(i, int(np.argmin(runs)))
    return result

"""New runs for a swarm whose domains have changed: what is finished stays, new mixes are for the new domains."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from math import ceil

import numpy as np

from pipeline.mixture.designs.assemble import assign
from pipeline.mixture.designs.base import Mix, Named, Request, allowed_centre
from pipeline.mixture.designs.corners import lifted
from pipeline.mixture.designs.methods import METHODS
from pipeline.mixture.polytope import minimise_quadratic, require_nonempty, whole_simplex
from pipeline.mixture.spaces import Bound, Domain, Limits, limits, natural, uniform

# Mixes for each new domain, at least: its corner and a draw.
_LEAST = 2
# Weights of one mix, told apart by rounding only.
_SAME = 1e-9


def extend(
    domains: Sequence[Domain],
    new: Collection[str],
    taken: Sequence[np.ndarray],
    runs: int,
    *,
    filled: Sequence[int],
    seed: int,
    method: str = "spread",
    within: Limits | None = None,
    replicates: int = 2,
    corner_share: float = 0.35,
    apart: float = 0.03,
    min_weight: float = 0.0,
) -> list[Mix]:
    """The runs to add to a swarm for the domains in `new` (names), of which no mix `taken` (d,) has anything.

    Natural and uniform, on `replicates` blocks each, unless they are taken; a corner a new domain; then draws by
    `method` that know of all mixes taken. Corners and draws are as many as a swarm of `runs` runs has for that many of
    its domains, _LEAST a new domain at least, and never so few that the swarm has less than `runs` runs in all. Each
    keeps `within` and has a total weight of at least `apart` on the new domains, or else half of what `within` allows:
    so it is as far from every old mix as from other new ones. `filled`: finished runs of every seed block, those
    included whose mixes are not among `taken`. The rest as for `swarm`. ValueError where the limits leave too little
    room.
    """
    within = within if within is not None else limits(domains)
    require_nonempty(whole_simplex(within))
    names = [domain.name for domain in domains]
    lift = tuple(names.index(name) for name in names if name in new)
    within = _with_new(domains, lift, within, apart)
    centre = allowed_centre(domains, within)
    known: list[Named] = [("", weights) for weights in taken]
    chosen: list[Named] = []
    for name, weights in (("natural", natural(domains)), ("uniform", uniform(domains))):
        if all(np.abs(weights - other).max() > _SAME for _, other in (*known, *chosen)):
            chosen.append((name, weights))
    baselines = len(chosen)
    left = runs - sum(filled) - replicates * baselines
    count = max(ceil(runs * len(lift) / len(domains)), _LEAST * len(lift), left)
    given = (*known, *chosen)
    request = Request(tuple(domains), within, centre, given, count, apart, corner_share, lift, min_weight)
    corners = lifted(request, count)
    request = replace(request, taken=(*given, *corners), count=count - len(corners))
    chosen += corners
    chosen += METHODS[method](request, np.random.default_rng(seed)) if request.count else []
    if len(chosen) < baselines + count:
        raise ValueError(
            f"only {len(chosen) - baselines} mixes at least {apart:g} apart with a weight on {', '.join(new)} fit "
            f"inside the limits, {count} are wanted: loosen the limits or ask for fewer runs"
        )
    return assign(chosen, range(baselines), replicates, filled)


def _with_new(domains: Sequence[Domain], rows: Sequence[int], within: Limits, least: float) -> Limits:
    """The limits, and that the domains at `rows` have at least `least` in all, or half of the most that is allowed."""
    d = len(domains)
    wanted = np.zeros(d)
    wanted[list(rows)] = 1.0
    space = whole_simplex(within)
    most = minimise_quadratic(space, np.zeros((d, d)), -wanted, np.full(d, 1 / d))
    floor = Bound(tuple(domains[i].name for i in rows), lower=min(least, float(most @ wanted) / 2))
    more = limits(domains, bounds=[floor])
    return Limits(np.vstack([within.A, more.A]), np.concatenate([within.b, more.b]), (*within.names, *more.names))

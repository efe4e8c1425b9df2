"""Plain Dirichlet draws around the prior, as RegMix and olmix make their swarms."""

from collections.abc import Sequence

import numpy as np

from pipeline.mixture.designs.base import NONE, Named, Request, cut, realisable
from pipeline.mixture.polytope import toward
from pipeline.mixture.spaces import Domain

# Concentrations, each the sum of a Dirichlet's parameters: RegMix's and olmix's defaults are 15 from 0.1 to 5, evenly
# spaced in the logarithm (sail-sg/regmix mixture_config/synthesize_mixture.py; allenai/olmix
# olmix/generate/synthesize_mixture.py, for sources and for topics alike).
STRENGTHS = np.logspace(np.log10(0.1), np.log10(5.0), 15)
# RegMix draws around prior^0.5, so that small domains are tried; olmix around the prior unless told so.
TEMPER = 0.5
# Draws for one mix wanted before the room is called full.
_TRIES = 100


def dirichlet(request: Request, rng: np.random.Generator) -> list[Named]:
    """Draws around prior^0.5 at each of the 15 strengths in turn, an origin's share first and then its domains'.

    Where RegMix refuses a draw outside the limits, it is pulled straight toward the prior until the limits allow it.
    """
    chosen: list[Named] = []
    for i in range(_TRIES * request.count):
        if len(chosen) == request.count:
            break
        row = draw(request.domains, request.centre, TEMPER, STRENGTHS[i % len(STRENGTHS)], rng)
        mix = realisable(toward(request.within, request.centre, cut(row[None], NONE))[0], request, request.floor)
        if mix is not None and request.is_apart(mix, (*request.taken, *chosen)):
            chosen.append((f"dirichlet-{len(chosen):03d}", mix))
    return chosen


def draw(
    domains: Sequence[Domain],
    centre: np.ndarray,
    temper: float,
    strength: float,
    rng: np.random.Generator,
    per_part: bool = False,
) -> np.ndarray:
    """One mix (d,): Dirichlet over origins times, within each origin of several domains, Dirichlet over these.

    At both levels the mean is the centre's share ^ `temper` (1: the centre, 0: even), and `strength` is the sum of the
    parameters, or with `per_part` that sum for every part, so that it means the same for 5 parts as for 50. With one
    domain an origin this is one plain Dirichlet draw.
    """
    members: dict[str, list[int]] = {}
    for i, domain in enumerate(domains):
        members.setdefault(domain.origin, []).append(i)
    weights = np.zeros(len(domains))
    totals = _one_level(np.array([centre[rows].sum() for rows in members.values()]), temper, strength, rng, per_part)
    for total, rows in zip(totals, members.values(), strict=True):
        weights[rows] = total * (_one_level(centre[rows], temper, strength, rng, per_part) if len(rows) > 1 else 1.0)
    return weights


def _one_level(
    shares: np.ndarray, temper: float, strength: float, rng: np.random.Generator, per_part: bool
) -> np.ndarray:
    mean = np.maximum(shares, 1e-6) ** temper
    return rng.dirichlet(strength * (len(shares) if per_part else 1) * mean / mean.sum())

"""One domain at a time: each is moved alone, the others keep the prior's proportions."""

import numpy as np

from pipeline.mixture.designs.base import Named, Request, realisable
from pipeline.mixture.polytope import toward
from pipeline.mixture.spaces import Limits

_HALVINGS = 5


def corners(request: Request, rng: np.random.Generator) -> list[Named]:
    """Every domain at `corner_share`, then every domain at 0, then at 1/2, 1/4, 3/4, 1/8 … as runs allow.

    Those to be lifted come first. A level that the limits forbid goes as far as they allow. What is learnt is each
    domain's own curve and nothing of how two act together.
    """
    del rng  # nothing is drawn
    chosen: list[Named] = []
    rest = [i for i in range(len(request.domains)) if i not in request.lift]
    for share in (request.corner_share, 0.0, *_bisections()):
        for i in (*request.lift, *rest):
            if len(chosen) == request.count:
                return chosen
            mix = realisable(move(request.within, request.centre, i, share), request, request.floor)
            if mix is not None and request.is_apart(mix, (*request.taken, *chosen)):
                level = "" if share == request.corner_share else f"-{share:g}"
                chosen.append((f"corner-{request.domains[i].name}{level}", mix))
    return chosen


def lifted(request: Request, count: int) -> list[Named]:
    """At most `count` corners: a domain lifted to `corner_share`, or left at the centre where it has more there."""
    chosen: list[Named] = []
    for i in request.lift:
        share = max(request.corner_share, request.centre[i])
        mix = realisable(move(request.within, request.centre, i, share), request, request.min_weight)
        if len(chosen) < count and mix is not None and request.is_apart(mix, (*request.taken, *chosen)):
            chosen.append((f"corner-{request.domains[i].name}", mix))
    return chosen


def move(within: Limits, centre: np.ndarray, i: int, share: float) -> np.ndarray:
    """From the centre (d,) straight along domain i to `share`, or as far as the limits allow."""
    end = np.eye(len(centre))[i]
    if centre[i] < 1:
        end = centre + (share - centre[i]) / (1 - centre[i]) * (end - centre)
    return toward(within, centre, np.maximum(end, 0.0)[None])[0]


def _bisections() -> list[float]:
    """1/2, 1/4, 3/4, 1/8, 3/8 … 31/32: each level halves the gaps left by those before."""
    return [odd / 2**level for level in range(1, _HALVINGS + 1) for odd in range(1, 2**level, 2)]

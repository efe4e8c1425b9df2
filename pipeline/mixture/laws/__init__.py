"""The laws a task can follow, by name: one line each in `blend.MEMBERS`, their blend, and the peers' own."""

from collections.abc import Callable

from pipeline.mixture.laws.base import Law
from pipeline.mixture.laws.blend import MEMBERS, Blend
from pipeline.mixture.laws.olmix import Olmix
from pipeline.mixture.laws.regmix import RegMix

LAWS: dict[str, Callable[[], Law]] = {**MEMBERS, "blend": Blend}

PEERS: dict[str, Callable[[], Law]] = {"regmix": RegMix, "olmix": Olmix}
"""The peers' regressors, which only their recipes use."""

EVERY = {**LAWS, **PEERS}
"""What the name of a law in a fit.json may stand for."""

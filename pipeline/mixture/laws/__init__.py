"""The laws a task can follow, by name: one line each; and the peers' regressors, which only their recipes use."""

from collections.abc import Callable

from pipeline.mixture.laws.base import Law
from pipeline.mixture.laws.gaussian_process import GaussianProcess
from pipeline.mixture.laws.linear import Linear
from pipeline.mixture.laws.log_linear import LogLinear
from pipeline.mixture.laws.olmix import Olmix
from pipeline.mixture.laws.power import Power
from pipeline.mixture.laws.quadratic import Quadratic
from pipeline.mixture.laws.regmix import RegMix

LAWS: dict[str, Callable[[], Law]] = {
    "linear": Linear,
    "log_linear": LogLinear,
    "power": Power,
    "quadratic": Quadratic,
    "gaussian_process": GaussianProcess,
}

PEERS: dict[str, Callable[[], Law]] = {"regmix": RegMix, "olmix": Olmix}

EVERY = {**LAWS, **PEERS}
"""What the name of a law in a fit.json may stand for."""

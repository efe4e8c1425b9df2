"""The laws a task can follow, by name: one line each."""

from collections.abc import Callable

from pipeline.mixture.laws.base import Law
from pipeline.mixture.laws.gaussian_process import GaussianProcess
from pipeline.mixture.laws.linear import Linear
from pipeline.mixture.laws.log_linear import LogLinear
from pipeline.mixture.laws.power import Power
from pipeline.mixture.laws.quadratic import Quadratic

LAWS: dict[str, Callable[[], Law]] = {
    "linear": Linear,
    "log_linear": LogLinear,
    "power": Power,
    "quadratic": Quadratic,
    "gaussian_process": GaussianProcess,
}

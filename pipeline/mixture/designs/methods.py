"""The ways to design a swarm, by name: one line each."""

from pipeline.mixture.designs.base import Method
from pipeline.mixture.designs.corners import corners
from pipeline.mixture.designs.d_optimal import d_optimal, d_optimal_linear
from pipeline.mixture.designs.dirichlet import dirichlet
from pipeline.mixture.designs.space_filling import space_filling
from pipeline.mixture.designs.spread import spread

METHODS: dict[str, Method] = {
    "spread": spread,
    "dirichlet": dirichlet,
    "space_filling": space_filling,
    "d_optimal": d_optimal,
    "d_optimal_linear": d_optimal_linear,
    "corners": corners,
}

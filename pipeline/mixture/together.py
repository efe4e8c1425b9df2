"""A weighted sum of fitted laws as a search asks for it: one mix at a time, thousands of times.

13 tasks with a blend each are forty laws, and calling them costs more than their arithmetic. What is linear in the laws
can be rearranged: blends are taken apart, and all Gaussian processes, and all trees, of all tasks become one sum each.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from pipeline.mixture.face import OnFace
from pipeline.mixture.laws.bag import STEP
from pipeline.mixture.laws.base import Law
from pipeline.mixture.laws.blend import Blend
from pipeline.mixture.laws.gaussian_process import GaussianProcess
from pipeline.mixture.laws.lightgbm import LightGBM
from pipeline.mixture.laws.mirrored import Mirrored
from pipeline.mixture.laws.processes import Processes
from pipeline.mixture.laws.stairs import Stairs


class Together:
    """sum_i factors_i law_i, averaged over seed blocks as the laws' own predictions are."""

    def __init__(self, factors: Sequence[float], laws: Sequence[Law]) -> None:
        # domains that are gone are 0 for all laws or for none
        self.gone = next((law.gone for law in laws if isinstance(law, OnFace)), 0)
        parts = [part for factor, law in zip(factors, laws, strict=True) for part in parts_of(factor, law)]
        sizes: dict[int, list[tuple[float, GaussianProcess]]] = {}
        trees: list[tuple[float, LightGBM]] = []
        self.others: list[tuple[float, Law]] = []
        for factor, law in parts:
            if isinstance(law, GaussianProcess):
                sizes.setdefault(len(law.x), []).append((factor, law))
            elif isinstance(law, LightGBM):
                trees.append((factor, law))
            else:
                self.others.append((factor, law))
        self.processes = [Processes(*zip(*each, strict=True)) for each in sizes.values()]
        self.stairs = Stairs([law.tables for _, law in trees], [f * law.sd for f, law in trees]) if trees else None
        self.offset = sum(factor * law.mean for factor, law in trees)

    def mean(self, weights: np.ndarray) -> float:
        """(d,) -> predicted sum"""
        whole = self._whole(weights)
        total = self.offset + sum(each.mean(whole) for each in self.processes)
        if self.stairs:
            total += float(self.stairs.predict(whole[None])[0])
        return total + sum(factor * float(law.predict(whole[None])[0]) for factor, law in self.others)

    def gradient(self, weights: np.ndarray) -> np.ndarray:
        """(d,) -> (d,)"""
        whole = self._whole(weights)
        total = np.zeros(len(whole))
        for each in self.processes:
            total += each.gradient(whole)
        if self.stairs:
            total += self.stairs.slopes(whole, STEP)
        for factor, law in self.others:
            total += factor * law.gradient(whole)
        return total[: len(weights)]

    def _whole(self, weights: np.ndarray) -> np.ndarray:
        return np.append(weights, np.zeros(self.gone)) if self.gone else weights


def parts_of(factor: float, law: Law) -> Iterator[tuple[float, Law]]:
    """The laws that a law is a weighted sum of."""
    if isinstance(law, OnFace):
        yield from parts_of(factor, law.law)
    elif isinstance(law, Mirrored):
        yield from parts_of(-factor, law.law)
    elif isinstance(law, Blend):
        for share, each in zip(law.portions, law.laws.values(), strict=True):
            yield from parts_of(factor * float(share), each)
    else:
        yield factor, law

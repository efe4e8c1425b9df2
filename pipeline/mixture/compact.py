"""A fitted law as plain numbers, so that a page can compute what it predicts: exact, and small.

Every law is a sum of few kinds of terms, and a blend is a weighted sum of laws; terms of one kind add up, so that a
blend of eight laws is hardly larger than the largest of them. Not kept are the laws' covariances (a matrix of runs by
runs for a process): what is kept in their place are calibrated SDs at `anchors`, between which `Smoother` interpolates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from scipy.spatial.distance import cdist

from pipeline.mixture.laws.base import Law
from pipeline.mixture.laws.bent import Bent
from pipeline.mixture.laws.gaussian_process import GaussianProcess, features, matern
from pipeline.mixture.laws.lightgbm import LightGBM
from pipeline.mixture.laws.linear import Linear
from pipeline.mixture.laws.log_linear import EXPONENT, LogLinear
from pipeline.mixture.laws.olmix import EXPONENT as OLMIX_EXPONENT
from pipeline.mixture.laws.olmix import Olmix
from pipeline.mixture.laws.power import Power
from pipeline.mixture.laws.quadratic import Quadratic
from pipeline.mixture.laws.regmix import RegMix
from pipeline.mixture.laws.ridge import FLOOR, POWERS, Ridge
from pipeline.mixture.laws.stairs import trees_of
from pipeline.mixture.together import parts_of

Form = dict[str, Any]
"""offset + slope.w + sum_p roots[p].(w + FLOOR)^p + w'Qw (bends: Q's upper triangle, row by row)
+ sum factor exp(clip(start + slope.w, low, high)) + sum factor (1 + use.w)^-power
+ sum pulls.matern(|(features(w) - features(run)) inverse|^2) + sum of trees.

A tree: its leaves' values from left to right, and splits (feature, threshold, bits of the leaves that are left where
the feature is above it); its value is that of the lowest bit that no split rules out.
"""

LEAVES = 5000
"""Leaves that the trees of one task may have for a page of many tasks; RegMix's have up to 31,000."""
_ANCHORS, _CHECKS = 384, 200
# Of the smoother: nugget on log SDs, and length in units of the median distance between anchors.
_NUGGET, _LENGTH = 1e-4, 1.5


def form_of(law: Law, domains: int) -> Form:
    """Take a fitted law over `domains` weights apart. TypeError for a law that has no form."""
    form: Form = {"offset": 0.0, "slope": np.zeros(domains), "roots": {}, "bends": np.zeros((0,))}
    form |= {"exponentials": [], "powers": [], "processes": [], "trees": []}
    for factor, part in parts_of(1.0, law):
        _add(form, factor, part)
    if len(form["bends"]):
        q = form["bends"] + form["bends"].T
        form["bends"] = np.where(np.eye(domains, dtype=bool), q / 2, q)[np.triu_indices(domains)]
    return form


def form_record(law: Law, scale: float, runs: np.ndarray) -> dict[str, Any]:
    """Return what JSON holds of a fitted law: its form, calibrated SDs of one measurement at `anchors`, and mean and SD
    at `checks`.

    scale: factor on the law's SDs (`TaskFit.scale`); runs: (n, d) the mixes that it was fitted on. Where trees have
    more than LEAVES leaves, `small` is a form to put in its place: a Gaussian process through what the law predicts for
    the runs.
    """
    form = form_of(law, runs.shape[1])
    _, sds = law.predict(anchors(runs), return_std=True)
    mean, sd = law.predict(checks(runs), return_std=True)
    plain: dict[str, Any] = _plain(form)
    if leaves_of(form) > LEAVES:
        plain["small"] = _plain(form_of(GaussianProcess().fit(runs, law.predict(runs)), runs.shape[1]))
    return {**plain, "sds": _plain(scale * sds), "checked": {"mean": _plain(mean), "sd": _plain(scale * sd)}}


def leaves_of(form: Mapping[str, Any]) -> int:
    return sum(len(tree["values"]) for tree in form["trees"])


def _plain(value: Any) -> Any:
    """Arrays as lists."""
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _add(form: Form, factor: float, law: Law) -> None:
    if isinstance(law, Linear):
        slope = factor * law.theta[1 : law.d + 1]
        form["offset"] += factor * law.theta[0] - slope @ law.centre
        form["slope"] += slope
    elif isinstance(law, LogLinear):
        slope = law.theta[2 : 2 + law.d] / law.scale
        form["offset"] += factor * (law.mean + law.sd * law.theta[0])
        form["exponentials"].append(
            {"factor": factor * law.sd, "start": law.theta[1] - slope @ law.centre, "slope": slope, "clip": EXPONENT}
        )
    elif isinstance(law, Olmix):
        bound = (-OLMIX_EXPONENT, OLMIX_EXPONENT)
        form["offset"] += factor * np.exp(np.clip(law.theta[0], *bound))
        form["exponentials"].append({"factor": factor, "start": 0.0, "slope": law.theta[1:], "clip": bound})
    elif isinstance(law, Power):
        rise, use, power = law.parts()
        form["offset"] += factor * (law.mean + law.sd * law.theta[0])
        form["powers"].append({"factor": factor * law.sd * rise, "use": use, "power": power})
    elif isinstance(law, Ridge):
        slopes = factor * law.theta[1 : 1 + len(law.scale)] / law.scale
        form["offset"] += factor * law.theta[0] - slopes @ law.centre
        for power, each in zip(POWERS, slopes.reshape(len(POWERS), -1), strict=True):
            _add_root(form, power, each)
    elif isinstance(law, Bent):
        _add(form, factor, law.law)
        _add_bends(form, factor * law.sd * law.bend * law.alpha, law.x / law.scale, law.centre)
    elif isinstance(law, Quadratic):
        straight, bend = np.exp(2 * law.theta[:2])
        slope = factor * law.sd * straight * law.alpha @ law.x / law.scale
        form["offset"] += factor * (law.mean + law.sd * law.alpha.sum()) - slope @ law.centre
        form["slope"] += slope
        _add_bends(form, factor * law.sd * bend * law.alpha, law.x / law.scale, law.centre)
    elif isinstance(law, GaussianProcess):
        unit = factor * law.sd
        slope = unit * law.trend * law.alpha @ law.x / law.scales
        form["offset"] += factor * law.mean + unit * law.alpha.sum() - slope @ law.centre
        _add_root(form, 0.25, slope)
        form["processes"].append({"inverse": 1 / law.scales, "pulls": unit * law.signal * law.alpha})
    elif isinstance(law, LightGBM | RegMix):
        mean, sd = (law.mean, law.sd) if isinstance(law, LightGBM) else (0.0, 1.0)
        form["offset"] += factor * mean
        form["trees"] += [
            {"values": factor * sd * values, "splits": splits} for values, splits in trees_of(law.booster)
        ]
    else:
        raise TypeError(f"the law {law.name} has no compact form")


def _add_root(form: Form, power: float, slope: np.ndarray) -> None:
    if power == 1.0:
        form["offset"] += FLOOR * slope.sum()
        form["slope"] += slope
    else:
        form["roots"][power] = form["roots"].get(power, 0.0) + slope


def _add_bends(form: Form, pulls: np.ndarray, x: np.ndarray, centre: np.ndarray) -> None:
    """Add sum_i pulls_i (x_i.(w - centre))^2."""
    q = (x * pulls[:, None]).T @ x
    form["offset"] += centre @ q @ centre
    form["slope"] -= 2 * q @ centre
    form["bends"] = form["bends"] + q if len(form["bends"]) else q


def mean_of(form: Mapping[str, Any], runs: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Predict by a form: weights (m, d) -> (m,); runs: (n, d) the mixes that the laws were fitted on."""
    total = form["offset"] + weights @ form["slope"]
    for power, slope in form["roots"].items():
        total = total + (np.maximum(weights, 0.0) + FLOOR) ** float(power) @ np.asarray(slope)
    if len(form["bends"]):
        rows, columns = np.triu_indices(weights.shape[1])
        total = total + (weights[:, rows] * weights[:, columns]) @ form["bends"]
    for each in form["exponentials"]:
        total = total + each["factor"] * np.exp(np.clip(each["start"] + weights @ each["slope"], *each["clip"]))
    for each in form["powers"]:
        total = total + each["factor"] * (1 + weights @ each["use"]) ** -each["power"]
    for each in form["processes"]:
        inverse = np.asarray(each["inverse"])
        total = total + matern(cdist(features(weights) * inverse, features(runs) * inverse) ** 2) @ each["pulls"]
    for tree in form["trees"]:
        left = np.full(len(weights), (1 << len(tree["values"])) - 1)
        for feature, threshold, bits in tree["splits"]:
            left = np.where(weights[:, feature] > threshold, left & bits, left)
        total = total + np.asarray(tree["values"])[np.log2(left & -left).astype(int)]
    return total


def anchors(runs: np.ndarray) -> np.ndarray:
    """Mixes (k, d) where SDs are kept: those of the swarm, between and beyond them; the same for all tasks."""
    rng = np.random.default_rng([0, *b"anchors"])
    distinct = np.unique(runs.round(9), axis=0)
    return np.vstack([distinct[rng.permutation(len(distinct))[: _ANCHORS // 2]], _anywhere(runs, _ANCHORS // 2, rng)])


def checks(runs: np.ndarray) -> np.ndarray:
    """Other mixes (m, d), on which forms and smoother are compared with the laws."""
    return _anywhere(runs, _CHECKS, np.random.default_rng([0, *b"checks"]))


def _anywhere(runs: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """Half of them between three runs, half with one domain raised from a run by any amount."""
    n, d = runs.shape
    between = np.einsum(
        "ij,ijk->ik", rng.dirichlet(np.ones(3), count // 2), runs[rng.integers(n, size=(count // 2, 3))]
    )
    share = rng.uniform(0, 1, (count - count // 2, 1)) ** 2
    beyond = (1 - share) * runs[rng.integers(n, size=len(share))] + share * np.eye(d)[rng.integers(d, size=len(share))]
    return np.vstack([between, beyond])


@dataclass(frozen=True)
class Smoother:
    """log SD(w) = level + matern(|(features(w) - features(anchor)) / length|^2) @ pulls, for all tasks at once.

    points: (k, d); pulls: (k, t); level: (t,).
    """

    points: np.ndarray
    length: float
    level: np.ndarray
    pulls: np.ndarray

    @classmethod
    def fit(cls, points: np.ndarray, sds: np.ndarray) -> Self:
        """points: (k, d); sds: (k, t) > 0."""
        apart = cdist(features(points), features(points))
        length = _LENGTH * float(np.median(apart[np.triu_indices(len(points), 1)])) or 1.0
        level = np.log(sds).mean(axis=0)
        kernel = matern((apart / length) ** 2) + _NUGGET * np.eye(len(points))
        return cls(points, length, level, np.linalg.solve(kernel, np.log(sds) - level))

    def sd(self, weights: np.ndarray) -> np.ndarray:
        """(m, d) -> (m, t)"""
        apart = cdist(features(weights), features(self.points)) / self.length
        return np.exp(self.level + matern(apart**2) @ self.pulls)

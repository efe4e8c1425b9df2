"""The set a proposal may come from: the convex hull of some mixes (or the whole simplex) cut by named limits.

A point is w = V' x with x >= 0 and sum x = 1, V (k, d) being the hull's corners; with V the identity that is the
simplex. All programs are solved by Clarabel, an interior-point solver (Goulart & Chen, 2024).
"""

from dataclasses import dataclass
from functools import cached_property

import clarabel.clarabel as clarabel
import numpy as np
from scipy import sparse
from scipy.optimize import linprog

from pipeline.mixture.spaces import Limits

# Limits are tightened by this much of a row's own scale, so that the solver's own tolerance stays inside
# them.
_MARGIN = 1e-8
# Of more corners than so many, a step lets in a few at a time; the least gain of one (of the spread of slopes over all)
# and its least share.
_MANY, _FEW, _GAIN, _SHARE = 100, 8, 1e-7, 1e-4


@dataclass(frozen=True)
class Polytope:
    """corners: (k, d), rows are mixes; limits: rows A w <= b beside it."""

    corners: np.ndarray
    limits: Limits

    @cached_property
    def _rows(self) -> tuple[sparse.csc_matrix, np.ndarray]:
        """Constraints of a program over the corners' shares and the mix: matrix, and limits' right sides to scale."""
        k, d = self.corners.shape
        scale = _row_scale(self.limits)
        rows, rhs = self.limits.A / scale[:, None], self.limits.b / scale
        # a limit that holds at every corner holds everywhere
        binding = (rows @ self.corners.T).max(axis=1, initial=-np.inf) > rhs - _MARGIN
        rows, rhs = rows[binding], rhs[binding]
        # Column by column: sum x = 1 and corners' x - w = 0 (1 + d rows), rows w <= rhs (r), -x <= 0 (k).
        r = len(rows)
        shares = np.hstack([np.ones((k, 1)), self.corners, np.full((k, 1), -1.0)])
        shares_at = np.hstack([np.tile(np.arange(1 + d), (k, 1)), 1 + d + r + np.arange(k)[:, None]])
        mix = np.hstack([np.full((d, 1), -1.0), rows.T])
        mix_at = np.hstack([1 + np.arange(d)[:, None], np.tile(1 + d + np.arange(r), (d, 1))])
        ends = np.append((d + 2) * np.arange(k), (d + 2) * k + (1 + r) * np.arange(d + 1))
        held = np.concatenate([shares.ravel(), mix.ravel()]), np.concatenate([shares_at.ravel(), mix_at.ravel()]), ends
        matrix = sparse.csc_matrix(held, (1 + d + r + k, k + d))
        matrix.eliminate_zeros()  # the solver takes a zero that is held for a number: twice the time
        return matrix, rhs

    def contains(self, weights: np.ndarray, tolerance: float = 1e-6) -> bool:
        """Whether weights (d,) lie in the set within `tolerance`: distance to the hull and scaled limits."""
        scale = _row_scale(self.limits)
        if np.any(self.limits.violations(weights) / scale > tolerance):
            return False
        k, d = self.corners.shape
        # Smallest t with |corners' x - weights| <= t in every coordinate: a linear program, so exact to 1e-9.
        edge = np.full((d, 1), -1.0)
        rows = np.vstack([np.hstack([self.corners.T, edge]), np.hstack([-self.corners.T, edge])])
        found = linprog(
            np.append(np.zeros(k), 1.0),
            A_ub=rows,
            b_ub=np.concatenate([weights, -weights]),
            A_eq=np.append(np.ones(k), 0.0)[None],
            b_eq=[1.0],
        )
        return found.success and float(found.fun) <= tolerance


def whole_simplex(limits: Limits) -> Polytope:
    return Polytope(np.eye(limits.A.shape[1]), limits)


def minimise_quadratic(space: Polytope, hessian: np.ndarray, gradient: np.ndarray, at: np.ndarray) -> np.ndarray:
    """argmin over the set of g'(w - at) + (w - at)' H (w - at) / 2. H: (d, d) positive semi-definite.

    ValueError naming the limits that collide where the set is empty.
    """
    found = _within_margin(space, hessian, gradient - hessian @ at)
    if found is not None:
        return found
    names = collisions(space)
    if names:
        raise ValueError("no mix satisfies all of: " + "; ".join(names))
    raise ValueError("the quadratic program did not converge although the limits can be met")


def minimise_near(
    space: Polytope, hessian: np.ndarray, gradient: np.ndarray, at: np.ndarray, used: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """`minimise_quadratic` for `at` (d,) in the set, faster where corners are many. used: (u,) rows of corners.

    Column generation (Dantzig & Wolfe 1960): hardly any corner has a share in the end, so the program is solved over
    `at`, the `used` corners and a few steep ones; those that would still lower the value come in until there is none.
    Returns the point and the rows with a share in it, which a next step begins with.
    """
    slopes = space.corners @ gradient
    size = float(np.ptp(slopes))
    chosen = np.union1d(used, np.argsort(slopes, kind="stable")[:_FEW])
    limits = Limits(space.limits.A, space.limits.b - space.limits.A @ at, space.limits.names)
    while size > 0 and len(chosen) <= len(space.corners) / 2 and len(space.corners) > _MANY:
        few = Polytope(np.vstack([at[None], space.corners[chosen]]) - at, limits)
        found = _solve(few, hessian / size, gradient / size, _MARGIN, size=1.0)
        if found is None:
            break
        shares, multipliers = found
        gains = -multipliers[0] - (space.corners - at) @ multipliers[1:]  # of a share of each corner
        gains[chosen] = 0.0
        better = np.flatnonzero(gains > _GAIN)
        if not len(better):
            return _point(np.vstack([at[None], space.corners[chosen]]), shares), chosen[shares[1:] > _SHARE]
        chosen = np.union1d(chosen, better[np.argsort(-gains[better], kind="stable")][:_FEW])
    return minimise_quadratic(space, hessian, gradient, at), used


def project(space: Polytope, weights: np.ndarray) -> np.ndarray:
    """The nearest point of the set to weights (d,), in Euclidean distance."""
    d = len(weights)
    return minimise_quadratic(space, np.eye(d), np.zeros(d), weights)


def try_project(space: Polytope, weights: np.ndarray) -> np.ndarray | None:
    """`project`, or None where the set is empty."""
    return _within_margin(space, np.eye(len(weights)), -weights)


def require_nonempty(space: Polytope) -> None:
    """ValueError naming the colliding limits if no mix lies in the set."""
    names = collisions(space)
    if names:
        raise ValueError("no mix satisfies all of: " + "; ".join(names))


def collisions(space: Polytope) -> list[str]:
    """Names of an irreducible set of limits that cannot hold together; empty when all can.

    Deletion filter (Chinneck & Dravnieks, 1991): drop rows one by one, keep a row only if the rest then becomes
    feasible. A hull smaller than the simplex is itself named where it takes part.
    """
    if _feasible(space):
        return []
    d = space.corners.shape[1]
    is_simplex = space.corners.shape == (d, d) and np.array_equal(space.corners, np.eye(d))
    hull = [] if is_simplex else ["the region the swarm covered"]
    if hull and not _feasible(Polytope(np.eye(d), space.limits)):
        space, hull = Polytope(np.eye(d), space.limits), []
    kept = list(range(len(space.limits.names)))
    for row in list(kept):
        fewer = [r for r in kept if r != row]
        if not _feasible(Polytope(space.corners, _rows(space.limits, fewer))):
            kept = fewer
    return [space.limits.names[r] for r in kept] + hull + ["weights sum to 1"]


def toward(limits: Limits, inside: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The farthest point on each segment inside -> point that the limits allow. points (m, d) -> (m, d).

    `inside` must satisfy the limits; convexity keeps every returned point in any convex set that holds both ends.
    """
    if len(limits.names) == 0:
        return points
    slack = np.maximum(limits.b - limits.A @ inside, 0.0)
    rise = (points - inside) @ limits.A.T
    with np.errstate(divide="ignore", invalid="ignore"):
        step = np.where(rise > 0, slack / rise, np.inf)
    fraction = np.minimum(1.0, step.min(axis=1))[:, None]
    return inside + fraction * (points - inside)


def interior(space: Polytope) -> np.ndarray:
    """A point well inside: the allowed point nearest to the corners' mean under limits tightened as far as fits."""
    centre = space.corners.mean(axis=0)
    scale = _row_scale(space.limits)
    for share in (0.05, 0.01, 1e-3, 1e-4, 0.0):
        tight = Limits(space.limits.A, space.limits.b - share * scale, space.limits.names)
        found = _solve(Polytope(space.corners, tight), np.eye(len(centre)), -centre, _MARGIN)
        if found is not None:
            return _point(space.corners, found[0])
    return project(space, centre)


def _rows(limits: Limits, rows: list[int]) -> Limits:
    return Limits(limits.A[rows], limits.b[rows], tuple(limits.names[r] for r in rows))


def _row_scale(limits: Limits) -> np.ndarray:
    return np.maximum(np.abs(limits.A).max(axis=1, initial=0.0), 1e-12)


def _feasible(space: Polytope) -> bool:
    d = space.corners.shape[1]
    return _solve(space, np.eye(d), np.zeros(d), 0.0) is not None


def _within_margin(space: Polytope, hessian: np.ndarray, linear: np.ndarray) -> np.ndarray | None:
    """min w'Hw/2 + linear'w over the set, a margin inside the limits where that leaves room; None for an empty set."""
    # The interior-point method was seen to cycle on harmless problems; scaled otherwise it does not.
    for margin, scaled in ((_MARGIN, True), (_MARGIN, False), (0.0, True)):
        found = _solve(space, hessian, linear, margin, scaled)
        if found is not None:
            return _point(space.corners, found[0])
    return None


def _point(corners: np.ndarray, shares: np.ndarray) -> np.ndarray:
    weights = corners.T @ shares
    return weights / weights.sum()


def _solve(
    space: Polytope,
    hessian: np.ndarray,
    linear: np.ndarray,
    margin: float,
    scaled: bool = True,
    size: float | None = None,
) -> tuple[np.ndarray, np.ndarray] | None:
    """min w'Hw/2 + linear'w over the set, limits tightened by `margin`; None where the solver finds no point.

    Returns the corners' shares (k,), and the multipliers (1 + d,) of sum x = 1 and of corners' x = w, over `size`. The
    solver's tolerances are absolute: `size` is what slopes are divided by; None takes the greatest number there is.

    The unknowns are the corners' shares x and the mix w = corners' x: in x alone the curvature would be a dense (k, k)
    matrix, which made a step over 512 corners ten times as slow.
    """
    corners, limits = space.corners, space.limits
    k, d = corners.shape
    left, rhs = space._rows
    size = size or max(float(np.abs(linear).max()), float(np.abs(hessian).max()), 1e-300)
    column, row = np.tril_indices(d)
    upper = (0.5 * (hessian + hessian.T) / size)[row, column]
    ends = np.append(np.zeros(k, dtype=int), np.arange(d + 1) * np.arange(1, d + 2) // 2)
    curvature = sparse.csc_matrix((upper, k + row, ends), (k + d, k + d))
    right = np.concatenate([[1.0], np.zeros(d), rhs - margin, np.zeros(k)])
    cones = [clarabel.ZeroConeT(1 + d), clarabel.NonnegativeConeT(len(rhs) + k)]
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.max_threads = 1
    settings.tol_feas = settings.tol_gap_abs = settings.tol_gap_rel = 1e-10
    settings.equilibrate_enable = scaled
    target = np.concatenate([np.zeros(k), linear / size])
    solution = clarabel.DefaultSolver(curvature, target, left, right, cones, settings).solve()
    if str(solution.status) not in ("Solved", "AlmostSolved"):
        return None
    x = np.maximum(np.array(solution.x)[:k], 0.0)
    x /= x.sum()
    # The status alone is not trusted: a point that breaks a limit is no solution.
    if np.any((limits.A @ (corners.T @ x) - limits.b) / _row_scale(limits) > 1e-7):
        return None
    return x, np.array(solution.z)[: 1 + d]

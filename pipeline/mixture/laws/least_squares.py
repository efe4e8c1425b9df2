"""Penalised non-linear least squares for laws with a handful of parameters: Levenberg-Marquardt, and its errors."""

from collections.abc import Callable

import numpy as np

# theta -> (prediction (n,), jacobian (n, p))
Model = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
_STEPS = 60


def fit(model: Model, z: np.ndarray, theta: np.ndarray, centre: np.ndarray, penalty: np.ndarray) -> np.ndarray:
    """argmin |z - model(theta)|^2 + sum penalty (theta - centre)^2, from `theta` (p,). z: (n,)."""
    damping = 1e-2
    predicted, jacobian = model(theta)
    residual = z - predicted
    value = residual @ residual + penalty @ (theta - centre) ** 2
    for _ in range(_STEPS):
        slope = jacobian.T @ residual - penalty * (theta - centre)
        normal = jacobian.T @ jacobian
        for _ in range(10):
            trial = theta + np.linalg.solve(normal + np.diag(penalty + damping * (np.diag(normal) + 1e-3)), slope)
            predicted, trial_jacobian = model(trial)
            trial_residual = z - predicted
            trial_value = trial_residual @ trial_residual + penalty @ (trial - centre) ** 2
            if trial_value <= value:
                break
            damping *= 4
        else:
            return theta
        damping = max(damping / 5, 1e-9)
        gained = value - trial_value
        theta, jacobian, residual, value = trial, trial_jacobian, trial_residual, trial_value
        if gained <= 1e-8 * (value + 1e-12):
            break
    return theta


def left_out(model: Model, z: np.ndarray, theta: np.ndarray, penalty: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean square of the linearised leave-one-out error e / (1 - h), and the parameters' covariance (p, p).

    The covariance is scaled by that error rather than by the residual, which hides what the law's form misses.
    """
    predicted, jacobian = model(theta)
    inverse = np.linalg.inv(jacobian.T @ jacobian + np.diag(penalty))
    leverage = np.clip(np.einsum("ij,jk,ik->i", jacobian, inverse, jacobian), 0.0, 0.97)
    error = float(np.mean(((z - predicted) / (1 - leverage)) ** 2))
    return error, inverse * error

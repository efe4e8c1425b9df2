"""Held-out bits per byte along a training, from the snapshots that it kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from proxy_models.hardware import NumericPlan
from proxy_models.metrics import bits_per_byte
from proxy_models.requests import RequestSet
from proxy_models.score import score_set
from proxy_models.train import load, snapshot_name


def first_requests(requests: RequestSet, tokens: int) -> RequestSet:
    """The first requests of a set that have at most so many scored tokens together; at least one."""
    return requests.head(max(1, int(np.searchsorted(np.cumsum(requests.scored), tokens, side="right"))))


def curve(
    checkpoint: Path, shares: Sequence[float], sets: Mapping[str, RequestSet], plan: NumericPlan
) -> dict[str, dict[float, float]]:
    """Return name of a set -> share of the training -> bits per byte, the finished model (share 1) last.

    checkpoint: a folder of ``train``, with snapshots of these shares. Raises ValueError where one is missing.
    """
    if plan.device == "cpu":
        torch.set_num_threads(1)
    found: dict[str, dict[float, float]] = {name: {} for name in sets}
    for share in (*shares, 1.0):
        name = "model.safetensors" if share == 1.0 else snapshot_name(share)
        decoder = load(checkpoint, replace(plan, compile=False), name=name)
        for each, requests in sets.items():
            found[each][share] = bits_per_byte(score_set(decoder, requests), requests)
    return found

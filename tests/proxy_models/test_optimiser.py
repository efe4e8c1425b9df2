"""Protects the schedules' shape, Muon's direction and the refusal of settings that cannot work."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from proxy_models.optimiser import Muon, orthogonal, rate
from proxy_models.settings import OptimiserConfig


@given(st.sampled_from(["linear", "cosine"]), st.floats(0, 0.9), st.integers(1, 500))
def test_rates_rise_then_fall_and_stay_above_zero(schedule: str, warmup: float, steps: int) -> None:
    rates = [rate(schedule, warmup, step, steps) for step in range(steps)]
    peak = rates.index(max(rates))
    assert all(0 < r <= 1 for r in rates)
    assert rates[: peak + 1] == sorted(rates[: peak + 1])
    assert rates[peak:] == sorted(rates[peak:], reverse=True)


def test_linear_schedule_by_hand() -> None:
    assert [rate("linear", 0.2, step, 5) for step in range(5)] == pytest.approx([0.5, 1, 0.75, 0.5, 0.25])
    assert rate("constant", 0.0, 4, 5) == 1


@pytest.mark.parametrize("shape", [(3, 16, 16), (1, 48, 16), (2, 16, 40)])
def test_orthogonal_flattens_singular_values(shape: tuple[int, ...]) -> None:
    matrices = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    values = torch.linalg.svdvals(orthogonal(matrices, torch.float32))
    assert values.max() < 1.3
    assert values.median() > 0.6


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"name": "sgd"}, "adamw or muon"),
        ({"schedule": "step"}, "linear, cosine or constant"),
        ({"warmup": 1.0}, "warmup"),
        ({"lr": 0.0}, "above 0"),
        ({"weight_decay": -1.0}, "weight_decay"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        OptimiserConfig(**settings)


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has Muon from 2.9 on")
def test_muon_steps_as_torchs_own_does() -> None:
    """Within the rounding of bf16, in which torch's computes; stacked shapes, tall and wide, over several steps."""
    draw = torch.Generator().manual_seed(0)
    shapes = [(48, 16), (16, 16), (48, 16), (16, 24)]
    ours = [torch.nn.Parameter(0.02 * torch.randn(shape, generator=draw)) for shape in shapes]
    theirs = [torch.nn.Parameter(weight.detach().clone()) for weight in ours]
    start = [weight.detach().clone() for weight in ours]
    optimisers = Muon(ours, 0.02, torch.float32), torch.optim.Muon(theirs, lr=0.02, weight_decay=0.0)
    for _ in range(4):
        for one, two in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape, generator=draw)
            two.grad = one.grad.clone()
        for optimiser in optimisers:
            optimiser.step()
    for one, two, before in zip(ours, theirs, start, strict=True):
        moved = (two - before).norm()
        assert moved > 0.1
        assert (one - two).norm() < 0.02 * moved

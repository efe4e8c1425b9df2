"""Protects the model's arithmetic: the hand-written backward passes, causality, and the plan's choice."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
import torch.nn.functional as F

from proxy_models.hardware import NumericPlan, choose_plan
from proxy_models.loss import token_nll
from proxy_models.model import Decoder
from proxy_models.settings import ModelConfig

CONFIG = ModelConfig(vocab_size=300, context=24, width=24, layers=2, heads=3, ff=40)


def _decoder(plan: NumericPlan) -> Decoder:
    decoder = Decoder(CONFIG, plan)
    draw = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in decoder.parameters():
            weight.copy_(torch.randn(weight.shape, generator=draw) * 0.3)
    return decoder


def _tokens(seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 300, (5, 25), generator=torch.Generator().manual_seed(seed))


def test_written_out_gradients_equal_autograd(exact: NumericPlan) -> None:
    by_hand, plain = (
        _decoder(exact),
        _decoder(NumericPlan("cuda", "float32", "sdpa", "any")),
    )  # but kept on the CPU
    tokens = _tokens()
    loss = by_hand.loss(tokens)
    loss.backward()
    logits = plain(tokens[:, :-1]) @ plain.head.T
    reference = F.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].flatten())
    reference.backward()
    torch.testing.assert_close(loss, reference)
    for (name, mine), other in zip(by_hand.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad, rtol=1e-4, atol=1e-6, msg=lambda m, n=name: f"{n}: {m}")


def test_bf16_stays_close_to_fp32(exact: NumericPlan) -> None:
    tokens = _tokens()
    coarse = _decoder(NumericPlan("cpu", "bfloat16", "manual", "any")).loss(tokens)
    assert coarse.item() == pytest.approx(_decoder(exact).loss(tokens).item(), rel=0.02)


@pytest.mark.parametrize("training", [True, False])
def test_a_token_does_not_see_later_ones(exact: NumericPlan, training: bool) -> None:
    decoder = _decoder(exact)
    tokens = _tokens()[:, :-1]
    changed = tokens.clone()
    changed[:, 10:] = 7
    with torch.set_grad_enabled(training):
        torch.testing.assert_close(decoder(tokens)[:, :10], decoder(changed)[:, :10])
        assert not torch.allclose(decoder(tokens)[:, 10:], decoder(changed)[:, 10:])


def test_products_through_numpy_equal_those_of_torch(exact: NumericPlan) -> None:
    plain, other = _decoder(exact), _decoder(replace(exact, blas="numpy"))
    losses = [decoder.loss(_tokens()) for decoder in (plain, other)]
    torch.testing.assert_close(*losses)
    for loss in losses:
        loss.backward()
    for (name, mine), theirs in zip(other.named_parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, theirs.grad, rtol=1e-4, atol=1e-6, msg=lambda m, n=name: f"{n}: {m}")
    tokens = _tokens()[:, :-1]
    hidden, targets = other(tokens).flatten(0, 1).detach(), tokens.flatten()
    scores = [token_nll(hidden, plain.head, targets, decoder.mm) for decoder in (plain, other)]
    torch.testing.assert_close(*scores)


def test_bf16_that_is_forced_on_a_cpu_of_fp32_is_multiplied_by_torch(exact: NumericPlan) -> None:
    """numpy has no bf16."""
    forced = replace(exact, blas="numpy", dtype="bfloat16")
    loss = _decoder(forced).loss(_tokens())
    loss.backward()
    assert loss.item() == pytest.approx(_decoder(exact).loss(_tokens()).item(), rel=0.02)


@pytest.mark.parametrize("rows", [1, 7, 125])
def test_the_loss_does_not_depend_on_the_chunks(exact: NumericPlan, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    expected = _decoder(exact).loss(_tokens())
    monkeypatch.setattr("proxy_models.loss._TRAIN_BYTES", 1200 * rows)
    torch.testing.assert_close(_decoder(exact).loss(_tokens()), expected)


def test_token_nll_in_chunks_equals_log_softmax(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("proxy_models.loss._SCORE_BYTES", 8400)  # 7 rows at a time
    hidden, weight = torch.randn(40, 24), torch.randn(300, 24)
    targets = torch.randint(0, 300, (40,))
    expected = F.cross_entropy(hidden @ weight.T, targets, reduction="none")
    torch.testing.assert_close(token_nll(hidden, weight, targets), expected, rtol=1e-5, atol=1e-5)


def test_first_weights_depend_on_the_seed_alone(exact: NumericPlan) -> None:
    drawn = []
    for seed in (3, 3, 4):
        torch.rand(5)  # the global generator must not matter
        decoder = Decoder(CONFIG, exact)
        decoder.init(seed)
        drawn.append(decoder.embed.detach().clone())
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_parameters_are_counted(exact: NumericPlan) -> None:
    assert CONFIG.parameters == sum(weight.numel() for weight in Decoder(CONFIG, exact).parameters())


@pytest.mark.parametrize(("width", "heads", "text"), [(0, 1, "at least 1"), (24, 5, "twice the heads")])
def test_sizes_that_do_not_fit_are_refused(width: int, heads: int, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        ModelConfig(vocab_size=300, context=24, width=width, layers=2, heads=heads, ff=40)


def test_plan_follows_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    said: list[str] = []
    plan = choose_plan("cpu", say=said.append)
    has_units = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    assert plan.dtype == ("bfloat16" if has_units else "float32")
    assert len(said) == 1
    if not torch.cuda.is_available():
        with pytest.raises(ValueError, match="no CUDA"):
            choose_plan("cuda")


@pytest.mark.parametrize(
    ("amx", "avx512", "cap", "dtype"),
    [
        (True, True, None, "bfloat16"),
        (False, True, None, "bfloat16"),
        (False, False, None, "float32"),
        (True, True, "AVX512_CORE_BF16", "bfloat16"),
        (True, True, "AVX2", "float32"),
        (False, True, "avx512_core_vnni", "float32"),
    ],
)
def test_bf16_is_chosen_only_where_something_multiplies_it(
    monkeypatch: pytest.MonkeyPatch, amx: bool, avx512: bool, cap: str | None, dtype: str
) -> None:
    """On a CPU without such units, or with oneDNN capped below them, bf16 is emulated and several times slower."""
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: amx)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: avx512)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    if cap:
        monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", cap)
    assert choose_plan("cpu", say=lambda _: None).dtype == dtype

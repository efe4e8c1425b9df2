"""Protects stacked training: each proxy is what it would be alone, and one that diverges harms no other."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from proxy_corpus import TINY, Corpus
from safetensors.torch import load_file

from proxy_models.feed import Feed, open_feed
from proxy_models.hardware import NumericPlan
from proxy_models.settings import OptimiserConfig, TrainConfig, chunks_of
from proxy_models.stack import Stack, train_stack
from proxy_models.train import Diverged, TrainResult, fresh, snapshot_name, train

MIXES = ({"code": 0.8, "wikipedia": 0.2}, {"code": 0.1, "wikipedia": 0.9}, {"wikipedia": 1.0})


def _feeds(corpus: Corpus, config: TrainConfig) -> list[Feed]:
    arrays = corpus.arrays()
    chunks = chunks_of(TINY, config)
    return [open_feed({n: arrays[n] for n in mix}, mix, chunks, 1.0, i) for i, mix in enumerate(MIXES)]


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_a_stacked_proxy_equals_the_same_one_alone(
    corpus: Corpus, exact: NumericPlan, tmp_path: Path, name: Literal["adamw", "muon"]
) -> None:
    """Other mixes, other seeds, gradients clipped by each one's own norm: in fp32 only rounding may differ."""
    optimiser = OptimiserConfig(name=name, lr=7e-3, embedding_lr=2e-2, clip=0.3)
    config = TrainConfig(16 * 512, 512, optimiser, average=0.25, snapshots=(0.5,), micro_tokens=256)
    configs = [replace(config, seed=seed) for seed in (3, 4, 5)]
    outs = [tmp_path / f"stacked-{i}" for i in range(3)]
    together = train_stack(TINY, configs, _feeds(corpus, config), exact, outs)
    for i, (own, feed) in enumerate(zip(configs, _feeds(corpus, config), strict=True)):
        alone = train(TINY, own, feed, exact, tmp_path / f"alone-{i}")
        stacked = together[i]
        assert isinstance(stacked, TrainResult)
        assert [loss for _, loss in stacked.losses] == pytest.approx([loss for _, loss in alone.losses], rel=1e-4)
        for file in ("model.safetensors", snapshot_name(0.5)):
            mine, other = load_file(outs[i] / file), load_file(alone.checkpoint / file)
            for key, weight in other.items():
                torch.testing.assert_close(mine[key], weight, rtol=2e-3, atol=2e-4, msg=lambda m, k=key: f"{k}: {m}")
        records = [json.loads((folder / "train.json").read_text()) for folder in (outs[i], alone.checkpoint)]
        for record in records:
            del record["losses"]
        assert records[0] == records[1]


def test_a_model_that_diverges_leaves_the_others_as_they_are(
    corpus: Corpus, exact: NumericPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = TrainConfig(8 * 512, 512, OptimiserConfig(lr=7e-3, embedding_lr=2e-2))
    configs = [replace(config, seed=seed) for seed in (3, 4, 5)]
    sound = train_stack(TINY, configs, _feeds(corpus, config), exact, [tmp_path / f"sound-{i}" for i in range(3)])

    def fresh_but_one(*args: object) -> torch.nn.Module:
        decoder = fresh(*args)  # type: ignore[arg-type]
        if args[1] == 4:
            with torch.no_grad():
                decoder.head.fill_(float("nan"))
        return decoder

    monkeypatch.setattr("proxy_models.stack.fresh", fresh_but_one)
    found = train_stack(TINY, configs, _feeds(corpus, config), exact, [tmp_path / f"found-{i}" for i in range(3)])
    assert isinstance(found[1], Diverged)
    assert "loss nan" in str(found[1])
    assert not (tmp_path / "found-1").exists()
    for i in (0, 2):
        assert isinstance(sound[i], TrainResult)
        file = "model.safetensors"
        assert (tmp_path / f"found-{i}" / file).read_bytes() == (tmp_path / f"sound-{i}" / file).read_bytes()


def test_stacked_losses_do_not_depend_on_the_chunks(exact: NumericPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack([fresh(TINY, seed, exact) for seed in (0, 1)], exact)
    with torch.no_grad():
        stack.head.mul_(20)
    tokens = torch.randint(0, TINY.vocab_size, (2, 3, 33), generator=torch.Generator().manual_seed(0))
    found = []
    for size in (1 << 29, 7 * 2 * 4 * TINY.vocab_size):  # all rows at once, 7 at a time
        monkeypatch.setattr("proxy_models.stack.GPU_BYTES", size)
        stack.zero_grad()
        losses = stack.losses(tokens)
        losses.sum().backward()
        assert stack.head.grad is not None
        found.append((losses.detach(), stack.head.grad.clone(), stack.embed.grad))
    for whole, parts in zip(*found, strict=True):
        torch.testing.assert_close(whole, parts)
    assert not torch.allclose(found[0][0][0], found[0][0][1])


def test_only_seeds_may_differ(corpus: Corpus, exact: NumericPlan, tmp_path: Path) -> None:
    config = TrainConfig(8 * 512, 512)
    with pytest.raises(ValueError, match="seeds only"):
        train_stack(TINY, [config, replace(config, average=0.5)], _feeds(corpus, config)[:2], exact, [tmp_path] * 2)

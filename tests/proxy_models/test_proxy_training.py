"""Protects training: it learns real text, gives the same bytes twice, sees its diet, and fails by name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from proxy_corpus import TINY, VOCAB, Corpus

from proxy_models.feed import Feed, open_feed
from proxy_models.hardware import NumericPlan, choose_plan
from proxy_models.metrics import bits_per_byte
from proxy_models.presets import PRESETS, preset
from proxy_models.requests import documents, encode
from proxy_models.score import score
from proxy_models.settings import OptimiserConfig, TrainConfig, chunks_of
from proxy_models.train import Diverged, load, train

CONFIG = TrainConfig(tokens=40_960, batch_tokens=1024, optimiser=OptimiserConfig(lr=5e-3, embedding_lr=2e-2))


def _feed(corpus: Corpus, weights: dict[str, float], config: TrainConfig = CONFIG) -> Feed:
    return open_feed(corpus.arrays(), weights, chunks_of(TINY, config), share=1.0, seed=0)


@pytest.mark.parametrize("name", ["adamw", "muon"])
def test_training_lowers_the_loss_and_repeats_itself(
    corpus: Corpus, plan: NumericPlan, tmp_path: Path, name: str
) -> None:
    config = replace(CONFIG, tokens=20_480, optimiser=replace(CONFIG.optimiser, name=name, lr=1e-2))
    feed = _feed(corpus, {"code": 0.5, "wikipedia": 0.5}, config)
    seen: list[tuple[int, float]] = []
    result = train(TINY, config, feed, plan, tmp_path / "one", lambda *at: seen.append(at))
    assert tuple(seen) == result.losses
    assert result.losses[-1][0] == result.tokens == 20_480
    assert result.losses[-1][1] < result.losses[0][1] - 0.6
    assert result.realised == {"code": 0.5, "wikipedia": 0.5}
    train(TINY, config, feed, plan, tmp_path / "two")
    for file in ("model.safetensors", "train.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    record = json.loads((tmp_path / "one" / "train.json").read_text())
    assert record["realised"] == result.realised
    assert record["model"]["width"] == TINY.width
    train(TINY, replace(config, seed=1), feed, plan, tmp_path / "three")
    assert (tmp_path / "one/model.safetensors").read_bytes() != (tmp_path / "three/model.safetensors").read_bytes()


def test_a_domain_trained_on_is_scored_better(corpus: Corpus, plan: NumericPlan, tmp_path: Path) -> None:
    """The planted difference every law rests on: each domain's BPB is lower after training on that domain."""
    sets = [
        encode(documents((str(i), text) for i, text in enumerate(texts)), corpus.tokenizer, TINY.context)
        for texts in corpus.held_out.values()
    ]
    found = {}
    for name in corpus.held_out:
        train(TINY, CONFIG, _feed(corpus, {name: 1.0}), plan, tmp_path / name)
        scores = score(tmp_path / name, sets, plan)
        found[name] = dict(zip(corpus.held_out, map(bits_per_byte, scores, sets), strict=True))
    assert found["code"]["code"] < found["wikipedia"]["code"] - 0.3
    assert found["wikipedia"]["wikipedia"] < found["code"]["wikipedia"] - 0.3


def test_training_starts_from_a_checkpoint(corpus: Corpus, plan: NumericPlan, tmp_path: Path) -> None:
    feed = _feed(corpus, {"code": 1.0})
    first = train(TINY, CONFIG, feed, plan, tmp_path / "first")
    second = train(TINY, CONFIG, feed, plan, tmp_path / "second", init_from=tmp_path / "first")
    assert second.losses[0][1] < first.losses[0][1] - 1
    with pytest.raises(ValueError, match="expected"):
        load(tmp_path / "first", plan, expected=replace(TINY, layers=1))


def test_divergence_has_a_name(corpus: Corpus, plan: NumericPlan, tmp_path: Path) -> None:
    config = replace(CONFIG, optimiser=replace(CONFIG.optimiser, lr=1e38, embedding_lr=1e38, schedule="constant"))
    with pytest.raises(Diverged, match="at step"):
        train(TINY, config, _feed(corpus, {"code": 1.0}), plan, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("tokens", "batch", "text"), [(100, 1024, "fewer than one batch"), (9999, 100, "multiple")])
def test_sizes_that_do_not_fit_are_refused(tokens: int, batch: int, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        chunks_of(TINY, replace(CONFIG, tokens=tokens, batch_tokens=batch))


def test_a_feed_of_another_run_is_refused(corpus: Corpus, plan: NumericPlan, tmp_path: Path) -> None:
    feed = _feed(corpus, {"code": 1.0})
    with pytest.raises(ValueError, match="chunks"):
        train(TINY, replace(CONFIG, tokens=2048), feed, plan, tmp_path)
    with pytest.raises(ValueError, match="context"):
        train(replace(TINY, context=128), CONFIG, feed, plan, tmp_path)


def test_a_folder_that_is_no_checkpoint_is_refused(plan: NumericPlan, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no model\.safetensors"):
        load(tmp_path, plan)


def test_presets_fit_together() -> None:
    for name in PRESETS:
        model, config = preset(name, VOCAB)
        assert chunks_of(model, config) > 0
    with pytest.raises(ValueError, match="no preset huge; there are tiny"):
        preset("huge", VOCAB)


@pytest.mark.parametrize("name", ["0.5m", "1m", "4m", "14m", "30m", "60m"])
def test_presets_follow_their_rule(name: str) -> None:
    """Porian et al. 2024 as in the module's docstring; sizes are what the names say at a vocabulary of 4,096."""
    p = PRESETS[name]
    size = p.parameters(4096)
    scale = size / 108e6
    assert size == pytest.approx(float(name[:-1]) * 1e6, rel=0.15)
    assert p.optimiser.lr == p.optimiser.embedding_lr == pytest.approx(0.0047 * scale ** (-1 / 3), rel=0.05)
    batch = 327_680 * scale ** (2 / 3)
    assert batch / 2 < p.batch_tokens <= batch
    assert p.tokens / size == pytest.approx(20, rel=0.15)


@pytest.mark.slow
def test_compiled_training_learns_the_same(corpus: Corpus, plan: NumericPlan, tmp_path: Path) -> None:
    compiled = choose_plan("cpu", compile=True, say=lambda _: None)
    if not compiled.compile:
        pytest.skip("no compiler on this machine")
    config = replace(CONFIG, tokens=10_240)
    feed = _feed(corpus, {"code": 1.0}, config)
    one, two = (train(TINY, config, feed, p, tmp_path / str(p.compile)) for p in (plan, compiled))
    assert two.losses[-1][1] == pytest.approx(one.losses[-1][1], rel=0.02)

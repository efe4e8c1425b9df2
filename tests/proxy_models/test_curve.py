"""Protects learning curves: snapshots do not change what is trained, and are scored on the same few items."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from proxy_corpus import TINY, Corpus
from safetensors.torch import load_file

from proxy_models.curve import curve, first_requests
from proxy_models.feed import open_feed
from proxy_models.hardware import NumericPlan
from proxy_models.metrics import bits_per_byte
from proxy_models.requests import documents, encode
from proxy_models.score import score, score_set
from proxy_models.settings import OptimiserConfig, TrainConfig, chunks_of
from proxy_models.train import load, train

CONFIG = TrainConfig(20_480, 1024, OptimiserConfig(lr=7e-3, embedding_lr=5e-2))


@pytest.fixture(scope="module")
def trained(corpus: Corpus, plan: NumericPlan, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One run as it is, with snapshots, and with the mean of its last quarter."""
    feed = open_feed(corpus.arrays(), {"code": 0.5, "wikipedia": 0.5}, chunks_of(TINY, CONFIG), share=1.0, seed=0)
    folder = tmp_path_factory.mktemp("curve")
    kinds = {"plain": {}, "snapshots": {"snapshots": (0.5, 0.75, 0.8, 0.85, 0.9, 0.95)}, "average": {"average": 0.25}}
    for name, options in kinds.items():
        train(TINY, replace(CONFIG, **options), feed, plan, folder / name)
    return {name: folder / name for name in kinds}


def test_snapshots_do_not_change_what_is_trained(trained: dict[str, Path]) -> None:
    assert (trained["plain"] / "model.safetensors").read_bytes() == (
        trained["snapshots"] / "model.safetensors"
    ).read_bytes()
    assert "snapshots" not in (trained["plain"] / "train.json").read_text()
    assert sorted(file.name for file in trained["plain"].iterdir()) == ["model.safetensors", "train.json"]


def test_the_average_is_the_mean_of_the_last_steps_weights(trained: dict[str, Path]) -> None:
    """The last quarter of 20 steps are the weights after steps 16 to 20, four of which are snapshots here."""
    shares = (0.8, 0.85, 0.9, 0.95)
    each = [load_file(trained["snapshots"] / f"snapshot-{share:g}.safetensors") for share in shares]
    each.append(load_file(trained["snapshots"] / "model.safetensors"))
    for name, weight in load_file(trained["average"] / "model.safetensors").items():
        torch.testing.assert_close(weight, torch.stack([one[name] for one in each]).mean(0), rtol=1e-5, atol=1e-6)


def test_a_curve_ends_where_the_score_of_the_checkpoint_is(
    trained: dict[str, Path], corpus: Corpus, plan: NumericPlan
) -> None:
    sets = {
        name: encode(documents((str(i), text) for i, text in enumerate(texts)), corpus.tokenizer, TINY.context)
        for name, texts in corpus.held_out.items()
    }
    found = curve(trained["snapshots"], (0.5, 0.75), sets, plan)
    for name, requests in sets.items():
        assert list(found[name]) == [0.5, 0.75, 1.0]
        (scores,) = score(trained["plain"], [requests], plan)
        assert found[name][1.0] == bits_per_byte(scores, requests)
        assert found[name][1.0] < found[name][0.5]
    with pytest.raises(ValueError, match=r"holds no snapshot-0\.5"):
        curve(trained["plain"], (0.5,), sets, plan)


@given(st.integers(1, 4000))
def test_the_first_requests_score_as_they_do_in_the_whole_set(corpus: Corpus, tokens: int) -> None:
    whole = encode(documents((str(i), text) for i, text in enumerate(corpus.held_out["code"])), corpus.tokenizer, 64)
    few = first_requests(whole, tokens)
    assert 1 <= len(few) <= len(whole)
    assert few.scored.sum() <= tokens or len(few) == 1
    assert len(few) == len(whole) or whole.scored[: len(few) + 1].sum() > tokens
    assert few.offsets[-1] == len(few.tokens)
    assert set(few.owner.tolist()) == set(range(len(few)))


def test_few_requests_have_the_scores_of_the_whole_set(
    trained: dict[str, Path], corpus: Corpus, exact: NumericPlan
) -> None:
    whole = encode(documents((str(i), text) for i, text in enumerate(corpus.held_out["code"])), corpus.tokenizer, 64)
    few, decoder = first_requests(whole, 6000), load(trained["plain"], exact)
    assert 1 < len(few) < len(whole)
    np.testing.assert_allclose(
        score_set(decoder, few).logprob, score_set(decoder, whole).logprob[: len(few)], rtol=1e-5
    )


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"average": 1.5}, "average is a share"),
        ({"snapshots": (0.5, 0.5)}, "rising shares"),
        ({"snapshots": (1.0,)}, "rising shares"),
    ],
)
def test_shares_out_of_range_are_refused(options: dict, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        replace(CONFIG, **options)


def test_snapshots_between_the_same_steps_are_refused(corpus: Corpus, plan: NumericPlan, tmp_path: Path) -> None:
    feed = open_feed(corpus.arrays(), {"code": 1.0}, chunks_of(TINY, CONFIG), share=1.0, seed=0)
    with pytest.raises(ValueError, match="different steps of a run of 20"):
        train(TINY, replace(CONFIG, snapshots=(0.5, 0.51)), feed, plan, tmp_path)


def test_micro_batches_train_the_same_within_rounding(corpus: Corpus, exact: NumericPlan, tmp_path: Path) -> None:
    feed = open_feed(corpus.arrays(), {"code": 1.0}, chunks_of(TINY, CONFIG), share=1.0, seed=0)
    whole = train(TINY, CONFIG, feed, exact, tmp_path / "whole")
    # 384 leaves a smaller last part
    parts = train(TINY, replace(CONFIG, micro_tokens=384), feed, exact, tmp_path / "parts")
    assert [loss for _, loss in parts.losses] == pytest.approx([loss for _, loss in whole.losses], rel=1e-3)
    assert parts.losses[0][1] == pytest.approx(whole.losses[0][1], rel=1e-5)

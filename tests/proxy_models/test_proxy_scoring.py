"""Protects the numbers every metric is made of: equal to full logits, whatever the batching."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from proxy_corpus import SAMPLES, TINY, Corpus

from proxy_models import score as scoring
from proxy_models.feed import open_feed
from proxy_models.hardware import NumericPlan
from proxy_models.metrics import bits_per_byte
from proxy_models.model import Decoder
from proxy_models.readers import read_requests
from proxy_models.requests import RequestSet, documents, encode
from proxy_models.score import score, score_set
from proxy_models.settings import TrainConfig, chunks_of
from proxy_models.train import load, train


@pytest.fixture(scope="module")
def checkpoint(corpus: Corpus, exact: NumericPlan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = TrainConfig(tokens=10_240, batch_tokens=1024)
    feed = open_feed(corpus.arrays(), {"code": 1.0, "wikipedia": 1.0}, chunks_of(TINY, config), 1.0, 0)
    return train(TINY, config, feed, exact, tmp_path_factory.mktemp("checkpoint")).checkpoint


@pytest.fixture(scope="module")
def sets(corpus: Corpus) -> list[RequestSet]:
    texts = [(str(i), text[:600]) for many in corpus.held_out.values() for i, text in enumerate(many)]
    requests = [*read_requests(SAMPLES / "evals" / "arc_easy.jsonl.gz")[:60], *documents(texts)]
    return [encode(requests, corpus.tokenizer, TINY.context), encode(requests[:7], corpus.tokenizer, 40)]


def _naive(decoder: Decoder, requests: RequestSet) -> np.ndarray:
    """Row by row, every logit, torch's own log-softmax."""
    sums = np.zeros(len(requests))
    with torch.no_grad():
        for n, owner in enumerate(requests.owner):
            row = torch.from_numpy(requests.tokens[requests.offsets[n] : requests.offsets[n + 1]].astype(np.int64))
            logp = torch.log_softmax((decoder(row[None, :-1])[0] @ decoder.head.T).double(), -1)
            each = logp.gather(1, row[1:, None])[:, 0]
            sums[owner] += each[requests.first[n] - 1 :].sum().item()
    return sums


def test_scores_equal_full_logits(checkpoint: Path, sets: list[RequestSet], exact: NumericPlan) -> None:
    decoder = load(checkpoint, exact)
    for requests, found in zip(sets, score(checkpoint, sets, exact), strict=True):
        np.testing.assert_allclose(found.logprob, _naive(decoder, requests), rtol=1e-5, atol=1e-4)
        assert found.tokens.tolist() == requests.scored.tolist()
        assert (found.logprob < 0).all()


@pytest.mark.parametrize("budget", [1, 300, 10**6])
def test_batching_does_not_change_scores(
    checkpoint: Path, sets: list[RequestSet], exact: NumericPlan, monkeypatch: pytest.MonkeyPatch, budget: int
) -> None:
    decoder = load(checkpoint, exact)
    expected = score_set(decoder, sets[0])
    monkeypatch.setattr(scoring, "_CPU_BATCH_TOKENS", budget)
    np.testing.assert_allclose(score_set(decoder, sets[0]).logprob, expected.logprob, rtol=1e-5, atol=1e-5)


def test_the_machines_own_plan_agrees_with_fp32(
    checkpoint: Path, sets: list[RequestSet], exact: NumericPlan, plan: NumericPlan
) -> None:
    fine, coarse = (bits_per_byte(score(checkpoint, sets, p)[0], sets[0]) for p in (exact, plan))
    assert coarse == pytest.approx(fine, rel=2e-3)


def test_bits_per_byte_by_hand(sets: list[RequestSet]) -> None:
    requests = sets[1]
    scores = scoring.Scores(np.full(len(requests), -2.0), requests.scored)
    gold = requests.gold & ~requests.unconditional
    expected = 2.0 * gold.sum() / math.log(2) / requests.bytes[gold].sum()
    assert bits_per_byte(scores, requests) == pytest.approx(expected)
    one = np.arange(len(requests)) == np.flatnonzero(gold)[0]
    assert bits_per_byte(scores, requests, one) == pytest.approx(2.0 / math.log(2) / requests.bytes[one].sum())
    with pytest.raises(ValueError, match="no gold requests"):
        bits_per_byte(scores, requests, np.zeros(len(requests), dtype=bool))


def test_sets_that_do_not_fit_the_model_are_refused(
    checkpoint: Path, sets: list[RequestSet], exact: NumericPlan
) -> None:
    for wrong in (replace(sets[0], context=65), replace(sets[0], vocab_size=513)):
        with pytest.raises(ValueError, match="do not fit"):
            score(checkpoint, [wrong], exact)


def test_a_token_id_above_the_vocabulary_is_named_with_its_item(
    checkpoint: Path, sets: list[RequestSet], exact: NumericPlan
) -> None:
    tokens = sets[0].tokens.copy()
    row = 7
    tokens[sets[0].offsets[row + 1] - 1] = 700
    item = sets[0].items[sets[0].item[sets[0].owner[row]]]
    with pytest.raises(ValueError, match=f"token id 700 of item {item} is above the model's vocabulary of 512"):
        score(checkpoint, [replace(sets[0], tokens=tokens)], exact)

"""Protects every metric of a stored set: each against its definition, worked out item by item in plain Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxy_corpus import Corpus

from proxy_models.metrics import ACCURACIES, METRICS, accuracies, bits_per_byte, metrics_of
from proxy_models.requests import Request, RequestSet, encode
from proxy_models.score import Scores

CHOICES = (" no", " because é", "blank", " a much longer one")


def _requests(items: int, bare: bool = True) -> list[Request]:
    """Items of two to four choices; the choices of all items stand mixed."""
    rows = [
        Request(str(i), "Answer:" if u else f"Question {i}?", CHOICES[c], c, gold=c == i % 2, unconditional=u)
        for c in range(4)
        for u in ((False, True) if bare else (False,))
        for i in range(items)
        if c < 2 + i % 3
    ]
    return rows


@given(st.integers(1, 6), st.integers(0, 10_000))
def test_accuracies_by_definition(corpus: Corpus, items: int, seed: int) -> None:
    rows = _requests(items)
    found = encode(rows, corpus.tokenizer, 64)
    logprob = np.random.default_rng(seed).uniform(-9, 0, len(rows)).round(1)
    by_row = {(r.item, r.choice, r.unconditional): value for r, value in zip(rows, logprob, strict=True)}
    right = dict.fromkeys(ACCURACIES, 0)
    for i in range(items):
        item, choices = str(i), range(2 + i % 3)
        plain = [by_row[item, c, False] for c in choices]
        values = {
            "acc": plain,
            "acc_per_char": [v / len(CHOICES[c].strip()) for c, v in enumerate(plain)],
            "acc_per_byte": [v / len(CHOICES[c].strip().encode()) for c, v in enumerate(plain)],
            "acc_uncond": [v - by_row[item, c, True] for c, v in enumerate(plain)],
        }
        for name, value in values.items():
            right[name] += value.index(max(value)) == i % 2
    assert accuracies(logprob, found) == pytest.approx({name: n / items for name, n in right.items()})


def test_a_set_has_the_metrics_that_its_rows_allow(corpus: Corpus) -> None:
    def names(rows: list[Request]) -> list[str]:
        found = encode(rows, corpus.tokenizer, 64)
        return list(metrics_of(Scores(np.full(len(rows), -1.0), found.scored), found))

    assert names(_requests(3)) == list(METRICS)
    assert names(_requests(3, bare=False)) == list(METRICS[:-1])
    gold = [r for r in _requests(3) if r.gold and not r.unconditional]
    assert {r.choice for r in gold} == {0, 1}
    assert names(gold) == ["bpb"]
    found = encode(gold, corpus.tokenizer, 64)
    with pytest.raises(ValueError, match="no item has several choices"):
        accuracies(np.zeros(len(gold)), found)


def test_bits_per_byte_are_of_the_gold_choices_alone(corpus: Corpus) -> None:
    rows = _requests(4)
    chosen = [r.gold and not r.unconditional for r in rows]
    logprob = np.where(chosen, -2.0, -50.0)
    every = encode(rows, corpus.tokenizer, 64)
    gold = encode([r for r, keep in zip(rows, chosen, strict=True) if keep], corpus.tokenizer, 64)

    def bits(values: np.ndarray, of: RequestSet) -> float:
        return bits_per_byte(Scores(values, of.scored), of)

    total = sum(len(r.continuation.encode()) for r, keep in zip(rows, chosen, strict=True) if keep)
    assert bits(logprob, every) == bits(logprob[chosen], gold) == pytest.approx(8 / math.log(2) / total)

"""Protects what choices share: every row is answered once, from a pack that holds each prefix and each choice once."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from proxy_corpus import TINY, VOCAB

from proxy_models import shared
from proxy_models.hardware import NumericPlan
from proxy_models.model import Decoder
from proxy_models.requests import RequestSet
from proxy_models.score import score_set
from proxy_models.shared import packs_of

ROWS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(1, 6), st.integers(1, 5), st.integers(0, 3)), min_size=1, max_size=12
)


def _set(rows: list[tuple[int, int, int, int]]) -> RequestSet:
    """A row for each (prefix seed, prefix length, continuation length, continuation seed); few, so many repeat."""

    def tokens(seed: int, length: int) -> list[int]:
        return np.random.default_rng(seed).integers(0, VOCAB, length).tolist()

    whole = [tokens(a, n) + tokens(10 + b, m) for a, n, m, b in rows]
    count = len(rows)
    zeros = np.zeros(count, dtype=np.int64)
    return RequestSet(
        tokens=np.concatenate([np.asarray(row, dtype=np.uint32) for row in whole]),
        offsets=np.cumsum([0, *map(len, whole)], dtype=np.int64),
        first=np.asarray([n for _, n, _, _ in rows], dtype=np.int32),
        owner=np.arange(count, dtype=np.int32),
        bytes=zeros + 1,
        chars=zeros + 1,
        scored=np.asarray([m for _, _, m, _ in rows], dtype=np.int64),
        choice=np.arange(count, dtype=np.int32),
        gold=zeros == 0,
        unconditional=zeros > 0,
        truncated=zeros > 0,
        item=zeros.astype(np.int32),
        items=np.asarray(["item"]),
        context=TINY.context,
        vocab_size=VOCAB,
        blank=zeros > 0,
    )


@given(ROWS, st.sampled_from([1, 8, 256]))
def test_packs_spell_every_row_once(rows: list[tuple[int, int, int, int]], longest: int) -> None:
    requests = _set(rows)
    answered = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shared, "_LONGEST_PACK", longest)
        packs = packs_of(requests)
    for pack in packs:
        prefix = pack.tokens[pack.branch == 0]
        for number, owners in enumerate(pack.owners):
            inside = pack.branch == number + 1
            spelt = [*prefix, *pack.tokens[inside], pack.targets[pack.owner == number][-1]]
            assert pack.position[inside].tolist() == list(range(len(prefix), len(spelt) - 1))
            assert pack.targets[pack.owner == number].tolist() == spelt[len(prefix) :]
            for owner in owners:
                row = requests.tokens[requests.offsets[owner] : requests.offsets[owner + 1]]
                assert row.tolist() == spelt
                answered.append(owner)
    assert sorted(answered) == list(range(len(rows)))
    if longest == 256:
        read = {
            tuple(row[: requests.first[i]]) for i, row in enumerate(np.split(requests.tokens, requests.offsets[1:-1]))
        }
        assert len(packs) == len(read), "a prefix is read once"


@given(rows=ROWS)
def test_packed_rows_score_as_rows_of_their_own(rows: list[tuple[int, int, int, int]], exact: NumericPlan) -> None:
    torch.manual_seed(0)
    decoder = Decoder(TINY, exact)
    for weight in decoder.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    requests = _set(rows)
    found = score_set(decoder, requests).logprob
    with torch.no_grad():
        for i, (a, b) in enumerate(zip(requests.offsets, requests.offsets[1:], strict=False)):
            row = torch.from_numpy(requests.tokens[a:b].astype(np.int64))
            logp = torch.log_softmax((decoder(row[None, :-1])[0] @ decoder.head.T).double(), -1)
            alone = logp.gather(1, row[1:, None])[requests.first[i] - 1 :].sum().item()
            assert found[i] == pytest.approx(alone, rel=1e-4)

"""Score request sets with a checkpoint: sums of log-probabilities, from which every metric follows without
the model.

Rows of all sets are sorted by length and batched with little padding; the model is causal, so what pads a
row on its right changes nothing. The head runs on scored positions only. Where choices of an item stand beside
each other, what they share is read once (``shared.py``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from proxy_models.hardware import NumericPlan
from proxy_models.loss import token_nll
from proxy_models.model import Decoder
from proxy_models.requests import RequestSet
from proxy_models.shared import batches, packs_of, score_packs
from proxy_models.train import load

_CPU_BATCH_TOKENS = 4096
_GPU_BATCH_TOKENS = 1 << 18


@dataclass(frozen=True)
class Scores:
    """logprob: (R,) sum of the continuation's natural log-probabilities, at most 0. tokens: (R,) how many."""

    logprob: NDArray[np.float64]
    tokens: NDArray[np.int64]


def score(checkpoint: Path, sets: Sequence[RequestSet], plan: NumericPlan) -> list[Scores]:
    """Scores of every set, in order. Raises ValueError when one does not fit the model."""
    decoder = load(checkpoint, replace(plan, compile=False))  # every batch has a shape of its own
    for requests in sets:
        check_fit(requests, decoder.config.context, decoder.config.vocab_size)
    if plan.device == "cpu":
        torch.set_num_threads(1)
    return [score_set(decoder, requests) for requests in sets]


def check_fit(requests: RequestSet, context: int, vocab_size: int) -> None:
    """Raise ValueError where a set has longer rows or other tokens than a model can read."""
    if requests.context > context or requests.vocab_size > vocab_size:
        raise ValueError(
            f"requests for context {requests.context} and vocabulary {requests.vocab_size} do not fit "
            f"the model's context {context} and vocabulary {vocab_size}"
        )
    above = np.flatnonzero(requests.tokens >= vocab_size)
    if len(above):  # a tokenizer may number its tokens with gaps
        row = int(np.searchsorted(requests.offsets, above[0], side="right")) - 1
        raise ValueError(
            f"token id {requests.tokens[above[0]]} of item {requests.items[requests.item[requests.owner[row]]]} is "
            f"above the model's vocabulary of {vocab_size}: the requests were encoded with another tokenizer"
        )


@torch.no_grad()
def score_set(decoder: Decoder, requests: RequestSet) -> Scores:
    """Scores of one set with a model already loaded."""
    device = decoder.head.device
    head = decoder.head.to(decoder.dtype)
    budget = _CPU_BATCH_TOKENS if device.type == "cpu" else _GPU_BATCH_TOKENS
    if requests.has_choices:
        return Scores(score_packs(decoder, packs_of(requests), len(requests), budget), requests.scored.copy())
    sums = np.zeros(len(requests), dtype=np.float64)
    for batch in row_batches(requests, budget, device):
        hidden = decoder(batch.inputs).flatten(0, 1)[torch.from_numpy(np.flatnonzero(batch.scored)).to(device)]
        batch.add(token_nll(hidden, head, batch.targets, decoder.mm), sums)
    return Scores(sums, requests.scored.copy())


@dataclass(frozen=True)
class RowBatch:
    """B rows of at most T tokens. inputs: (B, T) int64. scored: (B, T) bool, positions whose next token is scored.
    targets: (S,) int64, these tokens. owner: (S,), the request of each.
    """

    inputs: Tensor
    scored: NDArray[np.bool_]
    targets: Tensor
    owner: NDArray[np.int32]

    def add(self, nll: Tensor, sums: NDArray[np.float64]) -> None:
        """Take the targets' negative log-likelihoods (S,) from the requests' sums."""
        np.subtract.at(sums, self.owner, nll.cpu().numpy().astype(np.float64))


def row_batches(requests: RequestSet, budget: int, device: torch.device) -> Iterator[RowBatch]:
    """All rows of a set in batches of at most ``budget`` padded tokens, at least one row each."""
    lengths = np.diff(requests.offsets) - 1  # what the model reads; the last token is only predicted
    for rows in batches(lengths, budget):
        column = np.arange(int(lengths[rows].max()))
        inside = column < lengths[rows, None]
        where = requests.offsets[rows, None] + np.where(inside, column, 0)
        scored = inside & (column + 1 >= requests.first[rows, None])
        yield RowBatch(
            torch.from_numpy(requests.tokens[where].astype(np.int64)).to(device),
            scored,
            torch.from_numpy(requests.tokens[where[scored] + 1].astype(np.int64)).to(device),
            np.repeat(requests.owner[rows], scored.sum(1)),
        )

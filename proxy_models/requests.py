"""Requests: what a checkpoint is asked to score, and its encoding into rows of tokens.

A request is a context and a continuation; the score is log p(continuation | context). A held-out document is
a request with an empty context. Encoded once per tokenizer, a set serves every checkpoint.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True)
class Request:
    """item: name of the document. choice: its number among the item's choices, None where there are none.

    gold: the right continuation. unconditional: context without the question, for pointwise mutual
    information only.
    """

    item: str
    context: str
    continuation: str
    choice: int | None = None
    gold: bool = True
    unconditional: bool = False

    @property
    def is_answer(self) -> bool:
        """Whether it is its item's right continuation after its question; an item has one."""
        return self.gold and not self.unconditional


def documents(texts: Iterable[tuple[str, str]]) -> list[Request]:
    """Held-out documents, given as (id, text), as requests; empty texts are left out."""
    return [Request(item=name, context="", continuation=text) for name, text in texts if text]


@dataclass(frozen=True)
class RequestSet:
    """Encoded requests: R requests in N rows. A row is read by the model up to its last token, which is only
    predicted.

    tokens: all rows one after another, uint32. offsets: (N + 1,), row n is tokens[offsets[n]:offsets[n + 1]].
    first: (N,), first scored position of a row; scored are first .. end. owner: (N,), request of a row.
    bytes, chars, scored: (R,), of the continuation: UTF-8 bytes, characters, tokens. choice: (R,), -1 where
    none.
    gold, unconditional, truncated: (R,) bool; truncated means that the context lost text on its left.
    item: (R,), index into items. items: names. context: the most tokens a model must read at once.
    vocab_size: of the tokenizer. blank: (R,) bool, whether the continuation begins with a space, which is no
    part of a choice's length; None where no item has several choices.
    """

    tokens: NDArray[np.uint32]
    offsets: NDArray[np.int64]
    first: NDArray[np.int32]
    owner: NDArray[np.int32]
    bytes: NDArray[np.int64]
    chars: NDArray[np.int64]
    scored: NDArray[np.int64]
    choice: NDArray[np.int32]
    gold: NDArray[np.bool_]
    unconditional: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    item: NDArray[np.int32]
    items: NDArray[np.str_]
    context: int
    vocab_size: int
    blank: NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        return len(self.bytes)

    @property
    def has_choices(self) -> bool:
        """Whether choices of an item stand beside each other, so that accuracies can be told."""
        return self.blank is not None

    @property
    def truncated_share(self) -> float:
        """Share of the conditional requests whose context was cut."""
        return float(self.truncated[~self.unconditional].mean())

    def head(self, count: int) -> RequestSet:
        """The first `count` requests with their rows; `items` and `context` stay as they are."""
        rows = int(np.searchsorted(self.owner, count))
        each = ("bytes", "chars", "scored", "choice", "gold", "unconditional", "truncated", "item")
        return replace(
            self,
            tokens=self.tokens[: self.offsets[rows]],
            offsets=self.offsets[: rows + 1],
            first=self.first[:rows],
            owner=self.owner[:rows],
            blank=None if self.blank is None else self.blank[:count],
            **{name: getattr(self, name)[:count] for name in each},
        )


def encode(
    requests: Sequence[Request],
    tokenizer: Tokenizer,
    context: int,
    eot: str = "<|endoftext|>",
    always: bool = True,
) -> RequestSet:
    """Encode requests for models of the given context (tokens read at once).

    Context and continuation are encoded apart and joined, so that the scored tokens spell exactly the
    continuation. Every sequence begins with the end-of-text token, as documents do in training; with ``always``
    false only those whose context is empty (as lm-evaluation-harness does for models that do not ask for it).
    What is too long loses context on its left. A continuation longer than the context is scored in windows
    that overlap by one token, each token once (lm-evaluation-harness' rolling windows). Raises ValueError for no
    requests, an unknown ``eot`` or a continuation that encodes to nothing.
    """
    if not requests:
        raise ValueError("no requests to encode")
    start = tokenizer.token_to_id(eot)
    if start is None:
        raise ValueError(f"the tokenizer has no token {eot}")
    known = sorted({text for r in requests for text in (r.context, r.continuation)})
    encoded = tokenizer.encode_batch_fast(known, add_special_tokens=False)
    ids = {text: found.ids for text, found in zip(known, encoded, strict=True)}
    items = sorted({r.item for r in requests})
    number = {name: i for i, name in enumerate(items)}
    rows: list[list[int]] = []
    first, owner, truncated = [], [], []
    for index, request in enumerate(requests):
        lead = [start] if always or not ids[request.context] else []
        prefix, target = [*lead, *ids[request.context]], ids[request.continuation]
        if not target:
            raise ValueError(f"continuation {request.continuation!r} of item {request.item} encodes to no token")
        kept, windows = _windows(prefix, target, context)
        truncated.append(kept < len(prefix) - len(lead))  # losing only the end-of-text token is no loss of text
        for begin, window in windows:
            rows.append(window)
            first.append(begin)
            owner.append(index)
    numbered = [(r.item, r.unconditional) for r in requests if r.choice is not None]
    many = len(set(numbered)) < len(numbered)  # gold continuations alone have one choice of an item each
    return RequestSet(
        tokens=np.concatenate([np.asarray(row, dtype=np.uint32) for row in rows]),
        offsets=np.cumsum([0, *map(len, rows)], dtype=np.int64),
        first=np.asarray(first, dtype=np.int32),
        owner=np.asarray(owner, dtype=np.int32),
        bytes=np.asarray([len(r.continuation.encode()) for r in requests], dtype=np.int64),
        chars=np.asarray([len(r.continuation) for r in requests], dtype=np.int64),
        scored=np.asarray([len(ids[r.continuation]) for r in requests], dtype=np.int64),
        choice=np.asarray([-1 if r.choice is None else r.choice for r in requests], dtype=np.int32),
        gold=np.asarray([r.gold for r in requests], dtype=np.bool_),
        unconditional=np.asarray([r.unconditional for r in requests], dtype=np.bool_),
        truncated=np.asarray(truncated, dtype=np.bool_),
        item=np.asarray([number[r.item] for r in requests], dtype=np.int32),
        items=np.asarray(items, dtype=np.str_),
        context=context,
        vocab_size=tokenizer.get_vocab_size(),
        blank=np.asarray([r.continuation[0] == " " for r in requests], dtype=np.bool_) if many else None,
    )


def _windows(prefix: list[int], target: list[int], context: int) -> tuple[int, list[tuple[int, list[int]]]]:
    """Rows of at most context + 1 tokens that score every target token once: (prefix tokens kept, [(first,
    row)]).

    A target that fills more than one row keeps half a context of prefix in the first.
    """
    if len(target) <= context:
        kept = min(len(prefix), context + 1 - len(target))
        return kept, [(kept, prefix[-kept:] + target)]
    kept = min(len(prefix), context // 2 + 1)
    done = context + 1 - kept
    rows = [(kept, prefix[-kept:] + target[:done])]
    for at in range(done, len(target), context):
        rows.append((1, target[at - 1 : at + context]))
    return kept, rows


def save_requests(requests: RequestSet, file: Path) -> None:
    """Write a set as .npz without pickle; the same set gives the same bytes."""
    values = {field.name: getattr(requests, field.name) for field in fields(RequestSet)}
    arrays: dict[str, Any] = {name: np.asarray(value) for name, value in values.items() if value is not None}
    with open(file, "wb") as out:
        np.savez(out, **arrays)


def load_requests(file: Path) -> RequestSet:
    """Read what ``save_requests`` wrote. Raises ValueError when the file is something else."""
    names = [field.name for field in fields(RequestSet)]
    try:
        with np.load(file, allow_pickle=False) as found:
            arrays = {name: found[name] for name in names if name != "blank" or name in found}
    except (KeyError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file} is no request set: {error}") from error
    for name in ("context", "vocab_size"):
        arrays[name] = int(arrays[name])
    return RequestSet(**arrays)

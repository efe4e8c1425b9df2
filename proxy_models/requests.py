"""Requests: what a checkpoint is asked to score, and its encoding into rows of tokens.

A request is a context and a continuation; the score is log p(continuation | context). A held-out document is
a request with an empty context. Encoded once per tokenizer, a set serves every checkpoint.
"""

from __future__ import annotations

import gzip
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from tokenizers import Tokenizer

UNCONDITIONAL = 1_000_000  # OLMES: rows of document d without its question are numbered d + 1,000,000


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


def read_olmes(path: Path) -> list[Request]:
    """Requests of an OLMES ``requests.jsonl`` or ``requests.jsonl.gz``, in the file's order.

    An integer ``label`` numbers the right choice; any other label is for generation metrics and the line
    itself is gold.
    Raises ValueError with file and line for what does not fit.
    """
    found = []
    for number, text in _lines(path):
        try:
            found.append(_olmes(json.loads(text)))
        except (KeyError, TypeError, ValueError) as error:
            what = f"no field {error}" if isinstance(error, KeyError) else str(error)
            raise ValueError(f"{path}, line {number}: {what}") from error
    if not found:
        raise ValueError(f"{path} holds no requests")
    return found


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that are not blank."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else open(path, encoding="utf-8") as file:
            yield from ((number, line) for number, line in enumerate(file, 1) if line.strip())
    except (gzip.BadGzipFile, EOFError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error


def _olmes(line: dict[str, Any]) -> Request:
    if not isinstance(line, dict):
        raise ValueError("not a JSON object")
    request, document, label = line["request"], line["doc_id"], line["label"]
    context, continuation, choice = request["context"], request["continuation"], line["idx"]
    if not (isinstance(context, str) and isinstance(continuation, str) and continuation):
        raise ValueError("context and continuation must be text, the continuation not empty")
    if not (isinstance(document, int) and isinstance(choice, int)):
        raise ValueError("doc_id and idx must be integers")
    many = isinstance(label, int)
    bare = document >= UNCONDITIONAL
    return Request(
        item=str(document - UNCONDITIONAL if bare else document),
        context=context,
        continuation=continuation,
        choice=choice if many else None,
        gold=choice == label if many else True,
        unconditional=bare,
    )


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
    vocab_size: of the tokenizer.
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

    def __len__(self) -> int:
        return len(self.bytes)

    @property
    def truncated_share(self) -> float:
        """Share of the conditional requests whose context was cut."""
        return float(self.truncated[~self.unconditional].mean())


def encode(requests: Sequence[Request], tokenizer: Tokenizer, context: int, eot: str = "<|endoftext|>") -> RequestSet:
    """Encode requests for models of the given context (tokens read at once).

    Context and continuation are encoded apart and joined, so that the scored tokens spell exactly the
    continuation. Every sequence begins with the end-of-text token, as documents do in training. What is too
    long loses context on its left. A continuation longer than the context is scored in windows that overlap
    by one token, each token once (lm-evaluation-harness' rolling windows). Raises ValueError for no
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
        prefix, target = [start, *ids[request.context]], ids[request.continuation]
        if not target:
            raise ValueError(f"continuation {request.continuation!r} of item {request.item} encodes to no token")
        kept, windows = _windows(prefix, target, context)
        truncated.append(kept < len(prefix) - 1)  # losing only the end-of-text token is no loss of text
        for begin, window in windows:
            rows.append(window)
            first.append(begin)
            owner.append(index)
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
    arrays: dict[str, Any] = {field.name: np.asarray(getattr(requests, field.name)) for field in fields(RequestSet)}
    with open(file, "wb") as out:
        np.savez(out, **arrays)


def load_requests(file: Path) -> RequestSet:
    """Read what ``save_requests`` wrote. Raises ValueError when the file is something else."""
    names = [field.name for field in fields(RequestSet)]
    try:
        with np.load(file, allow_pickle=False) as found:
            arrays = {name: found[name] for name in names}
    except (KeyError, OSError, ValueError, zipfile.BadZipFile) as error:
        raise ValueError(f"{file} is no request set: {error}") from error
    for name in ("context", "vocab_size"):
        arrays[name] = int(arrays[name])
    return RequestSet(**arrays)

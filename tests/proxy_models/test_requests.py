"""Protects what is asked of a checkpoint: each token scored once, honest truncation, errors."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxy_corpus import EOT, Corpus

from proxy_models.requests import (
    Request,
    RequestSet,
    _windows,
    documents,
    encode,
    load_requests,
    save_requests,
)


@given(st.integers(1, 60), st.integers(1, 60), st.integers(2, 16))
def test_windows_score_every_token_once(prefix: int, target: int, context: int) -> None:
    left, right = list(range(prefix)), list(range(1000, 1000 + target))
    kept, rows = _windows(left, right, context)
    scored = [token for first, row in rows for token in row[first:]]
    assert scored == right
    assert 1 <= kept <= prefix
    assert rows[0][1][: rows[0][0]] == left[-kept:]
    assert all(first >= 1 and len(row) <= context + 1 for first, row in rows)
    if prefix - 1 + target <= context:
        assert (kept, len(rows)) == (prefix, 1)


def test_encoding_counts_bytes_characters_tokens_and_cuts(corpus: Corpus) -> None:
    requests = [
        Request("a", "Question: why?\nAnswer:", " because é", 0, True),
        Request("a", "Question: why?\nAnswer:", " no", 1, False),
        Request("b", "word " * 200, " end", None, True),
        *documents([("c", "A held-out document. " * 30), ("empty", "")]),
    ]
    found = encode(requests, corpus.tokenizer, context=32)
    assert len(found) == 4
    assert found.bytes.tolist() == [11, 3, 4, 630]
    assert found.chars.tolist() == [10, 3, 4, 630]
    assert found.truncated.tolist() == [False, False, True, False]
    assert found.truncated_share == 0.25
    assert found.choice.tolist() == [0, 1, -1, -1]
    assert found.items[found.item].tolist() == ["a", "a", "b", "c"]
    rows = [found.tokens[a:b].tolist() for a, b in zip(found.offsets, found.offsets[1:], strict=False)]
    assert max(map(len, rows)) <= 33
    eot = corpus.tokenizer.token_to_id(EOT)
    assert [row[0] == eot for row in rows[:4]] == [True, True, False, True]
    scored = [row[first:] for row, first in zip(rows, found.first, strict=True)]
    text = corpus.tokenizer.decode([t for part, own in zip(scored, found.owner, strict=True) if own == 3 for t in part])
    assert text.replace(" ", "").replace("Ġ", "") == requests[3].continuation.replace(" ", "")
    assert [sum(len(p) for p, own in zip(scored, found.owner, strict=True) if own == i) for i in range(4)] == (
        found.scored.tolist()
    )


def test_sets_come_back_from_disk_with_the_same_bytes(corpus: Corpus, tmp_path: Path) -> None:
    found = encode(documents([("x", "Some text."), ("é", "More.")]), corpus.tokenizer, 16)
    for name in ("one.npz", "two.npz"):
        save_requests(found, tmp_path / name)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    back = load_requests(tmp_path / "one.npz")
    for field in fields(RequestSet):
        assert np.array_equal(getattr(back, field.name), getattr(found, field.name)), field.name
    (tmp_path / "bad.npz").write_bytes(b"PK nothing")
    with pytest.raises(ValueError, match="no request set"):
        load_requests(tmp_path / "bad.npz")


def test_what_cannot_be_encoded_is_refused(corpus: Corpus) -> None:
    with pytest.raises(ValueError, match="no requests"):
        encode([], corpus.tokenizer, 16)
    with pytest.raises(ValueError, match="no token <s>"):
        encode([Request("a", "", "b")], corpus.tokenizer, 16, eot="<s>")
    with pytest.raises(ValueError, match="encodes to no token"):
        encode([Request("a", "b", "")], corpus.tokenizer, 16)

"""Protects what makes swarm points comparable: exact quotas, nested permutations, even spread."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy_models.feed import DomainArrays, chunk_plan, open_feed, quotas, usable_chunks

names = st.sampled_from(["wikipedia", "code", "papers", "ocr.clean", "questions"])
mixes = st.dictionaries(names, st.floats(0, 1), min_size=1).filter(lambda w: sum(w.values()) > 1e-6)


@given(mixes, st.integers(1, 5000))
def test_quotas_sum_exactly_and_round_by_less_than_one(weights: dict[str, float], chunks: int) -> None:
    found = quotas(weights, chunks)
    total = sum(weights.values())
    assert sum(found.values()) == chunks
    assert all(abs(found[name] - weight / total * chunks) < 1 + 1e-6 for name, weight in weights.items())
    assert all(found[name] == 0 for name, weight in weights.items() if weight == 0)


@given(mixes, st.integers(1, 400))
def test_quotas_do_not_depend_on_the_order_of_the_mix(weights: dict[str, float], chunks: int) -> None:
    assert quotas(dict(reversed(weights.items())), chunks) == quotas(weights, chunks)


@settings(max_examples=50)
@given(mixes, st.integers(1, 300), st.floats(0.01, 2), st.integers(0, 5))
def test_plan_realises_its_quotas_within_the_usable_chunks(
    weights: dict[str, float], chunks: int, share: float, seed: int
) -> None:
    available = {name: 10 + 7 * len(name) for name in weights}
    plan = chunk_plan(available, weights, chunks, share, seed)
    assert len(plan) == chunks
    assert sum(plan.realised.values()) == pytest.approx(1)
    assert set(plan.realised) == set(weights)
    rows = [plan[i] for i in range(len(plan))]
    for name, count in quotas(weights, chunks).items():
        mine = [chunk for domain, chunk in rows if domain == name]
        usable = usable_chunks(available[name], share)
        assert len(mine) == count
        assert plan.realised[name] == count / chunks
        assert len(set(mine)) == min(count, usable)
        assert all(0 <= chunk < available[name] for chunk in mine)
        assert mine == [mine[i % usable] for i in range(count)], "repetition must be cyclic"
        if count:
            assert plan.repetition[name] == count / usable


@settings(max_examples=50)
@given(mixes, mixes, st.integers(1, 200), st.integers(1, 200), st.integers(0, 5))
def test_two_mixes_share_the_prefix_of_every_domain(
    one: dict[str, float], two: dict[str, float], few: int, many: int, seed: int
) -> None:
    available = dict.fromkeys({*one, *two}, 500)
    drawn = []
    for weights, chunks in ((one, few), (two, many)):
        plan = chunk_plan(available, weights, chunks, 1.0, seed)
        rows = [plan[i] for i in range(len(plan))]
        drawn.append({name: [chunk for domain, chunk in rows if domain == name] for name in available})
    for name in available:
        a, b = sorted((drawn[0][name], drawn[1][name]), key=len)
        assert b[: len(a)] == a


def test_a_smaller_share_is_a_prefix_of_a_larger_one() -> None:
    small = chunk_plan({"code": 100}, {"code": 1}, 20, 0.2, 3).chunk
    large = chunk_plan({"code": 100}, {"code": 1}, 80, 0.8, 3).chunk
    assert small.tolist() == large[:20].tolist()


def test_every_stretch_of_the_run_sees_the_mix() -> None:
    plan = chunk_plan({"a": 900, "b": 900}, {"a": 0.7, "b": 0.3}, 1000, 1.0, 0)
    for start in range(0, 1000, 100):
        assert 66 <= (plan.domain[start : start + 100] == 0).sum() <= 74


def test_seeds_pick_other_chunks() -> None:
    plans = [chunk_plan({"a": 900}, {"a": 1}, 100, 1.0, seed).chunk.tolist() for seed in (0, 1)]
    assert plans[0] != plans[1]


@pytest.mark.parametrize(
    ("weights", "chunks", "share", "seed", "text"),
    [
        ({"a": -0.1, "b": 1.0}, 5, 1.0, 0, "at least 0"),
        ({"a": float("nan")}, 5, 1.0, 0, "finite"),
        ({"a": 0.0}, 5, 1.0, 0, "above 0"),
        ({"a": 1.0}, 0, 1.0, 0, "chunks"),
        ({"a": 1.0}, 5, 0.0, 0, "share"),
        ({"a": 1.0}, 5, 1.0, -1, "seed"),
        ({"gone": 1.0}, 5, 1.0, 0, "gone"),
    ],
)
def test_wrong_plans_are_refused(weights: dict, chunks: int, share: float, seed: int, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        chunk_plan({"a": 9, "b": 9}, weights, chunks, share, seed)


def _write(folder: Path, parts: list[list[int]], dtype: str = "<u2") -> list[Path]:
    files = [folder / f"{i}.bin" for i in range(len(parts))]
    for file, part in zip(files, parts, strict=True):
        np.asarray(part, dtype=dtype).tofile(file)
    return files


@pytest.mark.parametrize("dtype", ["uint16", "uint32"])
def test_chunks_run_across_files_and_overlap_by_one_token(tmp_path: Path, dtype: str) -> None:
    files = _write(tmp_path, [[0, 1, 2], [], [3], [4, 5, 6, 7, 8, 9]], dtype)
    array = DomainArrays("d", files, dtype, context=4, vocab_size=10)
    assert (array.tokens, array.chunks) == (10, 2)
    assert array.chunk(0).tolist() == [0, 1, 2, 3, 4]
    assert array.chunk(1).tolist() == [4, 5, 6, 7, 8]
    with pytest.raises(IndexError, match="asked for number 2"):
        array.chunk(2)


def test_wrong_arrays_are_refused(tmp_path: Path) -> None:
    files = _write(tmp_path, [[1, 2, 3, 99, 5, 6]])
    with pytest.raises(ValueError, match="domain d has 6 tokens, fewer than one chunk of 9"):
        DomainArrays("d", files, "uint16", context=8, vocab_size=100)
    with pytest.raises(ValueError, match="uint16 or uint32"):
        DomainArrays("d", files, "int64", context=2, vocab_size=100)
    array = DomainArrays("d", files, "uint16", context=2, vocab_size=50)
    assert array.chunk(0).tolist() == [1, 2, 3]
    with pytest.raises(ValueError, match=r"0\.bin: token 99 of domain d is outside the vocabulary of 50"):
        array.chunk(1)
    files[0].write_bytes(b"123")
    with pytest.raises(ValueError, match="whole number"):
        DomainArrays("d", files, "uint16", context=2, vocab_size=50)
    with pytest.raises(ValueError, match="no token arrays for the domains x"):
        open_feed({"d": array}, {"x": 1.0}, 4, 1.0, 0)

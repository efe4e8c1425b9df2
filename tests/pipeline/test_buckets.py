"""Quality buckets: every training document is in exactly one, edges stay, and a bucket is a domain like any other."""

from __future__ import annotations

import json
import time

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.buckets import bucket_of, edges_of
from pipeline.errors import InputError
from pipeline.load import load_mix
from pipeline.run import Run
from pipeline.tokenize import domain_units
from pipeline.units import Unit
from tests.pipeline.conftest import walk_here

BUCKETS = "buckets:\n  wikipedia: {by: prose_score, shares: {top: 0.1, high: 0.2, rest: 0.7}}\ntokenize: {vocab"
SMALLER = (
    ("  language: {}\n", ""),
    ('  ocr: {path: "', '# ocr: {path: "'),
    ("clean: {scorer", "# clean: {scorer"),
    ("ocr.clean:", "# ocr.clean:"),
)
"""Changes to the tiny mix that leave out what is not looked at here."""

shares = st.lists(st.integers(1, 10), min_size=2, max_size=5).map(lambda parts: [part / sum(parts) for part in parts])
scores = st.lists(st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=80).map(np.array)


@given(scores=scores, shares=shares)
def test_upper_buckets_hold_at_least_their_share(scores: np.ndarray, shares: list[float]) -> None:
    """Whatever the ties: the best k buckets together hold their share, and without the worst score of them less."""
    edges = edges_of(scores, shares)
    assert edges == sorted(edges, reverse=True)
    bucket = bucket_of(scores, edges)
    assert ((bucket >= 0) & (bucket < len(shares))).all()
    for k in range(1, len(shares)):
        wanted = sum(shares[:k]) * len(scores)
        assert (bucket < k).sum() >= wanted - 1e-3
        assert (scores > edges[k - 1]).sum() < max(wanted, 1) + 1e-3


@given(scores=scores, shares=shares, others=scores)
def test_one_bucket_each_in_the_order_of_scores(scores: np.ndarray, shares: list[float], others: np.ndarray) -> None:
    """Documents that come later too: by pinned edges, a higher score is never in a worse bucket, equal ones alike."""
    bucket = bucket_of(others, edges_of(scores, shares))
    assert ((bucket >= 0) & (bucket < len(shares))).all()
    order = np.argsort(-others, kind="stable")
    assert (np.diff(bucket[order]) >= 0).all()
    assert all(len(set(bucket[others == value])) == 1 for value in others)


def test_distinct_scores_give_exact_shares() -> None:
    bucket = bucket_of(np.arange(1000.0), edges_of(np.arange(1000.0), [0.1, 0.2, 0.7]))
    assert np.bincount(bucket).tolist() == [100, 200, 700]
    assert (bucket[900:] == 0).all()


def test_curated_buckets_part_the_source(tiny_yaml) -> None:
    """A mix really curated: the buckets' documents are the source's training documents, each once, by score;
    the source itself is no domain, its rewrite still is; natural counts the buckets, caps each with the rewrite."""
    run = walk_here(tiny_yaml(*SMALLER, ("tokenize: {vocab", BUCKETS)), until="design")
    parts = ["wikipedia.top", "wikipedia.high", "wikipedia.rest"]
    assert run.config.domain_names() == [*parts, "questions", "wikipedia.qa"]
    rows = []
    for shard in ("000", "001"):
        selection, scores = (
            pl.read_parquet(run.store.local(next(u.ref for u in run.of(stage) if u.name == name)) / file)
            for stage, name, file in (
                ("select", f"wikipedia/{shard}", "selection.parquet"),
                ("annotate", f"wikipedia/{shard}/prose", "attributes.parquet"),
            )
        )
        chosen = [
            pl.read_parquet(
                run.store.local(next(u.ref for u in run.of("buckets") if u.name == f"{part}/{shard}"))
                / "selection.parquet"
            )["split"].alias(part)
            for part in parts
        ]
        rows.append(pl.concat([selection, scores, pl.DataFrame(chosen)], how="horizontal"))
    table = pl.concat(rows)
    train = table.filter(pl.col("split") == "train")
    assert all(sum(value == "train" for value in row) == 1 for row in train.select(parts).iter_rows())
    assert all(set(row) == {None} for row in table.filter(pl.col("split").ne_missing("train")).select(parts).rows())
    counts = [train[part].count() for part in parts]
    assert counts[0] == pytest.approx(0.1 * len(train), abs=1.01)
    assert sum(counts[:2]) == pytest.approx(0.3 * len(train), abs=1.01)
    by_part = [train.filter(pl.col(part) == "train")["score"] for part in parts]
    assert by_part[0].min() > by_part[1].max()  # type: ignore[operator]
    assert by_part[1].min() > by_part[2].max()  # type: ignore[operator]
    tokenized = dict.fromkeys(parts, 0)
    for unit in run.of("tokenize"):
        if unit.args["domain"] in tokenized:
            tokenized[unit.args["domain"]] += run.manifest(unit)["counts"]["documents"]
    assert list(tokenized.values()) == counts
    assert [unit.name for unit in run.of("requests") if "wiki" in unit.name] == ["heldout/wikipedia"]
    (design,) = run.of("design")
    plan = json.loads((run.store.local(design.ref) / "swarm.json").read_text())
    total = sum(plan["tokens"][name] for name in (*parts, "questions"))
    for name in (*parts, "questions"):
        assert plan["natural"][name] == pytest.approx(plan["tokens"][name] / total)
    within = [mix for mix in plan["mixes"] if mix["mix"] not in ("natural", "uniform")]  # these two keep no caps
    assert len(within) > 4
    for mix in within:
        for part in parts:
            epochs = sum(mix["weights"][name] * 400_000 / plan["tokens"][name] for name in (part, "wikipedia.qa"))
            assert epochs <= 4 + 1e-6


def test_edges_are_pinned(tiny_yaml) -> None:
    """Another threshold, or more documents, leave the edges as they are; other shares find new ones."""
    changes = (*SMALLER, ("tokenize: {vocab", BUCKETS))
    first = walk_here(tiny_yaml(*changes), until="edges")
    (pinned,) = first.of("edges")
    looser = walk_here(tiny_yaml(*changes, ("gopher_words < 40", "gopher_words < 60")), until="buckets")
    assert [unit.key for unit in looser.of("edges")] == [pinned.key]
    assert {u.ref for u in looser.of("select")}.isdisjoint(u.ref for u in first.of("select") if "wiki" in u.name)
    other = walk_here(tiny_yaml(*changes, ("top: 0.1, high: 0.2", "top: 0.2, high: 0.1")), until="edges")
    assert [unit.key for unit in other.of("edges")] != [pinned.key]


def test_ties_that_leave_a_bucket_empty_are_told(tiny_yaml) -> None:
    """A signal that most documents share at its best value cannot make a bucket of the best tenth and one below."""
    tied = BUCKETS.replace("prose_score", "gopher_ellipses")
    with pytest.raises(InputError, match=r"buckets.wikipedia: no document is in .*same gopher_ellipses"):
        walk_here(tiny_yaml(*SMALLER, ("tokenize: {vocab", tied)), until="edges")
    words = BUCKETS.replace("prose_score", "language_label")
    with pytest.raises(InputError, match="language_label is no number"):
        walk_here(
            tiny_yaml(
                *SMALLER,
                ("gopher: {}", "language: {}"),
                ("gopher_words < 40", "language_probability < 0.3"),
                ("tokenize: {vocab", words),
            ),
            until="edges",
        )


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  wikipedia: {by", "  wikipedi: {by", r"buckets.wikipedi`: there is no source `wikipedi`"),
        (
            "prose_score",
            "prose_scor",
            r"buckets.wikipedia.by`: there is no attribute `prose_scor` .did you mean `prose_s",
        ),
        ("rest: 0.7", "rest: 0.6", r"buckets.wikipedia.shares`: shares must sum to 1, got 0.9"),
        ("rest: 0.7", "rest: -0.7", r"expected shares above 0"),
        ("{top: 0.1, high: 0.2, rest: 0.7}", "{all: 1}", r"at least two buckets"),
        ("top: 0.1", "qa: 0.1", r"buckets.wikipedia.shares.qa`: `wikipedia.qa` is a rewritten variant"),
        ("top: 0.1", "Top: 0.1", r"lower-case"),
    ],
)
def test_mistakes_name_their_place(tiny_yaml, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_mix(tiny_yaml(("tokenize: {vocab", BUCKETS.replace(old, new))))


def test_domains_take_a_source_or_its_buckets(tiny_yaml) -> None:
    """Some buckets alone are a threshold; a source beside its buckets would hold its documents twice."""
    changes = ("tokenize: {vocab", BUCKETS)
    some = tiny_yaml(changes, ("swarm:", "domains: [wikipedia.top, questions, wikipedia.qa]\nswarm:"))
    assert load_mix(some).config.bucket_domains() == ["wikipedia.top"]
    with pytest.raises(InputError, match=r"domains\[0\]`: `wikipedia` holds the documents of its buckets once more"):
        load_mix(tiny_yaml(changes, ("swarm:", "domains: [wikipedia, wikipedia.top, questions]\nswarm:")))
    with pytest.raises(InputError, match="needs its source"):
        load_mix(tiny_yaml(changes, ("swarm:", "domains: [wikipedia.qa, questions]\nswarm:")))


def listed(tiny_yaml, shards: int) -> Run:
    """A run whose stages before `vocabulary` are listed, with so many shards of the source that is in buckets."""
    run = Run.open(load_mix(tiny_yaml(*SMALLER, ("tokenize: {vocab", BUCKETS))))
    names = [*(f"wikipedia/{i:03d}" for i in range(shards)), "questions/000"]
    run.units["sources"] = [Unit("sources", name, 1, {"source": name.split("/")[0], "name": name}) for name in names]
    run.units["select"] = [Unit("select", name, 1, {"name": name}) for name in names]
    run.units["buckets"] = [
        Unit("buckets", f"wikipedia.{part}/{i:03d}", 1, {"domain": f"wikipedia.{part}", "shard": f"wikipedia/{i:03d}"})
        for part in ("top", "high", "rest")
        for i in range(shards)
    ]
    run.units["rewrite"] = [
        Unit("rewrite", f"wikipedia.qa/{i:03d}", 1, {"variant": "wikipedia.qa", "i": i}) for i in range(shards)
    ]
    return run


def test_a_domain_is_read_from_its_own_artefacts(tiny_yaml) -> None:
    run = listed(tiny_yaml, 2)
    ref = {(unit.stage, unit.name): unit.ref for units in run.units.values() for unit in units}
    found = domain_units(run)
    assert list(found) == run.config.domain_names()
    for part in ("top", "high", "rest"):
        assert found[f"wikipedia.{part}"] == [
            (
                f"wikipedia.{part}/{shard}",
                {
                    "documents": ref["sources", f"wikipedia/{shard}"],
                    "selection": ref["buckets", f"wikipedia.{part}/{shard}"],
                },
            )
            for shard in ("000", "001")
        ]
    name = "questions/000"
    assert found["questions"] == [(name, {"documents": ref["sources", name], "selection": ref["select", name]})]
    names = ("wikipedia.qa/000", "wikipedia.qa/001")
    assert found["wikipedia.qa"] == [(name, {"documents": ref["rewrite", name]}) for name in names]


def test_ten_times_the_shards_take_ten_times_as_long(tiny_yaml) -> None:
    """Not a hundred times, as when every bucket unit looked for its shard: that took 13 s, and takes 0.25 s."""
    run = listed(tiny_yaml, 6000)
    for units in run.units.values():
        for unit in units:
            _ = unit.ref  # hashed once
    since = time.perf_counter()
    assert sum(map(len, domain_units(run).values())) == 4 * 6000 + 1
    assert time.perf_counter() - since < 3

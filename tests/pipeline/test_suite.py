"""Eval items in training text: found without their template, dropped or counted, and named by source and eval."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.contamination import SUITE_FILE, save_suite
from classifiers.contamination import build_suite as build
from pipeline.rewrite import without_items
from pipeline.rewriting.base import Rejected, Rewrite
from pipeline.run import Run
from pipeline.suite import item_texts, questions
from proxy_models.readers import read_requests
from tests.pipeline.conftest import SAMPLES, walk_here

words = st.text("abcdef ?", min_size=1, max_size=20).filter(lambda text: text.strip() and ":" not in text)


@given(st.lists(words, min_size=2, max_size=6, unique=True), st.sampled_from(["", "Q: who\nA: he\n\n"]))
def test_questions_are_what_is_between_the_labels(asked: list[str], solved: str) -> None:
    contexts = [f"{solved}Question: {each}\nAnswer:" for each in asked]
    found = questions(contexts)
    assert all(each == want or each == want.lstrip() for each, want in zip(found, asked, strict=True))
    assert questions(asked) == asked, "without labels nothing is taken away"
    assert questions(contexts[:1]) == contexts[:1], "of one item alone nobody can tell"


def test_the_samples_questions_are_told_from_their_templates() -> None:
    texts = {
        name: [text for _, text in item_texts(read_requests(SAMPLES / "evals" / f"{name}.jsonl.gz"))]
        for name in ("arc_easy", "naturalqs", "mbpp", "humaneval")
    }
    assert " ".join(texts["arc_easy"][0].split()) == "Which technology was developed most recently? cellular telephone"
    assert " ".join(texts["naturalqs"][0].split()) == "what is dj's boyfriends name on full house Steve Hale"
    assert texts["mbpp"][0].startswith("Write a python function to remove first and last occurrence")
    assert texts["humaneval"][0].startswith("from typing import List")
    assert not any("Answer:" in text or "```" in text for each in texts.values() for text in each)


Mix = Callable[..., Path]


@pytest.fixture
def planted(tmp_path: Path) -> Mix:
    """Write a mix of two sources in which some documents hold items of two evals."""

    def write(extra: str = "", evals: tuple[str, ...] = ("arc_easy", "openbookqa"), items: int = 400) -> Path:
        held = {
            name: [text for _, text in item_texts(read_requests(SAMPLES / "evals" / f"{name}.jsonl.gz"))][:3]
            for name in ("arc_easy", "openbookqa")
        }
        rest = pl.read_parquet(SAMPLES / "wikipedia.parquet")["text"].to_list()
        both = f"{held['arc_easy'][0]} and {held['openbookqa'][0]}"
        documents = {
            "one": [*rest[:150], both, f"Quiz! {held['arc_easy'][1].upper()}."],
            "two": [*rest[150:300], f"{rest[301]} {held['openbookqa'][1]}"],
        }
        for name, texts in documents.items():
            lines = [json.dumps({"id": str(i), "text": text}) for i, text in enumerate(texts)]
            (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
        sources = [f"  {name}: {{path: {tmp_path}/{name}.jsonl}}" for name in documents]
        chosen = [f"    {name}: {{path: {SAMPLES}/evals/{name}.jsonl.gz, items: {items}}}" for name in evals]
        lines = [
            f"store: {tmp_path}/store",
            "target: {tokens: 1M}",
            "sources:",
            *sources,
            "tokenize: {vocab_size: 400}",
        ]
        lines += ["evals:", "  heldout: {fraction: 0.3}", f"  {extra}", *(["  benchmarks:", *chosen] if chosen else [])]
        (tmp_path / "mix.yaml").write_text("\n".join(lines) + "\n")
        return tmp_path / "mix.yaml"

    return write


def dropped(run: Run) -> dict[str, int]:
    return {unit.name: run.manifest(unit)["counts"]["outcome"].get("contaminated", 0) for unit in run.of("select")}


def matched(run: Run) -> dict[str, dict[str, int]]:
    units = [unit for unit in run.of("annotate") if unit.name.endswith("/contamination")]
    return {unit.name.split("/")[0]: run.manifest(unit)["counts"]["matched"] for unit in units}


def test_documents_that_hold_items_are_dropped_and_counted_for_every_eval(planted: Mix) -> None:
    run = walk_here(planted(), until="select")
    assert dropped(run) == {"one/000": 2, "two/000": 1}
    assert matched(run) == {"one": {"arc_easy": 2, "openbookqa": 1}, "two": {"openbookqa": 1}}
    (suite,) = run.of("suite")
    counts = run.manifest(suite)["counts"]
    assert counts["of"] == {"arc_easy": 300, "openbookqa": 300}
    assert counts["too_short"] == {"arc_easy": 0, "openbookqa": 1}, "`Alligators eat gar`"


def test_items_that_are_not_scored_are_looked_for_too(planted: Mix) -> None:
    """`items` limits what proxies are scored on; a document may hold any item of the file, and other limits change no
    attribute of a document."""
    run = walk_here(planted(items=20), until="select")
    assert dropped(run) == {"one/000": 2, "two/000": 1}
    (suite,) = run.of("suite")
    assert run.manifest(suite)["counts"]["of"] == {"arc_easy": 300, "openbookqa": 300}
    more = walk_here(planted(), until="overlap")
    assert {unit.key for unit in more.of("annotate")} == {unit.key for unit in run.of("annotate")}
    assert more.of("overlap") == [], "the same evals with more of their items are no later ones"


def test_they_may_stay_and_are_counted_all_the_same(planted: Mix) -> None:
    run = walk_here(planted("contamination: {drop: false}"), until="select")
    assert dropped(run) == {"one/000": 0, "two/000": 0}
    assert matched(run) == {"one": {"arc_easy": 2, "openbookqa": 1}, "two": {"openbookqa": 1}}


def test_longer_spans_match_less(planted: Mix) -> None:
    run = walk_here(planted("contamination: {n: 40, drop: true}"), until="select")
    assert matched(run) == {"one": {"arc_easy": 2, "openbookqa": 1}, "two": {"openbookqa": 1}}, "shorter ones are whole"


def test_of_an_eval_that_comes_later_the_items_in_training_text_go(planted: Mix) -> None:
    """Nothing is dropped from training text for it; its items are, and the texts that hold them are counted."""
    first = walk_here(planted(evals=("arc_easy",)), until="tokenize")
    run = walk_here(planted(), until="requests")
    assert {u.ref for u in run.of("tokenize")} == {u.ref for u in first.of("tokenize")}
    found = {unit.name: run.manifest(unit)["counts"] for unit in run.of("overlap")}
    assert sum(each["documents"] for each in found.values()) == sum(each["items"] for each in found.values()) == 1
    assert {name.split("/")[0] for name in found} == {"openbookqa"}
    counts = {unit.name: run.manifest(unit)["counts"] for unit in run.of("requests")}
    assert counts["bench/openbookqa"]["contaminated"] == 1
    assert counts["bench/arc_easy"]["contaminated"] == 0
    items = {name: sum(each[side]["items"] for side in ("steer", "confirm")) for name, each in counts.items()}
    assert (items["bench/openbookqa"], items["bench/arc_easy"]) == (299, 300)
    fewer = walk_here(planted(items=20), until="requests")
    assert {u.ref for u in fewer.of("overlap")} == {u.ref for u in run.of("overlap")}
    counts = {unit.name: fewer.manifest(unit)["counts"] for unit in fewer.of("requests")}["bench/openbookqa"]
    assert counts["contaminated"] == 20 - sum(counts[side]["items"] for side in ("steer", "confirm")) <= 1


def test_the_first_eval_of_a_run_without_any_comes_late_too(planted: Mix) -> None:
    """The run's proxies were trained on held-out evals alone, and stay."""
    first = walk_here(planted(evals=()), until="tokenize")
    assert not [unit for unit in first.of("annotate") if unit.name.endswith("/contamination")]
    run = walk_here(planted(evals=("openbookqa",)), until="requests")
    assert {u.ref for u in run.of("tokenize")} == {u.ref for u in first.of("tokenize")}
    counts = {unit.name: run.manifest(unit)["counts"] for unit in run.of("requests")}
    assert counts["bench/openbookqa"]["contaminated"] == 2


@given(st.lists(st.lists(st.booleans(), max_size=3), max_size=5))
def test_rewritten_texts_that_hold_an_item_are_refused(tmp_path_factory: pytest.TempPathFactory, made: list) -> None:
    folder = tmp_path_factory.getbasetemp()
    item = "which of these is the largest planet of the solar system jupiter"
    save_suite(build([("quiz", item)]), folder / SUITE_FILE)
    texts = [[f"{item} {i}" if bad else f"nothing {i}" for i, bad in enumerate(each)] for each in made]
    rows = [({"id": i}, [Rewrite(text) for text in each], [Rejected("dull", "x")]) for i, each in enumerate(texts)]
    found = list(without_items(rows, folder))
    assert [row for row, _, _ in found] == [row for row, _, _ in rows]
    for (_, accepted, refused), each, bad in zip(found, texts, made, strict=True):
        assert [rewrite.text for rewrite in accepted] == [t for t, b in zip(each, bad, strict=True) if not b]
        contaminated = [Rejected("contaminated", t) for t, b in zip(each, bad, strict=True) if b]
        assert refused == [Rejected("dull", "x"), *contaminated]
    assert list(without_items(rows, None)) == rows

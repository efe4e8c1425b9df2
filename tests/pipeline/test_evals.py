"""Protects evals as units: what a metric costs, what stays when it changes, and that items are never torn apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline import evals
from pipeline.errors import InputError
from pipeline.load import load_mix
from pipeline.run import Run
from pipeline.tasks import is_accuracy, measured_value, requests_of, task_names, with_accuracies
from pipeline.units import Job
from proxy_models.requests import load_requests
from tests.pipeline.conftest import walk_here

ITEMS = "items: 60}"
Write = Callable[..., Path]


def _units(path: Path) -> list[tuple[str, str]]:
    run = Run.open(load_mix(path))
    return [(unit.name, unit.key) for unit in evals.benchmark_units(run)]


def _with(tiny_yaml: Write, *metrics: str) -> Path:
    return tiny_yaml((ITEMS, f"items: 60, metric: [{', '.join(metrics)}]}}"))


def test_another_metric_of_the_same_rows_asks_for_the_same_units(tiny_yaml: Write) -> None:
    plain = _units(tiny_yaml())
    assert _units(_with(tiny_yaml, "bpb")) == plain
    choices = _units(_with(tiny_yaml, "acc"))
    assert choices[0] == plain[0], "the gold continuations stay what the suite and the items go by"
    assert [name for name, _ in choices] == ["arc_easy", "arc_easy|choices"]
    for metrics in (("bpb", "acc"), ("acc_per_char", "acc_per_byte"), ("acc_per_byte", "bpb", "acc")):
        assert _units(_with(tiny_yaml, *metrics)) == choices
    assert [name for name, _ in _units(_with(tiny_yaml, "acc_uncond"))] == ["arc_easy", "arc_easy|unconditional"]


def test_the_key_of_a_bpb_benchmark_is_what_it_was_before_there_were_other_metrics(tiny_yaml: Write) -> None:
    run = Run.open(load_mix(tiny_yaml()))
    (unit,) = evals.benchmark_units(run)
    assert set(unit.args) == {"content", "items", "seed"}
    assert unit.version == 1


def test_tasks_are_named_by_their_metric(tiny_yaml: Write) -> None:
    config = load_mix(_with(tiny_yaml, "bpb", "acc", "acc_uncond")).config
    tasks = task_names(config)
    assert tasks[-3:] == ["bench/arc_easy", "bench/arc_easy.acc", "bench/arc_easy.acc_uncond"]
    assert [is_accuracy(task) for task in tasks[-3:]] == [False, True, True]
    assert {requests_of(task) for task in tasks[-3:]} == {"bench/arc_easy"}
    assert with_accuracies({"maximise": ["x"], "force": []}, tasks) == {"maximise": ["x", *tasks[-2:]], "force": []}


def test_a_task_reads_its_own_number() -> None:
    counts = {"score|run-1|bench/a": {"bpb": 1.5, "acc": 0.25, "acc_per_char": 0.5}}
    job = Job({}, {}, {}, Path(), counts.__getitem__)
    assert [measured_value(job, "run-1", f"bench/a{end}") for end in ("", ".acc", ".acc_per_char")] == [1.5, 0.25, 0.5]


@pytest.mark.parametrize(
    ("new", "text"),
    [
        ("metric: accuracy}", r"`evals.benchmarks.arc_easy.metric\[0\]`: .*'bpb', 'acc', .*got 'accuracy'"),
        ("metric: []}", r"`evals.benchmarks.arc_easy.metric`: expected at least 1 of them, got 0"),
        ("metric: [acc, acc]}", r"`evals.benchmarks.arc_easy.metric`: a metric stands twice"),
        ("format: olmess}", r"`evals.benchmarks.arc_easy.format`: .*did you mean `olmes`"),
    ],
)
def test_wrong_metrics_and_formats_are_named_with_their_line(tiny_yaml: Write, new: str, text: str) -> None:
    with pytest.raises(InputError, match=rf"tiny.yaml:\d+: {text}"):
        load_mix(tiny_yaml((ITEMS, f"items: 60, {new}")))


def test_bits_per_byte_of_minimal_pairs_are_refused(tiny_yaml: Write, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"sentence_good": "They are.", "sentence_bad": "They is.", "UID": "a", "pairID": "0"}\n')
    good = tiny_yaml((ITEMS, f"items: 60}}\n    pairs: {{path: {pairs}, metric: acc}}"))
    assert task_names(load_mix(good).config)[-1] == "bench/pairs.acc"
    with pytest.raises(InputError, match=r"pairs.metric`: blimp has no context to answer.* expected one of acc, "):
        load_mix(tiny_yaml((ITEMS, f"items: 60}}\n    pairs: {{path: {pairs}}}")))


def test_accuracies_of_what_has_no_choices_are_refused(tiny_yaml: Write) -> None:
    path = tiny_yaml(("arc_easy.jsonl.gz", "lambada.jsonl.gz"), (ITEMS, "items: 60, metric: acc}"))
    with pytest.raises(InputError, match=r"lambada.jsonl.gz: item \d+ has no choices: .* only bpb"):
        walk_here(path, until="benchmarks")


def test_unconditional_accuracy_needs_rows_without_the_question(tiny_yaml: Write, tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text('{"sentence_good": "They are.", "sentence_bad": "They is.", "UID": "a", "pairID": "0"}\n')
    with pytest.raises(InputError, match=r"pairs.jsonl: item a/0 has no rows without the question"):
        walk_here(tiny_yaml((ITEMS, f"items: 60}}\n    p: {{path: {pairs}, metric: acc_uncond}}")), until="benchmarks")


def test_all_choices_of_the_same_items_stand_on_the_same_sides(curated: Run, tmp_path: Path) -> None:
    """A benchmark under an accuracy has the items, the sides and the gold rows that it has under bits per byte."""
    unit = evals.benchmark_units(curated)[0]
    out = tmp_path / "benchmark"
    out.mkdir()
    evals.read_benchmark(Job({**unit.args, "rows": "unconditional"}, {}, unit.place, out, lambda _: {}))
    (requests,) = [each for each in curated.of("requests") if each.name == "bench/arc_easy"]
    vocabulary = curated.store.local(curated.of("vocabulary")[0].ref)
    encoded = tmp_path / "requests"
    encoded.mkdir()
    job = Job(requests.args, {"vocabulary": vocabulary, "benchmark": out}, {}, encoded, lambda _: {})
    counts = evals.encode_requests(job)
    plain: dict[str, Any] = curated.manifest(requests)["counts"]
    lines = [json.loads(line) for line in (out / "requests.jsonl").read_text().splitlines()]
    for side in evals.SIDES:
        gold = load_requests(curated.store.local(requests.ref) / f"{side}.npz")
        every = load_requests(encoded / f"{side}.npz")
        assert every.items.tolist() == gold.items.tolist()
        assert len(every) == sum(line["item"] in set(gold.items.tolist()) for line in lines)
        assert every.has_choices
        assert not gold.has_choices
        for key in ("items", "bytes"):
            assert counts[side][key] == plain[side][key]
        chosen = every.gold & ~every.unconditional
        np.testing.assert_array_equal(every.bytes[chosen], gold.bytes)
        np.testing.assert_array_equal(every.items[every.item[chosen]], gold.items[gold.item])

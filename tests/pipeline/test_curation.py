"""Curation on real documents: counts add up, nothing held out is trained on, a changed setting redoes only its part."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from classifiers.duplicates import exact_hash
from pipeline.documents import selected
from pipeline.errors import BadDataError, InputError
from pipeline.evals import _excerpts
from pipeline.funnel import funnel
from pipeline.run import Run
from pipeline.select import is_heldout
from pipeline.walk import grouped
from proxy_models.requests import Request
from tests.pipeline.conftest import walk_here


def documents(run: Run, split: str) -> dict[str, pl.DataFrame]:
    """Return shard → its documents on one side of the split."""
    selections = {unit.name: unit for unit in run.of("select")}
    return {
        shard.name: pl.concat(
            selected(
                run.store.local(shard.ref) / "documents.parquet",
                run.store.local(selections[shard.name].ref) / "selection.parquet",
                split,
                ["id", "text", "group", "truth"],
            )
        )
        for shard in run.of("sources")
    }


def training_texts(run: Run) -> list[str]:
    """Return every text that a proxy can read, decoded from the token arrays themselves."""
    (vocabulary,) = run.of("vocabulary")
    tokenizer = Tokenizer.from_file(str(run.store.local(vocabulary.ref) / "tokenizer.json"))
    end = tokenizer.token_to_id("<|endoftext|>")
    texts = []
    for unit in run.of("tokenize"):
        ids = np.fromfile(run.store.local(unit.ref) / "tokens.bin", dtype="<u2")
        ends = np.flatnonzero(ids == end)
        texts += [tokenizer.decode(part[part != end].tolist()) for part in np.split(ids, ends + 1)[:-1]]
    return texts


def test_in_equals_kept_plus_dropped_for_every_source(curated: Run) -> None:
    frame = funnel(curated)
    for source in curated.config.sources:
        rows = frame.filter(pl.col("name") == source)
        read = rows.filter((pl.col("stage") == "sources") & (pl.col("reason") == "read"))["documents"].sum()
        decided = rows.filter(pl.col("stage") == "select")
        assert read == decided["documents"].sum()
        assert decided.filter(pl.col("reason") == "heldout")["documents"].sum() > 0
        trained = rows.filter(pl.col("stage") == "tokenize")["documents"].sum()
        assert trained == decided.filter(pl.col("reason") == "train")["documents"].sum()


def test_one_task_scores_a_shard_with_all_its_scorers(curated: Run) -> None:
    tasks = grouped(curated, curated.of("annotate"))
    assert len(tasks) == len(curated.of("sources"))
    assert {len({unit.inputs["documents"] for unit in task}) for task in tasks} == {1}
    assert sorted(unit.name for task in tasks for unit in task) == sorted(u.name for u in curated.of("annotate"))


def test_the_held_out_split_shares_no_document_raw_or_rewritten_with_training(curated: Run) -> None:
    heldout, train = documents(curated, "heldout"), documents(curated, "train")
    held_ids = {(name.split("/")[0], i) for name, frame in heldout.items() for i in frame["id"]}
    assert held_ids
    assert not held_ids & {(name.split("/")[0], i) for name, frame in train.items() for i in frame["id"]}
    groups = [{g for frame in side.values() for g in frame["group"]} for side in (heldout, train)]
    assert not groups[0] & groups[1], "a group fell on both sides"
    rewritten = set()
    for unit in curated.of("rewrite"):
        frame = pl.read_parquet(curated.store.local(unit.ref) / "documents.parquet")
        assert len(frame)
        rewritten |= {(unit.name.split(".")[0], origin) for origin in frame["origin"]}
    assert not held_ids & rewritten, "a held-out document was rewritten for training"
    trained = training_texts(curated)
    hashes = {exact_hash(text) for text in trained}
    everything = " ".join(" ".join(text.split()) for text in trained)
    for frame in heldout.values():
        for text, truth in zip(frame["text"], frame["truth"], strict=True):
            assert exact_hash(text) not in hashes
            middle = " ".join((truth or text).split())
            middle = middle[len(middle) // 3 :][:200]
            assert len(middle) < 100 or middle not in everything, "held-out text stands inside a training document"


def test_requests_are_held_out_documents_and_steer_and_confirm_share_no_item(curated: Run) -> None:
    heldout = documents(curated, "heldout")
    for unit in curated.of("requests"):
        folder = curated.store.local(unit.ref)
        sides = [
            set(np.load(folder / f"{side}.npz", allow_pickle=False)["items"].tolist()) for side in ("steer", "confirm")
        ]
        assert all(sides)
        assert not sides[0] & sides[1]
        if unit.name.startswith("heldout/"):
            source = unit.name.split("/")[1]
            known = {i for name, frame in heldout.items() if name.split("/")[0] == source for i in frame["id"]}
            assert sides[0] | sides[1] <= known


def test_held_out_ocr_is_scored_on_its_ground_truth(curated: Run) -> None:
    (vocabulary,) = curated.of("vocabulary")
    tokenizer = Tokenizer.from_file(str(curated.store.local(vocabulary.ref) / "tokenizer.json"))
    (unit,) = [unit for unit in curated.of("requests") if unit.name == "heldout/ocr"]
    arrays = np.load(curated.store.local(unit.ref) / "steer.npz", allow_pickle=False)
    text = tokenizer.decode(arrays["tokens"][: arrays["offsets"][1]].tolist()).strip()[:60]
    truths = [truth for frame in documents(curated, "heldout").values() for truth in frame["truth"] if truth]
    assert any(text in truth for truth in truths)


@given(st.text(min_size=1, max_size=20), st.integers(0, 5))
def test_the_split_depends_on_group_and_seed_alone_and_is_nested_in_the_fraction(group: str, seed: int) -> None:
    sides = [is_heldout(group, fraction, seed) for fraction in (0.1, 0.3, 0.9)]
    assert sides == sorted(sides)
    assert sides[0] == is_heldout(group, 0.1, seed)


def test_the_split_holds_out_the_stated_share() -> None:
    held = sum(is_heldout(str(i), 0.2, 1) for i in range(10_000))
    assert 0.18 < held / 10_000 < 0.22


def test_a_changed_threshold_runs_no_scorer_again(curated: Run, tiny_yaml) -> None:
    changed = with_store(tiny_yaml(("gopher_words < 40", "gopher_words < 60")), curated)
    fresh = Run.open(load(changed))
    todo = missing(fresh, until="select")
    assert {stage: count for stage, count in todo.items() if count} == {"select": 4}


def test_an_added_eval_changes_nothing_that_is_trained(curated: Run, tiny_yaml) -> None:
    evals = f"items: 60}}\n    openbookqa: {{path: {Path(__file__).parents[2]}/samples/evals/openbookqa.jsonl.gz"
    changed = with_store(tiny_yaml(("items: 60", evals)), curated)
    todo = missing(Run.open(load(changed)), until="tokenize")
    assert {stage: count for stage, count in todo.items() if count} == {"benchmarks": 1}


def test_an_added_source_leaves_the_others_as_they_are(
    curated: Run, tiny_yaml, tiny_data: Path, tmp_path: Path
) -> None:
    extra = tmp_path / "extra.jsonl"
    rows = pl.read_parquet(Path(__file__).parents[2] / "samples" / "speeches.parquet").head(30)
    extra.write_text("\n".join(json.dumps({"id": i, "text": t}) for i, t in zip(rows["id"], rows["text"], strict=True)))
    changed = with_store(tiny_yaml(("annotate:", f"  extra: {{path: {extra}}}\nannotate:")), curated)
    todo = missing(Run.open(load(changed)), until="rewrite")
    assert todo["sources"] == 1
    assert todo["annotate"] == 6, "six scorers over the one new shard"
    assert todo["select"] == 1
    assert todo["rewrite"] == todo["classifiers"] == 0


def load(path: Path):
    from pipeline.load import load_mix

    return load_mix(path)


def with_store(path: Path, run: Run) -> Path:
    """Point a YAML at the store of a finished run."""
    lines = [
        f"store: {run.store.root}" if line.startswith("store:") else line for line in path.read_text().splitlines()
    ]
    path.write_text("\n".join(lines))
    return path


def missing(run: Run, until: str) -> Counter[str]:
    """Return stage → units that would run, up to a stage (as far as they are known)."""
    from pipeline.plan import plan

    todo: Counter[str] = Counter()
    for stage in plan(run):
        todo[stage.stage] = stage.todo
        if stage.stage == until:
            break
    return todo


def test_bad_records_are_counted_and_above_the_share_the_run_stops(tiny_yaml, tmp_path: Path) -> None:
    bad = tmp_path / "bad.jsonl"
    lines = [json.dumps({"id": i, "text": f"document {i} " + "with some words " * 30}) for i in range(30)]
    bad.write_text("\n".join([*lines, "not json", json.dumps({"id": 3, "text": "again"}), json.dumps({"id": 99})]))
    path = tiny_yaml(("annotate:", f"  bad: {{path: {bad}, max_bad_fraction: 0.2}}\nannotate:"))
    run = walk_here(path, until="sources")
    (unit,) = [unit for unit in run.of("sources") if unit.args["source"] == "bad"]
    counts = run.manifest(unit)["counts"]
    assert (counts["documents"], counts["quarantined"], counts["skipped"]) == (30, 2, {"repeated id": 1})
    assert counts["reasons"] == {"not JSON": 1, "field `text` holds no text": 1}
    reasons = pl.read_parquet(run.store.local(unit.ref) / "quarantine.parquet")["reason"].to_list()
    assert reasons == ["not JSON: Expecting value", "field `text` holds no text"]
    path.write_text(path.read_text().replace("max_bad_fraction: 0.2", "max_bad_fraction: 0.01"))
    with pytest.raises(BadDataError, match="source `bad`: 2 of 32 records are unreadable") as caught:
        walk_here(path, until="sources")
    assert caught.value.exit_code == 3


def test_rules_that_leave_nothing_say_so_with_the_reasons(tiny_yaml) -> None:
    path = tiny_yaml(("gopher_words < 40", "gopher_words < 1000000"))
    with pytest.raises(
        InputError, match=r"`sources.wikipedia`: no document is left for train \(dropped: too_short \d+"
    ):
        walk_here(path, until="select")


def test_a_benchmark_that_mostly_does_not_fit_the_context_is_refused(tiny_yaml) -> None:
    path = tiny_yaml(("arc_easy.jsonl.gz", "humaneval.jsonl.gz"))
    with pytest.raises(InputError, match=r"`evals.benchmarks.arc_easy`: \d+% of its contexts do not fit .* 128 tokens"):
        walk_here(path, until="requests")


def test_a_source_without_documents_is_wrong_input(tiny_yaml, tmp_path: Path) -> None:
    empty = tmp_path / "none.parquet"
    pl.DataFrame({"id": [], "text": []}, schema={"id": pl.String, "text": pl.String}).write_parquet(empty)
    path = tiny_yaml(("annotate:", f"  none: {{path: {empty}}}\nannotate:"))
    with pytest.raises(InputError, match=r"tiny.yaml:\d+: `sources.none.path`: .* holds no document"):
        walk_here(path, until="sources")


@given(st.lists(st.integers(1, 400), min_size=1, max_size=20), st.integers(1, 3000), st.integers(0, 3))
def test_excerpts_take_from_every_document_and_stay_within_the_limit(lengths: list[int], most: int, seed: int) -> None:
    requests = [Request(item=str(i), context="", continuation="x" * n) for i, n in enumerate(lengths)]
    excerpts = _excerpts(requests, most, seed)
    assert sum(len(each.continuation) for each in excerpts) <= most
    if most >= sum(lengths):
        assert excerpts == requests, "nothing is cut without need"
    if most >= len(lengths):
        assert len(excerpts) == len(requests)
    assert all(each.continuation in requests[int(each.item)].continuation for each in excerpts)

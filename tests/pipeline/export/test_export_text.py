"""Protects exports of the mix and of text: every kept document once, none that is held out, the weights as they are."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
import yaml
from datasets import Dataset, interleave_datasets, load_dataset

from pipeline.export.texts import COLUMNS
from pipeline.run import Run
from tests.pipeline.export.conftest import WEIGHTS, Exported


def test_yaml_json_and_csv_say_the_same(exported: Callable[[str], Exported]) -> None:
    plain = exported("json").json("mix.json")
    assert {name: row["weight"] for name, row in plain["domains"].items()} == WEIGHTS
    assert yaml.safe_load((exported("yaml").folder / "mix.yaml").read_text()) == plain
    with open(exported("csv").folder / "mix.csv", encoding="utf-8") as file:
        rows = {row.pop("domain"): row for row in csv.DictReader(file)}
    assert {name: {key: json.loads(value) for key, value in row.items()} for name, row in rows.items()} == plain[
        "domains"
    ]


def test_tokens_and_repetition_are_those_of_the_target_run(exported: Callable[[str], Exported], own_ids) -> None:
    plain = exported("json").json("mix.json")
    assert plain["target_tokens"] == 400_000
    for name, row in plain["domains"].items():
        assert row["available_tokens"] == len(own_ids[name])
        assert row["target_tokens"] == WEIGHTS[name] * 400_000
        assert row["repetition"] == pytest.approx(row["target_tokens"] / row["available_tokens"], abs=1e-6)
    assert plain["domains"]["wikipedia"]["repetition"] > 1 > plain["domains"]["ocr.clean"]["repetition"]


def test_the_documents_are_those_that_the_run_trains_on(exported: Callable[[str], Exported], curated: Run) -> None:
    folder = exported("parquet").folder
    train, heldout = set(), set()
    selections = {unit.name: unit.ref for unit in curated.of("select")}
    for shard in curated.of("sources"):
        table = pl.read_parquet(curated.store.local(shard.ref) / "documents.parquet")
        split = pl.read_parquet(curated.store.local(selections[shard.name]) / "selection.parquet")["split"]
        source = shard.name.split("/")[0]
        train |= {(source, *row) for row in table.filter(split == "train").select("id", "text").iter_rows()}
        heldout |= {(source, *row) for row in table.filter(split == "heldout").select("id", "text").iter_rows()}
    assert heldout
    for name in ("wikipedia", "questions"):
        rows = pl.read_parquet(folder / name / "*.parquet")
        assert rows.columns == list(COLUMNS)
        found = {(name, *row) for row in rows.select("id", "text").iter_rows()}
        assert len(rows) == len(found)
        assert found == {row for row in train if row[0] == name}
        assert not found & heldout
        assert rows["fields"].null_count() == 0
    assert sorted(path.name for path in (folder / "wikipedia").iterdir()) == ["000.parquet", "001.parquet"]
    assert not (folder / "ocr").exists(), "its weight is 0"


def test_rewritten_documents_say_what_they_were_made_from(exported: Callable[[str], Exported]) -> None:
    rows = pl.read_parquet(exported("parquet").folder / "wikipedia.qa" / "*.parquet")
    raw = pl.read_parquet(exported("parquet").folder / "wikipedia" / "*.parquet")
    assert set(rows["origin"]) <= set(raw["id"]), "nothing is made from a held-out document"
    assert {json.loads(made)["task"] for made in rows["made_by"]} == {"wiki_qa"}
    assert set(rows["license"]) == {"CC-BY-SA-4.0"}


def loaded(kind: str, files: str, cache: Path) -> Dataset:
    data = load_dataset(kind, data_files=files, split="train", cache_dir=str(cache))
    assert isinstance(data, Dataset)
    return data


def test_json_lines_hold_the_same_documents(exported: Callable[[str], Exported], tmp_path: Path) -> None:
    parquet = loaded("parquet", f"{exported('parquet').folder}/questions/*.parquet", tmp_path)
    lines = loaded("json", f"{exported('jsonl').folder}/questions/*.jsonl", tmp_path)
    assert lines["id"][:] == parquet["id"][:]
    assert lines["text"][:] == parquet["text"][:]


def test_interleaved_data_sets_have_the_weights_in_tokens(
    exported: Callable[[str], Exported], curated: Run, tmp_path: Path
) -> None:
    """The real library, its own arguments: 40 passes over the documents, counted in tokens."""
    from tokenizers import Tokenizer

    export = exported("interleave")
    plan = export.json("interleave.json")
    assert sum(plan["interleave_datasets"]["probabilities"]) == pytest.approx(1)
    tokenizer = Tokenizer.from_file(str(curated.store.local(export.mix.vocabulary) / "tokenizer.json"))
    counted = []
    for name, files in zip(plan["names"], plan["data_files"], strict=True):
        data = loaded("parquet", files, tmp_path)
        lengths = [len(each.ids) + 1 for each in tokenizer.encode_batch(data["text"][:])]
        counted.append(Dataset.from_dict({"name": [name] * len(data), "tokens": lengths}).repeat(40))
    mixed = interleave_datasets(counted, **plan["interleave_datasets"])
    frame = pl.DataFrame({name: mixed[name][:] for name in ("name", "tokens")})
    tokens = dict(frame.group_by("name").agg(pl.col("tokens").sum()).iter_rows())
    error = export.error(tokens)
    print(f"interleave_datasets: {error:.4%} of {sum(tokens.values()):,} tokens")
    assert error < 0.01
    documents = dict(frame.group_by("name").len().iter_rows())
    assert export.error(documents) > 0.05, "by documents the shares are others, so that the division matters"

"""Copies across shards and sources: the first survives, whatever the parts; a source at the end changes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import duplicates
from pipeline.run import Run
from tests.pipeline.conftest import walk_here


def text(topic: int, edits: int = 0) -> str:
    """A text of 300 words that belongs to a topic, with a number of words changed."""
    words = [f"w{i}" for i in np.random.default_rng(topic).integers(0, 4000, 300)]
    for i in range(edits):
        words[7 + 31 * i] = f"edit{i}"
    return " ".join(words)


def write_mix(folder: Path, sources: dict[str, list[list[tuple[str, str]]]], licenses: str = "") -> Path:
    """Write shards of (text, licence) and a mix over them, sources in the order given."""
    lines = [f"store: {folder}/store", "target: {tokens: 1M}", "sources:"]
    for name, shards in sources.items():
        for i, shard in enumerate(shards):
            rows = [{"id": f"{i}-{j}", "text": t, "license": given} for j, (t, given) in enumerate(shard)]
            (folder / f"{name}-{i}.jsonl").write_text("\n".join(map(json.dumps, rows)) + "\n")
        lines.append(f'  {name}: {{path: "{folder}/{name}-*.jsonl", license_field: license}}')
    (folder / "mix.yaml").write_text("\n".join([*lines, licenses]) + "\n")
    return folder / "mix.yaml"


def marks(run: Run) -> dict[str, dict[str, str]]:
    """Return source → shard/row → what it repeats."""
    found: dict[str, dict[str, str]] = {}
    for unit in run.of("duplicates"):
        files = sorted(run.store.local(unit.ref).glob("*.parquet"))
        found[unit.name] = {
            f"{file.stem}/{row}": original for file in files for row, original in pl.read_parquet(file).iter_rows()
        }
    return found


def free(*texts: str) -> list[tuple[str, str]]:
    return [(each, "MIT") for each in texts]


FIRST = [free(text(1), text(2)), free(text(3), text(1, edits=2))]
SECOND = [free(text(4), text(2), text(4, edits=1)), free(text(5), text(4))]


def test_copies_are_found_across_shards_and_sources(tmp_path: Path) -> None:
    rest = [free(*(text(topic) for topic in range(100, 140))), free(*(text(topic) for topic in range(140, 180)))]
    run = walk_here(write_mix(tmp_path, {"a": [*FIRST, rest[0]], "b": [*SECOND, rest[1]]}), until="select")
    assert marks(run) == {"a": {"001/1": "a:0-0"}, "b": {"000/1": "a:0-1", "000/2": "b:0-0", "001/1": "b:0-0"}}
    (unit,) = [unit for unit in run.of("duplicates") if unit.name == "b"]
    assert run.manifest(unit)["counts"] == {"duplicates": 3, "clusters": 2}
    dropped = {unit.name: run.manifest(unit)["counts"]["outcome"].get("duplicate", 0) for unit in run.of("select")}
    assert dropped == {"a/000": 0, "a/001": 1, "a/002": 0, "b/000": 2, "b/001": 1, "b/002": 0}


def test_a_source_at_the_end_changes_nothing_before_it_and_the_order_of_earlier_ones_nothing_after(
    tmp_path: Path,
) -> None:
    def units(*names: str) -> dict[str, str]:
        sources = {"a": FIRST, "b": SECOND, "c": [free(text(6), text(1))]}
        run = walk_here(write_mix(tmp_path, {name: sources[name] for name in names}), until="duplicates")
        return {unit.name: unit.ref for unit in run.of("duplicates")}

    two, three, turned = units("a", "b"), units("a", "b", "c"), units("b", "a", "c")
    assert two.items() < three.items()
    assert turned["c"] == three["c"]
    assert turned["a"] != three["a"]


def test_a_document_that_may_not_be_used_is_no_copy_of_an_allowed_one(tmp_path: Path) -> None:
    """The first copy has a licence that is not allowed: it goes for that, and the second one stays."""
    sources = {"a": [[(text(1), "NC"), (text(2), "MIT")], free(text(1), text(2))], "b": [free(text(3), text(1))]}
    assert marks(walk_here(write_mix(tmp_path, sources), until="duplicates")) == {
        "a": {"001/0": "a:0-0", "001/1": "a:0-1"},
        "b": {"000/1": "a:0-0"},
    }
    run = walk_here(write_mix(tmp_path, sources, "licenses: {allow: [MIT]}"), until="duplicates")
    assert marks(run) == {"a": {"001/1": "a:0-1"}, "b": {"000/1": "a:1-0"}}


@settings(max_examples=6)
@given(
    first=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=8),
    second=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=8),
    cut=st.integers(1, 7),
    size=st.sampled_from([500, 2000, 9000]),
)
def test_parts_change_nothing(
    tmp_path_factory: pytest.TempPathFactory, first: list, second: list, cut: int, size: int
) -> None:
    """One survivor a topic: its first document, in the order of sources, shards and rows."""
    folder = tmp_path_factory.mktemp("parts")
    made = {"a": [part for part in (first[:cut], first[cut:]) if part], "b": [second]}
    sources = {name: [free(*(text(*each) for each in part)) for part in parts] for name, parts in made.items()}
    whole = marks(walk_here(write_mix(folder, sources), until="duplicates"))
    (folder / "again").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(duplicates, "PART_BYTES", size)
        run = walk_here(write_mix(folder / "again", sources), until="duplicates")
    total = sum(file.stat().st_size for file in folder.glob("*.jsonl"))
    assert len([unit for unit in run.of("matches") if unit.args["source"] == "b"]) == 1 + total // size
    assert marks(run) == whole
    seen: dict[int, str] = {}
    expected: dict[str, dict[str, str]] = {"a": {}, "b": {}}
    for name, parts in made.items():
        for i, part in enumerate(parts):
            for j, (topic, _) in enumerate(part):
                original = seen.setdefault(topic, f"{name}:{i}-{j}")
                if original != f"{name}:{i}-{j}":
                    expected[name][f"{i:03d}/{j}"] = original
    assert whole == expected

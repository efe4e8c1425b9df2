"""Licences are known from a document to the mix, and what is masked is masked before anything is known about it."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.load import load_mix
from pipeline.report import mixed
from pipeline.run import Run
from tests.pipeline.conftest import SAMPLES, walk_here

TEXTS = pl.read_parquet(SAMPLES / "wikipedia.parquet")["text"].to_list()


def write_mix(folder: Path, first: str = "license_field: license", rest: str = "") -> Path:
    """Write a mix over two sources, of which the first has documents under two licences and some without."""
    for name, texts in (("a", TEXTS[:120]), ("b", TEXTS[200:260])):
        rows = [{"id": str(i), "text": text, "license": [None, "MIT", "GPL"][i % 3]} for i, text in enumerate(texts)]
        rows[0]["text"] += " Write to jo@uni.edu from 8.8.8.8 or 10.0.0.1."
        if name == "a":
            rows = [{k: v for k, v in row.items() if v is not None} for row in rows]
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, rows)))
    lines = [f"store: {folder}/store", "target: {tokens: 1M}", "sources:"]
    lines += [f"  a: {{path: {folder}/a.jsonl, {first}}}", f"  b: {{path: {folder}/b.jsonl, license: CC0}}"]
    lines += ["evals: {heldout: {fraction: 0.2}}", "tokenize: {vocab_size: 400}", rest]
    (folder / "mix.yaml").write_text("\n".join(lines) + "\n")
    return folder / "mix.yaml"


def license_shares(run: Run) -> dict[str, dict[str, float]]:
    counts = {unit.name.split("/")[0]: run.manifest(unit)["counts"] for unit in run.of("tokenize")}
    return {
        name: {lic: tokens / each["target_tokens"] for lic, tokens in each["licenses"].items()}
        for name, each in counts.items()
    }


def outcome(run: Run, name: str) -> dict[str, int]:
    (unit,) = [unit for unit in run.of("select") if unit.name == name]
    return run.manifest(unit)["counts"]["outcome"]


def test_shares_of_licences_are_shares_of_tokens(tmp_path: Path) -> None:
    run = walk_here(write_mix(tmp_path, "license: MIT"), until="tokenize")
    assert license_shares(run) == {"a": {"MIT": 1.0}, "b": {"CC0": 1.0}}


def test_licences_that_are_not_allowed_are_dropped_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    every = walk_here(write_mix(tmp_path / "all"), until="tokenize")
    shares = license_shares(every)
    assert shares["a"].keys() == {"GPL", "MIT", "unknown"}
    assert sum(shares["a"].values()) == pytest.approx(1)
    run = walk_here(write_mix(tmp_path, rest="licenses: {allow: [MIT, CC0]}"), until="tokenize")
    assert outcome(run, "a/000")["license"] == 80, "documents without a licence are not allowed either"
    assert "license" not in outcome(run, "b/000")
    assert license_shares(run) == {"a": {"MIT": 1.0}, "b": {"CC0": 1.0}}


mixes = st.dictionaries(st.sampled_from("abcd"), st.floats(0.01, 1), min_size=1)
shares = st.dictionaries(st.sampled_from(["MIT", "GPL", "unknown", "CC0"]), st.floats(0.01, 1), min_size=1)


@given(mixes, st.fixed_dictionaries(dict.fromkeys("abcd", shares)))
def test_the_licences_of_a_mix_are_those_of_its_domains(weights: dict, of: dict) -> None:
    weights = {name: weight / sum(weights.values()) for name, weight in weights.items()}
    of = {name: {lic: share / sum(each.values()) for lic, share in each.items()} for name, each in of.items()}
    found = mixed(weights, of)
    assert sum(found.values()) == pytest.approx(1)
    for name, share in found.items():
        assert share == pytest.approx(sum(w * of[domain].get(name, 0) for domain, w in weights.items()), abs=1e-8)


def test_addresses_are_masked_before_documents_are_stored_and_only_where_asked(tmp_path: Path) -> None:
    run = walk_here(write_mix(tmp_path, "license: MIT, mask: [ip, email]"), until="sources")
    texts, counts = {}, {}
    for unit in run.of("sources"):
        texts[unit.args["source"]] = pl.read_parquet(run.store.local(unit.ref) / "documents.parquet")["text"][0]
        counts[unit.args["source"]] = run.manifest(unit)["counts"]
    assert texts["a"].endswith("Write to email@example.com from 192.0.2.1 or 10.0.0.1.")
    assert texts["b"].endswith("Write to jo@uni.edu from 8.8.8.8 or 10.0.0.1.")
    assert counts["a"]["masked"] == {"email": 1, "ip": 1}
    assert "masked" not in counts["b"]
    (tmp_path / "off").mkdir()
    off = walk_here(write_mix(tmp_path / "off", "license: MIT"), until="sources")
    keys = [unit.key for unit in run.of("sources")], [unit.key for unit in off.of("sources")]
    assert keys[0][0] != keys[1][0]
    assert keys[0][1] == keys[1][1], "asking for it in one source leaves the others as they are"


def test_an_unknown_kind_of_personal_data_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"mix.yaml:4: `sources.a.mask\[0\]`: .*'email' or 'ip'"):
        load_mix(write_mix(tmp_path, "mask: [phone]"))

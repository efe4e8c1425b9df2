"""The committed sample data: its form, its papers (README, licences), and the separations it promises."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import polars as pl
import pytest

from samples.builders.evals import EVALS, UNCONDITIONAL

SAMPLES = Path(__file__).parents[2] / "samples"
SOURCES = ("wikipedia", "code", "papers", "questions", "speeches", "proofs", "ocr")
README = (SAMPLES / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def tables() -> dict[str, pl.DataFrame]:
    return {name: pl.read_parquet(SAMPLES / f"{name}.parquet") for name in SOURCES}


def readme_row(file: str) -> list[str]:
    """Cells of the README table's row for a file."""
    row = re.search(rf"^\| `{re.escape(file)}` \|(.*)\|$", README, re.MULTILINE)
    assert row, f"README names no {file}"
    return [cell.strip() for cell in row[1].split("|")]


@pytest.mark.parametrize("name", SOURCES)
def test_table_has_the_promised_columns_and_documents(name: str, tables: dict[str, pl.DataFrame]) -> None:
    """What every reader relies on: common columns as text, unique ids, nothing empty, one source a file."""
    table = tables[name]
    for column in ("id", "text", "source", "license", "group"):
        assert table.schema[column] == pl.String
        assert table[column].str.strip_chars().str.len_chars().min() > 0
    assert table["id"].is_unique().all()
    assert table["text"].is_unique().all()
    assert table["source"].unique().to_list() == [name]
    assert table["group"].n_unique() >= 20  # enough to hold some out


@pytest.mark.parametrize("name", SOURCES)
def test_readme_states_documents_and_licence(name: str, tables: dict[str, pl.DataFrame]) -> None:
    """A file that changes without its README, or has no stated licence, must not be committed."""
    documents, text_mb, licence = readme_row(f"{name}.parquet")[:3]
    table = tables[name]
    assert int(documents.replace(",", "")) == table.height
    assert float(text_mb) == pytest.approx(table["text"].str.len_bytes().sum() / 1e6, abs=0.006)
    for stated in table["license"].unique():
        assert stated in licence


def test_every_file_is_named_and_the_whole_is_small() -> None:
    """The repository must stay small, and no data file may lie here without origin."""
    data = [p for p in SAMPLES.rglob("*") if p.suffix in {".parquet", ".gz", ".txt"}]
    for path in data:
        assert f"`{path.relative_to(SAMPLES).as_posix()}`" in README, path
        assert path.stat().st_size <= 10_000_000
    assert sum(p.stat().st_size for p in data) <= 9_500_000


def test_ocr_documents_carry_their_truth(tables: dict[str, pl.DataFrame]) -> None:
    """OCR text is judged against its truth: about the same length, clean, with a plausible error rate."""
    ocr = tables["ocr"]
    ratio = ocr["text"].str.len_chars() / ocr["truth"].str.len_chars()
    assert ratio.min() > 0.8
    assert ratio.max() < 1.25
    assert (ocr["text"].str.count_matches("\f") == ocr["pages"] - 1).all()
    assert not ocr["truth"].str.contains("\f|-\n").any()
    assert 0.04 <= ocr["cer"].mean() <= 0.10
    assert ((ocr["cer_printed"] > 0) & (ocr["cer_printed"] < 0.5)).all()
    assert ocr["book"].n_unique() >= 4


def test_ocr_groups_share_no_text_with_each_other_or_with_other_sources(
    tables: dict[str, pl.DataFrame],
) -> None:
    """A held-out part of a book must be new to a model trained on the other parts and sources."""
    seen: dict[str, str] = {}
    for group, truth in tables["ocr"].select("group", "truth").iter_rows():
        for paragraph in truth.split("\n\n"):
            if len(paragraph) >= 80:
                assert seen.setdefault(paragraph, group) == group
    for name in SOURCES[:-1]:
        text = "\n".join(tables[name]["text"])
        probes = [p[10:70] for p in list(seen)[::40]]
        assert not any(probe in text for probe in probes), name


@pytest.mark.parametrize("spec", EVALS, ids=lambda spec: spec.name)
def test_eval_lines_are_whole(spec) -> None:
    """Scorers rely on this form: each document has all its choices once and one of them is gold."""
    text = gzip.decompress((SAMPLES / "evals" / f"{spec.name}.jsonl.gz").read_bytes()).decode()
    lines = [json.loads(line) for line in text.splitlines()]
    documents: dict[int, list[dict]] = {}
    for line in lines:
        assert line["request_type"] in {"loglikelihood", "generate_until_and_loglikelihood"}
        assert line["request"]["context"].strip()
        assert line["request"]["continuation"].strip()
        assert "\r" not in json.dumps(line)
        documents.setdefault(line["doc_id"], []).append(line)
    conditional = [rows for ident, rows in documents.items() if ident < UNCONDITIONAL]
    assert len(conditional) == spec.documents
    for rows in documents.values():
        assert [row["idx"] for row in rows] == list(range(len(rows)))
        gold = [row for row in rows if not isinstance(row["label"], int) or row["idx"] == row["label"]]
        assert len(gold) == 1
    documents_in_readme, _, licence = readme_row(f"evals/{spec.name}.jsonl.gz")[:3]
    assert int(documents_in_readme) == spec.documents
    assert licence == spec.license

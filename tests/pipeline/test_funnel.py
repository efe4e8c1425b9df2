"""Protects what people see of curation: the funnel prints in line, examples are a seeded sample of what each reason
dropped, a document's own fields can be asked, and mistakes name the field."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import InputError
from pipeline.examples import examples, examples_text
from pipeline.funnel import chosen, funnel, funnel_text
from pipeline.run import Run
from pipeline.select import EXAMPLES, Examples
from tests.pipeline.conftest import walk_here


def dropped(run: Run) -> dict[tuple[str, str], list[tuple[str, str]]]:
    """Return (source, reason) → (id, text) of everything that was dropped."""
    selections = {unit.name: run.store.local(unit.ref) / "selection.parquet" for unit in run.of("select")}
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for shard in run.of("sources"):
        table = pl.read_parquet(run.store.local(shard.ref) / "documents.parquet", columns=["id", "text"])
        reasons = pl.read_parquet(selections[shard.name])["reason"]
        for name, text, reason in zip(table["id"], table["text"], reasons, strict=True):
            if reason is not None:
                found.setdefault((shard.args["source"], reason), []).append((name, text))
    return found


def test_examples_are_ten_of_every_reason_and_really_dropped_for_it(curated: Run) -> None:
    everything, shown = dropped(curated), examples(curated)
    assert set(everything) == set(shown.select("source", "reason").iter_rows())
    for (source, reason), documents in everything.items():
        rows = shown.filter((pl.col("source") == source) & (pl.col("reason") == reason))
        assert len(rows) == min(EXAMPLES, len(documents))
        texts = dict(documents)
        for name, size, text in rows.select("id", "bytes", "text").iter_rows():
            assert texts[name].startswith(text)
            assert size == len(texts[name].encode())


@given(st.lists(st.text(min_size=1, max_size=3), unique=True, max_size=60), st.integers(0, 3), st.integers(1, 5))
def test_examples_do_not_depend_on_how_documents_are_cut_into_shards(names: list[str], seed: int, shards: int) -> None:
    def least(parts: list[list[str]]) -> list[str]:
        frames = []
        for part in parts:
            kept = Examples(seed)
            for name in part:
                kept.add("short", name, name)
            frames.append(kept.frame())
        return pl.concat(frames).sort("draw", "id").head(EXAMPLES)["id"].to_list()

    assert least([names]) == least([names[i::shards] for i in range(shards)])


def test_the_funnel_prints_in_line_and_says_what_is_estimated(curated: Run) -> None:
    frame = funnel(curated)
    lines = funnel_text(frame).splitlines()
    assert lines[0].split() == ["stage", "source", "or", "domain", "outcome", "reason", "documents", "MB", "tokens"]
    assert len(lines) == len(frame) + 2
    assert len({line.rindex(".") for line in lines[1:-1]}) == 1, "the MB stand in one column"
    narrow = funnel_text(frame, 40).splitlines()
    assert max(len(line) for line in narrow if line.startswith(" ")) <= 40
    assert " ".join(" ".join(narrow).split()) == " ".join(" ".join(lines).split()), "the same, in more lines"
    tokenized = frame.filter(pl.col("stage") == "tokenize")
    exact = dict(tokenized.select("name", "tokens").iter_rows())
    trained = frame.filter((pl.col("reason") == "train") & (pl.col("name") == "questions"))["tokens"].item()
    assert trained == pytest.approx(exact["questions"], rel=0.01), "the estimate, where the truth is known"
    assert not frame.filter(pl.col("documents") == 0, pl.col("outcome") == "quarantined").height


def test_the_command_shows_a_curation_and_names_what_there_is(curated: Run) -> None:
    mix = curated.mix.document.name
    said = CliRunner().invoke(app, ["funnel", str(mix), "--examples", "--source", "wikipedia"])
    assert said.exit_code == 0, said.output
    assert "wikipedia, dropped as too_short" in said.output
    assert "questions" not in said.output
    with pytest.raises(InputError, match=r"^there is no source or domain `wikipeda` \(did you mean `wikipedia`\?\)$"):
        chosen(funnel(curated), "name", "wikipeda")


def test_nothing_dropped_is_said(curated: Run) -> None:
    assert examples_text(examples(curated).head(0)) == "nothing was dropped"


def test_a_condition_reads_the_documents_own_fields(tiny_yaml, curated: Run) -> None:
    rule = "  - {name: hard, drop: \"field_degradation = 'heavy' OR field_cer > 0.05\", sources: [ocr]}\nrewrite:"
    run = walk_here(tiny_yaml(("rewrite:", rule)), until="select")
    (shard,) = [unit for unit in run.of("sources") if unit.args["source"] == "ocr"]
    (select,) = [unit for unit in run.of("select") if unit.name == shard.name]
    table = pl.read_parquet(run.store.local(shard.ref) / "documents.parquet")
    reasons = pl.read_parquet(run.store.local(select.ref) / "selection.parquet")["reason"]
    hard = Counter()
    for text, reason in zip(table["fields"], reasons, strict=True):
        fields = json.loads(text)
        holds = fields["degradation"] == "heavy" or fields["cer"] > 0.05
        hard[holds, reason] += 1
        assert reason in ("duplicate", "contaminated", "too_short") or (reason == "hard") == holds
    assert hard[True, "hard"] > 0 < hard[False, None]
    before = next(unit for unit in curated.of("select") if unit.name == "questions/000")
    now = next(unit for unit in run.of("select") if unit.name == "questions/000")
    assert before.args == now.args, "a rule of one source is in no other's key"


def test_a_field_that_no_document_has_is_named_with_the_nearest(tiny_yaml) -> None:
    path = tiny_yaml(("gopher_words < 40", "gopher_words < 40 OR field_licence = 'x'"))
    with pytest.raises(InputError, match=r"`select\[0\].drop`: no document of `wikipedia` has a field `licence`"):
        walk_here(path, until="select")


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("gopher_words", "true or false"),
        ("language_label < 5", "cannot compare"),
        ("gopher_words < AVG(gopher_words)", "depends on others"),
        ("score < 3", "a document's own field is `field_score`"),
    ],
)
def test_a_bad_condition_is_found_before_anything_runs(tiny_yaml, condition: str, said: str) -> None:
    with pytest.raises(InputError, match=rf"tiny.yaml:\d+: `select\[0\].drop`: .*{said}"):
        walk_here(tiny_yaml(("gopher_words < 40", condition)), until="sources")


def test_a_limit_that_is_no_number_is_refused(tiny_yaml) -> None:
    rules = "  - {rules: gopher_quality, limits: {words: [60, many]}}\nrewrite:"
    with pytest.raises(InputError, match=r"limits.words`: expected a number, two bounds"):
        walk_here(tiny_yaml(("rewrite:", rules)), until="sources")


def test_a_funnel_without_curation_is_wrong_input(tiny_yaml, tmp_path: Path) -> None:
    said = CliRunner().invoke(app, ["funnel", str(tiny_yaml())])
    assert isinstance(said.exception, InputError)
    assert "its curation is not finished; `mixwright curate" in str(said.exception)

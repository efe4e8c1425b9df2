"""A tiny mix over real documents, small enough to run whole in tests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import InputError
from pipeline.execute import execute_group
from pipeline.load import load_mix
from pipeline.run import Run
from pipeline.run_units import remember_units
from pipeline.stages import STAGES
from pipeline.walk import grouped

SAMPLES = Path(__file__).parents[2] / "samples"

TINY = """\
seed: 1
store: {folder}/store
target: {{tokens: 400k}}
sources:
  wikipedia: {{path: "{folder}/wikipedia-*.parquet", group: group, license_field: license}}
  questions: {{path: "{folder}/questions.parquet", group: group, license: CC-BY-SA-3.0}}
  ocr: {{path: "{folder}/ocr.parquet", group: id, license_field: license, truth: truth}}
annotate:
  gopher: {{}}
  language: {{}}
  prose: {{scorer: fasttext, positive: [wikipedia], negative: [questions], buckets: 10000}}
  clean: {{scorer: sklearn, positive: [wikipedia], negative: [ocr]}}
select:
  - {{name: too_short, drop: "gopher_words < 40"}}
  - {{name: not_prose, drop: "prose_score < 0.01", sources: [wikipedia]}}
rewrite:
  wikipedia.qa: {{task: wiki_qa}}
  ocr.clean: {{task: ocr_cleanup}}
tokenize: {{vocab_size: 1000, sample: 300k}}
swarm: {{runs: 12, rounds: [9, 3], blocks: 2}}
proxy: {{preset: tiny, tokens: 24k}}
evals:
  heldout: {{fraction: 0.2, characters: 8k}}
  benchmarks:
    arc_easy: {{path: {evals}/arc_easy.jsonl.gz, items: 60}}
objective: {{force: [heldout, bench]}}
validate: {{seeds: 2}}
"""


@pytest.fixture(scope="session")
def tiny_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a few hundred kB of the samples, Wikipedia in two shards."""
    folder = tmp_path_factory.mktemp("data")
    wikipedia = pl.read_parquet(SAMPLES / "wikipedia.parquet").head(600)
    wikipedia.head(300).write_parquet(folder / "wikipedia-0.parquet")
    wikipedia.tail(300).write_parquet(folder / "wikipedia-1.parquet")
    pl.read_parquet(SAMPLES / "questions.parquet").head(400).write_parquet(folder / "questions.parquet")
    pl.read_parquet(SAMPLES / "ocr.parquet").head(40).write_parquet(folder / "ocr.parquet")
    return folder


@pytest.fixture
def tiny_yaml(tiny_data: Path, tmp_path: Path) -> Callable[..., Path]:
    """Write the tiny mix, changed by (old, new) pairs of text, into a folder of the test's own."""

    def write(*changes: tuple[str, str], name: str = "tiny.yaml") -> Path:
        text = TINY.format(folder=tiny_data, evals=SAMPLES / "evals").replace(f"{tiny_data}/store", f"{tmp_path}/store")
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def walk_here(path: Path, until: str | None = None) -> Run:
    """Run the stages in this process, without Ray, and return the run."""
    run = Run.open(load_mix(path))
    for stage in STAGES:
        run.units[stage.name] = stage.units(run)
        remember_units(run, stage.name)
        for units in grouped(run, [unit for unit in run.units[stage.name] if not run.is_done(unit)]):
            for unit, outcome in zip(units, execute_group(run.store.root, units), strict=True):
                if outcome.wrong_input:
                    raise InputError(outcome.wrong_input)
                assert outcome.error is None, outcome.error
                run.mark_done(unit)
        if stage.pinned:
            for unit in run.units[stage.name]:
                run.pin(unit)
        if stage.check:
            stage.check(run)
        if stage.name == until:
            break
    return run


@pytest.fixture(scope="session")
def curated(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The tiny mix, curated up to encoded requests. Read only."""
    path = tmp_path_factory.mktemp("curated") / "tiny.yaml"
    path.write_text(TINY.format(folder=tiny_data, evals=SAMPLES / "evals"), encoding="utf-8")
    return walk_here(path, until="requests")

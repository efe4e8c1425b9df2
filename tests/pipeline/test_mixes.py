"""Every ready mix is one that `check` accepts; those whose data is elsewhere, once data lies where they say."""

from __future__ import annotations

import gzip
import json
import shutil
import socket
from pathlib import Path

import polars as pl
import pytest

from pipeline.errors import InputError
from pipeline.load import load_mix

ROOT = Path(__file__).parents[2]
MIXES = ROOT / "mixes"
ELSEWHERE = {"cluster", "own_folder", "from_csv"}
"""Checked in test_cluster_mix, here below, and in own_swarm/test_config."""


@pytest.mark.parametrize("path", [path for path in sorted(MIXES.glob("*.yaml")) if path.stem not in ELSEWHERE])
def test_a_ready_mix_is_good_without_a_network(path: Path, monkeypatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.chdir(ROOT)
    assert len(load_mix(path).config.domain_names()) >= 3


def test_what_ready_mixes_are_about_is_in_them(monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    buckets = load_mix(MIXES / "quality_buckets.yaml").config
    assert {"wikipedia.high", "wikipedia.low", "papers.high"} <= set(buckets.domain_names())
    assert load_mix(MIXES / "rounds.yaml").config.swarm.sizes == [40, 12, 12]
    assert "wikipedia.diverse" in load_mix(MIXES / "rewritten.yaml").config.domain_names()
    added = ["sources.speeches={path: samples/speeches.parquet, group: group}"]
    update = load_mix(MIXES / "domain_update.yaml", added).config
    assert update.domain_names() == ["wikipedia", "questions", "code", "speeches"]


def test_choices_beside_tables_are_told_from_mixes() -> None:
    with pytest.raises(InputError, match=r"from_csv.yaml:11: `domains`: .* this is for `mixwright fit --config`"):
        load_mix(MIXES / "from_csv.yaml")


def test_own_folder_is_good_where_its_data_lies(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("web", "books", "forum", "code"):
        (tmp_path / "data" / name).mkdir(parents=True)
    row = json.dumps({"content": "text", "meta": {"url": "u", "host": "h"}})
    (tmp_path / "data/web/0.jsonl.gz").write_bytes(gzip.compress(row.encode()))
    (tmp_path / "data/books/0.txt").write_text("text", encoding="utf-8")
    (tmp_path / "data/code/a.py").write_text("1", encoding="utf-8")
    frame = pl.DataFrame({"body": ["b"], "post_id": [1], "thread_id": [2], "license": ["MIT"]})
    frame.write_parquet(tmp_path / "data/forum/0.parquet")
    shutil.copy(MIXES / "own_folder.yaml", tmp_path / "my.yaml")
    assert list(load_mix(Path("my.yaml")).config.sources) == ["web", "books", "forum", "code"]

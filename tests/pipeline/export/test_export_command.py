"""Protects the command `export`: what it refuses, where it writes, and that nothing is replaced."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import fsspec
import numpy as np
import pytest
import typer.main
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import InputError
from pipeline.export.registry import FORMATS


def export(*words: object) -> str:
    """Run the command and return what it printed; a user's mistake is raised as it is."""
    done = CliRunner().invoke(app, ["export", *map(str, words)], standalone_mode=False)
    if done.exception:
        raise done.exception
    return done.stdout


def test_the_help_names_every_format() -> None:
    command = typer.main.get_command(app).commands["export"]  # type: ignore[attr-defined]
    (help,) = [option.help for option in command.params if option.name == "to"]
    assert set(re.findall(r"[a-z-]+", help)) - {"or"} == set(FORMATS)


def test_the_default_folder_is_named_after_run_and_format(
    run_folder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    printed = export(run_folder, "--to", "csv").splitlines()[-1]
    assert printed == str(tmp_path / "exports" / Path(run_folder).name / "csv")
    assert sorted(path.name for path in Path(printed).iterdir()) == ["mix.csv", "mix.json"]


def test_nothing_is_replaced(run_folder: str, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="is not empty, and an export replaces nothing"):
        export(run_folder, "--to", "json", "--out", tmp_path)
    with pytest.raises(InputError, match="is not empty"):
        export(run_folder, "--to", "json", "--out", tmp_path / "mine.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_weights_only_writes_no_data_and_names_where_it_would_be(run_folder: str, tmp_path: Path) -> None:
    export(run_folder, "--to", "nemo", "--out", tmp_path / "n", "--weights-only")
    assert sorted(path.name for path in (tmp_path / "n").iterdir()) == ["blend.json", "blend.txt", "mix.json"]
    assert str(tmp_path / "n" / "wikipedia.qa") in json.loads((tmp_path / "n" / "blend.json").read_text())


def test_an_export_goes_to_any_url(run_folder: str, own_ids) -> None:
    url = "memory://somewhere/mix"
    assert export(run_folder, "--to", "olmo-core", "--out", url).splitlines()[-1] == url
    fs = fsspec.filesystem("memory")
    assert b"memory://somewhere/mix/questions/000.npy" in fs.cat_file(f"{url}/source_mixture.yaml")
    ids = np.frombuffer(fs.cat_file(f"{url}/questions/000.npy"), dtype="<u2")
    assert np.array_equal(ids, own_ids["questions"])
    export(run_folder, "--to", "parquet", "--out", "memory://somewhere/text")
    assert fs.cat_file("memory://somewhere/text/questions/000.parquet")[-4:] == b"PAR1"
    export(run_folder, "--to", "mosaicml", "--out", "memory://somewhere/mds", "--weights-only")
    assert b"remote: memory://somewhere/mds/questions" in fs.cat_file("memory://somewhere/mds/streams.yaml")


def test_an_unknown_format_names_the_nearest(run_folder: str) -> None:
    with pytest.raises(InputError, match=r"--to megatrn: there is no such format \(did you mean `megatron`\?\)"):
        export(run_folder, "--to", "megatrn")


def test_a_path_that_a_blend_cannot_name_is_found_first(run_folder: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds a space"):
        export(run_folder, "--to", "megatron", "--out", tmp_path / "my data")
    assert not (tmp_path / "my data").exists()


def test_a_run_that_is_unfinished_or_away_from_its_store_is_named(run_folder: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere: not a finished run folder \(it holds no mix.json\)"):
        export(tmp_path / "nowhere", "--to", "json")
    shutil.copytree(run_folder, tmp_path / Path(run_folder).name)
    with pytest.raises(InputError, match="its store does not know its documents"):
        export(tmp_path / Path(run_folder).name, "--to", "json")


def test_an_artefact_that_is_gone_is_named(run_folder: str, tmp_path: Path) -> None:
    folder = Path(run_folder)
    shutil.copytree(folder.parent, tmp_path / "store")
    (gone, *_) = (tmp_path / "store" / "manifests" / "tokenize").iterdir()
    gone.unlink()
    with pytest.raises(InputError, match=rf"tokenize/{gone.stem} is no longer in its store"):
        export(tmp_path / "store" / folder.name, "--to", "json", "--out", tmp_path / "out")

"""A run folder that somebody else wrote makes an export write nowhere but into its folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.export.folder import Folder
from pipeline.export.write import write_export


@pytest.mark.parametrize("name", ["../../victim", "/victim", "a/../../victim", "a\n", "", "a..b", "a.\x1b[1m"])
def test_a_domain_s_name_leads_nowhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mix.json").write_text(json.dumps({"weights": {name: 1.0}}))
    with pytest.raises(InputError, match="is no name of a domain"):
        write_export(
            str(tmp_path / "run"), "jsonl", str(tmp_path / "a" / "out"), weights_only=False, context=8, say=print
        )


@pytest.mark.parametrize("name", ["../victim", "/victim", "a/../../victim"])
def test_the_folder_holds_all_that_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is no name inside"):
        Folder(str(tmp_path / "out")).write_text(name, "x")
    assert not list(tmp_path.rglob("victim"))

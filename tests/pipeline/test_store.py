"""An artefact is there whole or not at all, and its name says exactly what it depends on."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.store import Store, to_json
from pipeline.units import Unit, digest


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    """A store on a local folder, and one on an object store without rename."""
    return Store(str(tmp_path / "store") if request.param == "folder" else f"memory://{tmp_path.name}")


def publish(store: Store, ref: str, text: str) -> None:
    folder = store.workspace()
    (folder / "a.txt").write_text(text)
    store.publish(ref, folder, {"name": "x", "counts": {"n": 1}})


def test_a_published_artefact_is_listed_and_read(store: Store) -> None:
    assert store.finished("select") == set()
    publish(store, "select/abc", "hello")
    assert store.finished("select") == {"abc"}
    assert store.manifest("select/abc")["files"] == ["a.txt"]
    assert (store.local("select/abc") / "a.txt").read_text() == "hello"


def test_publishing_a_key_again_changes_nothing(store: Store) -> None:
    publish(store, "select/abc", "hello")
    publish(store, "select/abc", "hello")
    assert (store.local("select/abc") / "a.txt").read_text() == "hello"


def test_files_without_a_manifest_are_no_artefact_and_are_replaced(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    half = tmp_path / "data" / "select" / "abc"
    half.mkdir(parents=True)
    (half / "a.txt").write_text("hel")
    assert store.finished("select") == set()
    publish(store, "select/abc", "hello")
    assert (store.local("select/abc") / "a.txt").read_text() == "hello"


def test_absent_small_files_read_as_none(store: Store) -> None:
    assert store.read_text("pins/x.json") is None
    store.write_text("pins/x.json", to_json({"key": "a"}))
    assert json.loads(store.read_text("pins/x.json") or "")["key"] == "a"


def test_a_file_is_copied_in_and_replaces_an_older_one(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "report.md"
    for text in ("old", "new"):
        file.write_text(text)
        store.copy_in(file, "run/report.md")
        assert store.read_text("run/report.md") == text


def test_nan_never_reaches_a_file() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json({"bpb": float("nan")})


def test_a_key_changes_with_everything_the_result_depends_on_and_with_nothing_else() -> None:
    unit = Unit("select", "a/0", 1, {"seed": 1}, {"documents": "sources/k"}, {"path": "here"})
    for change in ({"stage": "x"}, {"version": 2}, {"args": {"seed": 2}}, {"inputs": {"documents": "sources/l"}}):
        assert dataclasses.replace(unit, **change).key != unit.key
    assert dataclasses.replace(unit, name="b/0", place={"path": "there"}).key == unit.key


@given(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=4))
def test_digest_does_not_depend_on_the_order_of_keys(value: dict) -> None:
    assert digest(value) == digest(dict(reversed(value.items())))

"""An artefact is there whole or not at all, and its name says exactly what it depends on."""

from __future__ import annotations

import dataclasses
import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.storage.retry import StoreError
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
    assert store.manifest("select/abc")["files"] == {"a.txt": 5}
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


def test_a_whole_artefact_left_by_a_crash_before_its_manifest_is_kept(tmp_path: Path) -> None:
    """Another driver may be about to write that manifest: its files are never taken away under it."""
    store = Store(str(tmp_path))
    publish(store, "select/abc", "hello")
    (tmp_path / "manifests" / "select" / "abc.json").unlink()
    before = (tmp_path / "data" / "select" / "abc" / "a.txt").stat().st_ino
    publish(store, "select/abc", "jello")
    assert (tmp_path / "data" / "select" / "abc" / "a.txt").stat().st_ino == before
    assert store.finished("select") == {"abc"}


def test_many_writers_of_one_key_leave_one_whole_artefact(tmp_path: Path) -> None:
    stores = [Store(str(tmp_path)) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda i: publish(stores[i], "select/abc", "hello"), range(8)))
    assert (stores[0].local("select/abc") / "a.txt").read_text() == "hello"
    assert [path.name for path in (tmp_path / "manifests" / "select").iterdir()] == ["abc.json"]
    assert list((tmp_path / "tmp").iterdir()) == []


def test_a_file_is_created_only_once(store: Store) -> None:
    assert store.write_text("pins/x.json", "first", create=True)
    assert not store.write_text("pins/x.json", "second", create=True)
    assert store.read_text("pins/x.json") == "first"


def test_a_cut_off_artefact_is_named_taken_out_and_made_again(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    publish(store, "select/abc", "hello")
    (tmp_path / "data" / "select" / "abc" / "a.txt").write_text("hel")
    with pytest.raises(StoreError, match="`a.txt` of select/abc was damaged"):
        store.local("select/abc")
    assert store.finished("select") == set()
    publish(store, "select/abc", "hello")
    assert (store.local("select/abc") / "a.txt").read_text() == "hello"


def test_an_artefact_whose_files_lost_their_size_is_not_whole(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    file, manifest = tmp_path / "data" / "select" / "abc" / "a.txt", tmp_path / "manifests" / "select" / "abc.json"
    for damage in (lambda: file.write_text("hel"), file.unlink, lambda: manifest.write_text('{"na'), manifest.unlink):
        store.discard("select/abc")
        publish(store, "select/abc", "hello")
        assert store.is_whole("select/abc")
        damage()
        assert not store.is_whole("select/abc")


def test_a_manifest_is_read_once_a_process_to_find_its_files(tmp_path: Path) -> None:
    """A worker uses one vocabulary for thousands of units."""
    publish(Store(str(tmp_path)), "select/abc", "hello")
    folder = Store(str(tmp_path)).local("select/abc")
    manifest = tmp_path / "manifests" / "select" / "abc.json"
    text = manifest.read_text()
    manifest.write_text("not read")
    assert Store(str(tmp_path)).local("select/abc") == folder
    manifest.write_text(text)
    (folder / "a.txt").write_text("hel")
    with pytest.raises(StoreError, match="`a.txt` of select/abc was damaged"):
        Store(str(tmp_path)).local("select/abc")


def test_an_artefact_that_was_made_again_in_other_sizes_is_not_taken_for_damaged(tmp_path: Path) -> None:
    """Another machine, which rounds differently, took the damaged one out and made it again."""
    store = Store(str(tmp_path))
    publish(store, "select/abc", "hello")
    store.local("select/abc")
    store.discard("select/abc")
    (tmp_path / "data" / "select" / "abc" / "a.txt").write_text("other size")
    publish(store, "select/abc", "other size")
    assert (store.local("select/abc") / "a.txt").read_text() == "other size"


def test_a_cut_off_manifest_is_no_manifest(store: Store) -> None:
    publish(store, "select/abc", "hello")
    store.write_text("manifests/select/abc.json", '{"na')
    with pytest.raises(StoreError, match="the manifest of select/abc was damaged"):
        store.manifest("select/abc")
    assert store.finished("select") == set()


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/etc/x", "a//x", "a\\x", "", ".", "a/.", "c:/x", "a\0"])
def test_no_name_leads_out_of_the_store(store: Store, name: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for call in (
        lambda: store.write_text(name, "x"),
        lambda: store.read_text(name),
        lambda: store.copy_in(tmp_path / "file", name),
        lambda: store.local(name),
        lambda: store.scratch(name),
        lambda: store.remove(name),
        lambda: list(store.entries(name)),
    ):
        with pytest.raises(ValueError, match="no name inside the store"):
            call()


def test_files_below_a_folder_are_listed_with_size_and_time(store: Store) -> None:
    since = time.time()
    publish(store, "select/abc", "hello")
    (file,) = store.entries("data")
    assert file.name.startswith("data/select/abc/")
    assert file.size == 5
    assert abs(file.changed - since) < 60
    assert list(store.entries("absent")) == []
    store.remove(file.name)
    store.remove(file.name)
    assert list(store.entries("data")) == []


def test_a_link_is_no_file_of_an_artefact(store: Store) -> None:
    folder = store.workspace()
    (folder / "a.txt").symlink_to("/etc/hostname")
    with pytest.raises(ValueError, match="a link"):
        store.publish("select/abc", folder, {})
    assert store.finished("select") == set()


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


@pytest.mark.parametrize(
    "text",
    [
        '{"files": {"../../../victim": 4}}',
        '{"files": {"/etc/passwd": 4}}',
        '{"files": {"a/../../b": 4}}',
        '{"files": {"a": "4"}}',
        '{"files": {"a": -1}}',
        '{"files": {"a": true}}',
        '{"files": "a"}',
        '{"files": {}, "attempt": "../.."}',
        '{"files": {}, "attempt": 7, "x": ' + "[" * 100_000,
        "[1]",
        "{}",
        "[" * 100_000,
    ],
)
@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_a_manifest_of_another_party_leads_nowhere(tmp_path: Path, kind: str, text: str) -> None:
    """It counts as damaged, whether a run looks whether the unit is done, reads its files or its counts."""
    (tmp_path / "victim").write_text("mine")
    store = Store(str(tmp_path / "store") if kind == "folder" else f"memory://evil-{tmp_path.name}")
    for call in (store.manifest, store.local, lambda ref: store.read_json(ref, "a")):
        store.write_text("manifests/train/evil.json", text)
        if kind == "folder":
            assert not store.is_whole("train/evil")
        with pytest.raises((StoreError, FileNotFoundError)):
            call("train/evil")
    assert (tmp_path / "victim").read_text() == "mine"

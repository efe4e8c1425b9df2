"""`gc` takes what nothing refers to, and never what a run, a pin or a run in progress needs."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.garbage import find_garbage, garbage_text, remove_garbage
from pipeline.load import load_mix
from pipeline.run import Run
from pipeline.run_units import remember_units
from pipeline.store import Store, to_json
from pipeline.store_cli import gc
from pipeline.units import Unit, digest

OLD = time.time() - 30 * 86400


def key(name: str) -> str:
    return digest(name)


@pytest.fixture(params=["folder", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    return Store(str(tmp_path / "store") if request.param == "folder" else f"memory://gc-{tmp_path.name}")


def publish(store: Store, stage: str, name: str, **inputs: str) -> str:
    folder = store.workspace()
    (folder / "sub").mkdir()
    (folder / "sub" / "a.txt").write_text(name)
    store.publish(f"{stage}/{key(name)}", folder, {"name": name, "counts": {}, "recipe": {"inputs": inputs}})
    return f"{stage}/{key(name)}"


def listed(store: Store, run: str, *refs: str) -> None:
    units = {ref: ref for ref in refs}
    store.write_text(f"units/{run}/all.json", to_json({"units": units}))
    store.write_text(f"units/{run}/config.json", "{}")


def test_what_runs_and_pins_need_stays_and_the_rest_goes(store: Store) -> None:
    finished, lost = publish(store, "train", "finished"), publish(store, "train", "lost")
    array = publish(store, "tokenize", "array")
    design = publish(store, "design", "design", array=array)
    words = publish(store, "vocabulary", "words")
    store.write_text("pins/x/swarm-1.json", to_json({"keys": [key("design")]}))
    store.write_text("pins/x/vocabulary-1.json", to_json({"key": key("words"), "name": "x"}))
    listed(store, "done-1", finished)
    store.write_text("done-1/mix.json", "{}")
    listed(store, "removed-1", lost)
    store.write_text("cache/rewrite/aa/b.json", "{}")
    assert find_garbage(store, days=14).files == [], "all is young"
    later = time.time() + 30 * 86400
    found = find_garbage(store, now=later)
    assert found.files[:2] == ["units/removed-1/all.json", "units/removed-1/config.json"]
    assert f"manifests/{lost}.json" in found.files
    assert found.counts["artefacts"] == 1
    assert found.counts["files of artefacts"] == 1
    assert found.counts["cached replies"] == 1
    assert f"in all {'':>13} {len(found.files):>8} files" in garbage_text(found)
    assert store.finished("train") == {key("finished"), key("lost")}, "only looked at"
    remove_garbage(store, found)
    kept = {
        ref for ref in (finished, lost, array, design, words) if ref.split("/")[1] in store.finished(ref.split("/")[0])
    }
    assert kept == {finished, array, design, words}
    for ref in kept:
        assert (store.local(ref) / "sub" / "a.txt").is_file()
    assert find_garbage(store, now=later).files == []


def test_a_run_in_progress_keeps_what_it_needs_though_its_list_is_old(tmp_path: Path) -> None:
    """A stage that takes weeks writes no list, but it publishes."""
    store = Store(str(tmp_path))
    early, late = publish(store, "train", "early"), publish(store, "train", "late")
    listed(store, "going-1", early, late)
    for name in (f"manifests/{early}.json", "units/going-1/all.json", "units/going-1/config.json"):
        os.utime(tmp_path / name, (OLD, OLD))
    assert find_garbage(store).files == []
    os.utime(tmp_path / f"manifests/{late}.json", (OLD, OLD))
    assert find_garbage(store).counts["artefacts"] == 2


def test_what_a_crash_left_goes_when_it_is_old(tmp_path: Path) -> None:
    store = Store(str(tmp_path))
    publish(store, "train", "x")
    for name in ("tmp/abc/half.bin", "scratch/train/k/step.bin", "data/train/nobody/a.bin"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("half")
    assert find_garbage(store).files == []
    for name in ("tmp/abc/half.bin", "scratch/train/k/step.bin", "data/train/nobody/a.bin"):
        os.utime(tmp_path / name, (OLD, OLD))
    found = find_garbage(store)
    assert dict(found.counts) == {"files of artefacts": 1, "tmp": 1, "scratch": 1}
    remove_garbage(store, found)
    assert not (tmp_path / "data" / "train" / "nobody").exists()
    assert (store.local(f"train/{key('x')}") / "sub" / "a.txt").is_file()


def test_a_unit_at_work_keeps_the_folder_that_it_has_not_written_to_yet(tmp_path: Path) -> None:
    """A proxy's folder stays empty until it is trained; what a killed worker left empty goes when it is old."""
    store = Store(str(tmp_path))
    publish(store, "train", "x")
    at_work, left, scratch = store.workspace(), store.workspace(), store.scratch(f"train/{key('y')}")
    scratch.mkdir(parents=True)
    os.utime(left, (OLD, OLD))
    remove_garbage(store, find_garbage(store))
    assert at_work.is_dir()
    assert scratch.is_dir()
    assert not left.exists()


def test_it_looks_on_while_a_run_writes(tmp_path: Path) -> None:
    """Files that go between being listed and being looked at are no error, and half a list of units is none."""
    store = Store(str(tmp_path))
    listed(store, "going-1", publish(store, "train", "x"))
    (tmp_path / "units" / "going-1" / "all.json.0123.tmp").write_text('{"units": {')
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            for i in range(20):
                (store.workspace() / f"{i}.bin").write_text("half")
            shutil.rmtree(tmp_path / "tmp")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(50):
            assert find_garbage(store).files == []
    finally:
        done.set()
        writer.join()


def test_a_run_that_goes_on_after_a_long_pause_is_in_progress(tiny_yaml: Callable[..., Path]) -> None:
    """Its first unit may take an hour, and until then only the list says that it runs."""
    run = Run.open(load_mix(tiny_yaml()))
    store = run.store
    kept = publish(store, "train", "early")
    run.units["train"] = [Unit("train", "early", 1, pinned_key=kept.split("/")[1])]
    remember_units(run, "train")
    for entry in [*store.entries("units"), *store.entries("manifests"), *store.entries("data")]:
        os.utime(Path(store.root) / entry.name, (OLD, OLD))
    assert find_garbage(store).counts["artefacts"] == 1
    remember_units(run, "train")
    assert find_garbage(store).files == []


def test_replies_that_were_paid_stay_while_a_run_rewrites(store: Store) -> None:
    listed(store, "done-1", publish(store, "rewrite", "text"))
    store.write_text("done-1/mix.json", "{}")
    store.write_text("cache/rewrite/aa/b.json", "{}")
    assert find_garbage(store, now=time.time() + 30 * 86400).files == []


def test_the_command_removes_only_when_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = Store(str(tmp_path))
    ref = publish(store, "train", "x")
    gc(str(tmp_path), yes=False, days=0)
    assert "nothing is removed without --yes" in capsys.readouterr().out
    assert store.finished("train")
    gc(str(tmp_path), yes=True, days=0)
    assert store.finished("train") == set()
    assert not (tmp_path / "data" / ref).exists()


def test_a_folder_that_is_no_store_and_a_run_without_a_list_are_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="no store of mixwright"):
        find_garbage(Store(str(tmp_path / "elsewhere")))
    publish(store, "train", "x")
    store.write_text("old-1/mix.json", json.dumps({}))
    with pytest.raises(InputError, match="run folder `old-1` has no list of its units"):
        find_garbage(store)


def test_nothing_is_removed_behind_a_link(tmp_path: Path) -> None:
    """Who may write to a store could otherwise have whoever cleans it remove his own files."""
    store = Store(str(tmp_path / "store"))
    publish(store, "train", "old")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "old").write_text("x")
    os.utime(tmp_path / "mine" / "old", (OLD, OLD))
    (tmp_path / "store" / "tmp").rmdir()
    (tmp_path / "store" / "tmp").symlink_to(tmp_path / "mine")
    with pytest.raises(InputError, match="tmp: a link"):
        find_garbage(store)
    (tmp_path / "store" / "tmp").unlink()
    (tmp_path / "store" / "scratch").mkdir()
    (tmp_path / "store" / "scratch" / "deep").symlink_to(tmp_path / "mine")
    remove_garbage(store, find_garbage(store))
    assert (tmp_path / "mine" / "old").read_text() == "x"


def test_files_that_are_no_store_s_do_not_stop_it(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "store"))
    kept = publish(store, "train", "kept")
    strays = ["data/stray", "data/train/stray", "tmp/a\\b", "manifests/stray.json", "tmp/new\nline"]
    for name in strays:
        path = tmp_path / "store" / name
        path.write_text("[" * 100_000)
        os.utime(path, (OLD, OLD))
    remove_garbage(store, find_garbage(store))
    assert [name for name in strays if (tmp_path / "store" / name).exists()] == ["tmp/a\\b"]
    assert store.manifest(kept)["name"] == "kept"


@pytest.mark.parametrize("text", ["[", "[" * 100_000, "[1]", "{}", '{"units": [1]}', '{"units": {"a": []}}'])
def test_a_list_of_units_that_is_none_removes_nothing(store: Store, text: str) -> None:
    publish(store, "train", "a")
    store.write_text("units/run/all.json", text)
    with pytest.raises(InputError, match="units/run/all.json` is no list of units"):
        find_garbage(store, days=0, now=time.time() + 1)

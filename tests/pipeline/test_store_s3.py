"""A store on a real S3 server: whole or not there, through two writers, lost answers, cut-off files, faults."""

from __future__ import annotations

import errno
import json
import os
import random
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest

from pipeline.errors import InputError
from pipeline.storage import cache, retry
from pipeline.storage.retry import StoreError, Unreachable, may_pass
from pipeline.store import Store
from tests.pipeline.s3_server import S3Server, s3_server

REF = "select/abc"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as found:
        yield found


@pytest.fixture
def store(server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """An empty store in a bucket of its own; waits are short, and the machine's folders belong to the test."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(retry, "FIRST_WAIT", 0.01)
    monkeypatch.setattr(retry, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(retry, "PATIENCE", 20.0)
    monkeypatch.setattr("s3fs.S3FileSystem.retries", 1)
    name = "".join(letter if letter.isalnum() else "-" for letter in tmp_path.name.lower())[-40:].strip("-")
    yield Store(f"{server.bucket(f'b-{name}')}/swarm")
    server.fault = lambda number, method, path: None


def filled(store: Store, text: str = "hello") -> Path:
    folder = store.workspace()
    (folder / "parts" / "deep").mkdir(parents=True)
    (folder / "a.txt").write_text(text)
    (folder / "parts" / "deep" / "b.txt").write_text(text * 2)
    return folder


def publish(store: Store, text: str = "hello", ref: str = REF) -> None:
    store.publish(ref, filled(store, text), {"name": "x", "counts": {"text": text}})


def test_an_artefact_with_sub_folders_comes_back_whole(store: Store) -> None:
    assert store.finished("select") == set()
    publish(store)
    assert store.finished("select") == {"abc"}
    assert store.manifest(REF)["files"] == {"a.txt": 5, "parts/deep/b.txt": 10}
    folder = store.local(REF)
    assert (folder / "parts" / "deep" / "b.txt").read_text() == "hellohello"
    store.write_text("pins/x.json", "{}")
    assert store.read_text("pins/x.json") == "{}"
    assert store.read_text("pins/y.json") is None


def test_a_copy_is_made_once_and_then_no_call_is_needed(store: Store, server: S3Server) -> None:
    publish(store)
    first = store.local(REF)
    before = len(server.calls)
    assert Store(store.root).local(REF) == first
    assert len(server.calls) == before


def test_workers_of_one_machine_copy_once(store: Store, server: S3Server) -> None:
    publish(store)
    server.calls.clear()
    found: list[Path] = []
    threads = [threading.Thread(target=lambda: found.append(Store(store.root).local(REF))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(found)) == 1
    assert sum(method == "GET" and path.endswith("a.txt") for method, path in server.calls) == 1


def test_of_two_writers_the_first_manifest_stays_and_names_its_own_files(store: Store, server: S3Server) -> None:
    """Both look, find nothing and upload; the other's manifest comes while the first one's files are on their way."""
    entered, go = threading.Event(), threading.Event()

    def hold(number: int, method: str, path: str) -> None:
        if method == "PUT" and path.endswith("a.txt") and not entered.is_set():
            entered.set()
            go.wait(20)

    server.fault = hold
    slow = threading.Thread(target=publish, args=(store, "slow"))
    slow.start()
    assert entered.wait(20)
    publish(Store(store.root), "quick")
    go.set()
    slow.join()
    assert store.manifest(REF)["counts"] == {"text": "quick"}
    assert (store.local(REF) / "a.txt").read_text() == "quick"
    assert (store.local(REF) / "parts" / "deep" / "b.txt").read_text() == "quick" * 2
    assert len(list(store.entries("data"))) == 2, "the loser removed its files"
    publish(store, "later")
    assert store.manifest(REF)["counts"] == {"text": "quick"}


def test_a_manifest_whose_answer_was_lost_keeps_its_files(store: Store, server: S3Server) -> None:
    """The put arrived, its answer did not: the second try finds a manifest, its own."""
    put: list[str] = []

    def lose(number: int, method: str, path: str) -> str | None:
        if method == "PUT" and path.endswith("abc.json") and not put:
            put.append(path)
            import boto3

            (key,) = [
                name["Key"]
                for name in boto3.client("s3").list_objects_v2(Bucket=path.split("/")[1])["Contents"]
                if name["Key"].endswith("a.txt")
            ]
            text = json.dumps({"attempt": key.split("/")[-2], "files": {"a.txt": 5, "parts/deep/b.txt": 10}})
            boto3.client("s3").put_object(Bucket=path.split("/")[1], Key=path.split("/", 2)[2], Body=text.encode())
            return "503"
        return None

    server.fault = lose
    publish(store)
    assert put
    assert (store.local(REF) / "a.txt").read_text() == "hello"


def test_a_store_without_conditional_put_takes_the_last_manifest(store: Store, monkeypatch) -> None:
    kind = type(fsspec.core.url_to_fs(store.root)[0])
    put = kind.pipe_file

    def plain(fs, path, value, mode="overwrite", **options):
        if mode == "create":
            raise OSError(errno.ENOSYS, "A header you provided implies functionality that is not implemented")
        return put(fs, path, value, **options)

    monkeypatch.setattr(kind, "pipe_file", plain)
    publish(store)
    assert (store.local(REF) / "a.txt").read_text() == "hello"


def test_a_crash_before_the_manifest_leaves_no_artefact(store: Store, server: S3Server) -> None:
    server.fault = lambda number, method, path: "reset" if method == "PUT" and path.endswith("abc.json") else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(retry, "PATIENCE", 0.5)
        with pytest.raises(StoreError, match="abc.json: the store failed for"):
            publish(store)
    server.fault = lambda number, method, path: None
    assert store.finished("select") == set()
    with pytest.raises(FileNotFoundError):
        store.local(REF)
    publish(store)
    assert (store.local(REF) / "a.txt").read_text() == "hello"


def test_a_truncated_file_is_named_taken_out_and_made_again(store: Store) -> None:
    publish(store)
    (whole,) = [entry.name for entry in store.entries("data") if entry.name.endswith("b.txt")]
    store.write_text(whole, "hel")
    with pytest.raises(StoreError, match=r"`parts/deep/b.txt` of select/abc was damaged .* the same command"):
        store.local(REF)
    assert not list(cache.machine_folder("cache", store.root).glob("select/abc*[!k]")), "no partial copy is left"
    assert store.finished("select") == set()
    publish(store)
    assert (store.local(REF) / "parts" / "deep" / "b.txt").read_text() == "hellohello"


@pytest.mark.parametrize("kind", ["500", "503", "reset"])
def test_a_server_that_fails_every_third_call_is_waited_for(store: Store, server: S3Server, kind: str) -> None:
    stream = random.Random(7)
    server.fault = lambda number, method, path: kind if stream.random() < 0.35 else None
    publish(store)
    assert (store.local(REF) / "a.txt").read_text() == "hello"
    assert store.finished("select") == {"abc"}
    assert store.read_text("pins/none.json") is None


def test_unreachable_is_not_taken_for_not_found(store: Store, server: S3Server, monkeypatch) -> None:
    publish(store)
    monkeypatch.setattr(retry, "PATIENCE", 0.3)
    server.fault = lambda number, method, path: "503"
    for call in (
        lambda: store.finished("select"),
        lambda: store.manifest(REF),
        lambda: store.read_text("pins/x.json"),
        lambda: publish(store),
    ):
        since = time.monotonic()
        with pytest.raises(Unreachable, match="the store failed for") as raised:
            call()
        assert may_pass(raised.value), "so its unit is tried again"
        assert time.monotonic() - since < 20


def test_a_bucket_that_does_not_exist_is_said(server: S3Server) -> None:
    with pytest.raises(StoreError, match="s3://nowhere/x: cannot be written: its bucket does not exist"):
        Store("s3://nowhere/x").write_text("pins/x.json", "{}")


def test_listing_goes_on_after_a_page(store: Store, server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    for i in range(25):
        store.write_text(f"manifests/train/{i}.json", "{}")
    server.calls.clear()
    assert len(store.finished("train")) == 25
    assert len(server.calls) == 3
    assert len(list(store.entries("manifests"))) == 25


def test_the_cache_keeps_within_its_bound_and_never_drops_what_was_just_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIXWRIGHT_CACHE_GB", "0.000004")
    folders = {}
    for i in range(3):
        publish(store, "x" * 500, f"select/{i}")  # 1.5 kB with both files
        folders[i] = store.local(f"select/{i}")
    assert all(folder.is_dir() for folder in folders.values()), "all were asked for within the hour"
    for i in (0, 1):
        long_ago = time.time() - cache.IN_USE - 100 + i
        os.utime(folders[i], (long_ago, long_ago))
    publish(store, "x" * 500, "select/3")
    store.local("select/3")
    assert not folders[0].is_dir()
    assert not folders[1].is_dir()
    assert folders[2].is_dir()
    assert (store.local("select/0") / "a.txt").read_text() == "x" * 500
    monkeypatch.setenv("MIXWRIGHT_CACHE_GB", "much")
    publish(store, "x", "select/4")
    with pytest.raises(InputError, match="MIXWRIGHT_CACHE_GB: `much`"):
        store.local("select/4")


def test_two_roots_never_share_a_copy(server: S3Server, store: Store) -> None:
    one, other = Store(f"{store.root}/a_b"), Store(f"{store.root}/a/b")
    publish(one, "one")
    publish(other, "other")
    assert (one.local(REF) / "a.txt").read_text() == "one"
    assert (other.local(REF) / "a.txt").read_text() == "other"


def test_a_manifest_cannot_lead_out_of_the_cache(store: Store, tmp_path: Path) -> None:
    publish(store)
    evil = {**store.manifest(REF), "files": {"../../../../evil": 5}}
    store.write_text(f"manifests/{REF}.json", json.dumps(evil))
    with pytest.raises(StoreError, match="was damaged and is removed"):
        store.local(REF)
    assert not list(tmp_path.rglob("evil"))

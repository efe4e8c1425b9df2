"""A call to the store that fails of what may pass is made again; publishing too, as long as its files are there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline import patient_store
from pipeline.patience import Patience
from pipeline.patient_store import PatientStore
from pipeline.store import Store


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patient_store, "CALLS", Patience(pauses=(0, 0)))


def failing(monkeypatch: pytest.MonkeyPatch, name: str, times: int, late: bool = False) -> list[int]:
    """Let a method fail the first times, before or after its work; return what grows by one with each call."""
    plain, calls = getattr(Store, name), []

    def call(self, *args):
        calls.append(1)
        found = plain(self, *args) if late or len(calls) > times else None
        if len(calls) <= times:
            raise TimeoutError("no answer")
        return found

    monkeypatch.setattr(Store, name, call)
    return calls


def artefact(store: Store) -> Path:
    folder = store.workspace()
    (folder / "a.txt").write_text("x")
    return folder


def test_calls_are_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = PatientStore(str(tmp_path))
    failing(monkeypatch, "publish", 2)
    store.publish("s/k", artefact(store), {"counts": {}})
    calls = failing(monkeypatch, "manifest", 2)
    assert store.manifest("s/k")["files"] == ["a.txt"]
    assert len(calls) == 3
    failing(monkeypatch, "finished", 3)
    with pytest.raises(TimeoutError):
        store.finished("s")


def test_what_will_not_pass_is_not_tried_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    calls = failing(monkeypatch, "manifest", 0)
    with pytest.raises(FileNotFoundError):
        PatientStore(str(tmp_path)).manifest("s/none")
    assert len(calls) == 1


def test_publishing_is_not_tried_again_without_its_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    store = PatientStore(str(tmp_path))
    calls = failing(monkeypatch, "publish", 1, late=True)
    with pytest.raises(TimeoutError, match="no answer"):
        store.publish("s/k", artefact(store), {"counts": {}})
    assert len(calls) == 1

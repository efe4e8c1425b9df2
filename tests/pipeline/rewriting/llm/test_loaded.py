"""Two models of one unit stay; the next variant's model finds the room of the one before."""

from __future__ import annotations

import weakref

import pytest

from pipeline.rewriting.llm import loaded as module
from pipeline.rewriting.llm.loaded import loaded


class Model:
    pass


def test_models_in_use_are_kept_and_others_are_gone_before_the_next_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_LOADED", {})
    backend, judge = loaded("backend", Model), loaded("judge", Model)
    seen = weakref.ref(backend)
    del backend, judge
    assert loaded("backend", Model) is seen(), "kept from one unit to the next"
    assert len(module._LOADED) == 2
    before: list[object] = []

    def load() -> Model:
        before.append(seen())
        return Model()

    loaded("other", load)
    assert before == [None], "the old model was still there while the new one was loaded"
    assert list(module._LOADED) == ["other"]

"""The store, with calls that are made again where they fail of what may pass: a unit may need hundreds of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pipeline.patience import Patience, patiently
from pipeline.store import Store

T = TypeVar("T")

CALLS = Patience(pauses=(0.2, 1, 4))
"""For one call. What fails longer fails the unit, which has pauses of its own, or the driver's step."""


class _Moved(Exception):
    """Publishing failed when the files had left their folder: the unit has to be done again."""


class PatientStore(Store):
    """Every method that reads or writes is called again after a short pause where its error may pass."""

    def finished(self, stage: str) -> set[str]:
        return _again(partial(super().finished, stage))

    def manifest(self, ref: str) -> dict[str, Any]:
        return _again(partial(super().manifest, ref))

    def local(self, ref: str) -> Path:
        return _again(partial(super().local, ref))

    def publish(self, ref: str, folder: Path, manifest: Mapping[str, Any]) -> None:
        plain = super().publish

        def call() -> None:
            try:
                plain(ref, folder, manifest)
            except Exception as error:
                raise error if folder.exists() else _Moved() from error

        try:
            _again(call)
        except _Moved as moved:
            raise moved.__cause__ or moved from None

    def write_text(self, path: str, text: str) -> None:
        _again(partial(super().write_text, path, text))

    def copy_in(self, file: Path, path: str) -> None:
        _again(partial(super().copy_in, file, path))

    def read_text(self, path: str) -> str | None:
        return _again(partial(super().read_text, path))

    def read_json(self, ref: str, name: str) -> Any:
        return _again(partial(super().read_json, ref, name))


def _again(call: Callable[[], T]) -> T:
    return patiently(call, CALLS, lambda said: None)

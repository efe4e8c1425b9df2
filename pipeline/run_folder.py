"""Run folders by their path or URL: `runs/quickstart-1a2b3c4d`, `s3://bucket/store/quickstart-1a2b3c4d`."""

from __future__ import annotations

import os
from pathlib import Path

import fsspec

from pipeline.errors import InputError
from pipeline.storage.cache import machine_folder
from pipeline.storage.files import write_whole
from pipeline.store import Store

_ALWAYS = "mix.json"


def find_run_folder(run: str, *names: str) -> Path:
    """Return a local folder that holds mix.json and the named files of a finished run; those of a URL are copied.

    They are copied anew each time, for a run writes its folder again. Raises InputError where one is missing.
    """
    store, name = place_of(run)
    folder = store.folder / name if store.folder else machine_folder("runs", store.root) / name
    for file in (_ALWAYS, *names):
        content = store.read_bytes(f"{name}/{file}")
        if content is None:
            raise no_run(run, file)
        if not store.folder:
            write_whole(str(folder / file), lambda path, content=content: path.write_bytes(content))
    return folder


def place_of(run: str) -> tuple[Store, str]:
    """Return the store that a run folder lies in, and its name there. Raises InputError for what is no such place."""
    protocol, _, rest = run.partition("://")
    path = run.rstrip("/") if rest else os.path.abspath(run)
    root, _, name = path.rpartition("/")
    if root.endswith(":/") or not name:  # a bucket, or the root of all folders
        raise no_run(run)
    try:
        if rest:
            fsspec.get_filesystem_class(protocol)
    except (ImportError, ValueError) as error:
        raise InputError(f"cannot open `{run}`: {error}") from None
    return Store(root or "/"), name


def no_run(run: str, file: str = _ALWAYS) -> InputError:
    """Return the error for a place that lacks a file of a finished run."""
    return InputError(f"{run}: not a finished run folder (it holds no {file})")

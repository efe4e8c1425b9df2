"""What a source's section of the YAML names: its files, their formats and the names of documents without ids."""

from __future__ import annotations

import glob
import os
from typing import Any

import fsspec

from pipeline.config import Source
from pipeline.readers.registry import FORMATS, format_named_like

_MAGIC = "*?["


def source_files(source: Source) -> list[str]:
    """Return the files (or folders of code) of a source in order; a glob may match several. A data set is its path.

    Raises ConnectionError where a remote folder cannot be listed.
    """
    kind = FORMATS[source.format].of if source.format in FORMATS else "file"
    if kind == "dataset":
        return [source.path]
    if "://" in source.path and kind == "folder":
        return []  # only local ones can be read
    if "://" in source.path:
        try:
            fs, base = fsspec.core.url_to_fs(source.path)
            return sorted(fs.unstrip_protocol(name) for name in fs.glob(base))
        except Exception as error:  # the library of every store raises its own
            raise ConnectionError(f"cannot list `{source.path}`: {type(error).__name__}: {error}") from error
    found = sorted(glob.glob(source.path, recursive=True))
    return [path for path in found if kind == "file" or os.path.isdir(path)]


def format_of(source: Source, file: str) -> str | None:
    """Return the format that the source states or the file's ending tells."""
    return source.format or format_named_like(file)


def name_within(source: Source, file: str) -> str:
    """Return a file's path behind the part of the source's path that has no wildcard, so that a moved folder of data
    keeps its names."""
    path = source.path if "://" not in file else file[: file.index("://") + 3] + source.path.partition("://")[2]
    magic = min((path.index(sign) for sign in _MAGIC if sign in path), default=len(path.rstrip("/")))
    return file[path.rfind("/", 0, magic) + 1 :].strip("/")


def params_of(source: Source, form: str) -> Any:
    """Return the settings of a source's format. Raises pydantic's ValidationError."""
    return FORMATS[form].params.model_validate(source.params)

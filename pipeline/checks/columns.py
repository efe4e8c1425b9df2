"""Fields that a source maps, held against the columns that its first local file names: a wrong one is known at once."""

from __future__ import annotations

import os
from collections.abc import Iterable

from pydantic import ValidationError

from pipeline.checks.base import Mistakes
from pipeline.config import Config, Source
from pipeline.errors import nearest
from pipeline.readers.listing import format_of, params_of, source_files
from pipeline.readers.names import column_names
from pipeline.readers.registry import FORMATS

_MAPPED = ("text", "id", "group", "truth", "license_field")


def column_mistakes(config: Config) -> Mistakes:
    """Yield mapped fields that are no columns. Files that cannot be read are left to the stage `sources`."""
    for name, source in config.sources.items():
        file, names = _first_columns(source)
        if isinstance(names, str):
            yield ("sources", name, "path"), f"`{file}`: {names}"
            continue
        if names is None:
            continue
        for key in _MAPPED:
            field = getattr(source, key)
            if field is not None and field not in names:
                yield ("sources", name, key), f"`{file}` has no column `{field}`{_hint(key, field, names)}"


def _hint(key: str, field: str, names: Iterable[str]) -> str:
    return nearest(field, names) + ("; `id: null` names documents by file and row" if key == "id" else "")


def _first_columns(source: Source) -> tuple[str, list[str] | str | None]:
    if (source.format is not None and source.format not in FORMATS) or "://" in source.path:
        return "", None
    if "://" in source.path:
        return source.path, None
    file = next(iter(source_files(source)), "")
    form = format_of(source, file)
    if form is None or not os.path.isfile(file):
        return file, None
    try:
        return file, column_names(form, file, params_of(source, form))
    except ValidationError:  # of `params`, and reported there
        return file, None

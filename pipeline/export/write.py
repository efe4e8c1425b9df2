"""`mixwright export`: read the run, write the data, then the mix that refers to it."""

from __future__ import annotations

from collections.abc import Callable

from pipeline.errors import InputError, nearest
from pipeline.export.base import Export
from pipeline.export.folder import Folder
from pipeline.export.mix import read_mix
from pipeline.export.plain import record
from pipeline.export.registry import FORMATS


def write_export(
    run: str, to: str, out: str | None, *, weights_only: bool, context: int, say: Callable[[str], None]
) -> str:
    """Export a finished run and return the folder's path or URL. out: `exports/<run folder>/<format>` if None.

    The mix is written after the data, so that an export that was stopped holds none. Raises InputError for an unknown
    format, a run that is not finished, or a folder that is not empty.
    """
    if to not in FORMATS:
        raise InputError(f"--to {to}: there is no such format{nearest(to, FORMATS)}")
    mix = read_mix(run)
    export = Export(mix, Folder(out or f"exports/{mix.run}/{to}"), context, say)
    form = FORMATS[to]
    ids = form.data(export) if form.data and not weights_only else {}
    if form.config:
        form.config(export)
    export.folder.write_json("mix.json", {**record(mix), **({"ids": dict(ids)} if ids else {})})
    return export.folder.url

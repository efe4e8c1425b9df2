"""The shards of a source: its files, and the pieces of large ones, each named by its content."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import fsspec

from pipeline.config import Source
from pipeline.errors import InputError
from pipeline.readers.base import Piece
from pipeline.readers.huggingface import HuggingFaceParams, dataset_files, is_saved
from pipeline.readers.listing import format_of, name_within, params_of, source_files
from pipeline.readers.registry import FORMATS
from pipeline.readers.source_code import code_files, is_license_file, parts_of
from pipeline.readers.streams import size_of
from pipeline.run import Run
from pipeline.units import digest


@dataclass(frozen=True)
class Part:
    """What one unit of `sources` reads.

    label: number of the file among the source's, of a piece with its own number. name: path within the source, which
    ids are made of. content: a name for the bytes. files: of a folder, those of this shard.
    """

    label: str
    path: str
    name: str
    form: str
    content: str
    piece: Piece | None = None
    files: tuple[str, ...] = ()


def parts(run: Run, name: str, source: Source) -> list[Part]:
    """Return the shards of a source in order. Raises InputError where a data set cannot be opened."""
    found = []
    for i, file in enumerate(source_files(source)):
        form = format_of(source, file)
        assert form is not None, "checked when the YAML was loaded"
        params = params_of(source, form)
        label = f"{i:03d}"
        kind = FORMATS[form].of
        if kind == "folder":
            found += _folder_parts(run, source, file, form, label)
            continue
        within = source.path if kind == "dataset" else name_within(source, file)
        content = _dataset_content(run, source, params) if kind == "dataset" else fingerprint(run, file)
        try:
            pieces = _pieces(run, source, file, form, content)
        except Exception as error:  # `datasets` raises many types: no network, no such name, no such split
            if kind != "dataset":
                raise
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise run.mix.error(("sources", name, "path"), f"`{file}` cannot be opened: {reason}") from None
        if not pieces:
            found.append(Part(label, file, within, form, content))
        found += [Part(f"{label}-{k:03d}", file, within, form, content, piece) for k, piece in enumerate(pieces)]
    return found


def _pieces(run: Run, source: Source, file: str, form: str, content: str) -> Sequence[Piece]:
    """Return the pieces of a file above `shard_bytes`; where they are is remembered with its content."""
    spec, params = FORMATS[form], params_of(source, form)
    if spec.cut is None or (spec.of == "file" and size_of(file) <= source.shard_bytes):
        return []
    stamp = f"cut:{digest([content, form, params.model_dump(mode='json'), source.shard_bytes])}"
    if stamp not in run.fingerprints:
        found = spec.cut(file, source.shard_bytes, params)
        text = json.dumps([[piece.start, piece.end, piece.first_row] for piece in found])
        if spec.of == "dataset" and not _is_fixed(file, params):
            return found
        run.fingerprints[stamp] = text
    return [Piece(*each) for each in json.loads(run.fingerprints[stamp])]


def _is_fixed(path: str, params: HuggingFaceParams) -> bool:
    return bool(params.revision or dataset_files(path, params))


def _dataset_content(run: Run, source: Source, params: HuggingFaceParams) -> str:
    """Return a name for a data set: its local files, or its name and revision on the hub."""
    files = dataset_files(source.path, params)
    own = {} if is_saved(source.path) else {"path": source.path}
    return digest([own, [fingerprint(run, file) for file in files]], 32)


def _folder_parts(run: Run, source: Source, folder: str, form: str, label: str) -> list[Part]:
    """Return a folder's files in shards. The licence files of the whole folder count as content of every shard."""
    files = code_files(folder)
    stats = {name: os.stat(os.path.join(folder, name)) for name in files}
    runs = parts_of(files, [stats[name].st_size for name in files], source.shard_bytes)
    licenses = tuple(name for name in files if is_license_file(name))
    within = name_within(source, folder)
    found = []
    for k, chosen in enumerate(runs):
        seen = dict.fromkeys((*chosen, *licenses))
        times = [[name, stats[name].st_size, stats[name].st_mtime_ns] for name in seen]
        stamp = f"folder:{digest([str(Path(folder).resolve()), times])}"
        if stamp not in run.fingerprints:
            whole = hashlib.blake2b()
            for name in seen:
                whole.update(f"{name}\0{_hash(os.path.join(folder, name))}\n".encode())
            run.fingerprints[stamp] = whole.hexdigest()[:32]
        tag = f"{label}-{k:03d}" if len(runs) > 1 else label
        found.append(Part(tag, folder, within, form, run.fingerprints[stamp], files=chosen))
    return found


def fingerprint(run: Run, path: str) -> str:
    """Return a name for a file's content: a hash of its bytes, or what an object store says of it.

    Hashes are remembered by path, size and time of change, so that a large file is read once. Raises InputError for a
    file that cannot be read.
    """
    if "://" in path:
        fs, base = fsspec.core.url_to_fs(path)
        return str(fs.checksum(base))
    stat = Path(path).stat()
    stamp = f"{Path(path).resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
    if stamp not in run.fingerprints:
        run.fingerprints[stamp] = content_of(path)
    return run.fingerprints[stamp]


def content_of(path: str) -> str:
    """Return the hash of a local file's bytes that `fingerprint` remembers. Raises InputError as it does."""
    return _hash(path)[:32]


def _hash(path: str) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "blake2b").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None

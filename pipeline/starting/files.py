"""Which sources a folder holds: files of one kind together, evals apart, what no reader knows named."""

from __future__ import annotations

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipeline.readers.huggingface import is_saved
from pipeline.readers.registry import format_named_like
from pipeline.readers.source_code import is_license_file, language_of
from pipeline.readers.streams import codec_of
from proxy_models.readers import format_of as eval_format

_NUMBERED = re.compile(r"([-_. ]?(part|shard|train|data)?[-_. ]?\d+([-_.]?of[-_.]?\d+)?)+$", re.IGNORECASE)
_EVALS = (".jsonl", ".jsonl.gz", ".zip")
_OTHER = frozenset({"Text only", "Markdown", "JSON", "YAML", "TOML", "INI", "XML", "HTML", "CSV"})
"""What a language is called that says nothing of a folder of code: notes and settings lie beside any data."""


@dataclass(frozen=True)
class Group:
    """Files that are one source. path: as `sources.<name>.path` has it. form: where their ending does not tell it."""

    name: str
    path: str
    files: tuple[str, ...]
    form: str | None = None

    @property
    def bytes(self) -> int:
        return sum(os.path.getsize(file) for file in self.files)


@dataclass(frozen=True)
class Folder:
    """What a place holds. evals: name → path. unread: files that no reader knows."""

    groups: list[Group]
    evals: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def sort_out(place: Path) -> Folder:
    """Return the sources, evals and unread files of a folder or file; hidden ones are passed over."""
    if place.is_dir() and is_saved(str(place)):
        files = tuple(str(file) for file in sorted(place.rglob("*")) if file.is_file())
        return Folder([Group(name_of(place.name), str(place), files, "huggingface")])
    kinds: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    code: dict[str, list[str]] = {}
    evals: dict[str, str] = {}
    unread = []
    for file in _files(place):
        inside = PurePosixPath(os.path.relpath(file, place)) if place.is_dir() else PurePosixPath(place.name)
        top = inside.parts[0] if len(inside.parts) > 1 else ""
        codec = codec_of(inside.name)
        stem, ending = os.path.splitext(inside.name.removesuffix(codec) if codec else inside.name)
        if _is_eval(file):
            evals[name_of(stem)] = file
        elif format_named_like(file):
            kinds[top, "" if top else _NUMBERED.sub("", stem) or stem, ending + codec].append(file)
        elif (language := language_of(inside.name)) and language not in _OTHER:
            code.setdefault(top, []).append(file)
        elif not is_license_file(inside.name):
            unread.append(file)
    groups = [_group(place, *kind, files) for kind, files in kinds.items()]
    if "" in code:  # the format reads all that lies below a folder
        code = {"": [file for files in code.values() for file in files]}
    groups += [Group(name_of(top or place.name), str(place / top), tuple(f), "code") for top, f in code.items()]
    return Folder(_with_own_names(groups), evals, unread)


def _files(place: Path) -> list[str]:
    if place.is_file():
        return [str(place)]
    found = []
    for folder, folders, files in os.walk(place):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "__")))
        found += [os.path.join(folder, name) for name in sorted(files) if not name.startswith((".", "_"))]
    return [file for file in found if os.path.isfile(file) and os.path.getsize(file)]


def _is_eval(file: str) -> bool:
    if not file.endswith(_EVALS):
        return False
    try:
        return bool(eval_format(Path(file)))
    except (ValueError, OSError):
        return False


def _group(place: Path, top: str, stem: str, ending: str, files: list[str]) -> Group:
    if len(files) == 1:
        return Group(name_of(top or stem), files[0], tuple(files))
    path = f"{place}/{top}/**/*{ending}" if top else f"{place}/{stem}*{ending}"
    return Group(name_of(top or stem), path, tuple(files))


def _with_own_names(groups: list[Group]) -> list[Group]:
    """Return the groups with names that differ: the second of a name gets a number."""
    seen: defaultdict[str, int] = defaultdict(int)
    found = []
    for group in groups:
        seen[group.name] += 1
        number = seen[group.name]
        name = group.name if number == 1 else f"{group.name}_{number}"
        found.append(Group(name, group.path, group.files, group.form))
    return found


def name_of(text: str) -> str:
    """Return what a source may be called: lower-case letters, digits and _, a letter first."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if name[:1].isalpha() else f"s_{name}".rstrip("_")

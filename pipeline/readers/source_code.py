"""Folders of source code: one document a file, with its language, repository and licence."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

from pipeline.readers.base import BadRecord, Item, Record, Shard, Skipped, too_long

_NOT_CODE = frozenset({".git", ".hg", ".svn", "node_modules", "__pycache__"})
_LICENSE_FILE = re.compile(r"(licen[cs]e|copying|unlicense)([.-].*)?$", re.IGNORECASE)
_LICENSE_BYTES = 100_000
_ID = r"\(*[A-Za-z0-9](?:[A-Za-z0-9.:-]*[A-Za-z0-9])?\+?\)*"
_HEADER = re.compile(rf"SPDX-License-Identifier:[ \t]*({_ID}(?:[ \t]+(?:AND|OR|WITH)[ \t]+{_ID})*)")
"""An SPDX expression; what follows it belongs to the comment around."""
_HEADER_CHARACTERS = 2000
MAX_FILES = 20_000
"""Files of one shard, at most."""
_PROSE = frozenset({"Text only"})


def code_files(folder: str) -> list[str]:
    """Return the files below a folder, as paths within it, in order; version control and installed packages are left
    out, and what is no plain file: links may lead out of it or in circles."""
    found = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _NOT_CODE)
        inside = PurePosixPath(place).relative_to(folder)
        found += [str(inside / name) for name in sorted(files) if _is_plain(os.path.join(place, name))]
    return found


def _is_plain(path: str) -> bool:
    return stat.S_ISREG(os.lstat(path).st_mode)


def is_license_file(name: str) -> bool:
    """Tell whether a path's last part is what licence files are called."""
    return _LICENSE_FILE.match(PurePosixPath(name).name) is not None


def read_code(shard: Shard) -> Iterator[Item]:
    """Yield a record for every file whose ending or name is a programming or markup language's.

    `id` (the path, behind the folder's name), `text`, `language` (as Pygments calls it), `path`, `group` (the
    repository), `license` (SPDX). The repository is the nearest folder upwards with a `.git`, else the topmost one with
    a licence file, else the whole folder, or of one that holds nothing but folders the first of these. The licence is
    the file's own SPDX line, else a guess from the nearest licence file upwards. Binary files and those of no known
    language are skipped.
    """
    root = Path(shard.path)
    around = _Surroundings(root, shard.name)
    for row, name in enumerate(shard.files):
        language = language_of(PurePosixPath(name).name)
        if language is None:
            yield Skipped(row, "no known language")
            continue
        file = root / name
        size = file.stat().st_size
        if size > shard.limit:
            yield too_long(row, size, shard.limit)
            continue
        data = file.read_bytes()
        if b"\0" in data:
            yield Skipped(row, "binary")
            continue
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError:
            yield BadRecord(row, f"not UTF-8: {name}")
            continue
        if not text.strip():
            yield Skipped(row, "empty file")
            continue
        folder = file.parent
        values = {
            "id": f"{shard.name}/{name}",
            "text": text,
            "path": name,
            "language": language,
            "group": around.repository(folder),
            "license": stated_license(text) or around.license_of(folder),
        }
        yield Record({key: value for key, value in values.items() if value is not None}, row)


@lru_cache(maxsize=10_000)
def _lexer_language(name: str) -> str | None:
    from pygments.lexers import find_lexer_class_for_filename

    lexer = find_lexer_class_for_filename(name)
    return lexer.name if lexer and lexer.name not in _PROSE else None


def language_of(name: str) -> str | None:
    """Return the language of a file by its ending, else by its whole name; None where none is known."""
    ending = PurePosixPath(name).suffix
    return (_lexer_language(f"x{ending}") if ending else None) or _lexer_language(name)


def stated_license(text: str) -> str | None:
    """Return the SPDX expression of the first such line near the beginning of a text, None where there is none."""
    match = _HEADER.search(text, 0, _HEADER_CHARACTERS)
    if match is None:
        return None
    found = match[1]
    while found.endswith(")") and found.count(")") > found.count("("):
        found = found[:-1]
    return found if found.count("(") == found.count(")") else None


class _Surroundings:
    """Repository and licence of the folders below a root, each looked up once."""

    def __init__(self, root: Path, name: str) -> None:
        self._root, self._name = root, name
        self._license_files: dict[Path, Path | None] = {}
        self._guesses: dict[Path, str | None] = {}
        self._repositories: dict[Path, str] = {}

    def _upwards(self, folder: Path) -> list[Path]:
        """Return the folder and those above it, up to the root."""
        return [folder, *folder.parents][: len(folder.relative_to(self._root).parts) + 1]

    def _license_file(self, folder: Path) -> Path | None:
        if folder not in self._license_files:
            names = sorted(each for each in os.listdir(folder) if _LICENSE_FILE.match(each))
            files = (folder / each for each in names if (folder / each).is_file())
            self._license_files[folder] = next(files, None)
        return self._license_files[folder]

    def license_of(self, folder: Path) -> str | None:
        """Return a guess from the nearest licence file upwards."""
        file = next((found for each in self._upwards(folder) if (found := self._license_file(each))), None)
        if file is None:
            return None
        if file not in self._guesses:
            self._guesses[file] = guess_license(file)
        return self._guesses[file]

    def repository(self, folder: Path) -> str:
        """Return the repository of a folder, as a path behind the root's name."""
        if folder not in self._repositories:
            upwards = self._upwards(folder)
            found = next((each for each in upwards if (each / ".git").exists()), None)
            found = found or next((each for each in reversed(upwards) if self._license_file(each)), None)
            if found is None:
                alone = any(each.is_file() for each in self._root.iterdir())
                found = self._root if alone or len(upwards) == 1 else upwards[-2]
            inside = found.relative_to(self._root)
            self._repositories[folder] = self._name if found == self._root else f"{self._name}/{inside}"
        return self._repositories[folder]


def guess_license(file: Path) -> str | None:
    """Return the SPDX name of the licence whose text a file holds, None where it is none that is known."""
    from identify.identify import license_id

    if file.stat().st_size > _LICENSE_BYTES:
        return None
    try:
        return license_id(str(file))
    except UnicodeDecodeError:
        return None


def parts_of(files: Sequence[str], sizes: Sequence[int], step: int) -> list[tuple[str, ...]]:
    """Return files in runs of at most `step` bytes, and of a number that one unit can name."""
    runs: list[list[str]] = []
    size = 0
    for name, more in zip(files, sizes, strict=True):
        if not runs or size + more > step or len(runs[-1]) >= MAX_FILES:
            runs.append([])
            size = 0
        runs[-1].append(name)
        size += more
    return [tuple(run) for run in runs]

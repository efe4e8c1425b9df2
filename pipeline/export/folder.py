"""The folder that an export fills: local, or any fsspec URL."""

from __future__ import annotations

import os
from typing import IO, Any

import fsspec

from pipeline.errors import InputError
from pipeline.storage.names import inside
from pipeline.store import to_json


class Folder:
    """A new folder. `url` is its absolute path, or its URL: what a trainer's configuration names."""

    def __init__(self, place: str) -> None:
        """Raises InputError where the place holds files already: an export never replaces any."""
        self.url = place.rstrip("/") if "://" in place else os.path.abspath(place)
        try:
            self._fs, self._base = fsspec.core.url_to_fs(self.url)
        except (ImportError, ValueError) as error:
            raise InputError(f"--out {place}: cannot be opened: {error}") from None
        if self._fs.exists(self._base) and (not self._fs.isdir(self._base) or self._fs.ls(self._base, detail=False)):
            raise InputError(f"{place}: is not empty, and an export replaces nothing; give another --out")

    def path(self, name: str) -> str:
        """Return the absolute path, or URL, of a name in the folder."""
        return f"{self.url}/{name}"

    def open(self, name: str) -> IO[bytes]:
        """Open a new file for writing bytes; its folders are made. Raises ValueError for a name that leads out."""
        target = f"{self._base}/{inside(name)}"
        self._fs.makedirs(target.rpartition("/")[0], exist_ok=True)
        file: Any = self._fs.open(target, "wb")
        return file

    def write_text(self, name: str, text: str) -> None:
        with self.open(name) as file:
            file.write(text.encode())

    def write_json(self, name: str, value: Any) -> None:
        self.write_text(name, to_json(value))

    def write_yaml(self, name: str, value: Any, comment: str = "") -> None:
        """Write YAML in the order of the keys, below lines of comment."""
        import yaml

        head = "".join(f"# {line}\n" for line in comment.splitlines())
        self.write_text(name, head + yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=120))

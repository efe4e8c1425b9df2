"""What a format is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.export.folder import Folder
from pipeline.export.mix import Mix


@dataclass(frozen=True)
class Export:
    """What is asked for. context: tokens of a sample, for the formats whose samples have one length."""

    mix: Mix
    folder: Folder
    context: int
    say: Callable[[str], None] = lambda _: None


@dataclass(frozen=True)
class Format:
    """A format: `config` writes the mix as its trainer reads it, `data` the documents that the mix refers to.

    `data` returns, for mix.json, which ids it wrote: nothing where it wrote text.
    """

    config: Callable[[Export], None] | None = None
    data: Callable[[Export], Mapping[str, Any]] | None = None

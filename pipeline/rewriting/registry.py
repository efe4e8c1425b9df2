"""The rewriters by name. Adding one is a file and a line here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from pipeline.rewriting import c4_lines, ocr_cleanup, wiki_qa
from pipeline.rewriting.base import Rewriter


@dataclass(frozen=True)
class RewriterSpec:
    """A rewriter as a mix names it.

    `version` belongs to the key of what it makes: raise it whenever the same document may come out
    differently. `params` validates the YAML section; `load` builds the rewriter (and reads its data), once
    per worker.
    """

    name: str
    version: str
    params: type[BaseModel]
    load: Callable[[Any, int], Rewriter]


REWRITERS: dict[str, RewriterSpec] = {
    spec.name: spec
    for spec in (
        RewriterSpec("wiki_qa", wiki_qa.VERSION, wiki_qa.Params, wiki_qa.load),
        RewriterSpec("c4_lines", c4_lines.VERSION, c4_lines.Params, c4_lines.load),
        RewriterSpec("ocr_cleanup", ocr_cleanup.VERSION, ocr_cleanup.Params, ocr_cleanup.load),
    )
}

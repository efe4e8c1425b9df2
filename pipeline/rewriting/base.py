"""What a rewriter is: one document in, rewritten texts and reasoned rejections out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable


@dataclass(frozen=True)
class Rewrite:
    """One accepted text and what is worth knowing about how it came to be (counts, shares, sizes)."""

    text: str
    detail: dict[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True)
class Rejected:
    """One thing that was made, or tried, and not kept: a reason code and the text it is about."""

    reason: str
    text: str


class Rewriter(Protocol):
    def rewrite(self, document: Mapping[str, Any]) -> tuple[list[Rewrite], list[Rejected]]:
        """Rewrite a document (`id`, `text`, and its source's extra columns such as `title`).

        Pure: the answer depends on the document, the parameters and the seed, never on what was rewritten
        before. No rewrite means that the document is dropped, and then at least one rejection says why.
        Rejections beside a rewrite are parts that were left out of it (a Q&A pair that failed a check).
        """
        ...


@runtime_checkable
class BatchRewriter(Rewriter, Protocol):
    """A rewriter that has more to gain from many documents at once: a language model."""

    def rewrite_many(self, documents: Sequence[Mapping[str, Any]]) -> list[tuple[list[Rewrite], list[Rejected]]]:
        """Return what `rewrite` would of each document, in order."""
        ...

    def finish(self) -> dict[str, Any]:
        """Return what the unit's manifest counts beside documents (tokens, requests), once all are rewritten."""
        ...

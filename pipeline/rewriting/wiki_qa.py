"""`wiki_qa`: an encyclopaedia's lead becomes a passage and questions answered by spans of it.

The shape is that of Nemotron-CC's "diverse Q&A" (Su et al. 2024, arXiv:2412.02595): the source text, then at
most eight pairs. Its questions come from a language model; these come from rules, so that each answer is a
verbatim span and each pair passes the checks of `qa_checks` (which Nemotron-CC's pipeline lacks). English
only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from pipeline.rewriting.base import Rejected, Rewrite
from pipeline.rewriting.qa_candidates import candidates
from pipeline.rewriting.qa_checks import check_pair
from pipeline.rewriting.qa_passage import read_passage

VERSION = "3"


class Params(BaseModel):
    """The `params` of a `wiki_qa` rewrite."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    max_pairs: int = Field(8, ge=1, le=64, description="pairs kept of one passage")
    passage: Literal["before", "none"] = Field("before", description="whether the source text precedes the questions")


@dataclass(frozen=True)
class Pair:
    kind: str
    question: str
    answer: str


def format_pairs(pairs: list[Pair]) -> str:
    return "\n\n".join(f"Question: {p.question}\nAnswer: {p.answer}" for p in pairs)


@dataclass(frozen=True)
class WikiQA:
    params: Params
    seed: int

    def rewrite(self, document: Mapping[str, Any]) -> tuple[list[Rewrite], list[Rejected]]:
        """One rewrite with the accepted pairs, or none and the reason `no_pairs`.

        Every candidate is accounted for: `detail["candidates"] == detail["pairs"] + len(rejections)` beside a
        rewrite. Without one, the rejections are the candidates' own and, last, `no_pairs`. The document needs
        `text`; without a `title` nothing says what it is about, so it has no pairs.
        """
        text = str(document.get("text") or "")
        pairs, rejected = self.pairs(document)
        if not pairs:
            return [], [*rejected, Rejected("no_pairs", text[:200])]
        body = format_pairs(pairs)
        if self.params.passage == "before":
            body = f"{text.strip()}\n\n{body}"
        detail: dict[str, str | int | float] = {
            "pairs": len(pairs),
            "candidates": len(pairs) + len(rejected),
            "kinds": ",".join(sorted({p.kind for p in pairs})),
        }
        return [Rewrite(body, detail)], rejected

    def pairs(self, document: Mapping[str, Any]) -> tuple[list[Pair], list[Rejected]]:
        """The accepted pairs in the passage's order, and the other candidates ("question\nanswer") with reasons."""
        text = str(document.get("text") or "")
        rng = np.random.default_rng([self.seed, _digest(str(document.get("id", "")), text)])
        passage = read_passage(text, str(document.get("title") or ""))
        accepted: list[Pair] = []
        rejected: list[Rejected] = []
        if passage is None:
            return accepted, rejected
        questions: set[str] = set()
        answers: set[tuple[int, int]] = set()
        for candidate in candidates(passage):
            question = candidate.questions[int(rng.integers(len(candidate.questions)))]
            answer = text[candidate.start : candidate.end]
            reason = check_pair(question, answer, text, passage.subject.name)
            span = (candidate.start, candidate.end)
            if not reason and (question in questions or _overlaps(span, answers)):
                reason = "duplicate"
            if not reason and len(accepted) >= self.params.max_pairs:
                reason = "over_max_pairs"
            if reason:
                rejected.append(Rejected(reason, f"{question}\n{answer}"))
                continue
            questions.add(question)
            answers.add(span)
            accepted.append(Pair(candidate.kind, question, answer))
        return accepted, rejected


def _overlaps(span: tuple[int, int], taken: set[tuple[int, int]]) -> bool:
    """Whether the same words, or nearly, already answer a question: most of the shorter span is shared."""
    start, end = span
    for other_start, other_end in taken:
        shared = min(end, other_end) - max(start, other_start)
        if shared > 0.8 * max(end - start, other_end - other_start):
            return True
    return False


def _digest(*parts: str) -> int:
    joined = "\x00".join(parts).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(joined, digest_size=8).digest(), "big")


def load(params: Params, seed: int) -> WikiQA:
    return WikiQA(params, seed)

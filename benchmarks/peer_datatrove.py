"""Run by `benchmarks/curate.py` in the peer's environment: datatrove's own filters on documents that come in parts.

    python benchmarks/peer_datatrove.py LANGUAGE_MODEL

Reads requests, one JSON object a line: `texts`, `filters` (names below, in order) and, if datatrove shall not split
words itself, `words` (a list for every text). Answers each with `reasons` (null for a kept document, otherwise the
filter and its reason), `seconds` (CPU) and, where asked for (`return_words`, `return_texts`), the words that it counted
and the texts that it kept.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from datatrove.data import Document  # type: ignore[import-not-found]
from datatrove.pipeline.filters import (  # type: ignore[import-not-found]
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    LanguageFilter,
    c4_filters,
    fineweb_quality_filter,
    gopher_quality_filter,
    gopher_repetition_filter,
)
from datatrove.utils import text as splitting  # type: ignore[import-not-found]
from datatrove.utils.lid import FT176LID  # type: ignore[import-not-found]

FILTERS = {
    "language": lambda: LanguageFilter("en"),
    "gopher_repetition": GopherRepetitionFilter,
    "gopher_quality": GopherQualityFilter,
    "c4": C4QualityFilter,
    "fineweb": FineWebQualityFilter,
}
SPLIT = splitting.split_into_words
SPLITTERS = (fineweb_quality_filter, gopher_quality_filter, gopher_repetition_filter)


class Exclusions:
    """Takes the place of the writer of dropped documents: notes the reason of each."""

    def __init__(self, name: str, reasons: dict[str, str]) -> None:
        self.name, self.reasons = name, reasons

    def __enter__(self) -> Exclusions:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def write(self, document: Any, _: int) -> None:
        self.reasons[document.id] = f"{self.name}/{document.metadata.get('filter_reason', '')}"


def answer(request: dict[str, Any], loaded: dict[str, Any]) -> dict[str, Any]:
    texts: list[str] = request["texts"]
    reasons: dict[str, str] = {}
    given = dict(zip(texts, request["words"], strict=True)) if "words" in request else None
    for module in SPLITTERS:
        module.split_into_words = SPLIT if given is None else (lambda text, _: given[text])
    documents: Any = (Document(text=text, id=str(i)) for i, text in enumerate(texts))
    for name in request["filters"]:
        step = loaded.setdefault(name, FILTERS[name]())
        step.exclusion_writer = Exclusions(name, reasons)
        documents = step.run(documents)
    splitting.split_into_parts.cache_clear()
    start = time.process_time()
    kept = {document.id: document.text for document in documents}
    seconds = time.process_time() - start
    assert len(kept) + len(reasons) == len(texts)
    result: dict[str, Any] = {"seconds": seconds, "reasons": [reasons.get(str(i)) for i in range(len(texts))]}
    if request.get("return_words"):
        result["words"] = [SPLIT(text, "en") for text in texts]
    if request.get("return_texts"):
        result["texts"] = [kept.get(str(i)) for i in range(len(texts))]
    return result


def main(model: str) -> None:
    FT176LID.MODEL_URL = model
    loaded: dict[str, Any] = {}
    assert c4_filters.split_into_sentences is splitting.split_into_sentences
    for line in sys.stdin:
        print(json.dumps(answer(json.loads(line), loaded)), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

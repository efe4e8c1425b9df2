"""Sections about documents: sources, what drops and rewrites them, buckets, vocabulary, licences."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipeline.config.base import Bytes, Count, Section
from pipeline.readers.base import MAX_DOCUMENT_BYTES
from pipeline.rules import Limit


class Source(Section):
    """Raw documents of one origin."""

    path: str = Field(
        description="File, glob or fsspec URL; every file is a shard. Of the format `code` a folder, of `huggingface`"
        " a data set's name."
    )
    format: str | None = Field(None, description="How it is read (docs/sources.md); by the file's ending if absent.")
    params: dict[str, Any] = Field(
        default_factory=dict, description='The format\'s own settings, e.g. `{separator: ";"}` (docs/sources.md).'
    )
    text: str = Field("text", description="Field that holds the text; `meta.url` is the field `url` inside `meta`.")
    id: str | None = Field("id", description="Field that names the document; null: its file and row.")
    group: str | None = Field(
        None,
        description="Field whose value keeps documents on one side of the held-out split (thread, book, repository); "
        "the format's own if absent, else the id.",
    )
    truth: str | None = Field(
        None, description="Field with the ground truth of OCR text: held-out documents are scored on it."
    )
    license: str | None = Field(
        None, description="Licence of all its documents; the format's own if absent, else none is stated."
    )
    license_field: str | None = Field(
        None, description="Field that holds each document's licence, in place of `license`."
    )
    shard_bytes: Bytes = Field(
        256_000_000, description="Larger files are split into shards of at most this size, where the format allows."
    )
    max_document_bytes: Bytes = Field(
        MAX_DOCUMENT_BYTES,
        description="Larger documents are set aside, before they are in memory where the format allows.",
    )
    origin: str | None = Field(
        None,
        description="Where the documents come from, a URL or a few words: shown in the report beside the licences.",
    )
    mask: list[Literal["email", "ip"]] = Field(
        default_factory=list,
        description="Addresses that are replaced in text and ground truth as documents are read, so that all that "
        "follows sees the masked text; the report counts them.",
    )
    max_bad_fraction: float = Field(
        0.05,
        ge=0,
        le=1,
        description="Above this share of unreadable records the run stops (exit code 3); empty texts and repeated ids"
        " are none.",
    )


def check_limit(value: Any) -> Any:
    """Pass a rule's limit on: a number, two of them ([low, high], either may be null), or null."""
    numbers: list[Any] = list(value) if isinstance(value, (list, tuple)) and len(value) == 2 else [value]
    if any(each is not None and not (type(each) in (int, float) and math.isfinite(float(each))) for each in numbers):
        raise ValueError("expected a number, two bounds [low, high] or null; null is a bound that is not there")
    return tuple(numbers) if len(numbers) == 2 else value


class Rule(Section):
    """Drops documents: where a condition over attributes is true (`name`, `drop`), or by a rule set (`rules`)."""

    name: str | None = Field(
        None, description="The reason that a dropped document carries; the first rule that is true drops."
    )
    drop: str | None = Field(
        None,
        description="SQL condition over attribute columns (`gopher_words < 50`) and a document's own fields "
        "(`field_score < 3`); see docs/rules.md.",
    )
    rules: str | None = Field(None, description="A published rule set in place of `name` and `drop` (docs/rules.md).")
    limits: dict[str, Annotated[Limit, BeforeValidator(check_limit)]] = Field(
        default_factory=dict,
        description="Limits of the set's rules that differ from the published ones, by rule: a number, `[low, high]`,"
        " or null for none.",
    )
    attribute: str | None = Field(None, description="The `annotate` entry that the set reads, where several fit.")
    sources: list[str] | None = Field(None, description="Sources it holds for; all if absent.")

    @model_validator(mode="after")
    def _one_form(self) -> Rule:
        if self.rules is None and (self.name is None or self.drop is None):
            raise ValueError("expected `name` and `drop`, or `rules`")
        if self.rules is not None and (self.name is not None or self.drop is not None):
            raise ValueError("give `name` and `drop`, or `rules`, not both: a set names its reasons itself")
        if self.rules is None and (self.limits or self.attribute):
            raise ValueError("`limits` and `attribute` belong to `rules`")
        return self


class Rewrite(Section):
    """A rewritten variant of a source; its key in `rewrite:` is the domain's name, `source.variant`."""

    task: str = Field(
        description="`wiki_qa`, `ocr_cleanup` (docs/ocr.md), `c4_lines`; with a language model `wiki_qa_llm`, "
        "`diverse_qa`, `knowledge`, `paraphrase`, `ocr_correction`, or the path of a task file "
        "(docs/rewriting.md)."
    )
    params: dict[str, Any] = Field(default_factory=dict, description="The task's own settings.")


class Buckets(Section):
    """A source's documents by quantiles of a score; each bucket, `source.bucket`, is a domain in the source's place."""

    by: str = Field(description="Attribute column, higher is better, e.g. `good_score` (docs/classifiers.md).")
    shares: dict[str, float] = Field(description="Share of the documents in each bucket, the best first; sum 1.")

    def attribute(self, annotate: Mapping[str, Any]) -> str:
        """Return the `annotate` entry that the column comes from: the longest name that it starts with."""
        return max((name for name in annotate if self.by.startswith(f"{name}_")), key=len)


class Tokenize(Section):
    """The proxies' vocabulary: a small BPE that is trained, or one from elsewhere."""

    vocab_size: int = Field(4096, ge=300, le=2**20, description="Size of the proxies' BPE.")
    sample: Count = Field(8_000_000, description="Bytes of text that the vocabulary is trained on.")
    tokenizer: str | None = Field(
        None,
        description="A tokenizer.json from elsewhere for the proxies, in place of a BPE that is trained; its size is "
        "vocab_size then.",
    )


class Licenses(Section):
    """Which licences documents may have."""

    allow: list[str] | None = Field(
        None,
        description="Documents under other licences, or under none that is stated, are dropped with the reason "
        "`license`; all stay if absent.",
    )

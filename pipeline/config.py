"""The mix YAML as typed data. docs/YAML.md describes every key for users."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from pipeline.readers.base import MAX_DOCUMENT_BYTES
from pipeline.rules import Limit
from proxy_models.metrics import Metric

NAME = re.compile(r"[a-z][a-z0-9_]*")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9, "t": 10**12}

_DIGITS = 18


def parse_count(value: Any, also: str = "") -> Any:
    """Turn `600M`, `1.5B`, `400k` into an integer; other values pass through for pydantic to judge.

    also: other forms to name in the error.
    """
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d+(?:[._]\d+)*)\s*([kmbgtKMBGT]?)\s*", value)
        if match is None:
            raise ValueError(f"expected a count such as 400000, 400k, 600M or 1.5B{also}")
        if len(match[1]) > _DIGITS:
            raise ValueError(f"expected a count of at most {_DIGITS} digits")
        return round(float(match[1].replace("_", "")) * _UNITS[match[2].lower()])
    return value


def parse_tokens(value: Any) -> Any:
    """As `parse_count`, where `pipeline.resolve` has turned multiples of the parameters into counts."""
    return parse_count(value, also=", or 20x the parameters")


Count = Annotated[int, BeforeValidator(parse_count), Field(gt=0)]
ProxyTokens = Annotated[int, BeforeValidator(parse_tokens), Field(gt=0)]


Bytes = Annotated[int, BeforeValidator(parse_count), Field(ge=1000)]


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values never change after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(Section):
    """The training run that the mix is for."""

    tokens: Count = Field(description="Token budget of the target run; repetition caps come from it.")
    tokenizer: str | None = Field(None, description="Path of the target's tokenizer.json; the proxies' own if absent.")


class Source(Section):
    """Raw documents of one origin."""

    path: str = Field(description="File or glob; of the format `code` a folder, of `huggingface` a data set's name.")
    format: str | None = Field(
        None, description="A name in pipeline/readers/registry.py; by the file's ending if absent."
    )
    params: dict[str, Any] = Field(default_factory=dict, description="The format's own settings.")
    text: str = Field("text", description="Field that holds the text; `meta.url` is the field url inside meta.")
    id: str | None = Field("id", description="Field that names the document; null: its file and row.")
    group: str | None = Field(None, description="Field whose value keeps documents on one side of the held-out split.")
    truth: str | None = Field(None, description="Field with the ground truth, for OCR: held-out text is scored on it.")
    license: str | None = Field(None, description="Licence of all its documents, or …")
    license_field: str | None = Field(None, description="… the field that holds each document's own.")
    shard_bytes: Bytes = Field(256_000_000, description="Larger files are split into shards of at most this size.")
    max_document_bytes: Bytes = Field(MAX_DOCUMENT_BYTES, description="Larger documents are set aside.")
    origin: str | None = Field(None, description="Where they come from: a URL or a few words, for the report.")
    mask: list[Literal["email", "ip"]] = Field(
        default_factory=list, description="Personal data that is replaced as documents are read; none if absent."
    )
    max_bad_fraction: float = Field(0.05, ge=0, le=1, description="Above this share of bad records the run stops.")


def check_limit(value: Any) -> Any:
    """Pass a rule's limit on: a number, two of them ([low, high], either may be null), or null."""
    numbers: list[Any] = list(value) if isinstance(value, (list, tuple)) and len(value) == 2 else [value]
    if any(each is not None and not (type(each) in (int, float) and math.isfinite(float(each))) for each in numbers):
        raise ValueError("expected a number, two bounds [low, high] or null; null is a bound that is not there")
    return tuple(numbers) if len(numbers) == 2 else value


class Rule(Section):
    """Drops documents: where a condition over attributes is true (`name`, `drop`), or by a rule set (`rules`)."""

    name: str | None = Field(None, description="The reason that a dropped document carries.")
    drop: str | None = Field(
        None,
        description="SQL over attribute columns, `gopher_words < 50`, and a document's own fields, `field_score < 3`.",
    )
    rules: str | None = Field(None, description="A name in pipeline/rules.py: gopher_quality, gopher_repetition, …")
    limits: dict[str, Annotated[Limit, BeforeValidator(check_limit)]] = Field(
        default_factory=dict, description="Limits of the set's rules that differ from the published ones, by name."
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

    task: str = Field(description="Name of a rewriting task, e.g. wiki_qa, ocr_cleanup.")
    params: dict[str, Any] = Field(default_factory=dict)


class Buckets(Section):
    """A source's documents by quantiles of a score; each bucket, `source.bucket`, is a domain in the source's place."""

    by: str = Field(description="Attribute column, higher is better, e.g. `good_score`.")
    shares: dict[str, float] = Field(description="Share of the documents in each bucket, the best first; sum 1.")

    def attribute(self, annotate: Mapping[str, Any]) -> str:
        """Return the `annotate` entry that the column comes from: the longest name that it starts with."""
        return max((name for name in annotate if self.by.startswith(f"{name}_")), key=len)


class Tokenize(Section):
    """The proxies' vocabulary: a small BPE that is trained, or one from elsewhere."""

    vocab_size: int = Field(4096, ge=300, le=2**20)
    sample: Count = Field(8_000_000, description="Bytes of text that the vocabulary is trained on.")
    tokenizer: str | None = Field(None, description="A tokenizer.json to take instead; its size is vocab_size then.")


def check_group(value: Any) -> Any:
    """Pass a frozen group on: a list of domains or shares by domain."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return value
    if isinstance(value, dict) and all(type(share) in (int, float) for share in value.values()):
        return value
    raise ValueError("expected a list of domains, or a share for each domain")


class Design(Section):
    """How the swarm's mixes are chosen."""

    runs: int = Field(24, ge=6, description="Proxies in the swarm, the two seeds of three mixes included.")
    rounds: list[Count] = Field(
        default_factory=list,
        description="`runs` in rounds, e.g. [24, 8, 8]; later ones look where the best may be.",
    )
    tolerance: float = Field(
        0.0, ge=0, description="No further round once the best guess is expected to lose less than this (objective)."
    )
    blocks: int = Field(4, ge=2, description="Seed blocks the runs rotate over; the same for all mixes.")
    method: str = Field("spread", description="How mixes are chosen: a name in pipeline/mixture/designs/methods.py.")
    min_weight: float = Field(
        0.0, ge=0, lt=0.5, description="A positive weight below it becomes 0 in every design mix."
    )
    freeze: dict[str, Annotated[dict[str, float] | list[str], BeforeValidator(check_group)]] = Field(
        default_factory=dict, description="Groups whose inner ratios are held: shares by domain, or a list (by tokens)."
    )

    @model_validator(mode="after")
    def _rounds_are_the_runs(self) -> Design:
        if self.rounds and "runs" in self.model_fields_set and sum(self.rounds) != self.runs:
            raise ValueError(f"rounds {self.rounds} make {sum(self.rounds)} runs, and runs says {self.runs}")
        if self.rounds and self.rounds[0] < 6:
            raise ValueError(f"the first round has {self.rounds[0]} runs; at least 6: three mixes on two seeds")
        return self

    @property
    def sizes(self) -> list[int]:
        """Runs of every round."""
        return self.rounds or [self.runs]


class Proxy(Section):
    """The small model that is trained on every mix."""

    preset: str = Field("quickstart", description="Name of a model preset.")
    tokens: ProxyTokens = Field(400_000, description="Training tokens of one proxy.")
    numeric: Literal["auto", "fp32", "bf16"] = Field("auto", description="Numeric type; auto asks the hardware once.")
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto", description="Where proxies compute; auto: on a GPU if Ray has one at first, cuda waits for one to come."
    )
    stack: int | None = Field(
        None, ge=1, description="Proxies trained together along a model axis; by default what fills a GPU, 1 on a CPU."
    )
    average: float = Field(
        0.0, ge=0, le=1, description="Share of the steps, at the end, over which the weights are averaged."
    )
    curve: list[float] = Field(
        default_factory=list, description="Shares of the training after which proxies are scored too, e.g. [0.5, 0.75]."
    )
    max_failed: float = Field(0.1, ge=0, le=1, description="Above this share of diverged proxies the run stops.")

    @property
    def without_curve(self) -> Proxy:
        """The proxies of the proof: only the swarm's are looked at along their training."""
        return self.model_copy(update={"curve": []})

    @property
    def options(self) -> dict[str, Any]:
        """What was asked of training beyond size and numeric type; what was not asked for is in no key."""
        return {
            name: value
            for name, value in (("stack", self.stack), ("average", self.average), ("curve", self.curve))
            if value
        }

    @property
    def identity(self) -> dict[str, Any]:
        """All that makes the proxies what they are; a device only where one was asked for."""
        device = {} if self.device == "auto" else {"device": self.device}
        return {"preset": self.preset, "tokens": self.tokens, "numeric": self.numeric, **device, **self.options}


class Heldout(Section):
    """Held-out documents of every source, scored in bits per byte."""

    fraction: float = Field(0.1, gt=0, lt=0.9, description="Share of groups kept from training.")
    characters: Count = Field(120_000, description="At most this much text of a source is scored, on each side.")


def as_list(value: Any) -> Any:
    """Take one value for a list of one."""
    return [value] if isinstance(value, str) else value


class Benchmark(Section):
    """A published set of requests; each metric is a task."""

    path: str = Field(description="OLMES requests.jsonl(.gz), BLiMP's pairs or plain questions.")
    format: str | None = Field(None, description="A name in proxy_models/readers.py; the file's own look if absent.")
    metric: Annotated[list[Metric], BeforeValidator(as_list), Field(min_length=1)] = Field(
        ["bpb"], description="One or several of bpb, acc, acc_per_char, acc_per_byte, acc_uncond."
    )
    items: Count = Field(400, description="At most this many items are scored; documents are searched for all.")


class Contamination(Section):
    """Training documents that hold something of an eval."""

    n: int = Field(13, ge=2, le=50, description="Words in a row that a document must share with an item.")
    drop: bool = Field(True, description="Drop such documents; otherwise they are only counted.")


class Evals(Section):
    heldout: Heldout = Heldout()  # type: ignore[call-arg]
    benchmarks: dict[str, Benchmark] = Field(default_factory=dict)
    confirm: float = Field(0.5, gt=0, lt=1, description="Share of items seen by validate only.")
    contamination: Contamination = Contamination()  # type: ignore[call-arg]


class Objective(Section):
    """What the mix shall be good at: a weighted mean of tasks relative to the natural mix, lower is better.

    Names in `force`, `maximise` and `no_worse_than` are tasks or families.
    """

    families: dict[str, float] = Field(
        default_factory=dict, description="Weight per family: heldout, bench; 1 if absent."
    )
    tasks: dict[str, float] = Field(default_factory=dict, description="Weight per task within its family; 1 if absent.")
    force: list[str] = Field(default_factory=list, description="Tasks that keep their weight though flagged as noisy.")
    maximise: list[str] = Field(default_factory=list, description="Tasks whose metric is better when higher.")
    no_worse_than: dict[str, str] = Field(
        default_factory=dict, description="Task to natural, uniform or a reference: predicted no worse than there."
    )


class Fit(Section):
    laws: list[str] | None = Field(None, description="Laws to choose from; all that are registered if absent.")
    law: str | None = Field(None, description="Force this law for every task.")


class Bound(Section):
    min: float = Field(0.0, ge=0, le=1)
    max: float = Field(1.0, ge=0, le=1)


class Propose(Section):
    max_repetition: float = Field(4.0, gt=0, description="Epochs over one origin in the target run, at most.")
    bounds: dict[str, Bound] = Field(
        default_factory=dict, description="Least and greatest weight: domain, source.*, group."
    )
    extrapolate: bool = Field(False, description="Allow mixes outside the region that the swarm covered.")
    kl: float | None = Field(None, ge=0, description="Strength of KL to the prior by hand; else within one SE.")
    recipe: str | None = Field(None, description="Another project's law and search: a name in mixture/recipes.")


References = dict[str, dict[str, float]]
"""The user's own mixes: name → domain → weight."""


class Transfer(Section):
    """The proof once more with larger proxies: do they rank the mixes alike?"""

    preset: str = Field(description="Name of a model preset, larger than the proxies'.")
    tokens: ProxyTokens | None = Field(None, description="Training tokens of each; the preset's own if absent.")
    seeds: int = Field(3, ge=2, description="Fresh seeds, paired over the mixes.")


class Validate(Section):
    seeds: int = Field(5, ge=2, description="Fresh seeds, paired over the validated mixes.")
    retrain: bool = Field(False, description="Train a proof of its own for a proposal that only new evals moved.")
    transfer: Transfer | None = Field(None, description="Larger proxies of the same mixes; none if absent.")


class Report(Section):
    title: str | None = None


class Licenses(Section):
    allow: list[str] | None = Field(None, description="Documents under other licences are dropped; all if absent.")


class Resources(Section):
    """What one task of a stage asks of Ray. Nothing that is made depends on it."""

    cpus: float = Field(1, gt=0, description="Cores; a task computes on one thread, more leave room for its memory.")
    memory: Bytes | None = Field(None, description="Memory, e.g. 8G: so many run on a node as fit; no limit if absent.")
    gpus: float | None = Field(None, ge=0, description="GPUs, for proxies; 1 if absent where they compute on GPUs.")
    custom: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="Custom resources that nodes of the cluster offer, e.g. {big_disk: 1}."
    )


class Config(Section):
    """A whole mix YAML."""

    seed: int = Field(1, ge=0)
    store: str = "runs"
    target: Target
    sources: dict[str, Source] = Field(min_length=1)
    annotate: dict[str, dict[str, Any]] = Field(default_factory=dict)
    select: list[Rule] = Field(default_factory=list)
    rewrite: dict[str, Rewrite] = Field(default_factory=dict)
    buckets: dict[str, Buckets] = Field(default_factory=dict)
    tokenize: Tokenize = Tokenize()  # type: ignore[call-arg]
    domains: list[str] | None = None
    swarm: Design = Design()  # type: ignore[call-arg]
    proxy: Proxy = Proxy()  # type: ignore[call-arg]
    evals: Evals = Evals()  # type: ignore[call-arg]
    objective: Objective = Objective()  # type: ignore[call-arg]
    fit: Fit = Fit()  # type: ignore[call-arg]
    propose: Propose = Propose()  # type: ignore[call-arg]
    validation: Validate = Field(Validate(), alias="validate")  # type: ignore[call-arg]
    references: References = Field(default_factory=dict)
    report: Report = Report()
    licenses: Licenses = Licenses()  # type: ignore[call-arg]
    resources: dict[str, Resources] = Field(default_factory=dict)

    def domain_names(self) -> list[str]:
        """Return the domains in order: the sources or their buckets, then the rewritten variants, unless `domains`
        lists them."""
        if self.domains:
            return self.domains
        return [*(name for source in self.sources for name in self.raw_parts(source) or [source]), *self.rewrite]

    def raw_parts(self, source: str) -> list[str]:
        """Return the buckets of a source as domains; none where it has none."""
        return [f"{source}.{bucket}" for bucket in self.buckets[source].shares] if source in self.buckets else []

    def bucket_domains(self) -> list[str]:
        """Return the domains that are buckets."""
        parts = {name for source in self.buckets for name in self.raw_parts(source)}
        return [name for name in self.domain_names() if name in parts]

    def domain_origins(self) -> dict[str, Any]:
        """Return what keys and the mixture hold of the domains: name → origin, and which are buckets if any are."""
        origins = {name: self.origin(name) for name in self.domain_names()}
        return {"domains": origins, **({"buckets": parts} if (parts := self.bucket_domains()) else {})}

    def origin(self, domain: str) -> str:
        """Return the source that a domain comes from."""
        return domain.split(".")[0]

"""The mix YAML as typed data. docs/YAML.md describes every key for users."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from pipeline.readers.base import MAX_DOCUMENT_BYTES
from pipeline.rules import Limit
from proxy_models.metrics import Metric

NAME = re.compile(r"[a-z][a-z0-9_]*")
_UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9, "t": 10**12}


def parse_count(value: Any, also: str = "") -> Any:
    """Turn `600M`, `1.5B`, `400k` into an integer; other values pass through for pydantic to judge.

    also: other forms to name in the error.
    """
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d[\d_]*(?:\.\d+)?(?:[eE]\+?\d\d?)?)\s*([kmbgtKMBGT]?)\s*", value)
        if match is None:
            raise ValueError(f"expected a count such as 400000, 400k, 600M or 1.5B{also}")
        return round(Decimal(match[1].replace("_", "")) * _UNITS[match[2].lower()])
    return value


def parse_tokens(value: Any) -> Any:
    """As `parse_count`, where `pipeline.resolve` has turned multiples of the parameters into counts."""
    return parse_count(value, also=", or 20x the parameters")


Count = Annotated[int, BeforeValidator(parse_count), Field(gt=0)]
ProxyTokens = Annotated[int, BeforeValidator(parse_tokens), Field(gt=0)]


Bytes = Annotated[int, BeforeValidator(parse_count), Field(ge=1000)]


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values never change after loading, counts may have units."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Read `64k` where a whole number stands; refuse `yes`, which Python takes for 1."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        kinds = {annotation, *get_args(annotation)}
        if not kinds & {int, float}:
            return value
        if any(isinstance(each, bool) for each in (value.values() if isinstance(value, dict) else [value])):
            raise ValueError("expected a number")
        if isinstance(value, str) and int in kinds:
            with contextlib.suppress(ValueError):  # what is no count is told by the field itself
                return parse_count(value)
        return value


class Target(Section):
    """The training run that the mix is for."""

    tokens: Count = Field(
        description="Token budget of the training run that the mix is for; repetition caps come from it."
    )
    tokenizer: str | None = Field(
        None, description="The target's tokenizer.json: weights are shares of its tokens. The proxies' own if absent."
    )


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
        description="The runs in rounds, e.g. `[40, 12, 12]`: a later round trains mixes where the best may be, by "
        "all runs before it. One round if absent.",
    )
    tolerance: float = Field(
        0.0,
        ge=0,
        description="No further round once the best guess is expected to lose less than this to the best mix "
        "(objective; natural is 1); 0: all rounds.",
    )
    blocks: int = Field(4, ge=2, description="Seed blocks that the runs rotate over; the same for all mixes.")
    method: str = Field(
        "spread",
        description="How mixes are chosen: `spread` (corners, then far-apart draws near and far from the prior), "
        "`dirichlet` (as RegMix and olmix draw), `space_filling` (maximin), `d_optimal` (for laws that "
        "bend), `d_optimal_linear` (for the linear law), `corners` (one domain at a time). Natural and "
        "uniform are always in.",
    )
    min_weight: float = Field(
        0.0,
        ge=0,
        lt=0.5,
        description="A positive weight below it becomes 0, the rest makes up for it; methods other than `spread` "
        "never go below 0.001.",
    )
    freeze: dict[str, Annotated[dict[str, float] | list[str], BeforeValidator(check_group)]] = Field(
        default_factory=dict,
        description="Holds the ratios inside a group: a share for each domain (sum 1), or a list of domains, then in "
        "proportion to their tokens. Designs, laws and the proposal weigh the group as one; uniform gives"
        " every group and every other domain the same, natural stays what there is.",
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

    preset: str = Field("quickstart", description="Size of the proxies.")
    tokens: ProxyTokens = Field(
        400_000, description="Training tokens of each: a count, or `20x` for 20 a parameter (embedding not counted)."
    )
    numeric: Literal["auto", "fp32", "bf16"] = Field(
        "auto", description="`auto` asks the hardware once, `fp32` or `bf16` force it."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "auto",
        description="Where proxies compute: `cpu`, `cuda` (waits for a GPU to come), or `auto`: a GPU where Ray has "
        "one when the run comes to it.",
    )
    stack: int | None = Field(
        None,
        ge=1,
        description="Proxies trained together along a model axis, so that small ones fill a GPU; each equals the same"
        " one alone within rounding. If absent what fills a GPU, 1 on a CPU.",
    )
    average: float = Field(
        0.0,
        ge=0,
        le=1,
        description="The checkpoint is the mean of the weights over this share of the steps, at the end; 0: the last "
        "weights.",
    )
    curve: list[float] = Field(
        default_factory=list,
        description="Shares of the training, e.g. `[0.5, 0.75]`, after which the swarm's proxies are scored too "
        "(held-out tasks, few items): the report says whether the order of the mixes had settled.",
    )
    max_failed: float = Field(
        0.1,
        ge=0,
        le=1,
        description="A proxy whose loss is no number is left out with a warning; above this share of the swarm the "
        "run stops (exit code 3).",
    )

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
    characters: Count = Field(
        120_000, description="Text scored a source and side, at most, in excerpts of all its held-out documents."
    )


def as_list(value: Any) -> Any:
    """Take one value for a list of one."""
    return [value] if isinstance(value, str) else value


class Benchmark(Section):
    """A published set of requests; each metric is a task."""

    path: str = Field(
        description="A file of requests: OLMES requests.jsonl(.gz), BLiMP's pairs or plain questions (see Evals)."
    )
    format: str | None = Field(None, description="How it is read, where the fields of the first line do not tell.")
    metric: Annotated[list[Metric], BeforeValidator(as_list), Field(min_length=1)] = Field(
        ["bpb"],
        description="One or several of `bpb`, `acc`, `acc_per_char`, `acc_per_byte`, `acc_uncond`; each is a task "
        "(see Evals).",
    )
    items: Count = Field(400, description="Items that proxies are scored on, at most; documents are searched for all.")


class Contamination(Section):
    """Training documents that hold something of an eval."""

    n: int = Field(
        13,
        ge=2,
        le=50,
        description="A document that shares so many words in a row with an eval item is contaminated; shorter items "
        "are looked for whole.",
    )
    drop: bool = Field(
        True,
        description="Such documents are dropped; otherwise only counted. Items of an eval that comes later are "
        "dropped either way.",
    )


class Evals(Section):
    """What proxies are scored on: held-out documents of every source, and published evals."""

    heldout: Heldout = Heldout()  # type: ignore[call-arg]
    benchmarks: dict[str, Benchmark] = Field(default_factory=dict, description="Published evals by name.")
    confirm: float = Field(0.5, gt=0, lt=1, description="Share of every eval that only `validate` sees.")
    contamination: Contamination = Contamination()  # type: ignore[call-arg]


class Objective(Section):
    """What the mix shall be good at: a weighted mean of tasks relative to the natural mix, lower is better.

    Names in `force`, `maximise` and `no_worse_than` are tasks or families.
    """

    families: dict[str, float] = Field(
        default_factory=dict, description="Weight per family (`heldout`, `bench`); 1 if absent."
    )
    tasks: dict[str, float] = Field(default_factory=dict, description="Weight per task within its family; 1 if absent.")
    force: list[str] = Field(
        default_factory=list, description="Tasks or families that keep their weight though flagged as noisy."
    )
    maximise: list[str] = Field(
        default_factory=list,
        description="Tasks or families whose metric is better when higher (accuracies); 1 % more counts as 1 % less "
        "of another. A run knows its own accuracies; this is for a swarm from elsewhere.",
    )
    no_worse_than: dict[str, str] = Field(
        default_factory=dict,
        description="Task or family → `natural`, `uniform` or a name in `references`: the proposal's predicted metric"
        " of that task, or of each task of the family, is not worse than predicted for that mix. Only "
        "predicted means are guarded; the report's table of tasks shows what was then measured. Guards "
        "that no allowed mix keeps are an error that names them.",
    )


class Fit(Section):
    """How each task's dependence on the weights is learnt (the laws)."""

    laws: list[str] | None = Field(
        None, description="Laws to choose from by cross-validation; all if absent, `lightgbm` from 128 runs on."
    )
    law: str | None = Field(None, description="One law for all tasks.")


class Bound(Section):
    min: float = Field(0.0, ge=0, le=1, description="Least weight.")
    max: float = Field(1.0, ge=0, le=1, description="Greatest weight.")


class Propose(Section):
    """What the proposed mix may be."""

    max_repetition: float = Field(4.0, gt=0, description="Epochs over one origin in the target run, at most.")
    bounds: dict[str, Bound] = Field(
        default_factory=dict,
        description="Least and greatest weight of a domain; of `source.*`, a source with all its variants together "
        "(`source` alone is the raw domain); or of a group of `swarm.freeze`. Designs keep them too. "
        "Bounds that no mix satisfies are an error that names them.",
    )
    extrapolate: bool = Field(False, description="Allow mixes outside the region that the swarm covered.")
    kl: float | None = Field(
        None,
        ge=0,
        description="Strength of the pull to the prior; if absent the strongest that stays within one standard error "
        "of the optimum, and within a tenth of what another seed changes.",
    )
    recipe: str | None = Field(
        None,
        description="Find the mix as another project does, with its own law in place of `fit`; limits and the rest of"
        " the run stay. pipeline/mixture/recipes says what differs from the originals.",
    )


References = dict[str, dict[str, float]]
"""The user's own mixes: name → domain → weight."""


class Transfer(Section):
    """The proof once more with larger proxies: do they rank the mixes alike?"""

    preset: str = Field(description="Size of the larger proxies.")
    tokens: ProxyTokens | None = Field(
        None, description="Training tokens of each, also `20x`; the preset's own if absent."
    )
    seeds: int = Field(3, ge=2, description="Fresh seeds, paired over the mixes.")


class Validate(Section):
    """The measured proof: proposal and baselines on fresh seeds and items that nothing before has seen."""

    seeds: int = Field(5, ge=2, description="Fresh seeds of the proof, paired over the validated mixes.")
    retrain: bool = Field(
        False,
        description="Train a proof of its own for a proposal that only new evals moved; otherwise the proven one "
        "stays.",
    )
    transfer: Transfer | None = Field(
        None,
        description="Train the mixes of the proof once more with larger proxies, on seeds of their own, and say how "
        "far they rank the mixes alike (`transfer` in mix.json).",
    )


class Report(Section):
    """The report of a finished run."""

    title: str | None = Field(None, description="Title of the report; the YAML's name if absent.")


class Licenses(Section):
    """Which licences documents may have."""

    allow: list[str] | None = Field(
        None,
        description="Documents under other licences, or under none that is stated, are dropped with the reason "
        "`license`; all stay if absent.",
    )


class Resources(Section):
    """What one task of a stage asks of Ray, by stage (docs/cluster.md). Nothing that is made depends on it."""

    cpus: float = Field(1, gt=0, description="Cores; a task computes on one thread, more leave room for its memory.")
    memory: Bytes | None = Field(None, description="Memory, e.g. 8G: so many run on a node as fit; no limit if absent.")
    gpus: float | None = Field(None, ge=0, description="GPUs, for proxies; 1 if absent where they compute on GPUs.")
    custom: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="Custom resources that nodes of the cluster offer, e.g. {big_disk: 1}."
    )


class Config(Section):
    """A whole mix YAML."""

    seed: int = Field(1, ge=0, description="Every random choice comes from it.")
    store: str = Field(
        "runs",
        description="Folder or fsspec URL of all artefacts and run folders (docs/store.md); absolute inside a Ray job.",
    )
    target: Target
    sources: dict[str, Source] = Field(min_length=1)
    annotate: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="Scorers by attribute name; `scorer` names one where the attribute has another name. Columns are "
        "called `<name>_<column>` (see Attributes).",
    )
    select: list[Rule] = Field(default_factory=list)
    rewrite: dict[str, Rewrite] = Field(default_factory=dict)
    buckets: dict[str, Buckets] = Field(default_factory=dict)
    tokenize: Tokenize = Tokenize()  # type: ignore[call-arg]
    domains: list[str] | None = Field(
        None,
        description="What the mix puts weights on; all sources (their buckets, where they have any) and variants if "
        "absent. For `mixwright fit` beside tables: tokens by domain.",
    )
    swarm: Design = Design()  # type: ignore[call-arg]
    proxy: Proxy = Proxy()  # type: ignore[call-arg]
    evals: Evals = Evals()  # type: ignore[call-arg]
    objective: Objective = Objective()  # type: ignore[call-arg]
    fit: Fit = Fit()  # type: ignore[call-arg]
    propose: Propose = Propose()  # type: ignore[call-arg]
    validation: Validate = Field(Validate(), alias="validate")  # type: ignore[call-arg]
    references: References = Field(
        default_factory=dict,
        description="Mixes of your own, under names other than the baselines' (weights over domains, sum 1), that are"
        " predicted and proven beside the baselines.",
    )
    report: Report = Report()  # type: ignore[call-arg]
    licenses: Licenses = Licenses()  # type: ignore[call-arg]
    resources: dict[str, Resources] = Field(
        default_factory=dict,
        description="What one task of a stage asks of Ray, by stage (docs/cluster.md); nothing that is made depends "
        "on it.",
    )

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

"""Sections about proxies: the swarm, the model, what they are scored on, the proof, what tasks ask of Ray."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from pipeline.config.base import Bytes, Count, ProxyTokens, Section
from proxy_models.metrics import Metric


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


class Resources(Section):
    """What one task of a stage asks of Ray, by stage (docs/cluster.md). Nothing that is made depends on it."""

    cpus: float = Field(1, gt=0, description="Cores; a task computes on one thread, more leave room for its memory.")
    memory: Bytes | None = Field(None, description="Memory, e.g. 8G: so many run on a node as fit; no limit if absent.")
    gpus: float | None = Field(None, ge=0, description="GPUs, for proxies; 1 if absent where they compute on GPUs.")
    custom: dict[str, Annotated[float, Field(gt=0)]] = Field(
        default_factory=dict, description="Custom resources that nodes of the cluster offer, e.g. {big_disk: 1}."
    )

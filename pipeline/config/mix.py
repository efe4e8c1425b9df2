"""A whole mix YAML."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from pipeline.config.base import Section
from pipeline.config.choice import Fit, Objective, Propose, References, Target
from pipeline.config.data import Buckets, Licenses, Rewrite, Rule, Source, Tokenize
from pipeline.config.proxies import Design, Evals, Proxy, Resources, Validate


class Prices(Section):
    """What things cost; each is 0 if absent."""

    currency: str = Field("USD", description="Name of the money.")
    cpu_hour: float = Field(0.0, ge=0, description="An hour of one core.")
    gpu_hour: float = Field(0.0, ge=0, description="An hour of one GPU.")
    million_prompt: float = Field(0.0, ge=0, description="A million tokens of a language model's prompts.")
    million_completion: float = Field(0.0, ge=0, description="A million tokens of its replies.")


class Report(Section):
    """The report of a finished run."""

    title: str | None = Field(None, description="Title of the report; the YAML's name if absent.")
    prices: Prices | None = Field(None, description="Prices, for the report to show what every stage cost in money.")


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

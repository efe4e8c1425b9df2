"""What an export needs of a finished run: the proposed weights, and where each domain's documents are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.config import NAME
from pipeline.errors import InputError
from pipeline.run_units import config_of, units_of
from pipeline.store import Store


@dataclass(frozen=True)
class Part:
    """One shard of a domain, raw or rewritten. documents, selection: artefacts (`stage/key`); a rewritten shard has no
    selection, for only training documents were rewritten."""

    name: str
    documents: str
    selection: str | None


@dataclass(frozen=True)
class Domain:
    """A domain of the mix. weight: share of the target run's tokens; documents, tokens, bytes: what there is to train
    on, in tokens of the target's tokenizer, one end of text a document included."""

    name: str
    weight: float
    documents: int
    tokens: int
    bytes: int
    parts: tuple[Part, ...]

    @property
    def origin(self) -> str:
        return self.name.split(".")[0]

    @property
    def mean_tokens(self) -> float:
        """Tokens of a document, on average."""
        return self.tokens / self.documents


@dataclass(frozen=True)
class Mix:
    """The proposed mix of a finished run. target_tokens: tokens of the training run that it is for; target_tokenizer:
    path of the target's tokenizer.json, None where tokens are counted in the run's own vocabulary (an artefact);
    target_fingerprint: hash of that file as it was when its tokens were counted."""

    run: str
    store: Store
    seed: int
    target_tokens: int
    target_tokenizer: str | None
    target_fingerprint: str | None
    vocabulary: str
    domains: tuple[Domain, ...]

    @property
    def weighted(self) -> tuple[Domain, ...]:
        """The domains that a trainer reads: those with a weight above 0."""
        return tuple(domain for domain in self.domains if domain.weight > 0)

    def planned(self, domain: Domain) -> int:
        """Return the tokens of a domain in the target run."""
        return round(domain.weight * self.target_tokens)

    def repetition(self, domain: Domain) -> float:
        """Return how often the target run passes over a domain's tokens."""
        return domain.weight * self.target_tokens / domain.tokens


def read_mix(run: str) -> Mix:
    """Read a finished run by the path or URL of its run folder, which lies in its store.

    Raises InputError where it is none, or where the store does not hold what the run refers to.
    """
    root, _, name = run.rstrip("/").rpartition("/")
    store = Store(root or ".")
    text = store.read_text(f"{name}/mix.json") if name else None
    if text is None:
        raise InputError(f"{run}: not a finished run folder (it holds no mix.json)")
    weights: Mapping[str, float] = json.loads(text)["weights"]
    for domain in weights:
        if not all(map(NAME.fullmatch, domain.split("."))):  # files of an export are called by it
            raise InputError(f"{run}: `{domain}` in its mix.json is no name of a domain")
    config, units = config_of(store, name), units_of(store, name, "tokenize")
    if config is None or not units:
        raise InputError(f"{run}: its store does not know its documents; give the run folder where the run wrote it")
    manifests = {unit: _manifest(store, run, ref) for unit, ref in units.items()}
    first = next(iter(manifests.values()))["recipe"]
    return Mix(
        run=name,
        store=store,
        seed=config["seed"],
        target_tokens=config["target"]["tokens"],
        target_tokenizer=config["target"]["tokenizer"],
        target_fingerprint=first["args"]["target"],
        vocabulary=first["inputs"]["vocabulary"],
        domains=tuple(_domain(domain, weight, manifests) for domain, weight in weights.items()),
    )


def _manifest(store: Store, run: str, ref: str) -> Mapping[str, Any]:
    try:
        return store.manifest(ref)
    except FileNotFoundError:
        raise InputError(f"{run}: {ref} is no longer in its store; run its mix YAML again") from None


def _domain(name: str, weight: float, manifests: Mapping[str, Mapping[str, Any]]) -> Domain:
    own = {unit: each for unit, each in manifests.items() if each["recipe"]["args"]["domain"] == name}
    counts = [each["counts"] for each in own.values()]
    return Domain(
        name=name,
        weight=weight,
        documents=sum(each["documents"] for each in counts),
        tokens=sum(each["target_tokens"] for each in counts),
        bytes=sum(each["bytes"] for each in counts),
        parts=tuple(
            Part(unit.rpartition("/")[2], inputs["documents"], inputs.get("selection"))
            for unit, inputs in ((unit, each["recipe"]["inputs"]) for unit, each in own.items())
        ),
    )

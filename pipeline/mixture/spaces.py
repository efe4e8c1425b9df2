"""What a mix may be: domains, the baseline mixes over them, and named linear limits on the weights.

A mix is a vector of d weights >= 0 that sum to 1: shares of tokens of the target tokenizer, in the order of the
domains. A domain belongs to an origin (its source); rewritten or filtered variants share the origin of their raw
parent.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Domain:
    """One thing a mix puts a weight on. `tokens`: available tokens of the target tokenizer, > 0."""

    name: str
    origin: str
    tokens: float
    is_raw: bool


@dataclass(frozen=True)
class Bound:
    """lower <= total weight of `domains` <= upper; one name is a per-domain bound, several are a group.

    name: what messages call the total; the domains' names if empty.
    """

    domains: tuple[str, ...]
    lower: float = 0.0
    upper: float = 1.0
    name: str = ""


@dataclass(frozen=True)
class Limits:
    """Rows A w <= b, each with the name that an error message uses. A: (r, d), b: (r,)."""

    A: np.ndarray
    b: np.ndarray
    names: tuple[str, ...]

    def violations(self, weights: np.ndarray) -> np.ndarray:
        """How far each row is exceeded, >= 0, in the units of the row. weights (d,) -> (r,)."""
        return np.maximum(self.A @ weights - self.b, 0.0)

    def allow(self, weights: np.ndarray, tolerance: float = 1e-9) -> bool:
        return bool(np.all(self.A @ weights - self.b <= tolerance))


def bound_names(domains: Sequence[str], groups: Mapping[str, Iterable[str]]) -> dict[str, tuple[str, ...]]:
    """What a bound may be called -> the domains whose total it limits.

    A domain is called by its name, a group of `groups` by its own, and `source.*` is a source with all its variants,
    where it has any (the raw domain alone is called `source`).
    """
    sources: dict[str, list[str]] = {}
    for name in domains:
        sources.setdefault(name.split(".")[0], []).append(name)
    variants = {f"{source}.*": tuple(members) for source, members in sources.items() if len(members) > 1}
    named = {name: tuple(members) for name, members in groups.items()}
    return {**variants, **named, **{name: (name,) for name in domains}}


def check_domains(domains: Sequence[Domain]) -> None:
    """ValueError on an empty list, a repeated name, or a domain without tokens."""
    if not domains:
        raise ValueError("a mix needs at least one domain")
    names = [d.name for d in domains]
    repeated = sorted({n for n in names if names.count(n) > 1})
    if repeated:
        raise ValueError(f"domain named twice: {', '.join(repeated)}")
    empty = [d.name for d in domains if not (np.isfinite(d.tokens) and d.tokens > 0)]
    if empty:
        raise ValueError(f"domain without tokens: {', '.join(empty)}")


def natural(domains: Sequence[Domain]) -> np.ndarray:
    """The baseline *natural*: raw parents in proportion to their tokens, variants 0. (d,), sum 1."""
    check_domains(domains)
    tokens = np.array([d.tokens if d.is_raw else 0.0 for d in domains])
    if tokens.sum() == 0:
        raise ValueError("the natural mix needs at least one raw domain")
    return tokens / tokens.sum()


def uniform(domains: Sequence[Domain]) -> np.ndarray:
    """The baseline *uniform*: every domain, variants included, the same weight. (d,), sum 1."""
    check_domains(domains)
    return np.full(len(domains), 1.0 / len(domains))


def prior(domains: Sequence[Domain]) -> np.ndarray:
    """Each origin its natural share, spread evenly over its raw text and its variants, so that nothing has prior 0.
    (d,), sum 1.

    An origin's share is that of its raw text; an origin offered only as variants counts its largest one. Raw text in
    several domains (quality buckets) spreads its part over them in proportion to their tokens.
    """
    check_domains(domains)
    members: dict[str, list[Domain]] = {}
    for d in domains:
        members.setdefault(d.origin, []).append(d)
    weights = np.zeros(len(domains))
    for i, d in enumerate(domains):
        raw = sum(each.tokens for each in members[d.origin] if each.is_raw)
        versions = sum(not each.is_raw for each in members[d.origin]) + (raw > 0)
        share = raw or max(each.tokens for each in members[d.origin])
        weights[i] = (share / versions) * (d.tokens / raw if d.is_raw else 1.0)
    return weights / weights.sum()


def limits(
    domains: Sequence[Domain],
    target_tokens: float | None = None,
    max_repetition: float | None = None,
    bounds: Sequence[Bound] = (),
) -> Limits:
    """Linear limits beside the simplex itself.

    The repetition cap is one row per origin, sum over its domains of w * target_tokens / tokens <= max_repetition: a
    rewrite repeats its parent's content, so the epochs of an origin's domains add up. Buckets of an origin hold other
    documents each, so there is one row for each of them, together with the origin's rewrites.
    """
    check_domains(domains)
    index = {d.name: i for i, d in enumerate(domains)}
    rows: list[np.ndarray] = []
    rhs: list[float] = []
    names: list[str] = []

    def add(row: np.ndarray, limit: float, name: str) -> None:
        rows.append(row)
        rhs.append(float(limit))
        names.append(name)

    if max_repetition is not None:
        if target_tokens is None or target_tokens <= 0 or max_repetition <= 0:
            raise ValueError("a repetition cap needs max_repetition > 0 and target_tokens > 0")
        for origin in dict.fromkeys(d.origin for d in domains):
            for name, members in _repeated(domains, origin).items():
                row = np.array([target_tokens / d.tokens if d in members else 0.0 for d in domains])
                add(row, max_repetition, f"repetition of {name} <= {max_repetition:g}")
    for bound in bounds:
        unknown = [n for n in bound.domains if n not in index]
        if unknown or not bound.domains:
            raise ValueError(
                f"bound on unknown domain: {', '.join(unknown) or '(none given)'}; known: {', '.join(index)}"
            )
        if not 0 <= bound.lower <= bound.upper <= 1:
            raise ValueError(f"bound on {' + '.join(bound.domains)} needs 0 <= lower <= upper <= 1")
        row = np.zeros(len(domains))
        row[[index[n] for n in bound.domains]] = 1.0
        label = bound.name or " + ".join(bound.domains)
        if bound.upper < 1:
            add(row, bound.upper, f"weight of {label} <= {bound.upper:g}")
        if bound.lower > 0:
            add(-row, -bound.lower, f"weight of {label} >= {bound.lower:g}")
    matrix = np.array(rows) if rows else np.zeros((0, len(domains)))
    return Limits(matrix, np.array(rhs), tuple(names))


def repetition(domains: Sequence[Domain], weights: np.ndarray, target_tokens: float) -> dict[str, float]:
    """Epochs of each origin under a mix: sum over its domains of w * target_tokens / tokens; of an origin in buckets,
    of the documents that are repeated most."""
    epochs = {d: float(w) * target_tokens / d.tokens for d, w in zip(domains, weights, strict=True)}
    return {
        origin: max(sum(epochs[d] for d in members) for members in _repeated(domains, origin).values())
        for origin in dict.fromkeys(d.origin for d in domains)
    }


def _repeated(domains: Sequence[Domain], origin: str) -> dict[str, list[Domain]]:
    """The domains of an origin whose epochs add up, as they repeat the same documents: all, or each bucket with the
    rewrites."""
    members = [d for d in domains if d.origin == origin]
    raw = [d for d in members if d.is_raw]
    if len(raw) < 2:
        return {origin: members}
    return {part.name: [d for d in members if d == part or not d.is_raw] for part in raw}


def total_variation(mixes: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Half the sum of absolute differences, 0 to 1: what has to move from one mix to the other. (..., d) -> (...)."""
    return 0.5 * np.abs(mixes - other).sum(axis=-1)


def kl(weights: np.ndarray, reference: np.ndarray) -> float:
    """Kullback-Leibler divergence sum w log(w / reference) in nats; 0 log 0 is 0, infinite where reference is 0."""
    used = weights > 0
    if np.any(reference[used] <= 0):
        return float("inf")
    return float(np.sum(weights[used] * np.log(weights[used] / reference[used])))

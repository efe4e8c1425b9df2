"""Freezing: the ratios inside a group of domains are held, and the group is one domain to designs, laws and proposals.

What is frozen cannot be told apart by a law, because in every mix the group's domains move together; so everything
between the design and the proposal works on the group's total (olmix's virtual domain), and only what leaves is
expanded. Both ways are linear: expand(v) = v M with M (d_virtual, d) holding a group's shares in its row.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.errors import nearest
from pipeline.mixture.spaces import Domain, Limits

Group = Mapping[str, float] | Sequence[str]
"""Domain -> its share of the group, sum 1; or a list of domains, whose shares are in proportion to their tokens."""

# Shares are written by hand.
_SUM_TOLERANCE = 0.005


@dataclass(frozen=True)
class Freeze:
    """domains: the virtual ones, a group in the place of its first domain; matrix: (d_virtual, d), rows sum to 1.

    A group's tokens are those of its raw domains (of all, where it has no raw one), so that the natural mix of the
    virtual domains is the natural mix collapsed. Repetition caps are not to be made from them: `limits` carries those.
    """

    domains: tuple[Domain, ...]
    matrix: np.ndarray
    shares: dict[str, dict[str, float]]

    def expand(self, weights: np.ndarray) -> np.ndarray:
        """(..., d_virtual) -> (..., d)"""
        return weights @ self.matrix

    def collapse(self, weights: np.ndarray) -> np.ndarray:
        """(..., d) -> (..., d_virtual): totals. Ratios that a mix does not hold are forgotten."""
        return weights @ (self.matrix > 0).T.astype(float)

    def limits(self, limits: Limits) -> Limits:
        """Rows over the domains as rows over the virtual ones: a virtual mix keeps them iff the expanded one does."""
        return Limits(limits.A @ self.matrix.T, limits.b, limits.names)


def mistakes(groups: Mapping[str, Group], domains: Sequence[str]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield (keys below `freeze`, message) for all that is wrong with the groups over these domains."""
    owner: dict[str, str] = {}
    for name, group in groups.items():
        if name in domains:
            yield (name,), f"`{name}` is a domain; a group needs a name of its own"
        if len(group) < 2:
            yield (name,), "a group needs at least two domains"
        for i, domain in enumerate(group):
            place = (name, domain if isinstance(group, Mapping) else i)
            if domain not in domains:
                yield place, f"there is no domain `{domain}`{nearest(domain, domains)}"
            elif domain in owner:
                yield (
                    place,
                    f"`{domain}` is in `{owner[domain]}` already"
                    if owner[domain] != name
                    else f"`{domain}` stands twice",
                )
            owner.setdefault(domain, name)
        if isinstance(group, Mapping):
            total = sum(group.values())
            if any(not share > 0 for share in group.values()) or abs(total - 1) > _SUM_TOLERANCE:
                yield (name,), f"shares must be above 0 and sum to 1, got {total:g}"
    if groups and len(groups) + len(set(domains) - set(owner)) < 2:
        yield (), "everything is frozen: a mix needs at least two things to weigh"


def freeze(domains: Sequence[Domain], groups: Mapping[str, Group]) -> Freeze:
    """The virtual domains for these groups; without groups, the domains themselves. ValueError naming every mistake."""
    names = [domain.name for domain in domains]
    found = [f"freeze {'.'.join(str(key) for key in place)}: {text}" for place, text in mistakes(groups, names)]
    if found:
        raise ValueError("; ".join(found))
    tokens = {domain.name: domain.tokens for domain in domains}
    shares = {}
    for name, group in groups.items():
        parts = dict(group) if isinstance(group, Mapping) else {member: tokens[member] for member in group}
        shares[name] = {member: part / sum(parts.values()) for member, part in parts.items()}
    owner = {member: name for name, parts in shares.items() for member in parts}
    rows: dict[str, np.ndarray] = {}
    for i, name in enumerate(names):
        group = owner.get(name, name)
        rows.setdefault(group, np.zeros(len(names)))[i] = shares[group][name] if name in owner else 1.0
    virtual = tuple(
        _virtual(name, [domain for domain, share in zip(domains, row, strict=True) if share > 0])
        for name, row in rows.items()
    )
    return Freeze(virtual, np.array(list(rows.values())), shares)


def _virtual(name: str, members: Sequence[Domain]) -> Domain:
    origins = {member.origin for member in members}
    counted = [member for member in members if member.is_raw] or members
    tokens = float(sum(member.tokens for member in counted))
    return Domain(name, origins.pop() if len(origins) == 1 else name, tokens, any(m.is_raw for m in members))

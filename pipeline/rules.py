"""Rule sets: the filters that projects have published, as named limits on attributes. docs/rules.md is their table.

A rule drops a document whose signal is below its lower or above its upper limit. Rules are in the order in which
datatrove asks them, so a document's first reason is the same. To add a set: a scorer for its signals if there is none,
and an entry in `RULE_SETS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

Limit = float | tuple[float | None, float | None] | None
"""What a YAML gives for a rule: a number, both bounds of a rule that has two, or null to switch it off."""


@dataclass(frozen=True)
class NamedRule:
    """A signal and the range of it that is kept, bounds included. `name` is also the scorer's column."""

    name: str
    low: float | None = None
    high: float | None = None

    @property
    def default(self) -> Limit:
        if self.low is not None and self.high is not None:
            return self.low, self.high
        return self.low if self.high is None else self.high

    def within(self, limit: Limit) -> NamedRule:
        """Return the rule with another limit. Raises ValueError when the limit has another form than the default."""
        if limit is None:
            return NamedRule(self.name)
        if isinstance(self.default, tuple):
            if not isinstance(limit, tuple):
                raise ValueError(f"expected two bounds such as {list(self.default)}, or null")
            return NamedRule(self.name, *limit)
        if isinstance(limit, tuple):
            raise ValueError(f"expected one number such as {self.default}, or null")
        return NamedRule(self.name, low=limit) if self.high is None else NamedRule(self.name, high=limit)

    def condition(self, attribute: str) -> str | None:
        """Return the SQL condition that drops a document; None without bounds."""
        column = f"{attribute}_{self.name}"
        parts = [f"{column} < {self.low}"] if self.low is not None else []
        parts += [f"{column} > {self.high}"] if self.high is not None else []
        return " OR ".join(parts) or None


@dataclass(frozen=True)
class RuleSet:
    """Rules over the columns of one scorer."""

    scorer: str
    rules: tuple[NamedRule, ...]

    def __getitem__(self, name: str) -> NamedRule:
        return {rule.name: rule for rule in self.rules}[name]


RULE_SETS: dict[str, RuleSet] = {
    # Rae et al. 2021, arXiv:2112.11446, section A1.1, "quality filtering"
    "gopher_quality": RuleSet(
        "gopher",
        (
            NamedRule("words", 50, 100_000),
            NamedRule("mean_word_length", 3, 10),
            NamedRule("hashes", high=0.1),
            NamedRule("ellipses", high=0.1),
            NamedRule("bullet_lines", high=0.9),
            NamedRule("ellipsis_lines", high=0.3),
            NamedRule("alphabetic_words", low=0.8),
            NamedRule("stop_words", low=2),
        ),
    ),
    # the same, table A1, "repetition removal"
    "gopher_repetition": RuleSet(
        "gopher",
        (
            NamedRule("duplicate_paragraphs", high=0.3),
            NamedRule("duplicate_paragraph_chars", high=0.2),
            NamedRule("duplicate_lines", high=0.3),
            NamedRule("duplicate_line_chars", high=0.2),
            NamedRule("top_2gram", high=0.2),
            NamedRule("top_3gram", high=0.18),
            NamedRule("top_4gram", high=0.16),
            NamedRule("duplicate_5gram", high=0.15),
            NamedRule("duplicate_6gram", high=0.14),
            NamedRule("duplicate_7gram", high=0.13),
            NamedRule("duplicate_8gram", high=0.12),
            NamedRule("duplicate_9gram", high=0.11),
            NamedRule("duplicate_10gram", high=0.1),
        ),
    ),
    # Raffel et al. 2020, arXiv:1910.10683, section 2.2
    "c4": RuleSet(
        "c4",
        (
            NamedRule("lorem_ipsum", high=0),
            NamedRule("curly_brackets", high=0),
            NamedRule("sentences", low=5),
        ),
    ),
    # Penedo et al. 2024, arXiv:2406.17557, section 3.6
    "fineweb": RuleSet(
        "fineweb",
        (
            NamedRule("ended_lines", low=0.12),
            NamedRule("short_lines", high=0.67),
            NamedRule("duplicate_line_chars", high=0.01),
            NamedRule("newlines_per_word", high=0.3),
        ),
    ),
}


def signals_of(name: str, annotate: Mapping[str, Mapping[str, object]]) -> list[str]:
    """Return the entries of `annotate` that hold the signals of a rule set."""
    return [each for each, section in annotate.items() if section.get("scorer", each) == RULE_SETS[name].scorer]


def expand(name: str, attribute: str, limits: Mapping[str, Limit]) -> list[tuple[str, str]]:
    """Return (reason, SQL condition that drops) for every rule of a set that has a limit, in order.

    attribute: the entry of `annotate` with the set's signals. limits: those that differ from the published ones.
    """
    rules = [rule.within(limits[rule.name]) if rule.name in limits else rule for rule in RULE_SETS[name].rules]
    return [(f"{name}/{rule.name}", drop) for rule in rules if (drop := rule.condition(attribute)) is not None]

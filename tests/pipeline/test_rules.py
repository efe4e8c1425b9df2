"""Rule sets: published limits by name, the first rule that holds is the reason, mistakes are found on loading."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifiers.registry import SCORERS
from pipeline.errors import InputError
from pipeline.load import load_mix
from pipeline.rules import RULE_SETS, Limit, NamedRule, expand
from pipeline.select import _reasons
from tests.pipeline.conftest import walk_here

SETS = sorted(RULE_SETS)
SELECT = '  - {name: too_short, drop: "gopher_words < 40"}\n'


def decide(frame: pl.DataFrame, rules: list[tuple[str, str]]) -> list[str | None]:
    """Decide as the stage does."""
    args = {"licenses": None, "attributes": [], "rules": [{"name": name, "drop": drop} for name, drop in rules]}
    return _reasons(frame, args, set(), [{}] * len(rules)).to_list()


@pytest.mark.parametrize("name", SETS)
def test_every_rule_reads_a_column_of_the_sets_scorer(name: str) -> None:
    columns = SCORERS[RULE_SETS[name].scorer].columns
    assert [rule.name for rule in RULE_SETS[name].rules if rule.name not in columns] == []


def plain(rule: NamedRule, limit: Limit, value: float) -> bool:
    """Say once more, without SQL, whether a rule drops a value."""
    if limit is None:
        return False
    low, high = limit if isinstance(limit, tuple) else (limit, None) if rule.high is None else (None, limit)
    return (low is not None and value < low) or (high is not None and value > high)


@st.composite
def sets_and_values(draw: st.DrawFn) -> tuple[str, dict[str, Limit], dict[str, list[float]]]:
    name = draw(st.sampled_from(SETS))
    # limits and values from the same few numbers, so that they are often equal
    number = st.sampled_from([0.0, 0.01, 0.1, 0.16, 0.3, 1.0, 2.0, 50.0, 1e5])
    limits: dict[str, Limit] = {}
    for rule in RULE_SETS[name].rules:
        if draw(st.booleans()):
            bound = st.one_of(st.none(), number)
            two = st.tuples(bound, bound)
            limits[rule.name] = draw(st.one_of(st.none(), two if isinstance(rule.default, tuple) else number))
    rows = draw(st.integers(1, 5))
    values = {rule.name: draw(st.lists(number, min_size=rows, max_size=rows)) for rule in RULE_SETS[name].rules}
    return name, limits, values


@given(sets_and_values())
def test_a_document_is_dropped_by_the_first_rule_whose_limit_its_signal_passes(case) -> None:
    name, limits, values = case
    reasons = decide(pl.DataFrame({f"a_{column}": each for column, each in values.items()}), expand(name, "a", limits))
    for i, reason in enumerate(reasons):
        first = next(
            (
                f"{name}/{rule.name}"
                for rule in RULE_SETS[name].rules
                if plain(rule, limits.get(rule.name, rule.default), values[rule.name][i])
            ),
            None,
        )
        assert reason == first


@given(sets_and_values(), st.data())
def test_a_looser_limit_never_drops_more(case, data: st.DataObject) -> None:
    name, limits, values = case
    frame = pl.DataFrame({f"a_{column}": each for column, each in values.items()})
    rule = data.draw(st.sampled_from(RULE_SETS[name].rules))
    strict = [reason is not None for reason in decide(frame, expand(name, "a", limits))]
    loose = [reason is not None for reason in decide(frame, expand(name, "a", {**limits, rule.name: None}))]
    assert all(a or not b for a, b in zip(strict, loose, strict=True))


def with_rules(tiny_yaml: Callable[..., Path], *rules: str, annotate: str = "gopher: {}") -> Path:
    lines = "".join(f"  - {rule}\n" for rule in rules)
    return tiny_yaml((SELECT, lines), ("  gopher: {}\n", f"  {annotate}\n"))


@pytest.mark.parametrize(
    ("rule", "place", "message"),
    [
        (
            "{rules: gopher_qualty}",
            "[0].rules",
            "there is no rule set `gopher_qualty` (did you mean `gopher_quality`?)",
        ),
        (
            "{rules: gopher_repetition, limits: {duplicate_line: 0.2}}",
            "[0].limits.duplicate_line",
            "there is no rule of gopher_repetition `duplicate_line` (did you mean `duplicate_lines`?)",
        ),
        (
            "{rules: gopher_quality, limits: {words: 50}}",
            "[0].limits.words",
            "expected two bounds such as [50, 100000], or null",
        ),
        ("{rules: gopher_quality, limits: {hashes: [0, 1]}}", "[0].limits.hashes", "expected one number such as 0.1"),
        ("{rules: gopher_quality, limits: {hashes: many}}", "[0].limits.hashes", "expected a number, two bounds"),
        ("{rules: c4}", "[0].rules", "`c4` reads the scorer `c4`, which is not in `annotate`"),
        (
            "{rules: gopher_quality, attribute: language}",
            "[0].attribute",
            "there is no attribute of the scorer gopher `language`",
        ),
        ("{rules: gopher_quality, name: short}", "[0]", "give `name` and `drop`, or `rules`, not both"),
        ("{name: short}", "[0]", "expected `name` and `drop`, or `rules`"),
        (
            '{name: short, drop: "gopher_words < 3", limits: {words: [1, 2]}}',
            "[0]",
            "`limits` and `attribute` belong to `rules`",
        ),
        ("{rule: gopher_quality}", "[0].rule", "unknown key (did you mean `rules`?)"),
    ],
)
def test_mistakes_are_named_with_the_nearest_that_is_right(rule: str, place: str, message: str, tiny_yaml) -> None:
    with pytest.raises(InputError, match=r"tiny.yaml:\d+: " + re.escape(f"`select{place}`: {message}")):
        load_mix(with_rules(tiny_yaml, rule))


def test_a_set_is_not_used_twice_for_a_source_but_may_differ_between_sources(tiny_yaml) -> None:
    twice = "{rules: gopher_quality, sources: [wikipedia]}", "{rules: gopher_quality, limits: {stop_words: 1}}"
    with pytest.raises(InputError, match=r"`select\[1\].rules`: the rule set `gopher_quality` is used twice"):
        load_mix(with_rules(tiny_yaml, *twice))
    load_mix(with_rules(tiny_yaml, twice[0], twice[1].replace("}}", "}, sources: [questions]}")))


def test_where_several_attributes_fit_one_is_named(tiny_yaml) -> None:
    two = "gopher: {}\n  spoken: {scorer: gopher, words: punctuation}"
    with pytest.raises(
        InputError, match=r"`attribute` has to say which one `gopher_quality` reads: `gopher`, `spoken`"
    ):
        load_mix(with_rules(tiny_yaml, "{rules: gopher_quality}", annotate=two))
    load_mix(with_rules(tiny_yaml, "{rules: gopher_quality, attribute: spoken}", annotate=two))


def test_all_sets_on_real_documents_give_the_first_reason_in_order(tiny_yaml) -> None:
    """Every dropped document carries the reason that comes first when all rules are asked one by one."""
    sets = [f"{{rules: {name}, sources: [questions]}}" for name in SETS]
    scorers = "gopher: {words: punctuation}\n  c4: {}\n  fineweb: {}"
    run = walk_here(with_rules(tiny_yaml, *sets, annotate=scorers), until="select")
    (unit,) = [unit for unit in run.of("select") if unit.name.startswith("questions/")]
    reasons = pl.read_parquet(run.store.local(unit.ref) / "selection.parquet")["reason"].to_list()
    attributes = {each.name.split("/")[2]: each for each in run.of("annotate") if each.name.startswith("questions/")}
    columns: list[pl.Series] = []
    for name in ("gopher", "c4", "fineweb"):
        frame = pl.read_parquet(run.store.local(attributes[name].ref) / "attributes.parquet")
        columns += [column.alias(f"{name}_{column.name}") for column in frame]
    table = pl.DataFrame(columns)
    every = [expand(name, RULE_SETS[name].scorer, {}) for name in SETS]
    asked = list(itertools.chain.from_iterable(every))
    found = {reason: table.select(drop=pl.sql_expr(drop))["drop"].to_list() for reason, drop in asked}
    for i, reason in enumerate(reasons):
        if reason not in ("duplicate", "contaminated"):
            assert reason == next((name for name, drops in found.items() if drops[i]), None)
    assert len({reason for reason in reasons if reason and "/" in reason}) >= 4
    assert None in reasons

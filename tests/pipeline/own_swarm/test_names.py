"""Short names stand for exactly one column, and only what all columns share is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.own_swarm.names import names_of


@pytest.mark.parametrize(
    ("columns", "prefix", "suffix", "short"),
    [
        (("train_the_pile_arxiv", "train_the_pile_pile_cc"), "train_the_pile_", "", ("arxiv", "pile_cc")),
        (("metric/a_val_loss", "metric/b_val_loss"), "metric/", "_val_loss", ("a", "b")),
        (("wiki", "wind"), "", "", ("wiki", "wind")),
        (("wiki", "wiki.qa"), "", "", ("wiki", "wiki.qa")),
        (("a_", "a_b"), "", "", ("a_", "a_b")),
        (("only_one",), "", "", ("only_one",)),
    ],
)
def test_what_all_columns_share_is_cut_at_a_separator(columns, prefix, suffix, short) -> None:
    names = names_of(columns)
    assert (names.prefix, names.suffix, names.short) == (prefix, suffix, short)


@given(st.lists(st.text("ab_/", min_size=1, max_size=6), min_size=2, max_size=5, unique=True))
def test_every_name_stands_for_one_column(columns: list[str]) -> None:
    names = names_of(columns)
    assert all(names.short)
    assert len(set(names.short)) == len(columns)
    for full, short in zip(names.full, names.short, strict=True):
        assert names.prefix + short + names.suffix == full
        assert names.resolve(full) == full
        assert names.resolve(short) == full or short in names.full  # a column's own name goes first

"""Protects `select`'s conditions: what cannot be asked of one document is refused before anything is read, and a
document's own fields are compared as what they are."""

from __future__ import annotations

import json

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.conditions import BadCondition, columns_of, field_types, with_fields

JSON_VALUES = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False) | st.text()


@pytest.mark.parametrize(
    ("condition", "types"),
    [
        ("field_score < 3", {"score": "number"}),
        ("field_site = 'beer' OR field_score > 2", {"site": "text", "score": "number"}),
        ("field_over_18", {"over_18": "boolean"}),
        ("field_tags LIKE '%beer%'", {"tags": "text"}),
        ("CAST(field_year AS DOUBLE) < 1990", {"year": "text"}),
        ("field_date < '2020-01-01' AND gopher_words < 50", {"date": "text"}),
        ("field_url IS NULL", {"url": "text"}),
        ("language_label <> 'en' OR language_probability <= 0.65", {}),
    ],
)
def test_a_field_is_read_as_what_the_condition_asks(condition: str, types: dict[str, str]) -> None:
    assert field_types(condition) == types


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ("gopher_words", "true or false"),
        ("language_label < 5", "cannot compare"),
        ("gopher_words < ", "not an SQL expression"),
        ("gopher_words < AVG(gopher_words)", "depends on others"),
        ("COUNT(*) > 2", "depends on others"),
        ("ROW_NUMBER() OVER (ORDER BY gopher_words) > 2", "depends on others"),
        ("field_score < MEDIAN(field_score)", "depends on others"),
        ("gopher_words < (SELECT 1)", "not allowed"),
    ],
)
def test_what_is_no_question_about_one_document_is_refused(condition: str, said: str) -> None:
    with pytest.raises(BadCondition, match=said):
        field_types(condition)


@given(st.lists(st.dictionaries(st.sampled_from(["score", "site"]), JSON_VALUES), min_size=1))
def test_fields_of_any_kind_are_columns_of_one_type(rows: list[dict[str, object]]) -> None:
    table = pl.DataFrame({"fields": [json.dumps(row) for row in rows]})
    read = with_fields(table, {"score": "number", "site": "text"})
    assert read.schema["field_score"] == pl.Float64
    for row, score, site in zip(rows, read["field_score"], read["field_site"], strict=True):
        given = row.get("score")
        if isinstance(given, (int, float)):
            assert score == float(given)
        elif given is None:
            assert score is None
        assert (site is None) == (row.get("site") is None)
        if isinstance(row.get("site"), str):
            assert site == row["site"]


def test_the_columns_of_a_condition() -> None:
    assert columns_of("field_b > 1 AND gopher_words < 3 AND field_b < 9") == ["field_b", "gopher_words"]

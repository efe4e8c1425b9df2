"""Conditions of `select`: SQL over attribute columns and over the documents' own fields, one document at a time."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

FIELD = "field_"
"""Before the name of a document's own field in a condition: `field_score < 3`."""

TYPES: dict[str, pl.DataType] = {"text": pl.String(), "number": pl.Float64(), "boolean": pl.Boolean()}
"""What a field may be read as. A condition reads it as the first of these that the condition can be asked of."""

_TEXT = ("label", "matched")  # columns of scorers that are no numbers
_TRIAL = 8
_LONGEST = 10_000
_MOST_FIELDS = 7
"""Their types are tried out: three to the power of their number."""


class BadCondition(ValueError):
    """A condition that cannot be asked of a document."""


def is_field(column: str) -> bool:
    """Tell whether a condition's column is a document's own field."""
    return column.startswith(FIELD)


def columns_of(condition: str) -> list[str]:
    """Return the columns that a condition names. Raises BadCondition where it is no SQL expression, or a very long one,
    on which the native parser would run out of its stack."""
    if len(condition) > _LONGEST:
        raise BadCondition(f"too long, over {_LONGEST:,} characters: make several rules of it")
    try:
        return sorted(set(pl.sql_expr(condition).meta.root_names()))
    except Exception as error:  # polars raises several types for bad SQL
        raise BadCondition(f"not an SQL expression: {str(error).splitlines()[0]}") from None


def field_types(condition: str) -> dict[str, str]:
    """Return field → what the condition reads it as, a name in TYPES.

    Raises BadCondition for a condition that is not true or false, that compares what cannot be compared, or whose
    answer for one document depends on others (aggregates, windows): documents come in batches, so it would have
    another meaning in each.
    """
    columns = columns_of(condition)
    fields = [column for column in columns if is_field(column)]
    if len(fields) > _MOST_FIELDS:
        raise BadCondition(f"over {_MOST_FIELDS} fields of documents: make several rules of it")
    first: Exception | None = None
    for chosen in itertools.product(TYPES, repeat=len(fields)):
        kinds = dict(zip(fields, chosen, strict=True))
        table = _trial({column: kinds.get(column) or _kind(column) for column in columns})
        try:
            together = _answers(table, condition)
        except (pl.exceptions.PolarsError, BadCondition) as error:
            first = first or error
            continue
        if together != [_answers(table[i : i + 1], condition)[0] for i in range(len(table))]:
            raise BadCondition("its answer for a document depends on others; compare a document's own values only")
        return {column.removeprefix(FIELD): kind for column, kind in kinds.items()}
    raise BadCondition(str(first).splitlines()[0])


def with_fields(table: pl.DataFrame, fields: Mapping[str, str]) -> pl.DataFrame:
    """Return a batch with the fields that conditions name as columns; null where a document has none of that kind.

    table: has `fields`, the JSON of a document's own fields.
    """
    if not fields:
        return table
    rows = [json.loads(text) for text in table["fields"]]
    return table.with_columns(
        pl.Series(FIELD + name, [_as(kind, row.get(name)) for row in rows], dtype=TYPES[kind])
        for name, kind in fields.items()
    )


def _as(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if kind == "text":
        return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if kind == "boolean":
        return value if isinstance(value, bool) else None
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def _kind(column: str) -> str:
    return "text" if column.endswith(tuple(f"_{name}" for name in _TEXT)) else "number"


def _trial(kinds: Mapping[str, str]) -> pl.DataFrame:
    """Return a few rows of differing values, no two columns in step."""
    columns = []
    for n, (name, kind) in enumerate(kinds.items()):
        numbers = [((7 * i + 3 * n) % _TRIAL) ** 2 / 4 for i in range(_TRIAL)]
        values: Sequence[Any] = numbers
        if kind == "text":
            values = [str(value) for value in numbers]
        elif kind == "boolean":
            values = [value > 4 for value in numbers]
        columns.append(pl.Series(name, values, dtype=TYPES[kind]))
    return pl.DataFrame([*columns, pl.Series("__row", range(_TRIAL))])


def _answers(table: pl.DataFrame, condition: str) -> list[bool | None]:
    found = table.select("__row", answer=pl.sql_expr(condition))["answer"]
    if found.dtype not in (pl.Boolean, pl.Null):
        raise BadCondition(f"expected a condition that is true or false, got {str(found.dtype).lower()}")
    return found.to_list()

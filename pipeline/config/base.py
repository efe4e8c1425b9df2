"""What all sections of a mix YAML share: strict keys, and counts with units."""

from __future__ import annotations

import contextlib
import re
from decimal import Decimal
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

NAME = re.compile(r"[a-z][a-z0-9_]*")


_UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9, "t": 10**12}


def parse_count(value: Any, also: str = "") -> Any:
    """Turn `600M`, `1.5B`, `400k` into an integer; other values pass through for pydantic to judge.

    also: other forms to name in the error.
    """
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d[\d_]*(?:\.\d+)?(?:[eE]\+?\d\d?)?)\s*([kmbgtKMBGT]?)\s*", value)
        if match is None:
            raise ValueError(f"expected a count such as 400000, 400k, 600M or 1.5B{also}")
        count = round(Decimal(match[1].replace("_", "")) * _UNITS[match[2].lower()]) if len(match[1]) < 40 else 2**63
        if count >= 2**63:
            raise ValueError("expected a count below 2^63")
        return count
    return value


def parse_tokens(value: Any) -> Any:
    """As `parse_count`, where `pipeline.resolve` has turned multiples of the parameters into counts."""
    return parse_count(value, also=", or 20x the parameters")


Count = Annotated[int, BeforeValidator(parse_count), Field(gt=0)]


ProxyTokens = Annotated[int, BeforeValidator(parse_tokens), Field(gt=0)]


Bytes = Annotated[int, BeforeValidator(parse_count), Field(ge=1000)]


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values never change after loading, counts may have units."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Read `64k` where a whole number stands; refuse `yes`, which Python takes for 1."""
        annotation = cls.model_fields[info.field_name or ""].annotation
        kinds = {annotation, *get_args(annotation)}
        if not kinds & {int, float}:
            return value
        if any(isinstance(each, bool) for each in (value.values() if isinstance(value, dict) else [value])):
            raise ValueError("expected a number")
        if isinstance(value, str) and int in kinds:
            with contextlib.suppress(ValueError):  # what is no count is told by the field itself
                return parse_count(value)
        return value

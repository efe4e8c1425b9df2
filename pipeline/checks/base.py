"""What the checks share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pipeline.errors import nearest
from pipeline.yaml_lines import Path_

Mistakes = Iterator[tuple[Path_, str]]
"""Places in the YAML, and what is wrong there."""

BASELINES = ("natural", "uniform")
"""Mixes that are always there, beside the user's references."""

TAKEN = ("proposal", *BASELINES, "best_observed")
"""Names that no reference may have: mixes that it stands beside."""

RESERVED_SCORERS = ("duplicates", "contamination")  # always run by the pipeline itself


def scorer_of(name: str, section: Mapping[str, Any]) -> str:
    """Return the scorer that an `annotate` entry names, as text whatever stands there."""
    return str(section.get("scorer", name))


def unknown(name: str, known: Iterable[str], what: str) -> str:
    """Return the message for a name that is not there, with the nearest that is."""
    return f"there is no {what} `{name}`{nearest(name, known)}"

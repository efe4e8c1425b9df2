"""What the checks share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pipeline.errors import nearest
from pipeline.yaml_lines import Path_

Mistakes = Iterator[tuple[Path_, str]]
"""Places in the YAML, and what is wrong there."""

BASELINES = ("natural", "uniform")
"""Mixes that are always there, beside the user's references."""

TAKEN = ("proposal", *BASELINES, "best_observed")
"""Names that no reference may have: mixes that it stands beside."""

RESERVED_SCORERS = ("duplicates", "contamination")  # always run by the pipeline itself


def unknown(name: str, known: Iterable[str], what: str) -> str:
    """Return the message for a name that is not there, with the nearest that is."""
    return f"there is no {what} `{name}`{nearest(name, known)}"

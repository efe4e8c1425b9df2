"""What the labels of a fastText quality model mean: one class of interest, or numbers that are a mean score.

`__label__hq` against `__label__cc` (DCLM), `__label__positive` against `__label__negative` (trained here), or
`__label__0` to `__label__5` (FineWeb-Edu's educational scores, distilled): their expected value is the score.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PREFIX = "__label__"
POSITIVES = ("positive", "hq")
"""Labels that are taken for the class of interest where none is named."""
_ADDED = 1e-5  # fastText adds it to every probability
_SUM_TOLERANCE = 1e-3  # probabilities of a model with independent labels (loss `ova`) do not sum to 1


@dataclass(frozen=True)
class Reading:
    """How a score is made of a model's labels.

    values: label -> its number, or 1 for the class of interest and 0 for others; expected: whether the score is the
    expected number; nothing: score of a text without words.
    """

    values: dict[str, float]
    expected: bool
    nothing: float


def reading_of(labels: Sequence[str], label: str | None, path: Path) -> Reading:
    """Decide how to read a model's labels. Raises ValueError where it cannot be decided, naming those there are."""
    names = [each.removeprefix(PREFIX) for each in labels]
    if label is not None and label.removeprefix(PREFIX) not in names:
        raise ValueError(f"{path} has no label {label!r}; it has {', '.join(labels[:20])}")
    if label is None and all(name.isascii() and name.isdigit() for name in names):
        numbers = {each: float(name) for each, name in zip(labels, names, strict=True)}
        return Reading(numbers, True, min(numbers.values()))
    known = [name for name in POSITIVES if name in names]
    if label is None and not known:
        raise ValueError(f"{path}: name its `label` whose probability is the score: {', '.join(labels[:20])}")
    chosen = known[0] if label is None else label.removeprefix(PREFIX)
    return Reading({each: float(name == chosen) for each, name in zip(labels, names, strict=True)}, False, 0.5)


def score_of(reading: Reading, labels: Sequence[str], values: NDArray[np.float32]) -> float:
    """Return the score of one prediction of all labels.

    fastText leaves out labels of probability 0 and adds 1e-5 to the others. A probability near 1 is taken from what the
    other labels leave, which single precision holds far better: many documents would tie at 1 otherwise.
    """
    found = {label: max(float(value) - _ADDED, 0.0) for label, value in zip(labels, values, strict=True)}
    total = sum(found.values())
    score = sum(reading.values[label] * value for label, value in found.items())
    if reading.expected:
        return score / total if total else reading.nothing
    if score <= 0.5 or abs(total - 1) > _SUM_TOLERANCE:
        return min(score, 1.0)
    return max(0.0, 1.0 - sum(value for label, value in found.items() if not reading.values[label]))

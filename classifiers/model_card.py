"""The card of a trained classifier: what it learnt from, how well it does on unseen documents, how to use it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from classifiers.calibration import Bin, Calibration
from classifiers.ranking import Measures

CARD_FILE, CARD_TEXT = "card.json", "card.md"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Side(_Part):
    """The documents of one class."""

    origin: list[Any]  # as the caller names them, e.g. files with a hash of their bytes
    documents: int  # given
    used: int  # distinct, and in one class only
    groups: int


class Calibrated(_Part):
    """The stored calibration, and how well one like it does on documents that it was not fitted on."""

    stored: Calibration
    error: float  # expected calibration error of the probability, [0, 1]
    raw_error: float  # of the score taken for a probability
    reliability: list[Bin]


class Threshold(_Part):
    """The score that a stated fraction of documents reach."""

    keep: float  # asked for
    of: str  # the documents it is a fraction of
    documents: int  # how many they are
    origin: list[Any]  # of the pool
    score: float
    kept: float  # share of them that reach it
    probability: float  # calibrated, at that score
    positive_kept: float  # share of the positives that the stored model did not see that reach it
    negative_kept: float


class Card(_Part):
    """What was trained, on what, and how good it is."""

    kind: str
    positive: Side
    negative: Side
    dropped: int  # repeated texts, and texts of both classes
    folds: int  # 1: a fifth is held out, and the stored model saw the rest; else all are, and it saw all folds but one
    trained: int  # documents that the stored model learnt from
    held_out: int  # documents that were scored by a model that had not seen their group
    seed: int
    measures: Measures
    accuracy: float  # held out, balanced: mean of the two classes' shares right at a score of 0.5
    calibration: Calibrated
    threshold: Threshold | None
    params: dict[str, Any]
    versions: dict[str, str]


class Evaluation(_Part):
    """A classifier, trained here or elsewhere, on labelled documents."""

    kind: str
    positive: int  # documents that were scored
    negative: int
    dropped: int  # repeated texts, and texts of both classes
    seen: int  # left out: the classifier was trained on them
    measures: Measures
    error: float | None  # expected calibration error; None where the classifier has no calibration
    reliability: list[Bin] | None
    threshold: float | None  # the card's
    positive_kept: float | None  # shares that reach it
    negative_kept: float | None


def write_card(card: Card, folder: Path) -> None:
    """Write the card as JSON and as Markdown."""
    (folder / CARD_FILE).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")
    (folder / CARD_TEXT).write_text(card_text(card), encoding="utf-8")


def read_card(folder: Path) -> Card:
    """Read the card that `train` wrote."""
    return Card.model_validate_json((folder / CARD_FILE).read_text(encoding="utf-8"))


def card_text(card: Card) -> str:
    """Return the card as Markdown."""
    grouped = card.positive.groups + card.negative.groups < card.positive.used + card.negative.used
    whole = "Whole groups are held out together." if grouped else "Documents are held out one by one."
    if card.folds > 1:
        how = (
            f"{card.folds}-fold cross-validation: each document is scored by a model that saw none of its fold; the "
            "stored model is the one that did not see the first."
        )
    else:
        how = "A fifth is held out; the stored model is the one that was measured."
    lines = [
        f"# Quality classifier ({card.kind})",
        "",
        f"Trained on {card.trained:,} documents, seed {card.seed}. {how} {whole} {card.dropped:,} documents were left "
        "out: repeated, or in both classes.",
        "",
        "| class | documents | used | groups | origin |",
        "|---|---|---|---|---|",
        *(_side(name, side) for name, side in (("positive", card.positive), ("negative", card.negative))),
        "",
        f"## On {card.held_out:,} held-out documents",
        "",
        *measures_text(card.measures),
        "",
        f"Balanced accuracy at a score of 0.5: {card.accuracy:.3f}.",
        "",
        "## Calibration",
        "",
        f"probability = sigmoid({card.calibration.stored.slope:.4f} × log-odds of the score + "
        f"{card.calibration.stored.intercept:.4f}), for documents of which {card.measures.positive_share:.1%} are "
        f"positive. Expected calibration error {card.calibration.error:.3f} (the score itself: "
        f"{card.calibration.raw_error:.3f}), measured on documents that the calibration was not fitted on:",
        "",
        *reliability_text(card.calibration.reliability),
        "",
    ]
    if card.threshold is not None:
        lines += ["## Threshold", "", *_threshold(card.threshold), ""]
    lines += [
        "## Made with",
        "",
        ", ".join(f"{name} {version}" for name, version in card.versions.items())
        + "; "
        + ", ".join(f"`{name}: {value}`" for name, value in card.params.items()),
    ]
    return "\n".join(lines) + "\n"


def evaluation_text(found: Evaluation) -> str:
    """Return an evaluation as Markdown."""
    left_out = f"{found.seen:,} that it was trained on, {found.dropped:,} repeated or in both classes"
    lines = [
        f"{found.positive:,} positive and {found.negative:,} negative documents; left out: {left_out}.",
        "",
        *measures_text(found.measures),
    ]
    if found.threshold is not None:
        lines += [
            "",
            f"The card's threshold {found.threshold:.6f} keeps {found.positive_kept:.1%} of the positives and "
            f"{found.negative_kept:.1%} of the negatives.",
        ]
    if found.reliability is not None:
        lines += ["", f"Expected calibration error {found.error:.3f}:", "", *reliability_text(found.reliability)]
    return "\n".join(lines)


def measures_text(measures: Measures) -> list[str]:
    """Return AUC, average precision and points of the curve as Markdown lines."""
    return [
        f"AUC {measures.auc:.3f} (95 % interval {measures.auc_low:.3f} to {measures.auc_high:.3f}, groups drawn again; "
        f"chance is 0.5). Average precision {measures.average_precision:.3f} (chance {measures.positive_share:.3f}).",
        "",
        "| recall | precision | score |",
        "|---|---|---|",
        *(f"| {point.recall:.3f} | {point.precision:.3f} | {point.score:.6f} |" for point in measures.precision_recall),
    ]


def reliability_text(bins: list[Bin]) -> list[str]:
    """Return a reliability table as Markdown lines."""
    return [
        "| probability | documents | mean predicted | positive |",
        "|---|---|---|---|",
        *(
            f"| {each.low:.3f} to {each.high:.3f} | {each.documents:,} | {each.predicted:.3f} | {each.positive:.3f} |"
            for each in bins
        ),
    ]


def _side(name: str, side: Side) -> str:
    origin = "; ".join(_name(each) for each in side.origin) or "not stated"
    return f"| {name} | {side.documents:,} | {side.used:,} | {side.groups:,} | {origin} |"


def _name(origin: Any) -> str:
    """Return `file.jsonl, bytes 12, …`; a file needs no key before it."""
    if not isinstance(origin, dict):
        return str(origin)
    return ", ".join(str(value) if key == "file" else f"{key} {value}" for key, value in origin.items())


def _threshold(threshold: Threshold) -> list[str]:
    spread = 2 * math.sqrt(threshold.kept * (1 - threshold.kept) / threshold.documents)
    return [
        f"A score of at least **{threshold.score:.6f}** keeps {threshold.kept:.1%} of {threshold.of} "
        f"({threshold.documents:,}; asked for {threshold.keep:.1%}). Chosen on so many, it keeps that share of new "
        f"documents like them give or take {spread:.1%} (two standard errors). Of the labelled documents that the "
        f"stored model did not see it keeps {threshold.positive_kept:.1%} of the positives and "
        f"{threshold.negative_kept:.1%} of the negatives. The probability there is {threshold.probability:.3f}.",
    ]

"""Checks of classifiers that `annotate` names by path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from classifiers.calibration import CALIBRATION_FILE
from classifiers.quality import folder_files
from classifiers.registry import SCORERS
from pipeline.checks.base import Mistakes, scorer_of
from pipeline.conditions import BadCondition, columns_of
from pipeline.config import Config
from pipeline.yaml_lines import Path_


def model_mistakes(config: Config) -> Mistakes:
    uncalibrated = {}
    for name, section in config.annotate.items():
        spec = SCORERS.get(scorer_of(name, section))
        model = section.get("model")
        if spec is None or model is None:
            continue
        place = ("annotate", name)
        sides = [side for side in ("positive", "negative") if side in section]
        if sides:
            said = f"{' and '.join(f'`{side}`' for side in sides)} {'are' if len(sides) > 1 else 'is'}"
            text = f"{said} for training, and `model` is trained already: leave one out"
            yield (*place, sides[0]), text
        wrong = _wrong_model(spec.name, spec.trains, Path(str(model)))
        if wrong is not None:
            yield (*place, "model"), wrong
        elif spec.trains and not (Path(model) / CALIBRATION_FILE).is_file():
            uncalibrated[f"{name}_calibrated"] = model
    for column, where in _columns(config):
        if column in uncalibrated:
            yield where, f"`{column}` is empty: {uncalibrated[column]} has no calibration; compare the score"


def _wrong_model(scorer: str, trains: bool, model: Path) -> str | None:
    if not model.exists():
        return f"no such file or folder: {model}"
    if not model.is_dir():
        return (
            None if scorer != "sklearn" else f"expected a folder that `mixwright classifier train` wrote, not {model}"
        )
    missing = [file for file in folder_files(scorer) if not (model / file).is_file()] if trains else ["a model file"]
    if missing:
        return f"{model} is no folder of a trained {scorer} classifier: it has no {', '.join(missing)}"
    return None


def _columns(config: Config) -> Iterator[tuple[str, Path_]]:
    """Yield every attribute column that is compared, and where."""
    for i, rule in enumerate(config.select):
        if rule.drop is None:  # a rule set names its columns itself
            continue
        try:
            names = columns_of(rule.drop)
        except BadCondition:  # told elsewhere
            continue
        for name in names:
            yield name, ("select", i, "drop")
    for source, buckets in config.buckets.items():
        yield buckets.by, ("buckets", source, "by")

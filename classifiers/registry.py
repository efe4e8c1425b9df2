"""All scorers by name. To add one, see `base`; then add its line to `SCORERS`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifiers.base import Scorer, ScorerParams
from classifiers.c4 import C4Params, C4Scorer
from classifiers.contamination import SUITE_FILE, ContaminationParams, ContaminationScorer, load_suite
from classifiers.duplicates import DuplicatesParams, DuplicatesScorer
from classifiers.fasttext_quality import FastTextParams, FastTextScorer
from classifiers.fineweb import FineWebParams, FineWebScorer
from classifiers.heuristics import GopherParams, GopherScorer
from classifiers.language import LanguageParams, LanguageScorer
from classifiers.linear_quality import LinearParams, LinearScorer
from classifiers.ocr_quality import OCRQualityParams, OCRQualityScorer


@dataclass(frozen=True)
class ScorerSpec:
    """What the pipeline needs to know of a scorer before it loads one."""

    name: str
    version: int  # raise it when the same text gets another score: all documents are then scored anew
    params: type[ScorerParams]
    columns: tuple[str, ...]  # of the scorer, known before it is loaded
    trains: bool  # made from the run's own documents by `quality.train`, unless its params name a model
    load: Callable[[Any, Path | None], Scorer]  # (params, folder of what the run made for it) -> scorer


def _load_contamination(params: ContaminationParams, model_dir: Path | None) -> Scorer:
    if model_dir is None:
        raise ValueError(f"the contamination scorer needs a folder with {SUITE_FILE}")
    return ContaminationScorer(load_suite(model_dir / SUITE_FILE))


SCORERS: dict[str, ScorerSpec] = {
    spec.name: spec
    for spec in (
        ScorerSpec("gopher", 2, GopherParams, GopherScorer.columns, False, lambda params, _: GopherScorer(params)),
        ScorerSpec("c4", 1, C4Params, C4Scorer.columns, False, lambda params, _: C4Scorer(params)),
        ScorerSpec("fineweb", 1, FineWebParams, FineWebScorer.columns, False, lambda params, _: FineWebScorer(params)),
        ScorerSpec(
            "language",
            1,
            LanguageParams,
            LanguageScorer.columns,
            False,
            lambda params, _: LanguageScorer(params),
        ),
        ScorerSpec("fasttext", 2, FastTextParams, FastTextScorer.columns, True, FastTextScorer),
        ScorerSpec("sklearn", 2, LinearParams, LinearScorer.columns, True, LinearScorer),
        ScorerSpec(
            "duplicates",
            2,
            DuplicatesParams,
            DuplicatesScorer.columns,
            False,
            lambda params, _: DuplicatesScorer(params),
        ),
        ScorerSpec(
            "ocr_quality",
            1,
            OCRQualityParams,
            OCRQualityScorer.columns,
            False,
            lambda params, _: OCRQualityScorer(params),
        ),
        ScorerSpec("contamination", 2, ContaminationParams, ContaminationScorer.columns, False, _load_contamination),
    )
}

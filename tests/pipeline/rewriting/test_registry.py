"""The registry is what a mix names: every entry loads, and unknown parameters are refused."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.rewriting.registry import REWRITERS


@pytest.mark.parametrize("name", sorted(REWRITERS))
def test_every_rewriter_loads_with_its_defaults_and_rejects_an_empty_document(name: str) -> None:
    spec = REWRITERS[name]
    assert spec.name == name
    rewrites, rejected = spec.load(spec.params(), 0).rewrite({"id": "a", "text": ""})
    assert rewrites == []
    assert [r.reason for r in rejected] == [
        {"wiki_qa": "no_pairs", "ocr_cleanup": "empty", "c4_lines": "sentences"}[name]
    ]


@pytest.mark.parametrize("name", sorted(REWRITERS))
def test_an_unknown_parameter_is_refused(name: str) -> None:
    with pytest.raises(ValidationError):
        REWRITERS[name].params(no_such_option=1)

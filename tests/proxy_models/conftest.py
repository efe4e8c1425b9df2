"""Fixtures of the proxies' tests."""

from __future__ import annotations

import pytest
from proxy_corpus import Corpus, build_corpus

from proxy_models.hardware import NumericPlan, choose_plan


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return build_corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="session")
def plan() -> NumericPlan:
    """What this machine would use."""
    return choose_plan("cpu", say=lambda _: None)


@pytest.fixture(scope="session")
def exact() -> NumericPlan:
    """fp32, for comparisons to small tolerances."""
    return NumericPlan("cpu", "float32", "manual", "any")

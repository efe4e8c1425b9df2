"""One planted run for all tests of the report; each test gets its own copy of the data."""

from __future__ import annotations

import copy
import sys
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from report_fixture import build, config

LAWS = ["linear", "log_linear"]


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return build(tmp_path_factory.mktemp("planted") / "run", config(laws=LAWS))


@pytest.fixture(scope="session")
def plain(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """No rewritten variant, no reference of the user, two seeds."""
    settings = config(variants=0, reference=False, seeds=2, runs=16, laws=LAWS)
    return build(tmp_path_factory.mktemp("plain") / "run", settings)


@pytest.fixture
def data(planted: dict[str, Any]) -> dict[str, Any]:
    return copy.deepcopy(planted)

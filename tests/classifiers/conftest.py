"""Real texts for the tests: the library's own prose and code, some hundred kB of it."""

from __future__ import annotations

import json
import pydoc_data.topics
import sysconfig
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("unhurried", deadline=None)  # the first call of a process builds tables
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def prose() -> list[str]:
    """Sections of the Python reference, 90 of them."""
    return [text for text in pydoc_data.topics.topics.values() if len(text) > 500]


@pytest.fixture(scope="session")
def code() -> list[str]:
    """Modules of Python's standard library, 60 of them, at most 20,000 characters each."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    files = sorted(folder.glob("*.py"))[:40] + sorted(Path(json.__file__).parent.glob("*.py"))
    return [text for file in files if len(text := file.read_text(encoding="utf-8")[:20_000]) > 500]

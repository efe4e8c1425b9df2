"""`mixwright --help` and `mixwright check` answer at once: heavy libraries are loaded by what needs them."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LOADED = """
import sys
from pipeline import cli
sys.argv = ["mixwright", *sys.argv[1:]]
try:
    cli.main()
except SystemExit as ended:
    assert not ended.code, ended.code
print(*sys.modules, file=sys.stderr)
"""
HEAVY = {"torch", "sklearn", "ray", "scipy.optimize", "scipy.sparse", "pandas", "transformers", "datasets", "lightgbm"}
DATA = {"polars", "numpy", "numba", "pyarrow", "fsspec"}


def cpu_seconds(*arguments: str) -> float:
    """Return the CPU-seconds that a Python process with these arguments takes: less by what others do beside it."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize(
    ("arguments", "never"),
    [
        (["--help"], HEAVY | DATA),
        (["run", "--help"], HEAVY | DATA),
        (["check", "mixes/quickstart.yaml"], HEAVY),
        (["schema"], HEAVY),
    ],
)
def test_nothing_heavy_is_loaded(arguments: list[str], never: set[str]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], cwd=ROOT, check=True, capture_output=True, text=True
    )
    assert sorted(never & set(ended.stderr.split())) == []


def test_check_takes_a_few_times_what_its_libraries_take() -> None:
    """Measured: 0.8 CPU-seconds beside 0.5 for the libraries on an idle core."""
    libraries = min(cpu_seconds("-c", "import pydantic, yaml, typer, polars, pyarrow.parquet, numba") for _ in range(2))
    assert min(cpu_seconds("-m", "pipeline", "check", "mixes/quickstart.yaml") for _ in range(2)) < 3 * libraries
    assert min(cpu_seconds("-m", "pipeline", "--help") for _ in range(2)) < libraries

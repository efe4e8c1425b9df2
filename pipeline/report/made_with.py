"""What a finished run was made with: put into the report as the run folder is filled; no artefact holds a machine."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pipeline.report.table import Cell, Column, table
from pipeline.run import Run

HERE = "<!-- made with -->"
PACKAGES = (
    "mixwright",
    "torch",
    "numpy",
    "scipy",
    "scikit-learn",
    "lightgbm",
    "polars",
    "pyarrow",
    "ray",
    "tokenizers",
)
KEYS = ("vocabulary", "design", "fit", "propose", "validate", "report")
"""Stages of one unit whose keys name all that a run rests on."""


def facts(run: Run) -> list[tuple[str, str]]:
    """Return (what, value) of seed, versions and machine of the command that filled the run folder, and keys."""
    found = [("seed", str(run.config.seed)), ("Python", platform.python_version())]
    for name in PACKAGES:
        try:
            found.append((name, version(name)))
        except PackageNotFoundError:
            continue
    found.append(("machine", f"{platform.system()} {platform.machine()}, {processor()}, {os.cpu_count()} cores"))
    for stage in KEYS:
        found += [(f"key of {stage}", unit.ref) for unit in run.units.get(stage, ())[-1:]]
    return found


def processor() -> str:
    """Return the processor's name as the system tells it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or "unknown processor"


def with_facts(page: str, found: Sequence[tuple[str, str]]) -> str:
    """Return the HTML report with the facts in their place."""
    from pipeline.report.html import environment

    shown = table(
        "Seed, versions, machine and keys",
        [Column("What", text=True), Column("Value", text=True)],
        [[Cell(what), Cell(value)] for what, value in found],
        "Versions and machine are those of the command that filled the run folder; workers of a cluster, and earlier "
        "runs whose units are shared, may differ. A key names an artefact by all that it depends on.",
    )
    macros: Any = environment().get_template("table.html.j2").module
    return page.replace(HERE, str(macros.show(shown)), 1)

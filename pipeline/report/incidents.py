"""What went wrong on the way to a finished run and was tried again: put into the report as the run folder is filled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.report.costs import HERE
from pipeline.report.table import Cell, Column, table
from pipeline.report.text import count


def with_incidents(page: str, incidents: Sequence[dict[str, Any]]) -> str:
    """Return the HTML report with a table of incidents (`stage`, `event`, `times`) before its costs; none where there
    are none."""
    from pipeline.report.html import environment

    if not incidents:
        return page
    found = table(
        "What was tried again",
        [Column("Stage", text=True), Column("What happened", text=True), Column("Times")],
        [[Cell(each["stage"]), Cell(each["event"]), Cell(count(each["times"]), each["times"])] for each in incidents],
        "Over all commands on this run. None of it changes a result: the log of the run has each with its unit.",
    )
    macros: Any = environment().get_template("table.html.j2").module
    return page.replace(HERE, f"{macros.show(found)}{HERE}", 1)

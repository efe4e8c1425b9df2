"""Small and larger proxies on the same mixes, side by side."""

from __future__ import annotations

from typing import Any

from pipeline.report.decision import gain_cell, others_of, outcome_cell
from pipeline.report.table import Cell, Column, Table, table
from pipeline.report.text import number, p_value, size, words


def transfer_table(mix: dict[str, Any]) -> Table | None:
    """Return mix × objective at both sizes and the proposal's gain at the larger; None where there are no larger ones.

    Objectives are relative to natural at the same size, so that columns compare by their order only.
    """
    transfer = mix["transfer"]
    if transfer is None:
        return None
    rows = []
    for name in ["proposal", *others_of(mix)]:
        small, large = mix["measured"][name], transfer["measured"][name]
        cells = [Cell(words(name), strong=name == "proposal")]
        cells += [Cell(f"{number(each['mean'])} ± {number(each['se'])}", each["mean"]) for each in (small, large)]
        if name == "proposal":
            rows.append([*cells, Cell(""), Cell(""), Cell("")])
            continue
        p = Cell(p_value(large["p_value"]), large["p_value"])
        rows.append([*cells, gain_cell(large, "gain_se"), p, outcome_cell({**mix, **transfer}, name)])
    columns = [
        Column("Mix", text=True),
        Column("Small", "objective on the swarm's size of proxies ± standard error, as in the proof"),
        Column("Larger", f"the same on preset {transfer['preset']}, {transfer['seeds']} fresh seeds"),
        Column("Gain", "of the proposal over the mix on the larger proxies"),
        Column("p", "chance of such a gain if there were none"),
        Column("The proposal", text=True),
    ]
    return table(
        f"The same mixes on larger proxies (preset {transfer['preset']}, {size(transfer['tokens'])} tokens)",
        columns,
        rows,
    )

"""What each domain cost beside what it is worth: put into the finished report as the run folder is filled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipeline.config import Prices
from pipeline.costs import Cost
from pipeline.report.table import Cell, Column, Table, table
from pipeline.report.text import count, number, percent, signed, size
from pipeline.spent import Spent, money

HERE = "<!-- costs -->"
"""Where the report has its costs; seconds are no part of the report's artefact, which is the same bytes each time."""


def costs_table(costs: Sequence[Cost], mix: dict[str, Any], prices: Prices | None = None) -> Table:
    """Return domain × cost, share of the proposal and worth; mix: mix.json. Money where there are prices."""
    rows = []
    modelled = any(each.asked or each.reused for each in costs)
    on_gpu = any(each.gpu for each in costs)
    for each in costs:
        made = each.rewriting + (0.0 if "." in each.domain and each.rewriting else each.curation)
        row = [Cell(each.domain), _seconds(each.curation), _seconds(each.rewriting)]
        if on_gpu:
            row.append(_seconds(each.gpu))
        if modelled:
            row += [Cell(size(n) if n else "–", n, tone="" if n else "dim") for n in (each.asked, each.written)]
            row.append(Cell(count(each.reused), each.reused, tone="" if each.reused else "dim"))
        row.append(Cell(size(each.tokens), each.tokens))
        per_million = made / each.tokens * 1e6 if each.tokens else 0.0
        row.append(Cell(number(per_million, 2), per_million))
        if prices:
            row.append(_money(money(prices, cpu=made, gpu=each.gpu, asked=each.asked, written=each.written)))
        row.append(Cell(percent(mix["weights"][each.domain]), mix["weights"][each.domain]))
        rows.append([*row, _worth(mix["worth"].get(each.domain), mix["weights"][each.domain])])
    columns = [
        Column("Domain", text=True),
        Column("Curation", "CPU seconds of its source, up to select"),
        Column("Rewriting", "CPU seconds"),
        *([Column("GPU", "seconds held for rewriting")] if on_gpu else []),
        *(
            [
                Column("Asked", "tokens of prompts that were paid"),
                Column("Written", "tokens of replies that were paid"),
                Column("Reused", "replies from the cache"),
            ]
            if modelled
            else []
        ),
        Column("Tokens out", "in the target's vocabulary"),
        Column("Per million", "CPU seconds a million tokens out; a variant's are of its rewriting"),
        *([Column("Money", f"{prices.currency}; a variant's is of its rewriting")] if prices else []),
        Column("Proposal", "share of the mix"),
        Column("Worth", "predicted gain of the objective by having it ± standard error"),
    ]
    return table(
        "What a domain costs and what it is worth",
        columns,
        rows,
        "Worth: the proposal beside the same mix with the variant's share given back to its source's raw text, by the "
        "laws; above 0 the variant helps. It is of as much of the share as the swarm's mixes allow to judge. Only "
        "rewritten variants with a share have one. Seconds are of the run that made each part; what was reused cost "
        "nothing now.",
    )


def stages_table(found: Sequence[Spent], prices: Prices | None) -> Table:
    """Return stage × units, those shared with earlier runs, seconds, tokens, and money where there are prices."""
    on_gpu, modelled = any(each.gpu for each in found), any(each.asked or each.written for each in found)

    def cells(name: str, each: Spent, cost: float) -> list[Cell]:
        row = [Cell(name), Cell(count(each.units), each.units)]
        row.append(Cell(count(each.shared) if each.shared else "–", each.shared, tone="" if each.shared else "dim"))
        row.append(_seconds(each.cpu))
        row += [_seconds(each.gpu)] if on_gpu else []
        row += [Cell(size(n) if n else "–", n) for n in (each.asked, each.written)] if modelled else []
        row += [_money(cost)] if prices else []
        return row

    bills = [
        money(prices, cpu=each.cpu, gpu=each.gpu, asked=each.asked, written=each.written) if prices else 0.0
        for each in found
    ]
    rows = [
        cells(f"{each.stage}{' ≈' if each.sampled else ''}", each, bill)
        for each, bill in zip(found, bills, strict=True)
    ]
    summed = ("units", "shared", "cpu", "gpu", "asked", "written")
    sums = {key: sum(getattr(each, key) for each in found) for key in summed}
    whole = Spent(stage="all", sampled=False, **sums)
    columns = [
        Column("Stage", text=True),
        Column("Units"),
        Column("Shared", "made for an earlier run of this YAML, and nothing to do for this one"),
        Column("CPU", "seconds"),
        *([Column("GPU", "seconds held")] if on_gpu else []),
        *([Column("Asked", "tokens of prompts"), Column("Written", "tokens of replies")] if modelled else []),
        *([Column("Money", prices.currency)] if prices else []),
    ]
    return table(
        "What each stage took",
        columns,
        rows,
        "Seconds and tokens are those of the run that made each unit, whenever that was; units that are shared cost "
        "this run nothing. ≈: from a part of the units.",
        foot=[cells("all", whole, sum(bills))],
    )


def _seconds(value: float) -> Cell:
    return Cell(number(value, 1) if value else "–", value, tone="" if value else "dim")


def _money(value: float) -> Cell:
    return Cell(number(value, 2 if value >= 1 else 4), value)


def _worth(worth: dict[str, Any] | None, share: float) -> Cell:
    if worth is None:
        return Cell("–", tone="dim")
    gain, se = worth["gain"], worth["se"]
    sure = "good" if gain > 1.645 * se else "bad" if gain < -1.645 * se else ""
    note = f"for {number(100 * worth['part'] * share, 1)} of its points"
    note += "" if worth["covered"] else "; no run was near that mix"
    return Cell(f"{signed(gain, 4)} ± {number(se, 4)}", gain, note=note, tone=sure)


def with_costs(
    page: str, costs: Sequence[Cost], mix: dict[str, Any], stages: Sequence[Spent] = (), prices: Prices | None = None
) -> str:
    """Return the HTML report with the costs in their place."""
    from pipeline.report.html import environment

    macros: Any = environment().get_template("table.html.j2").module
    shown = macros.show(costs_table(costs, mix, prices))
    if stages:
        shown = macros.show(stages_table(stages, prices)) + shown
    return page.replace(HERE, str(shown), 1)

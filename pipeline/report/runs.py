"""The swarm: every mix that was tried, how it did, and which weights were covered."""

from __future__ import annotations

from typing import Any

from pipeline.report.decision import ordered_domains
from pipeline.report.objective import value
from pipeline.report.table import Bar, Cell, Column, Table, cut, table
from pipeline.report.text import number, percent


def objective_of(data: dict[str, Any], run: str) -> float:
    """Return the steer objective of a run of the swarm, its seed block's luck included."""
    return value(data["mix"], data["metrics"][run])


def ranked(data: dict[str, Any]) -> list[tuple[str, float]]:
    """Return (run, objective), the best first."""
    return sorted(((run, objective_of(data, run)) for run in data["metrics"]), key=lambda pair: (pair[1], pair[0]))


def domains_of(data: dict[str, Any]) -> list[str]:
    """Return the domains in the order of the first table."""
    return [name for _, names in ordered_domains(data["mix"]) for name in names]


def tried_domains(data: dict[str, Any]) -> list[str]:
    """Return the domains of the swarm's mixes: those on offer, then those that are there no more."""
    return [*domains_of(data), *data["swarm"]["gone"]]


def runs_table(data: dict[str, Any]) -> Table:
    """Return run × domain: realised weights, the best run first."""
    domains = tried_domains(data)
    blocks = {mix["run"]: mix["block"] for mix in data["swarm"]["mixes"]}
    top = max(max(row.values()) for row in data["ratios"].values())
    rows = []
    for run, found in ranked(data):
        cells = [Cell(run), Cell(str(blocks[run]), blocks[run]), Cell(number(found), found)]
        for domain in domains:
            share = data["ratios"][run][domain]
            cells.append(Cell(f"{100 * share:.1f}", share, bar=Bar(share / top), tone="" if share else "dim"))
        rows.append(cells)
    columns = [
        Column("Run", text=True),
        Column("Block", "seed block: fixes initial weights and the order of the data"),
        Column("Objective", "on steer items; lower is better"),
        *(Column(domain, "%") for domain in domains),
    ]
    shown, notes = cut(rows)
    return table("All runs of the swarm, the best first", columns, shown, *notes)


def coverage(data: dict[str, Any], domain: str) -> tuple[float, float, int]:
    """Return the least and the greatest weight that the swarm tried, and the number of runs that had any."""
    tried = [row[domain] for row in data["ratios"].values()]
    return min(tried), max(tried), sum(share > 0 for share in tried)


def coverage_table(data: dict[str, Any]) -> Table:
    """Return per domain the range of weights tried, beside natural's and the proposal's weight."""
    mix = data["mix"]
    rows = []
    for domain in domains_of(data):
        least, most, used = coverage(data, domain)
        weight = mix["weights"][domain]
        beyond = not least - 0.005 <= weight <= most + 0.005
        rows.append(
            [
                Cell(domain),
                Cell(percent(least), least),
                Cell(percent(most), most),
                Cell(str(used), used),
                Cell(percent(data["swarm"]["prior"][domain]), data["swarm"]["prior"][domain]),
                Cell(percent(weight), weight, tone="warn" if beyond else "", note="not tried" if beyond else ""),
            ]
        )
    columns = [
        Column("Domain", text=True),
        Column("Least tried"),
        Column("Most tried"),
        Column("Runs with it"),
        Column("Prior", "natural share of its origin, spread over raw and rewritten text"),
        Column("Proposal"),
    ]
    return table("Coverage: which weights the swarm has tried", columns, rows)

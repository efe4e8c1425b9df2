"""Where the data comes from, under which licences it is, and what it holds of the evals."""

from __future__ import annotations

from collections import Counter
from typing import Any

import yaml

from pipeline.report.curation import cells_of, documents
from pipeline.report.decision import others_of
from pipeline.report.table import Cell, Column, Table, table
from pipeline.report.text import count, percent, words
from pipeline.tokenize import UNKNOWN

LICENSES = 12
"""Licences shown; the others are in mix.json."""
SOURCES = 12
"""Sources with a column of their own in the table of evals; the others share one."""


def sources_table(data: dict[str, Any]) -> Table:
    """Return source × stated origin, licences of its training text, and what was masked."""
    config = yaml.safe_load(data["config"])
    rows = []
    for name, section in config["sources"].items():
        shares = licenses_of(data, name)
        masked = data["masked"].get(name)
        rows.append(
            [
                Cell(name),
                Cell(section["origin"]) if section["origin"] else Cell("not stated", tone="warn"),
                Cell(licenses_text(shares), tone="warn" if UNKNOWN in shares else ""),
                Cell(", ".join(f"{count(n)} {words(kind)}" for kind, n in masked.items()) if masked else "no"),
            ]
        )
    columns = [
        Column("Source", text=True),
        Column("Origin", text=True),
        Column("Licences", "of its text, raw and rewritten, by tokens", text=True),
        Column("Masked", "addresses replaced as documents were read", text=True),
    ]
    return table("Where the data comes from", columns, rows)


def licenses_of(data: dict[str, Any], source: str) -> dict[str, float]:
    """Return licence → share of the tokens of a source's domains."""
    total: Counter[str] = Counter()
    for domain, shares in data["licenses"].items():
        if domain.split(".")[0] == source:
            for name, share in shares.items():
                total[name] += share * data["swarm"]["tokens"].get(domain, 0)  # type: ignore[assignment]
    return {name: tokens / total.total() for name, tokens in total.items() if tokens}


def licenses_text(shares: dict[str, float], most: int = 4) -> str:
    """Return the largest licences with their shares: `CC-BY-SA-4.0 90.0 %, MIT 10.0 %`; a dash where there is none."""
    if not shares:
        return "–"
    names = sorted(shares, key=lambda name: (-shares[name], name))
    if len(names) == 1:
        return names[0]
    text = ", ".join(f"{name} {percent(shares[name])}" for name in names[:most])
    return text + (f" and {len(names) - most} more" if len(names) > most else "")


def licenses_table(data: dict[str, Any]) -> Table:
    """Return licence × mix: the share of each mix's tokens that is under it."""
    mixes = {name: data["mix"]["licenses"][name] for name in ("proposal", *others_of(data["mix"]))}
    known = sorted({name for shares in mixes.values() for name in shares})
    names = sorted(known, key=lambda name: -mixes["proposal"].get(name, 0.0))
    shown = names[:LICENSES]
    rows = [[name, *(shares.get(name, 0.0) for shares in mixes.values())] for name in shown]
    if len(names) > len(shown):
        rest = names[LICENSES:]
        rows.append([f"{len(rest)} more", *(sum(shares.get(each, 0.0) for each in rest) for shares in mixes.values())])
    cells = [
        [
            Cell(name, tone="warn" if name == UNKNOWN else ""),
            *(Cell(percent(share), share, tone="" if share else "dim") for share in shares),
        ]
        for name, *shares in rows
    ]
    columns = [Column("Licence", text=True), *(Column(words(name)) for name in mixes)]
    return table("Licences: percent of the target run's tokens", columns, cells)


def contamination_table(data: dict[str, Any]) -> Table:
    """Return eval × source: documents that hold something of an item, and the items that were left out for it."""
    found = data["contamination"]
    suite, matched, later = found["suite"], found["matched"], found["later"]
    dropped = yaml.safe_load(data["config"])["evals"]["contamination"]["drop"]
    read = {name: documents(cells, ("kept", "read")) for name, cells in cells_of(data, "sources").items()}
    total: Counter[str] = Counter({name: sum(by.values()) for name, by in matched.items()})
    for by in later.values():
        total.update(by)
    own = [name for name in dict.fromkeys([*read, *total]) if total[name]][:SOURCES]
    rows = []
    for name in dict.fromkeys([*suite.get("of", {}), *later]):
        pinned = name in suite.get("of", {})
        by = {source: each.get(name, 0) for source, each in matched.items()} if pinned else later[name]
        rest = sum(by.values()) - sum(by.get(source, 0) for source in own)
        left = data["requests"][f"bench/{name}"]["contaminated"] if not pinned else 0
        fate = ("dropped" if dropped else "kept, counted only") if pinned else "kept: the eval came later"
        rows.append(
            [
                Cell(name),
                Cell(count(suite["of"][name]) if pinned else "", suite["of"][name] if pinned else None),
                _count(suite["too_short"][name] if pinned else 0),
                *(_count(by.get(source, 0), read.get(source)) for source in own),
                *([_count(rest)] if len(own) == SOURCES else []),
                Cell(fate),
                _count(left, tone="warn"),
            ]
        )
    columns = [
        Column("Eval", text=True),
        Column("Items", "looked for in the documents"),
        Column("Too short", "of them, to be told from chance: not looked for"),
        *(Column(source, "documents that hold something of an item") for source in own),
        *([Column("others", "other sources")] if len(own) == SOURCES else []),
        Column("Such documents", text=True),
        Column("Items left out", "of an eval that came later: training text holds them"),
    ]
    return table("What the data holds of the evals", columns, rows)


def _count(n: int, of: int | None = None, tone: str = "") -> Cell:
    return Cell(count(n), n, note=percent(n / of, 2) if n and of else "", tone=tone if n else "dim")

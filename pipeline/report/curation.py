"""What happened to the documents: the funnel, the classifiers, samples of what was rewritten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import yaml

from pipeline.report.table import Cell, Column, Table, table
from pipeline.report.text import count, number, words

SHOWN_CHARACTERS = 500
"""Of an example of what was dropped."""


@dataclass(frozen=True)
class Sample:
    """kind: `kept`, `rewritten`, `rejected` or `dropped`; reason: why it was rejected, or the size of a document."""

    kind: str
    origin: str
    reason: str
    text: str


def cells_of(data: dict[str, Any], stage: str) -> dict[str, dict[tuple[str, str], dict[str, Any]]]:
    """Return name → (outcome, reason) → row of the funnel at one stage."""
    found: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
    for row in data["funnel"]:
        if row["stage"] == stage:
            found.setdefault(row["name"], {})[row["outcome"], row["reason"]] = row
    return found


def documents(cells: dict[tuple[str, str], dict[str, Any]], *keys: tuple[str, str]) -> int:
    return sum(cells[key]["documents"] for key in keys if key in cells)


def outcome_total(cells: dict[tuple[str, str], dict[str, Any]], outcome: str) -> int:
    """Return the documents of one outcome, whatever the reason."""
    return sum(row["documents"] for (each, _), row in cells.items() if each == outcome)


def reasons_of(rows: Iterable[dict[tuple[str, str], dict[str, Any]]], outcome: str) -> list[str]:
    """Return the reasons of one outcome, the most frequent first."""
    total: dict[str, int] = {}
    for cells in rows:
        for (each, reason), row in cells.items():
            if each == outcome:
                total[reason] = total.get(reason, 0) + row["documents"]
    return sorted(total, key=lambda reason: (-total[reason], reason))


def funnel_table(data: dict[str, Any]) -> Table:
    """Return source × fate: every record ends in exactly one column; the last says whether they add up."""
    read, selected = cells_of(data, "sources"), cells_of(data, "select")
    reasons = reasons_of(selected.values(), "dropped")
    skips = any(outcome_total(cells, "skipped") for cells in read.values())
    rows = []
    totals = [0] * (4 + skips + len(reasons))
    for name in read:
        fates = selected.get(name, {})
        bad, skipped = outcome_total(read[name], "quarantined"), outcome_total(read[name], "skipped")
        numbers = [bad + skipped + documents(read[name], ("kept", "read")), bad]
        numbers += [skipped] if skips else []
        numbers += [documents(fates, ("dropped", reason)) for reason in reasons]
        numbers += [documents(fates, ("kept", "heldout")), documents(fates, ("kept", "train"))]
        totals = [a + b for a, b in zip(totals, numbers, strict=True)]
        rows.append(fate_cells(name, numbers))
    foot = [fate_cells("all", totals, strong=True)]
    columns = [
        Column("Source", text=True),
        Column("Records", "in the shards"),
        Column("Unreadable", "set aside with file, row and reason"),
        *([Column("Skipped", "no documents, such as redirects and deleted posts")] if skips else []),
        *(Column(words(reason), "dropped") for reason in reasons),
        Column("Held out", "kept for evals, never trained on"),
        Column("Trained on"),
        Column("Adds up", text=True),
    ]
    return table("Documents by what became of them", columns, rows, foot=foot)


def fate_cells(name: str, numbers: list[int], strong: bool = False) -> list[Cell]:
    off = numbers[0] - sum(numbers[1:])
    cells = [Cell(name, strong=strong)]
    for i, n in enumerate(numbers):
        share = n / numbers[0] if numbers[0] else 0.0
        note = "" if i == 0 or not n else f"{100 * share:.1f} %"
        cells.append(Cell(count(n), n, note=note, tone="" if n else "dim", strong=strong))
    cells.append(Cell("yes", tone="good") if off == 0 else Cell(f"off by {off:,}", tone="bad"))
    return cells


def rewrites_table(data: dict[str, Any]) -> Table:
    """Return variant × fate of the documents that were to be rewritten, and of the rewrites' parts."""
    variants = cells_of(data, "rewrite")
    tokens = cells_of(data, "tokenize")
    reasons = reasons_of(variants.values(), "rejected")
    rows = []
    for name, cells in variants.items():
        made, nothing = (
            documents(cells, ("kept", "rewritten")),
            documents(cells, ("dropped", "nothing accepted")),
        )
        out = documents(tokens.get(name, {}), ("kept", "tokenized"))
        numbers = [
            made + nothing,
            nothing,
            made,
            out,
            *(documents(cells, ("rejected", reason)) for reason in reasons),
        ]
        rows.append([Cell(name), *(Cell(count(n), n, tone="" if n else "dim") for n in numbers)])
    columns = [
        Column("Variant", text=True),
        Column("Documents in"),
        Column("Nothing accepted", "documents of which no rewrite passed"),
        Column("Rewritten", "documents with at least one accepted rewrite"),
        Column("Texts out"),
        *(Column(words(reason), "rewrites rejected") for reason in reasons),
    ]
    return table("Rewriting", columns, rows)


def domains_table(data: dict[str, Any]) -> Table:
    """Return per domain the texts, bytes and tokens that proxies can be trained on."""
    rows = []
    for name, cells in cells_of(data, "tokenize").items():
        row = cells["kept", "tokenized"]
        target = data["swarm"]["tokens"][name]
        each = [
            Cell(count(row["documents"]), row["documents"]),
            Cell(number(row["bytes"] / 1e6, 2), row["bytes"]),
        ]
        rows.append([Cell(name), *each, Cell(count(row["tokens"]), row["tokens"]), Cell(count(target), target)])
    columns = [
        Column("Domain", text=True),
        Column("Texts"),
        Column("MB"),
        Column("Proxy tokens", "in the proxies' small vocabulary"),
        Column("Target tokens", "in the target model's; weights and epochs count these"),
    ]
    return table("What is left to train on", columns, rows)


def classifiers_table(data: dict[str, Any]) -> Table:
    """Return the classifiers that the run trained, with their AUC."""
    sections = yaml.safe_load(data["config"]).get("annotate") or {}
    rows = []
    for name, card in data["classifiers"].items():
        section = sections.get(name) or {}
        low, auc, high = card["auc"]
        rows.append(
            [
                Cell(name, note=words(str(section.get("scorer", name)))),
                Cell(
                    ", ".join(section.get("positive", ())),
                    card["positive"],
                    note=f"{count(card['positive'])} documents",
                ),
                Cell(
                    ", ".join(section.get("negative", ())),
                    card["negative"],
                    note=f"{count(card['negative'])} documents",
                ),
                Cell(number(auc, 3), auc, note=f"{number(low, 3)} to {number(high, 3)}"),
            ]
        )
    columns = [
        Column("Classifier", text=True),
        Column("Learnt that these are good", text=True),
        Column("and these are not", text=True),
        Column("AUC", "how often it puts a good unseen text above a bad one; 0.5 is chance; 95 % interval below"),
    ]
    return table("Classifiers trained in this run", columns, rows)


def examples_of(data: dict[str, Any]) -> dict[tuple[str, str], list[Sample]]:
    """Return (source, reason) → examples of what was dropped; reason: as it is shown."""
    found: dict[tuple[str, str], list[Sample]] = {}
    for row in data["examples"]:
        text = row["text"][:SHOWN_CHARACTERS]
        sample = Sample("dropped", row["id"], f"{count(row['bytes'])} bytes", text)
        found.setdefault((row["source"], words(row["reason"])), []).append(sample)
    return found


def kept_of(data: dict[str, Any]) -> dict[str, list[Sample]]:
    """Return source → examples of what was kept for training."""
    return {
        source: [Sample("kept", row["id"], f"{count(row['bytes'])} bytes", row["text"]) for row in rows]
        for source, rows in data["kept"].items()
    }


def samples_of(data: dict[str, Any]) -> dict[str, list[Sample]]:
    """Return variant → its samples, the rewritten ones first, over all its shards."""
    found: dict[str, list[Sample]] = {}
    for unit, kinds in data["samples"].items():
        mine = found.setdefault(unit.split("/")[0], [])
        mine += [Sample("rewritten", row["origin"], "", row["text"]) for row in kinds.get("documents", ())]
        mine += [Sample("rejected", row["origin"], row["reason"], row["text"]) for row in kinds.get("rejected", ())]
    return {name: sorted(rows, key=lambda sample: sample.kind == "rejected") for name, rows in found.items()}

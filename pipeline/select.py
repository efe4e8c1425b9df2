"""Stage `select`: compare attributes with limits, decide who stays, and on which side of the held-out split.

Every document gets a decision: kept for training, kept for evaluation, or dropped with the first reason that holds.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import polars as pl

from pipeline.annotate import attribute_frames
from pipeline.config import Config, Rule
from pipeline.documents import batches, write_frames
from pipeline.duplicates import repeated_rows
from pipeline.rules import expand, signals_of
from pipeline.run import Run
from pipeline.units import Job, Unit

VERSION = 1


def units(run: Run) -> list[Unit]:
    """One unit per shard; it reads only the attributes that its source's rules name."""
    attributes = {unit.name: unit.ref for unit in run.of("annotate")}
    duplicates = {unit.name: unit.ref for unit in run.of("duplicates")}
    units = []
    for shard in run.of("sources"):
        source = shard.args["source"]
        rules = [
            {"name": reason, "drop": drop}
            for rule in run.config.select
            if rule.sources is None or source in rule.sources
            for reason, drop in drops(rule, run.config)
        ]
        columns = {column for rule in rules for column in pl.sql_expr(rule["drop"]).meta.root_names()}
        names = [name for name in run.config.annotate if any(column.startswith(f"{name}_") for column in columns)]
        if run.of("suite") and run.config.evals.contamination.drop:
            names.append("contamination")
        inputs = {"documents": shard.ref, "duplicates": duplicates[source]}
        inputs |= {name: attributes[f"{shard.name}/{name}"] for name in names}
        args = {
            "shard": shard.name,
            "rules": rules,
            "attributes": names,
            "licenses": run.config.licenses.allow,
            "heldout": run.config.evals.heldout.fraction,
            "seed": run.config.seed,
        }
        units.append(Unit("select", shard.name, VERSION, args, inputs))
    return units


def drops(rule: Rule, config: Config) -> list[tuple[str, str]]:
    """Return (reason, SQL condition) of an entry of `select`: its own, or those of its rule set in order."""
    if rule.rules is None:
        return [(str(rule.name), str(rule.drop))]
    return expand(rule.rules, rule.attribute or signals_of(rule.rules, config.annotate)[0], rule.limits)


def is_heldout(group: str, fraction: float, seed: int) -> bool:
    """Tell on which side a group of documents falls: a hash of its name, so every shard and every later run agrees."""
    number = int.from_bytes(hashlib.blake2b(f"{seed}:{group}".encode(), digest_size=8).digest(), "big")
    return number / 2**64 < fraction


def work(job: Job) -> dict[str, Any]:
    """Write `selection.parquet` (`reason`, `split`), row by row beside the documents; return counts by outcome."""
    args = job.args
    repeated = repeated_rows(job.inputs["duplicates"], args["shard"])
    outcome: Counter[str] = Counter()
    size: Counter[str] = Counter()

    def decisions():
        start = 0
        attributes = attribute_frames(dict(job.inputs), args["attributes"])
        for frame in batches(job.inputs["documents"] / "documents.parquet", ["text", "group", "license"]):
            scores = next(attributes) if args["attributes"] else pl.DataFrame()
            table = pl.concat([frame, scores], how="horizontal") if scores.width else frame
            reason = _reasons(table, args, {row - start for row in repeated})
            heldout = frame["group"].map_elements(
                lambda group: is_heldout(group, args["heldout"], args["seed"]), return_dtype=pl.Boolean
            )
            decided = pl.DataFrame({"reason": reason, "heldout": heldout}).select(
                "reason",
                split=pl.when(pl.col("reason").is_not_null())
                .then(None)
                .when(pl.col("heldout"))
                .then(pl.lit("heldout"))
                .otherwise(pl.lit("train")),
            )
            lengths = frame["text"].str.len_bytes()
            for why, split, length in zip(decided["reason"], decided["split"], lengths, strict=True):
                outcome[why or split] += 1
                size[why or split] += length
            start += len(frame)
            yield decided

    empty = pl.DataFrame(schema={"reason": pl.String, "split": pl.String})
    rows = write_frames(job.out / "selection.parquet", decisions(), empty)
    return {"documents": rows, "outcome": dict(outcome), "bytes": dict(size)}


def _reasons(table: pl.DataFrame, args: Any, repeated: set[int]) -> pl.Series:
    """Return the first reason that drops each row, null where none does.

    Order: licence, duplicate, overlap with an eval, then the YAML's rules as they stand.
    """
    conditions: list[tuple[str, pl.Expr]] = []
    if args["licenses"] is not None:
        conditions.append(("license", ~pl.col("license").is_in(args["licenses"]).fill_null(False)))
    rows = pl.Series([i in repeated for i in range(len(table))], dtype=pl.Boolean)
    conditions.append(("duplicate", pl.lit(rows)))
    if "contamination" in args["attributes"]:
        conditions.append(("contaminated", pl.col("contamination_matched").is_not_null()))
    conditions += [(rule["name"], pl.sql_expr(rule["drop"]).fill_null(False)) for rule in args["rules"]]
    reason = pl.coalesce([pl.when(condition).then(pl.lit(name)) for name, condition in conditions])
    return table.select(reason=reason.cast(pl.String))["reason"]


def check(run: Run) -> None:
    """Raise where the rules leave a source without a training or without a held-out document."""
    for name in run.config.sources:
        total: Counter[str] = Counter()
        for unit in run.of("select"):
            if unit.name.split("/")[0] == name:
                total.update(run.manifest(unit)["counts"]["outcome"])
        for split in ("train", "heldout"):
            if not total[split]:
                reasons = ", ".join(f"{why} {n}" for why, n in total.most_common() if why not in ("train", "heldout"))
                raise run.mix.error(
                    ("sources", name),
                    f"no document is left for {split} (dropped: {reasons or 'none'}; kept: {total['train']} to train, "
                    f"{total['heldout']} held out). Loosen `select`, or change evals.heldout.fraction.",
                )

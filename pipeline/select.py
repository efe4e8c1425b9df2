"""Stage `select`: compare attributes with limits, decide who stays, and on which side of the held-out split.

Every document gets a decision: kept for training, kept for evaluation, or dropped with the first reason that holds.
"""

from __future__ import annotations

import hashlib
import heapq
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from pipeline.annotate import attribute_frames
from pipeline.conditions import FIELD, columns_of, field_types, with_fields
from pipeline.config import Config, Rule
from pipeline.documents import batches, write_frames
from pipeline.duplicates import repeated_rows
from pipeline.errors import InputError, nearest
from pipeline.rules import expand, signals_of
from pipeline.run import Run
from pipeline.suite import searched
from pipeline.units import Job, Unit

VERSION = 2
EXAMPLES = 10
"""Documents kept as examples of every reason, a shard."""
EXAMPLE_CHARACTERS = 1000
EXAMPLE_SCHEMA = {"reason": pl.String, "draw": pl.Int64, "id": pl.String, "bytes": pl.Int64, "text": pl.String}


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
        columns = {column for rule in rules for column in columns_of(rule["drop"])}
        names = [name for name in run.config.annotate if any(column.startswith(f"{name}_") for column in columns)]
        if searched(run) and run.config.evals.contamination.drop:
            names.append("contamination")
        inputs = {"documents": shard.ref, "duplicates": duplicates[source]}
        inputs |= {name: attributes[f"{shard.name}/{name}"] for name in names}
        args = {
            "shard": shard.name,
            "rules": rules,
            "attributes": names,
            **({"fields": fields} if (fields := [field_types(rule["drop"]) for rule in rules]) and any(fields) else {}),
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
    """Write `selection.parquet` (`reason`, `split`), row by row beside the documents, and `examples.parquet`; return
    counts by outcome."""
    args = job.args
    repeated = repeated_rows(job.inputs["duplicates"], args["shard"])
    outcome: Counter[str] = Counter()
    size: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    examples = Examples(args["seed"])
    kinds = args.get("fields", [{}] * len(args["rules"]))
    names = sorted({name for each in kinds for name in each})

    def decisions():
        start = 0
        attributes = attribute_frames(dict(job.inputs), args["attributes"])
        columns = ["id", "text", "group", "license", *(["fields"] if names else [])]
        for frame in batches(job.inputs["documents"] / "documents.parquet", columns):
            scores = next(attributes) if args["attributes"] else pl.DataFrame()
            table = pl.concat([frame, scores], how="horizontal") if scores.width else frame
            reason = _reasons(table, args, {row - start for row in repeated}, kinds)
            for name in names:
                seen[name] += with_fields(frame, {name: "text"})[f"{FIELD}{name}"].count()
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
            for row in decided["reason"].is_not_null().arg_true():
                examples.add(decided["reason"][row], frame["id"][row], frame["text"][row])
            start += len(frame)
            yield decided

    empty = pl.DataFrame(schema={"reason": pl.String, "split": pl.String})
    rows = write_frames(job.out / "selection.parquet", decisions(), empty)
    examples.frame().write_parquet(job.out / "examples.parquet")
    fields = {"fields": {name: seen[name] for name in names}} if names else {}
    return {"documents": rows, "outcome": dict(outcome), "bytes": dict(size), **fields}


class Examples:
    """Keeps EXAMPLES documents of every reason: those whose ids have the least seeded hashes, so that the examples of
    several shards together are a sample of all of them."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._kept: dict[str, list[tuple[int, str, int, str]]] = {}

    def add(self, reason: str, name: str, text: str) -> None:
        draw = int.from_bytes(hashlib.blake2b(f"{self._seed}:{name}".encode(), digest_size=7).digest(), "big")
        kept = self._kept.setdefault(reason, [])
        if len(kept) < EXAMPLES or -draw > kept[0][0]:  # the greatest draw is on top
            entry = (-draw, name, len(text.encode()), text[:EXAMPLE_CHARACTERS])
            (heapq.heappush if len(kept) < EXAMPLES else heapq.heappushpop)(kept, entry)

    def frame(self) -> pl.DataFrame:
        """Return a row an example, by reason and draw."""
        rows = [(reason, -draw, *rest) for reason, kept in self._kept.items() for draw, *rest in kept]
        return pl.DataFrame(sorted(rows), schema=EXAMPLE_SCHEMA, orient="row")


def _reasons(table: pl.DataFrame, args: Any, repeated: set[int], kinds: Sequence[Mapping[str, str]]) -> pl.Series:
    """Return the first reason that drops each row, null where none does.

    Order: licence, duplicate, overlap with an eval, then the YAML's rules as they stand. kinds: of each rule, field →
    what it is read as. Raises InputError where a condition cannot be asked of these documents.
    """
    conditions: list[tuple[str, pl.Expr]] = []
    if args["licenses"] is not None:
        conditions.append(("license", ~pl.col("license").is_in(args["licenses"]).fill_null(False)))
    rows = pl.Series([i in repeated for i in range(len(table))], dtype=pl.Boolean)
    conditions.append(("duplicate", pl.lit(rows)))
    if "contamination" in args["attributes"]:
        conditions.append(("contaminated", pl.col("contamination_matched").is_not_null()))
    for rule, fields in zip(args["rules"], kinds, strict=True):
        try:
            met = with_fields(table, fields).select(met=pl.sql_expr(rule["drop"]).fill_null(False))["met"]
        except pl.exceptions.PolarsError as error:
            said = str(error).splitlines()[0]
            raise InputError(
                f"select: `{rule['name']}`: cannot ask `{rule['drop']}` of {args['shard']}: {said}"
            ) from None
        conditions.append((rule["name"], pl.lit(met)))
    reason = pl.coalesce([pl.when(condition).then(pl.lit(name)) for name, condition in conditions])
    return table.select(reason=reason.cast(pl.String))["reason"]


def check(run: Run) -> None:
    """Raise where a rule names a field that no document has, or the rules leave a source without a training or without
    a held-out document."""
    for name in run.config.sources:
        counts = [run.manifest(unit)["counts"] for unit in run.of("select") if unit.name.split("/")[0] == name]
        _check_fields(run, name, counts)
        total: Counter[str] = Counter()
        for each in counts:
            total.update(each["outcome"])
        for split in ("train", "heldout"):
            if not total[split]:
                reasons = ", ".join(f"{why} {n}" for why, n in total.most_common() if why not in ("train", "heldout"))
                raise run.mix.error(
                    ("sources", name),
                    f"no document is left for {split} (dropped: {reasons or 'none'}; kept: {total['train']} to train, "
                    f"{total['heldout']} held out). Loosen `select`, or change evals.heldout.fraction; where all "
                    "documents are one group, such as one repository, give another `group`.",
                )


def _check_fields(run: Run, source: str, counts: Sequence[Mapping[str, Any]]) -> None:
    seen: Counter[str] = Counter()
    for each in counts:
        seen.update(each.get("fields", {}))
    for field, documents in seen.items():
        if documents or not sum(each["documents"] for each in counts):
            continue
        (shard, *_) = [unit for unit in run.of("sources") if unit.args["source"] == source]
        table = next(batches(run.store.local(shard.ref) / "documents.parquet", ["fields"]), None)
        known = sorted({key for text in table["fields"] for key in json.loads(text)}) if table is not None else []
        i = next(
            i for i, rule in enumerate(run.config.select) if rule.drop and f"{FIELD}{field}" in columns_of(rule.drop)
        )
        raise run.mix.error(
            ("select", i, "drop"), f"no document of `{source}` has a field `{field}`{nearest(field, known)}"
        )

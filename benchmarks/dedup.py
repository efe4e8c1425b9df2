"""MinHash near duplicates: ours on 200,000 documents of 2 kB, datatrove's, datasketch's and rensa's on parts of them.

    python benchmarks/dedup.py [--data FOLDER] [--peer PYTHON] [--documents 200000] [--peer-documents 2000]
                               [--repeats 3] [--seed 1]

Documents are drawn from the sentences of real texts (`samples/`, and StackExchange posts and Wikipedia articles where
FOLDER has them). A fifth of them are edited copies of others: words changed, removed and put in, sentences moved, the
end cut, so that the true Jaccard similarity of 5-word shingles lies between 0.3 and 1. Ours are the pipeline's own
units in two processes; a peer runs in PYTHON's environment (`make peers`) on a slice with copies in it. Costs are
CPU-seconds per document, from reading Parquet to knowing what goes, after a warm-up.

`recall_at_08`: planted pairs of true similarity 0.8 or more that are in one cluster. `false_merges`: pairs that were
found alike, planted or not, with a true similarity below 0.5; `false_in_clusters`: the same over all pairs of a
cluster. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import gzip
import html
import itertools
import json
import multiprocessing
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import polars as pl

from classifiers.duplicates import DuplicatesParams, clusters
from classifiers.registry import SCORERS
from pipeline.annotate import annotate
from pipeline.duplicates import find_matches, mark_duplicates
from pipeline.units import Job

ROOT = Path(__file__).parents[1]
SHARD = 10_000
SIZE = 2000
PEERS = ("datatrove", "datatrove_split", "datasketch", "rensa")


# the corpus


def sentences(data: Path) -> list[str]:
    """Return sentences of real texts."""
    texts: list[str] = []
    for name in ("wikipedia", "questions", "speeches", "papers", "ocr"):
        texts += pl.read_parquet(ROOT / "samples" / f"{name}.parquet")["text"].to_list()
    for file in sorted(data.glob("stackexchange/*.Posts.xml.gz")):
        rows = ElementTree.fromstring(gzip.decompress(file.read_bytes()))
        texts += [re.sub(r"<[^>]+>", " ", html.unescape(row.get("Body", ""))) for row in rows]
    for file in sorted(data.glob("wikitext/*.txt.gz")):
        texts += gzip.decompress(file.read_bytes()).decode().split("\n = ")
    found = (piece.strip() for text in texts for piece in re.split(r"(?<=[.!?])\s+|\n\s*\n", text))
    return list(dict.fromkeys(piece for piece in found if 20 <= len(piece) <= 400))


def corpus(pool: list[str], count: int, rng: np.random.Generator) -> tuple[list[str], list[tuple[int, int]]]:
    """Return documents in a random order, and the planted pairs (earlier, later)."""
    copies = count // 5
    bases = [document(pool, rng) for _ in range(count - copies)]
    texts = bases + [edited(base, pool, rng) for base in bases[:copies]]
    order = rng.permutation(count)
    place = np.argsort(order)
    pairs = [(int(place[i]), int(place[count - copies + i])) for i in range(copies)]
    return [texts[i] for i in order], sorted((min(pair), max(pair)) for pair in pairs)


def document(pool: list[str], rng: np.random.Generator) -> str:
    parts, size = [], 0
    length = SIZE * rng.uniform(0.6, 1.4)
    while size < length:
        parts.append(pool[rng.integers(len(pool))])
        size += len(parts[-1]) + 1
    return " ".join(parts)


def edited(base: str, pool: list[str], rng: np.random.Generator) -> str:
    """Return a copy with as many edits as bring the similarity near a drawn one between 0.3 and 1."""
    aim = rng.uniform(0.3, 1)
    words = base.split()
    if rng.random() < 0.2:  # the end is cut and another one put there
        keep = round(len(words) * 2 * aim / (1 + aim))
        return " ".join(words[:keep] + document(pool, rng).split()[: len(words) - keep])
    if rng.random() < 0.3:
        at, to = rng.integers(0, len(words), 2)
        piece = words[at : at + 20]
        del words[at : at + 20]
        words[to:to] = piece
    strange = document(pool, rng).split()
    for _ in range(round(len(words) * (1 - aim) / (5 * (1 + aim)))):
        at, kind = int(rng.integers(len(words))), rng.integers(4)
        if kind == 0 and len(words) > 50:
            del words[at]
        elif kind == 1:
            words.insert(at, strange[rng.integers(len(strange))])
        else:
            words[at] = strange[rng.integers(len(strange))]
    return " ".join(words)


def shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[^\W_]+", text.lower())
    return {tuple(words[i : i + 5]) for i in range(max(len(words) - 4, 1))}


def jaccard(left: str, right: str) -> float:
    first, second = shingles(left), shingles(right)
    return len(first & second) / len(first | second)


# ours


def done(role: dict[str, Path], args: dict[str, Any], out: Path) -> Job:
    out.mkdir(parents=True)
    return Job(args=args, inputs=role, place={}, out=out, counts=lambda _: {})


def warm() -> None:
    """Build the tables of a process, as the peers' clocks start after theirs."""
    SCORERS["duplicates"].load(DuplicatesParams(), None).score(pl.Series(["one text"]))


def sign(folder: Path, shard: str) -> float:
    """Do one shard's signatures and return the CPU-seconds."""
    start = time.process_time()
    args = {"scorer": "duplicates", "params": {}}
    annotate(done({"documents": folder / shard}, args, folder / "signatures" / shard))
    return time.process_time() - start


def find(folder: Path, shards: list[str]) -> tuple[float, np.ndarray]:
    """Do the two units of finding and return the CPU-seconds and the pairs."""
    start = time.process_time()
    inputs = {}
    for shard in shards:
        inputs[f"corpus/{shard}/documents"] = folder / shard
        inputs[f"corpus/{shard}/signatures"] = folder / "signatures" / shard
    args = {"source": "corpus", "part": 0, "parts": 1}
    find_matches(done(inputs, args, folder / "matches"))
    documents = {role: path for role, path in inputs.items() if role.endswith("documents")}
    mark_duplicates(done({**documents, "part 0": folder / "matches"}, args, folder / "duplicates"))
    return time.process_time() - start, np.load(folder / "matches" / "pairs.npy")


def ours(folder: Path, workers: int) -> dict[str, Any]:
    """Return CPU-seconds, wall seconds and peak memory of the finding process, and the pairs."""
    shards = sorted(path.name for path in folder.iterdir())
    start = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(workers, warm) as pool:
        seconds = pool.starmap(sign, [(folder, shard) for shard in shards], chunksize=1)
    signed = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        finding, pairs = pool.apply(find, (folder, shards))
        peak = pool.apply(peak_mb)
    return {
        "sign_cpu_s": sum(seconds),
        "sign_wall_s": signed - start,
        "find_cpu_s": finding,
        "wall_s": time.perf_counter() - start,
        "find_peak_mb": peak,
        "pairs": pairs,
    }


def peak_mb() -> float:
    """Return the most memory this process has held (its parent's is not in this figure, as it is in getrusage's)."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index]


# side by side


def write(folder: Path, texts: list[str], first: int = 0) -> Path:
    folder.mkdir(parents=True)
    ids = [str(i) for i in range(first, first + len(texts))]
    pl.DataFrame({"id": ids, "text": texts}).write_parquet(folder / "documents.parquet")
    return folder / "documents.parquet"


def peer(python: str, name: str, file: Path, folder: Path) -> dict[str, Any]:
    command = [python, str(ROOT / "benchmarks" / "peer_dedup.py"), name, str(file), str(folder)]
    one = {**os.environ, "RAYON_NUM_THREADS": "1"}
    found = subprocess.run(command, check=True, capture_output=True, text=True, env=one)
    return json.loads(found.stdout.splitlines()[-1])


def judged(texts: list[str], planted: dict[tuple[int, int], float], pairs: np.ndarray) -> dict[str, Any]:
    """Return recall by similarity and what was merged wrongly."""
    cluster: dict[int, int] = dict(zip(*(each.tolist() for each in clusters(np.sort(pairs)[:, ::-1])), strict=True))
    together = {pair for pair in planted if cluster.get(pair[0], -1) == cluster.get(pair[1], -2)}
    members: dict[int, list[int]] = {}
    for each, head in cluster.items():
        members.setdefault(head, []).append(each)
    inside = [pair for each in members.values() for pair in itertools.combinations(sorted(each), 2)]
    direct = [(min(pair), max(pair)) for pair in pairs.tolist()]

    def share(low: float, high: float) -> float:
        those = [pair for pair, true in planted.items() if low <= true < high]
        return round(sum(pair in together for pair in those) / max(len(those), 1), 4)

    return {
        "recall_at_08": share(0.8, 2),
        "recall_080_085": share(0.8, 0.85),
        "found_065_080": share(0.65, 0.8),
        "false_merges": sum(jaccard(texts[a], texts[b]) < 0.5 for a, b in direct),
        "false_in_clusters": sum(jaccard(texts[a], texts[b]) < 0.5 for a, b in inside),
        "pairs": len(direct),
    }


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--peer", default=str(ROOT / ".venv-peers" / "bin" / "python"))
    parser.add_argument("--documents", type=int, default=200_000)
    parser.add_argument("--peer-documents", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"{args.data} is missing: sentences are those of samples/ alone")
    pool = sentences(args.data)
    rng = np.random.default_rng(args.seed)
    result: dict[str, Any] = {"documents": args.documents}
    with tempfile.TemporaryDirectory() as place:
        texts, planted = corpus(pool, args.documents, rng)
        true = {pair: jaccard(texts[pair[0]], texts[pair[1]]) for pair in planted}
        kb = statistics.mean(map(len, texts)) / 1000
        print(f"{len(texts)} documents of {kb:.2f} kB from {len(pool)} sentences, {len(true)} planted pairs")
        folder = Path(place, "corpus")
        for start in range(0, len(texts), SHARD):
            write(folder / f"{start // SHARD:03d}", texts[start : start + SHARD], start)
        found = ours(folder, workers=2)
        whole = (found["sign_cpu_s"] + found["find_cpu_s"]) / len(texts)
        result |= judged(texts, true, found.pop("pairs")) | {name: round(value, 2) for name, value in found.items()}
        result["us_per_document"] = round(1e6 * whole, 1)
        print(json.dumps(result))
        result |= beside(pool, args, rng, Path(place), whole)
    print(json.dumps(result))


def beside(
    pool: list[str], args: argparse.Namespace, rng: np.random.Generator, place: Path, whole: float
) -> dict[str, Any]:
    """Return the ratios to every peer; `whole`: our CPU-seconds per document on the whole corpus."""
    costs: dict[str, list[float]] = {name: [] for name in ("ours", *PEERS)}
    results: dict[str, Any] = {}
    for repeat in range(args.repeats):
        texts, planted = corpus(pool, args.peer_documents, rng)
        true = {pair: jaccard(texts[pair[0]], texts[pair[1]]) for pair in planted}
        for name in costs:
            folder = place / f"{name}-{repeat}"
            if name == "ours":
                write(folder / "000", texts)
                found = ours(folder, workers=1)
                cost, pairs = (found["sign_cpu_s"] + found["find_cpu_s"]) / len(texts), found["pairs"]
            else:
                file = write(folder / "in", texts)
                answer = peer(args.peer, name, file, folder / "out")
                cost, pairs = answer["cpu_s_per_document"], np.array(answer["pairs"], np.int64).reshape(-1, 2)
            costs[name].append(cost)
            results[name] = judged(texts, true, pairs)
            print(f"{repeat} {name:<16} {1e6 * cost:9.0f} us a document  {json.dumps(results[name])}")
    us = {name: statistics.median(each) for name, each in costs.items()}
    ratios = {f"ratio_vs_{name}": round(us[name] / whole, 2) for name in PEERS}
    return {**ratios, "us_of": {name: round(1e6 * cost, 1) for name, cost in us.items()}}


if __name__ == "__main__":
    sys.exit(main())

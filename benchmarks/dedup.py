"""MinHash near duplicates: ours on 200,000 documents of 2 kB, datatrove's, datasketch's and rensa's on parts of them.

    python benchmarks/dedup.py [--data FOLDER] [--peer PYTHON] [--documents 200000] [--peer-documents 2000]
                               [--repeats 3] [--seed 1]
    python benchmarks/dedup.py --signatures 1000000 [--parts 1]

Documents are drawn from the sentences of real texts (`samples/`, and StackExchange posts and Wikipedia articles where
FOLDER has them). A fifth of them are edited copies of others: words changed, removed and put in, sentences moved, the
end cut, so that the true Jaccard similarity of 5-word shingles lies between 0.3 and 1. Ours are the pipeline's own
units in two processes; a peer runs in PYTHON's environment (`make peers`) on a slice with copies in it. Costs are
CPU-seconds per document, from reading Parquet to knowing what goes, after a warm-up.

`recall_at_08`: planted pairs of true similarity 0.8 or more that are in one cluster. `false_merges`: pairs that were
found alike, planted or not, with a true similarity below 0.5; `false_in_clusters`: the same over all pairs of a
cluster. The second form times finding alone, on signatures that are made up (a fifth of them copies of which every
minimum is changed with some probability between 0 and 0.4), one of so many parts. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
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
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from copies import corpus, jaccard, sentences

from classifiers.duplicates import PERMUTATIONS, DuplicatesParams, clusters, similar_pairs
from classifiers.registry import SCORERS
from pipeline.annotate import annotate
from pipeline.duplicates import find_matches, mark_duplicates
from pipeline.units import Job

ROOT = Path(__file__).parents[1]
SHARD = 10_000
PEERS = ("datatrove", "datatrove_split", "datasketch", "rensa")


# ours


def done(role: dict[str, Path], args: dict[str, Any], out: Path) -> Job:
    out.mkdir(parents=True)
    return Job(args=args, inputs=role, place={}, out=out, counts=lambda _: {})


def warm() -> None:
    """Build the tables of a process, as the peers' clocks start after theirs."""
    frame = SCORERS["duplicates"].load(DuplicatesParams(), None).score(pl.Series(["one text", "one text"]))
    clusters(similar_pairs(lambda: [(np.arange(2), frame)], 2))


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
    with multiprocessing.get_context("spawn").Pool(1, warm) as pool:
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


def finding(count: int, parts: int, seed: int) -> dict[str, Any]:
    """Time `similar_pairs` on made-up signatures."""
    rng = np.random.default_rng(seed)
    copies = count // 5
    minima = rng.integers(0, 1 << 16, (count, PERMUTATIONS), dtype=np.uint16)
    change = rng.random((copies, PERMUTATIONS), dtype=np.float32) < rng.uniform(0, 0.4, (copies, 1))
    minima[:copies] = np.where(change, minima[:copies], minima[-copies:])
    exact = rng.integers(0, 1 << 63, count, dtype=np.uint64)

    def read() -> Iterator[tuple[np.ndarray, pl.DataFrame]]:
        for start in range(0, count, 20_000):
            rows = [row.tobytes() for row in minima[start : start + 20_000]]
            part = exact[start : start + 20_000]
            frame = pl.DataFrame({"exact": part, "minhash": rows}, schema={"exact": pl.UInt64, "minhash": pl.Binary})
            yield np.arange(start, start + len(rows)), frame

    before, start = peak_mb(), time.process_time()
    pairs = similar_pairs(read, count, part=0, parts=parts)
    seconds = time.process_time() - start
    cost = {"us_per_document": round(1e6 * seconds / count, 2), "mb_over_the_signatures": round(peak_mb() - before)}
    return {"signatures": count, "parts": parts, "pairs": len(pairs), **cost}


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
    parser.add_argument("--signatures", type=int)
    parser.add_argument("--parts", type=int, default=1)
    args = parser.parse_args()
    if args.signatures:
        print(json.dumps(finding(args.signatures, args.parts, args.seed)))
        return
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
    ratios |= {f"on_the_slice_vs_{name}": round(us[name] / us["ours"], 2) for name in PEERS}
    return {**ratios, "us_of": {name: round(1e6 * cost, 1) for name, cost in us.items()}}


if __name__ == "__main__":
    sys.exit(main())

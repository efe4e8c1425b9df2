"""Run by `benchmarks/dedup.py` in the peers' environment: near duplicates of one Parquet file, as JSON.

    python benchmarks/peer_dedup.py PEER FILE FOLDER

PEER: datatrove (its four MinHash steps and defaults), datatrove_split (the same, words split at spaces instead of by
spaCy), datasketch or rensa (128 permutations, threshold 0.8, both over 5-word shingles split by a regular expression).
FILE has `id` and `text`; FOLDER is empty. Prints CPU-seconds per document and the pairs of rows that were found alike.
"""

from __future__ import annotations

import json
import re
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

WARM = 20
"""Documents done before the clock starts: imports, models and tables are not what is compared."""

Pairs = list[tuple[int, int]]


def texts_of(file: str) -> list[str]:
    return pq.read_table(file, columns=["text"])["text"].to_pylist()


def shingles(text: str) -> list[bytes]:
    words = re.findall(r"[^\W_]+", text.lower())
    return list({" ".join(words[i : i + 5]).encode() for i in range(max(len(words) - 4, 1))})


def datatrove(file: str, folder: str, split: bool = False) -> Callable[[], Pairs]:
    from datatrove.pipeline.dedup.minhash import (  # type: ignore[import-not-found]
        MinhashConfig,
        MinhashDedupBuckets,
        MinhashDedupCluster,
        MinhashDedupFilter,
        MinhashDedupSignature,
    )
    from datatrove.pipeline.readers import ParquetReader  # type: ignore[import-not-found]
    from datatrove.pipeline.writers import ParquetWriter  # type: ignore[import-not-found]
    from datatrove.utils.logging import logger  # type: ignore[import-not-found]

    logger.remove()
    config = MinhashConfig()
    sign = MinhashDedupSignature(f"{folder}/signatures", config=config, language="en")
    if split:

        class Split:
            def word_tokenize(self, text: str) -> list[str]:
                return text.split()

        sign.word_tokenizer = Split()
    for text in texts_of(file)[:WARM]:
        sign.get_signature(sign.get_shingles(text))

    def read() -> Any:
        return ParquetReader(str(Path(file).parent), glob_pattern=Path(file).name, file_progress=False)

    def work() -> Pairs:
        sign.run(read()(), rank=0, world_size=1)
        for bucket in range(config.num_buckets):
            step = MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config)
            step.run(rank=bucket, world_size=config.num_buckets)
        MinhashDedupCluster(f"{folder}/buckets", f"{folder}/remove", config=config).run()
        kept = MinhashDedupFilter(f"{folder}/remove").run(read()(), rank=0, world_size=1)
        for _ in ParquetWriter(f"{folder}/kept").run(kept, rank=0, world_size=1):
            pass
        pairs = set()
        for found in Path(folder, "buckets").glob("*.dups"):
            pairs |= {(a, b) for _, a, _, b in struct.iter_unpack("<4I", found.read_bytes())}
        return sorted(pairs)

    return work


def datasketch(file: str, _: str) -> Callable[[], Pairs]:
    from datasketch import MinHash, MinHashLSH  # type: ignore[import-not-found]

    MinHash.bulk([shingles(text) for text in texts_of(file)[:WARM]], num_perm=128)

    def work() -> Pairs:
        index, pairs = MinHashLSH(threshold=0.8, num_perm=128), []
        texts = texts_of(file)
        for start in range(0, len(texts), 1000):
            for row, signature in enumerate(
                MinHash.bulk(map(shingles, texts[start : start + 1000]), num_perm=128), start
            ):
                pairs += [(earlier, row) for earlier in index.query(signature)]
                index.insert(row, signature)
        return pairs

    return work


def rensa(file: str, _: str) -> Callable[[], Pairs]:
    from rensa import RMinHash, RMinHashLSH  # type: ignore[import-not-found]

    RMinHash.from_token_sets([shingles(text) for text in texts_of(file)[:WARM]], num_perm=128, seed=1)

    def work() -> Pairs:
        index, pairs = RMinHashLSH(threshold=0.8, num_perm=128, num_bands=16), []
        texts = texts_of(file)
        for start in range(0, len(texts), 1000):
            tokens = [shingles(text) for text in texts[start : start + 1000]]
            for row, signature in enumerate(RMinHash.from_token_sets(tokens, num_perm=128, seed=1), start):
                pairs += [(earlier, row) for earlier in index.query(signature)]
                index.insert(row, signature)
        return pairs

    return work


PEERS: dict[str, Callable[[str, str], Callable[[], Pairs]]] = {
    "datatrove": datatrove,
    "datatrove_split": lambda file, folder: datatrove(file, folder, split=True),
    "datasketch": datasketch,
    "rensa": rensa,
}


def main(peer: str, file: str, folder: str) -> None:
    work = PEERS[peer](file, folder)
    start = time.process_time()
    pairs = work()
    seconds = time.process_time() - start
    print(json.dumps({"cpu_s_per_document": seconds / len(texts_of(file)), "pairs": pairs}))


if __name__ == "__main__":
    main(*sys.argv[1:])

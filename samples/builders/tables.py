"""What every source file has in common: the columns, seeded sampling by size, and byte-stable Parquet."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

COMMON = ("id", "text", "source", "license", "group")
Row = dict[str, str | int | float]


def sample_by_bytes(rows: list[Row], limit: int, seed: int) -> list[Row]:
    """Seeded sample of whole groups whose UTF-8 text stays within `limit` bytes, in the order given.

    Groups are tried in a random order, and one that no longer fits is passed over.
    """
    sizes: dict[str, int] = {}
    for row in rows:
        group = str(row["group"])
        sizes[group] = sizes.get(group, 0) + len(str(row["text"]).encode())
    names = sorted(sizes)
    kept, total = set(), 0
    for i in np.random.default_rng(seed).permutation(len(names)):
        if total + sizes[names[i]] <= limit:
            kept.add(names[i])
            total += sizes[names[i]]
    return [row for row in rows if str(row["group"]) in kept]


def joined_by_shared_text(rows: list[Row], words: int = 30, most: int = 8) -> list[Row]:
    """Join groups that share a passage of `words` words, so that no passage stands on both sides of a held-out split.

    A passage in more than `most` documents is boilerplate (a notice, an import block) and joins nothing. A joined group
    carries the name of its first member.
    """
    holders: dict[int, set[str]] = {}
    for row in rows:
        split = str(row["text"]).split()
        for passage in {hash(tuple(split[i : i + words])) for i in range(len(split) - words + 1)}:
            holders.setdefault(passage, set()).add(str(row["group"]))
    parent = {str(row["group"]): str(row["group"]) for row in rows}

    def root(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for groups in holders.values():
        if 1 < len(groups) <= most:
            first, *others = sorted(root(name) for name in groups)
            for other in others:
                parent[root(other)] = root(first)
    joined = {name: min(each for each in parent if root(each) == root(name)) for name in parent}
    return [{**row, "group": joined[str(row["group"])]} for row in rows]


def write_parquet(rows: Iterable[Row], path: Path) -> None:
    """Write rows as zstd Parquet: `id, text, source`, the source's own columns, then `license, group`.

    Raises ValueError when a common column is missing, an id occurs twice or a text is empty.
    """
    table = list(rows)
    if not table:
        raise ValueError(f"{path.name}: no documents")
    missing = [name for name in COMMON if name not in table[0]]
    if missing:
        raise ValueError(f"{path.name}: columns missing: {missing}")
    ids = [row["id"] for row in table]
    if len(set(ids)) != len(ids):
        raise ValueError(f"{path.name}: ids are not unique")
    if not all(str(row["text"]).strip() for row in table):
        raise ValueError(f"{path.name}: a document has no text")
    own = [name for name in table[0] if name not in COMMON]
    order = ["id", "text", "source", *own, "license", "group"]
    arrow = pa.table({name: [row[name] for row in table] for name in order})
    pq.write_table(
        arrow,
        path,
        compression="zstd",
        compression_level=19,
        use_dictionary=False,  # texts are all different, and zstd sees the repeats of the short columns
        write_statistics=False,
    )

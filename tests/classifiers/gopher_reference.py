"""The heuristics said once more in plain Python, straight from their definitions, to compare with."""

from __future__ import annotations

import re
from collections import Counter

from classifiers.heuristics import STOP_WORDS


def _share(part: float, whole: float) -> float:
    return min(part / max(whole, 1), 1.0)


def _duplicates(pieces: list[str], text: str) -> tuple[float, float]:
    counts = Counter(piece for piece in pieces if piece)
    extra = sum(count - 1 for count in counts.values())
    chars = sum((count - 1) * len(piece) for piece, count in counts.items())
    return _share(extra, len(pieces)), _share(chars, len(text))


def _top(words: list[str], n: int, text: str) -> float:
    grams = Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))
    top = grams.most_common(1)
    return _share(len(top[0][0]) * top[0][1], len(text)) if top else 0.0


def _duplicated(words: list[str], n: int, text: str) -> float:
    seen, place, chars = set(), 0, 0
    while place + n <= len(words):
        gram = tuple(words[place : place + n])
        if gram in seen:
            chars += sum(map(len, gram))
            place += n
        else:
            seen.add(gram)
            place += 1
    return _share(chars, len(text))


def signals(text: str, words: list[str] | None = None) -> dict[str, float]:
    """All columns but `noisy_words`, `symbols` and `non_ascii`; words by whitespace unless given."""
    words, lines = text.split() if words is None else words, text.splitlines()
    real = [word for word in words if any(char.isalnum() for char in word)]
    line_share, line_chars = _duplicates(re.split("\n+", text), text)
    paragraph_share, paragraph_chars = _duplicates(re.split("\n{2,}", text.strip()), text)
    return {
        "words": len(real),
        "mean_word_length": sum(map(len, real)) / max(len(real), 1),
        "hashes": text.count("#") / max(len(words), 1),
        "ellipses": (text.count("...") + text.count("…")) / max(len(words), 1),
        "bullet_lines": _share(sum(line.lstrip().startswith(("•", "-")) for line in lines), len(lines)),
        "ellipsis_lines": _share(sum(line.rstrip().endswith(("...", "…")) for line in lines), len(lines)),
        "alphabetic_words": _share(sum(any(map(str.isalpha, word)) for word in words), len(words)),
        "stop_words": len(set(words) & set(STOP_WORDS)),
        "duplicate_lines": line_share,
        "duplicate_line_chars": line_chars,
        "duplicate_paragraphs": paragraph_share,
        "duplicate_paragraph_chars": paragraph_chars,
        **{f"top_{n}gram": _top(words, n, text) for n in (2, 3, 4)},
        **{f"duplicate_{n}gram": _duplicated(words, n, text) for n in range(5, 11)},
        "alphanumeric": _share(sum(map(str.isalnum, text)), len(text)),
        "digits": _share(sum(char.isalnum() and not char.isalpha() for char in text), len(text)),
        "single_characters": _share(sum(len(word) == 1 for word in real), len(words)),
    }

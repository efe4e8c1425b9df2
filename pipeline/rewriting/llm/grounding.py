"""Whether what a model wrote stands in its source: numbers, dates, names, and the words of an answer."""

from __future__ import annotations

import re
from functools import lru_cache

from rapidfuzz.distance import Indel
from rapidfuzz.fuzz import partial_ratio_alignment

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_NUMBER = re.compile(r"\d[\d,.]*\d|\d")
_SENTENCE_START = re.compile(r"(?:^|[.!?:\n\"“(]\s*|[-*•]\s+|\d[.)]\s+)$")
_CALENDAR = frozenset(
    [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
    ]
)
_SPELLED = {
    word: str(n)
    for n, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
            "twenty",
        ]
    )
}
_SPELLED |= {"first": "1", "second": "2", "third": "3", "twice": "2", "once": "1", "dozen": "12"}
FUNCTION_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "but",
        "by",
        "can",
        "could",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "may",
        "more",
        "most",
        "no",
        "not",
        "of",
        "on",
        "one",
        "or",
        "other",
        "she",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "to",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
    ]
)


@lru_cache(maxsize=4096)
def words(text: str) -> tuple[str, ...]:
    """Words in lower case, without a final possessive."""
    return tuple(re.sub(r"['’]s$", "", word.lower()) for word in _WORD.findall(text))


@lru_cache(maxsize=256)
def numbers(text: str) -> frozenset[str]:
    """Numbers without separators of thousands: `1,200` and `1200` are one."""
    return frozenset(re.sub(r",(?=\d{3}\b)", "", number).rstrip(".,") for number in _NUMBER.findall(text))


def missing_number(text: str, source: str) -> bool:
    """Whether a number of the text is not in the source, in figures or (up to twenty) spelled out."""
    known = set(numbers(source)) | {_SPELLED[word] for word in words(source) if word in _SPELLED}
    return not numbers(text) <= known


def names(text: str) -> list[str]:
    """Capitalised words that do not begin a sentence, months and days aside."""
    found = []
    for match in re.finditer(r"[^\W\d_][^\W_]*", text):
        word = match.group()
        if not word[0].isupper() or word.lower() in _CALENDAR or word == "I":
            continue
        if not _SENTENCE_START.search(text[: match.start()]):
            found.append(word)
    return found


def missing_name(text: str, source: str) -> bool:
    """Whether a name of the text is not in the source; `Roman` is, where the source says `Romans`."""
    known = set(re.findall(r"[^\W_]+", source))
    return any(
        name not in known and f"{name}s" not in known and name.removesuffix("s") not in known for name in names(text)
    )


def missing_date(text: str, source: str) -> bool:
    """Whether the text names a month or day of the week that the source does not (`may` and `march` with a capital)."""

    def calendar(of: str) -> set[str]:
        return {word for word in re.findall(r"\b[A-Z][a-z]+\b", of) if word.lower() in _CALENDAR}

    return not calendar(text) <= calendar(source)


def support(text: str, source: str) -> float:
    """Share of the text's content words that the source has, by their first six letters; 1.0 without any."""
    known = {word[:6] for word in words(source)}
    content = [word for word in words(text) if word not in FUNCTION_WORDS]
    return sum(word[:6] in known for word in content) / len(content) if content else 1.0


def nearest_span(answer: str, source: str, min_similarity: float) -> str:
    """Return the span of whole words of the source that is most like the answer, or the answer where none is that like.

    Small models copy with small slips: an article, a comma, a final stop. An article before the span belongs to it.
    """
    answer = answer.removesuffix(".").strip()
    start = source.find(answer)
    end = start + len(answer)
    if answer and start < 0:
        found = partial_ratio_alignment(answer, source)
        if found is None:
            return answer
        start, end = found.dest_start, found.dest_end
    start += len(source[start:end]) - len(source[start:end].lstrip())
    while start > 0 and source[start - 1].isalnum() and source[start].isalnum():
        start -= 1
    while 0 < end < len(source) and source[end - 1].isalnum() and source[end].isalnum():
        end += 1
    article = re.search(r"\b(?:an?|the) $", source[:start], re.IGNORECASE)
    span = source[article.start() if article else start : end].strip(" ,;:.")
    bare = re.compile(r"^(?:an?|the) ", re.IGNORECASE)
    alike = Indel.normalized_similarity(bare.sub("", answer), bare.sub("", span))
    return span if alike >= min_similarity else answer


def shares_word(text: str, title: str) -> bool:
    """Whether the text has a content word of the title, by its first five letters; true of a title without any."""
    asked = [word[:5] for word in words(title) if word not in FUNCTION_WORDS]
    return not asked or not {word[:5] for word in words(text)}.isdisjoint(asked)


def begins_alike(answer: str, question: str) -> bool:
    """Whether the answer's first content word is one of the question's: "A sail is" to "What is a sail?"."""
    first = next((word for word in words(answer) if word not in FUNCTION_WORDS), None)
    return first is not None and not first[0].isdigit() and first in words(question)


def holds_answer(question: str, answer: str) -> bool:
    """Whether the question says all content words of the answer already."""
    content = {word for word in words(answer) if word not in FUNCTION_WORDS} or set(words(answer))
    return not content or content <= set(words(question))

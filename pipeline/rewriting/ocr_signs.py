"""Signs that are seldom what was printed where they stand: specks read as stops, quotes and stars, misread currency."""

from __future__ import annotations

import re

from classifiers.ocr.edits import STRAIGHT, EditTable

GONE = 0.4  # share of times a sign was printed below which it goes
MOSTLY = 3.0  # times as many of one kind as of the other

_TOKEN = re.compile(r"\S+")
_STRAIGHT = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
_DOUBLED = re.compile(r"[-~_–]+—+[-~_–—]*|—[-~_–—]+|(?<=[\w,;.!?])--(?=\w)")
_WORDLIKE = re.compile(r"[^\W\d_]{2}")


def mend_signs(text: str, table: EditTable) -> tuple[str, int]:
    """Text without the signs that the table has seldom seen printed, and how many were changed.

    Only for text as misread as what the table was learned from: in clean text a lone dash is a dash.
    """
    changed = 0
    for sign, printed in table.signs.items():
        if sign in text:
            changed += text.count(sign)
            text = text.replace(sign, printed)
    before = {sign for sign, share in table.before.items() if share < GONE}
    after = {sign for sign, share in table.after.items() if share < GONE}
    plain = text.translate(STRAIGHT)
    out: list[str] = []
    at = 0
    for match in _TOKEN.finditer(plain):
        token = match.group()
        start, end = match.span()
        first, last = start, end
        if not _WORDLIKE.search(token):
            continue
        while first < last and plain[first] in before:
            first += 1
        while last > first and plain[last - 1] in after:
            last -= 1
        if (first, last) != (start, end):
            out.append(text[at:start] + text[first:last])
            at, changed = end, changed + 1
    return "".join(out) + text[at:], changed


def even_out(text: str) -> str:
    """Text with one kind of apostrophe and of dash, where nearly all of them are of one kind: a printer has one.

    Straight apostrophes among typographic ones become such, and hyphens beside a dash, or two for one, a dash.
    """
    straight = len(_STRAIGHT.findall(text))
    if straight and text.count("’") >= MOSTLY * straight:
        text = _STRAIGHT.sub("’", text)
    doubled = len(_DOUBLED.findall(text))
    if doubled and text.count("—") >= MOSTLY * doubled:
        text = _DOUBLED.sub("—", text)
    return text


def drop_alone(text: str, table: EditTable) -> tuple[str, int]:
    """Text without the short tokens that the table has seldom seen printed, and how many went."""
    alone = {token for token, share in table.alone.items() if share < GONE}
    out: list[str] = []
    at = dropped = 0
    for match in _TOKEN.finditer(text) if alone else ():
        if match.group().translate(STRAIGHT) in alone:
            out.append(text[at : match.start()].rstrip(" "))
            at, dropped = match.end(), dropped + 1
    rest = "".join(out) + text[at:]
    return (rest.lstrip(" ") if at else rest), dropped

"""Readers of eval files: every format becomes requests, and each mistake names file, line and key.

A format is a name, the fields that give it away and a function from one line's object to its requests. What holds
for all of them (whole items, one gold choice, no id twice) is checked here, once.
"""

from __future__ import annotations

import gzip
import json
import string
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

from proxy_models.requests import Request

UNCONDITIONAL = 1_000_000  # OLMES: rows of document d without its question are numbered d + 1,000,000
MAX_LINE = 16_000_000
"""Bytes of a line, at most."""
MAX_BYTES = 1_000_000_000
"""Bytes of all lines of a file, unpacked, at most: all requests of a file are held in memory."""
_ANSWER = "Answer:"  # what OLMES asks where the question is left out


@dataclass(frozen=True)
class Format:
    """fields: what every line has and lines of other formats have not. read: (line, its number) -> requests."""

    fields: tuple[str, ...]
    read: Callable[[Mapping[str, Any], int], list[Request]]
    has_context: bool = True
    """Whether a continuation answers something; without, bits per byte would be of the text alone."""


def read_requests(path: Path, form: str | None = None) -> list[Request]:
    """Requests of a .jsonl or .jsonl.gz file, or of all .jsonl files of a .zip, in order.

    form: a name in FORMATS; by default the one whose fields the first line has. Raises ValueError with file, line
    and key for what does not fit, and for an id that stands twice, a choice that stands twice and an item without
    exactly one gold continuation.
    """
    found: list[Request] = []
    places: list[str] = []
    for place, number, text in _lines(path):
        try:
            line = _object(text)
            form = form or guess_format(line)
            each = format_named(form).read(line, number)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{place}, line {number}: {error}") from error
        found += each
        places += [f"{place}, line {number}"] * len(each)
    if not found:
        raise ValueError(f"{path} holds no requests")
    _check_items(found, places)
    return found


def format_of(path: Path, form: str | None = None) -> str:
    """The name of a file's format: `form`, or what its first line looks like. Raises ValueError as read_requests."""
    for place, number, text in _lines(path):
        try:
            return form or guess_format(_object(text))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{place}, line {number}: {error}") from error
    raise ValueError(f"{path} holds no requests")


def _object(text: str) -> dict[str, Any]:
    try:
        line = json.loads(text)
    except RecursionError:
        raise ValueError("not JSON: nested too deeply") from None
    if not isinstance(line, dict):
        raise ValueError("not a JSON object")
    return line


def guess_format(line: Mapping[str, Any]) -> str:
    """The one format whose fields a line has. Raises ValueError where none or several fit."""
    fit = [name for name, form in FORMATS.items() if all(field in line for field in form.fields)]
    if len(fit) == 1:
        return fit[0]
    known = "; ".join(f"{name}: {', '.join(form.fields)}" for name, form in FORMATS.items())
    raise ValueError(f"{'several formats fit' if fit else 'no format fits'}: set `format`; their fields are {known}")


def format_named(name: str) -> Format:
    """Raises ValueError that names the nearest format."""
    if name not in FORMATS:
        near = get_close_matches(name, FORMATS, 1)
        raise ValueError(
            f"no format {name}; " + (f"did you mean {near[0]}?" if near else f"known: {', '.join(FORMATS)}")
        )
    return FORMATS[name]


def _lines(path: Path) -> Iterator[tuple[str, int, str]]:
    """(file, number, text) of the lines that are not blank."""
    left = MAX_BYTES
    try:
        for place, file in _files(path):
            number = 0
            while data := file.readline(MAX_LINE + 1):
                number += 1
                left -= len(data)
                if len(data) > MAX_LINE or left < 0:
                    what = f"a line of over {MAX_LINE:,}" if left >= 0 else f"over {MAX_BYTES:,}"
                    raise ValueError(f"{place}, line {number}: {what} bytes, which is no eval but a bomb")
                if data.strip():
                    yield place, number, data.decode()
    except (gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, EOFError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: {error}") from error
    except (NotImplementedError, RuntimeError) as error:  # of an archive: a method that Python has not, a password
        raise ValueError(f"{path}: {error}") from error


def _files(path: Path) -> Iterator[tuple[str, IO[bytes]]]:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            for name in sorted(name for name in archive.namelist() if _holds_lines(name)):
                with archive.open(name) as file:
                    yield f"{path}:{name}", file
    else:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as file:
            yield str(path), file  # type: ignore[misc]


def _holds_lines(member: str) -> bool:
    return member.endswith(".jsonl") and not member.startswith("__MACOSX/")  # what macOS adds to archives


def _check_items(requests: list[Request], places: list[str]) -> None:
    rows: dict[tuple[str, bool], dict[int | None, int]] = {}
    for i, request in enumerate(requests):
        item = rows.setdefault((request.item, request.unconditional), {})
        if request.choice in item:
            what = "stands twice" if request.choice is None else f"has choice {request.choice} twice"
            raise ValueError(f"{places[i]}: item {request.item} {what} (first on {places[item[request.choice]]})")
        item[request.choice] = i
    for (name, unconditional), item in rows.items():
        gold = [choice for choice, i in item.items() if requests[i].gold]
        if len(gold) != 1 and not unconditional:
            choices = ", ".join(map(str, item))
            raise ValueError(
                f"{places[min(item.values())]}: item {name} has {len(gold)} right answers, expected one of its "
                f"choices {choices}"
            )


# fields of a line


def _field(line: Mapping[str, Any], key: str, kind: type, what: str) -> Any:
    """The value of a key, which may be a path with dots."""
    value: Any = line
    for part in key.split("."):
        if not isinstance(value, Mapping) or part not in value:
            raise ValueError(f"`{key}` is missing, expected {what}")
        value = value[part]
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"`{key}` must be {what}, got {json.dumps(value)[:60]}")
    return value


def _text(line: Mapping[str, Any], key: str) -> str:
    text = _field(line, key, str, "text")
    if not text:
        raise ValueError(f"`{key}` is empty")
    return text


# the formats


def _olmes(line: Mapping[str, Any], number: int) -> list[Request]:
    """OLMES requests.jsonl. An integer `label` numbers the right choice; any other is for metrics of generation and
    the line itself is gold."""
    document = _field(line, "doc_id", int, "an integer")
    choice = _field(line, "idx", int, "an integer")
    if "label" not in line:
        raise ValueError("`label` is missing, expected the number of the right choice, or null")
    label = line["label"]
    many = isinstance(label, int)
    bare = document >= UNCONDITIONAL
    return [
        Request(
            item=str(document - UNCONDITIONAL if bare else document),
            context=_field(line, "request.context", str, "text"),
            continuation=_text(line, "request.continuation"),
            choice=choice if many else None,
            gold=choice == label if many else True,
            unconditional=bare,
        )
    ]


def _blimp(line: Mapping[str, Any], number: int) -> list[Request]:
    """A minimal pair (Warstadt et al. 2020, arXiv:1912.00582): the good sentence is choice 0."""
    pair = line.get("pairID", number)
    item = f"{line.get('UID', '')}/{pair}"
    texts = [_text(line, key) for key in ("sentence_good", "sentence_bad")]
    return [Request(item, "", text, choice, gold=choice == 0) for choice, text in enumerate(texts)]


def _questions(line: Mapping[str, Any], number: int) -> list[Request]:
    """Question, choices and answer, asked as OLMES asks without shots; `context` and `id` may be left out."""
    question = _text(line, "question")
    choices = _field(line, "choices", list, "a list of two or more texts")
    if len(choices) < 2:
        raise ValueError(f"`choices` must be a list of two or more texts, got {len(choices)}")
    for i, choice in enumerate(choices):
        if not isinstance(choice, str) or not choice.strip():
            raise ValueError(f"`choices[{i}]` must be text that is not empty, got {json.dumps(choice)[:60]}")
        if choice in choices[:i]:
            raise ValueError(f"`choices[{i}]` stands twice: {json.dumps(choice)[:60]}")
    right = _answer(line, choices)
    before = _field({"context": "", **line}, "context", str, "text")
    context = f"{before}\n" * bool(before) + f"Question: {question}\n{_ANSWER}"
    item = str(line.get("id", number))
    return [
        Request(item, _ANSWER if bare else context, f" {choice.strip()}", i, gold=i == right, unconditional=bare)
        for bare in (False, True)
        for i, choice in enumerate(choices)
    ]


def _answer(line: Mapping[str, Any], choices: list[str]) -> int:
    """The number of the right choice, given as such (from 0), as its text, or as its letter."""
    if "answer" not in line:
        raise ValueError("`answer` is missing, expected a choice's number from 0, letter or text")
    answer = line["answer"]
    letters = string.ascii_uppercase[: len(choices)]
    if isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < len(choices):
        return answer
    if isinstance(answer, str) and answer in choices:
        return choices.index(answer)
    if isinstance(answer, str) and len(answer) == 1 and answer.upper() in letters:
        return letters.index(answer.upper())
    last = len(choices) - 1
    raise ValueError(
        f"`answer` {json.dumps(answer)[:60]} is no choice: expected 0 to {last}, A to {letters[-1:]} or the text of one"
    )


FORMATS: dict[str, Format] = {
    "olmes": Format(("request",), _olmes),
    "blimp": Format(("sentence_good", "sentence_bad"), _blimp, has_context=False),
    "questions": Format(("question", "choices", "answer"), _questions),
}
"""`olmes`: requests.jsonl of OLMES; `blimp`: minimal pairs; `questions`: plain question, choices and answer."""

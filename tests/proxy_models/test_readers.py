"""Protects what eval files become: gold choices, rows without the question, and errors that name file, line and key."""

from __future__ import annotations

import gzip
import json
import string
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from proxy_corpus import SAMPLES

from proxy_models.readers import FORMATS, format_of, guess_format, read_requests

OLMES = {"doc_id": 1, "idx": 0, "label": 0, "request": {"context": "", "continuation": "a"}}
QUESTION = {"question": "Which?", "choices": ["this one", "that one", "none"], "answer": 1}
PAIR = {"sentence_good": "It is.", "sentence_bad": "It are.", "UID": "agreement", "pairID": "7"}


def _write(folder: Path, *lines: Any, name: str = "lines.jsonl") -> Path:
    file = folder / name
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return file


def test_olmes_gold_lines_and_rows_without_the_question() -> None:
    requests = read_requests(SAMPLES / "evals" / "arc_easy.jsonl.gz")
    conditional = [r for r in requests if not r.unconditional]
    assert len({r.item for r in conditional}) == sum(r.gold for r in conditional) == 300
    assert {r.item for r in requests if r.unconditional} == {r.item for r in conditional}
    assert all(r.context == "Answer:" for r in requests if r.unconditional)
    lambada = read_requests(SAMPLES / "evals" / "lambada.jsonl.gz")
    assert all(r.gold and r.choice is None for r in lambada)


def test_a_minimal_pair_is_two_choices_without_a_context(tmp_path: Path) -> None:
    good, bad = read_requests(_write(tmp_path, PAIR))
    assert (good.continuation, good.choice, good.gold) == ("It is.", 0, True)
    assert (bad.continuation, bad.choice, bad.gold) == ("It are.", 1, False)
    assert {r.context for r in (good, bad)} == {""}
    assert {r.item for r in (good, bad)} == {"agreement/7"}


def test_an_archive_is_read_as_all_its_files(tmp_path: Path) -> None:
    file = tmp_path / "pairs.zip"
    with zipfile.ZipFile(file, "w") as out:
        out.writestr("data/b.jsonl", json.dumps({**PAIR, "UID": "b"}) + "\n")
        out.writestr("data/a.jsonl", json.dumps({**PAIR, "UID": "a"}) + "\n")
        out.writestr("__MACOSX/data/._a.jsonl", b"\x00\xff")
        out.writestr("data/README.md", "no pairs")
    assert [r.item for r in read_requests(file)] == ["a/7", "a/7", "b/7", "b/7"]
    with zipfile.ZipFile(file, "a") as out:
        out.writestr("data/c.jsonl", json.dumps({**PAIR, "sentence_bad": ""}) + "\n")
    with pytest.raises(ValueError, match=r"pairs\.zip:data/c\.jsonl, line 1: `sentence_bad` is empty"):
        read_requests(file)


def test_a_question_is_asked_as_olmes_asks_it(tmp_path: Path) -> None:
    requests = read_requests(_write(tmp_path, {**QUESTION, "context": "A text.", "id": "q1"}))
    assert [r.continuation for r in requests] == [" this one", " that one", " none"] * 2
    assert {r.context for r in requests[:3]} == {"A text.\nQuestion: Which?\nAnswer:"}
    assert {r.context for r in requests[3:]} == {"Answer:"}
    assert [r.unconditional for r in requests] == [False] * 3 + [True] * 3
    assert [r.gold for r in requests[:3]] == [False, True, False]
    assert {r.item for r in requests} == {"q1"}


@given(st.lists(st.text("xyz ", min_size=2).filter(str.strip), min_size=2, max_size=5, unique=True), st.data())
def test_number_letter_and_text_name_the_same_choice(
    tmp_path_factory: pytest.TempPathFactory, choices: list[str], data: st.DataObject
) -> None:
    right = data.draw(st.integers(0, len(choices) - 1))
    letter = string.ascii_uppercase[right]
    folder = tmp_path_factory.mktemp("answers")
    for answer in (right, letter, letter.lower(), choices[right]):
        requests = read_requests(_write(folder, {"question": "?", "choices": choices, "answer": answer}))
        assert [r.choice for r in requests if r.gold and not r.unconditional] == [right]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("{", "Expecting"),
        ("[]", "not a JSON object"),
        ({**OLMES, "request": 1}, "`request.context` is missing"),
        ({**OLMES, "request": {"context": ""}}, "`request.continuation` is missing, expected text"),
        ({**OLMES, "request": {"context": "", "continuation": ""}}, "`request.continuation` is empty"),
        ({**OLMES, "doc_id": "x"}, '`doc_id` must be an integer, got "x"'),
        ({**OLMES, "idx": True}, "`idx` must be an integer, got true"),
        ({"doc_id": 1, "idx": 0, "request": OLMES["request"]}, "`label` is missing"),
        ({**OLMES, "doc_id": 2, "label": 3}, "item 2 has 0 right answers, expected one of its choices 0"),
        (OLMES, "item 1 has choice 0 twice"),
    ],
)
def test_errors_in_olmes_files_name_file_line_and_key(tmp_path: Path, line: Any, text: str) -> None:
    file = tmp_path / "requests.jsonl.gz"
    with gzip.open(file, "wt") as out:
        out.write(json.dumps(OLMES) + "\n" + (line if isinstance(line, str) else json.dumps(line)) + "\n")
    with pytest.raises(ValueError) as found:
        read_requests(file)
    assert f"{file}, line 2: " in str(found.value)
    assert text in str(found.value)


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ({**QUESTION, "question": ""}, "`question` is empty"),
        ({**QUESTION, "choices": ["one"]}, "`choices` must be a list of two or more texts, got 1"),
        ({**QUESTION, "choices": "one"}, '`choices` must be a list of two or more texts, got "one"'),
        ({**QUESTION, "choices": ["a thing", " "]}, '`choices[1]` must be text that is not empty, got " "'),
        ({**QUESTION, "choices": ["a thing", 2]}, "`choices[1]` must be text that is not empty, got 2"),
        ({**QUESTION, "choices": ["same", "other", "same"]}, "`choices[2]` stands twice"),
        ({**QUESTION, "answer": 3}, "`answer` 3 is no choice: expected 0 to 2, A to C or the text of one"),
        ({**QUESTION, "answer": True}, "`answer` true is no choice"),
        ({**QUESTION, "answer": "D"}, '`answer` "D" is no choice'),
        ({**QUESTION, "context": 1}, "`context` must be text"),
        ({"question": "?", "choices": ["a", "b"]}, "`answer` is missing"),
        ({**QUESTION, "id": "1"}, "item 1 has choice 0 twice"),
    ],
)
def test_errors_in_question_files_name_file_line_and_key(tmp_path: Path, line: Any, text: str) -> None:
    file = _write(tmp_path, {**QUESTION, "id": "1"}, line)
    with pytest.raises(ValueError) as found:
        read_requests(file)
    assert f"{file}, line 2: " in str(found.value)
    assert text in str(found.value)


def test_formats_are_guessed_where_one_fits(tmp_path: Path) -> None:
    assert [guess_format(line) for line in (OLMES, PAIR, QUESTION)] == list(FORMATS)
    assert format_of(_write(tmp_path, PAIR)) == "blimp"
    both = _write(tmp_path, {**PAIR, **QUESTION})
    with pytest.raises(ValueError, match="line 1: several formats fit: set `format`"):
        read_requests(both)
    assert len(read_requests(both, "blimp")) == 2
    with pytest.raises(ValueError, match="line 1: no format fits"):
        read_requests(_write(tmp_path, {"text": "?"}))
    with pytest.raises(ValueError, match="did you mean blimp"):
        read_requests(both, "blmp")


def test_unreadable_and_empty_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(b"no gzip")
    (tmp_path / "a.zip").write_bytes(b"no archive")
    for name in ("a.jsonl.gz", "a.zip"):
        with pytest.raises(ValueError, match=name):
            read_requests(tmp_path / name)
    with pytest.raises(ValueError, match="holds no requests"):
        read_requests(_write(tmp_path, ""))


@pytest.mark.parametrize("name", ["bomb.jsonl.gz", "bomb.zip", "bomb.jsonl"])
def test_an_eval_that_unpacks_to_too_much_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """200 kB of gzip may hold a line of 200 MB, and 10 MB more lines than memory takes."""
    monkeypatch.setattr("proxy_models.readers.MAX_LINE", 1000)
    monkeypatch.setattr("proxy_models.readers.MAX_BYTES", 20_000)
    long, many = b'{"question": "' + b"a" * 50_000, b"\n" * 50_000
    for text, message in ((long, "line 1: a line of over 1,000 bytes"), (many, "over 20,000 bytes")):
        file = tmp_path / name
        if name.endswith(".zip"):
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as out:
                out.writestr("a.jsonl", text)
        else:
            file.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
        for read in (read_requests, format_of):
            with pytest.raises(ValueError, match=message):
                read(file)


def test_lines_nested_without_end_are_named(tmp_path: Path) -> None:
    file = _write(tmp_path, '{"question": ' + "[" * 100_000)
    for read in (read_requests, format_of):
        with pytest.raises(ValueError, match="line 1: not JSON: nested too deeply"):
            read(file)

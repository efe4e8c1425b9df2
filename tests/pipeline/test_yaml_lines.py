"""Messages must point at the line that the user has to change."""

from __future__ import annotations

import time
from itertools import pairwise
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.yaml_lines import dotted, read_yaml


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "mix.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_every_key_and_item_has_its_line(tmp_path: Path) -> None:
    document = read_yaml(write(tmp_path, "a: 1\nb:\n  c: x\n  d:\n    - 1\n    - e: 2\n"))
    assert document.data == {"a": 1, "b": {"c": "x", "d": [1, {"e": 2}]}}
    assert document.place(("b", "d", 1, "e")).endswith("mix.yaml:6")
    assert document.place(("b", "absent")).endswith("mix.yaml:2"), "an absent key is placed at its parent"
    assert dotted(("b", "d", 1, "e")) == "b.d[1].e"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\na: 2\n", r":2: key `a` stands twice \(first on line 1\)"),
        ("a: [1\nb: 2\n", r":\d: "),
        ("- 1\n", "expected a mapping"),
        ("1: x\n", "must be text"),
        ("a: !!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
        ("a: !!python/name:os.system\n", "could not determine a constructor"),
        ("a: !mine {b: 1}\n", "could not determine a constructor"),
        ("a: !!set {b, c}\n", "expected a mapping or a list"),
        ("a: !!omap [b: 1]\n", "expected a mapping or a list"),
        ("a: !!binary aGVsbG8=\n", ":1: expected text, a number, true, false or null, not a bytes"),
        ("b: 1\na: 2020-01-01\n", ":2: expected text, a number, true, false or null, not a date; quote it"),
        ("a: 2020-99-99\n", ":1: `2020-99-99` is no timestamp"),
        ("a: !!int zz\n", ":1: `zz` is no int"),
        ("a: !!timestamp zz\n", ":1: `zz` is no timestamp"),
        ("a: !!bool zz\n", ":1: `zz` is no bool"),
        ("a: 1\nseed: " + "9" * 5000 + "\n", ":2: `9+` is no int"),
        ("seed: 0x" + "f" * 5000 + "\n", ":1: expected a finite number, whole ones below 2"),
        ("a: .nan\n", ":1: expected a finite number, .* got .nan"),
        ("a: [1, -.inf]\n", ":1: expected a finite number"),
        ("a: 1.0e+400\n", ":1: expected a finite number"),
        ("a: 1" + "0" * 400 + ".0\n", ":1: expected a finite number"),
        ('a: "x\\0"\n', ":1: text that holds a NUL"),
        ('"a\\0": 1\n', ":1: text that holds a NUL"),
        ('a: "\\ud800"\n', ":1: text that holds a NUL or half of a surrogate pair"),
        ("a: \0\n", "not YAML"),
        ("~: 1\n", "key None must be text"),
        ("? [1]\n: 1\n", "must be text"),
        ("a: &a [*a]\n", "an alias inside itself"),
        ("a: &a {b: *a}\n", "an alias inside itself"),
        ("a: " + "[" * 2000 + "]" * 2000 + "\n", "nested too deeply"),
        ("\n".join(" " * i + "a:" for i in range(1500)) + "\n", "nested too deeply"),
        ("a: '" + "x" * 5_000_000 + "'\n", "over 4,000,000 bytes"),
    ],
)
def test_bad_yaml_is_one_message_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_yaml(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent.yaml: no such file"):
        read_yaml(tmp_path / "absent.yaml")


def test_aliases_of_aliases_take_neither_memory_nor_time(tmp_path: Path) -> None:
    """Ten lines that would be ten billion values, here and again in the `mix.yaml` of the run folder."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]" for before, name in pairwise("abcdefghij")]
    started = time.process_time()
    with pytest.raises(InputError, match="over 200,000 values, counting those of aliases each time"):
        read_yaml(write(tmp_path, "\n".join(lines) + "\n"))
    assert time.process_time() - started < 10


def test_an_alias_is_read_as_what_it_stands_for(tmp_path: Path) -> None:
    assert read_yaml(write(tmp_path, "a: &a {b: 1}\nc: *a\n")).data == {"a": {"b": 1}, "c": {"b": 1}}

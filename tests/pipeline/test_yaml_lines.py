"""Messages must point at the line that the user has to change."""

from __future__ import annotations

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
        (
            "a: !!python/object/apply:os.system ['true']\n",
            "tag `!!python/object/apply:os.system`: only plain data is read",
        ),
        ("a: !!python/name:os.system\n", "only plain data is read"),
        ("a: !mine {b: 1}\n", "only plain data is read"),
        ("a: !!set {b, c}\n", "only plain data is read"),
        ("a: !!omap [b: 1]\n", "only plain data is read"),
        ("a: !!binary aGVsbG8=\n", "only plain data is read"),
        ("a: !!timestamp {b: 1}\n", "only plain data is read"),
        ("a: !!int zz\n", ":1: `zz` cannot be read as int"),
        ("a: !!bool zz\n", ":1: `zz` cannot be read as bool"),
        ("a: 1\nseed: " + "9" * 5000 + "\n", ":2: `9+` cannot be read as int"),
        ("seed: 0x" + "f" * 5000 + "\n", ":1: `seed`: expected a whole number below 2"),
        ("a: .nan\n", ":1: `a`: expected a finite number"),
        ("a: [1, -.inf]\n", r":1: `a\[1\]`: expected a finite number"),
        ("a: 1.0e+400\n", ":1: `a`: expected a finite number"),
        ('a: "x\\0"\n', ":1: `a`: text that holds a NUL"),
        ('"a\\0": 1\n', ":1: text that holds a NUL"),
        ('a: "\\ud800"\n', ":1: `a`: text that holds a NUL or half of a surrogate pair"),
        ("a: " + "[" * 2000 + "]" * 2000 + "\n", "nested too deeply"),
        ("a: '" + "x" * 5_000_000 + "'\n", "over 4,000,000 bytes"),
    ],
)
def test_bad_yaml_is_one_message_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_yaml(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent.yaml: no such file"):
        read_yaml(tmp_path / "absent.yaml")

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
    ],
)
def test_bad_yaml_is_one_message_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_yaml(write(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="absent.yaml: no such file"):
        read_yaml(tmp_path / "absent.yaml")

"""Broken YAMLs: one clear message a mistake, at its line, all at once; never a traceback.

Each file in `broken/` says on the line of each mistake what has to be said about it: `#! message`.
"""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline import cli
from pipeline.errors import InputError
from pipeline.load import load_mix

ROOT = Path(__file__).parents[2]
BROKEN = Path("tests/pipeline/broken")
FILES = sorted(each.name for each in (ROOT / BROKEN).glob("*.yaml"))
EMPTY = {"empty.yaml": ["tests/pipeline/broken/empty.yaml:1: empty; a mix has at least `target` and `sources`"]}


def marks(path: Path) -> Iterator[str]:
    """Yield the messages that a file and those that it includes ask for."""
    text = path.read_bytes().decode("utf-8" if path.name != "latin1.yaml" else "latin-1")
    for number, line in enumerate(text.split("\n"), 1):
        for message in line.split("#!")[1:]:
            yield f"{path}:{number}: {message.strip()}"
    for name in sorted(set(re.findall(r"parts/\w+\.yaml", text.split("#!")[0]))):
        if (path.parent / name).is_file():
            yield from marks(path.parent / name)


@pytest.mark.parametrize("name", FILES)
def test_every_mistake_has_one_message_at_its_line(name: str, monkeypatch, capsys) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["mixwright", "check", str(BROKEN / name)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    out, err = capsys.readouterr()
    expected = EMPTY.get(name) or list(marks(BROKEN / name))
    assert sorted(err.splitlines()) == sorted(expected)
    assert expected
    assert out == ""
    assert ended.value.code == 2


def test_there_are_forty_and_what_they_include_is_good(monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    assert len(FILES) >= 40
    assert load_mix(BROKEN / "parts" / "base.yaml").config.domain_names()[-1] == "wikipedia.qa"


STRANGE = st.sampled_from(
    [
        None,
        True,
        -1,
        0,
        0.5,
        1e308,
        "",
        "x",
        "20x",
        "4M",
        "samples",
        "s3",
        "a.b",
        [],
        {},
        [None],
        [[1]],
        {"a": {}},
        ["x"],
    ]
)


def places(data: Any) -> list[tuple[str | int, ...]]:
    """Return the paths of all keys and items."""
    pairs = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path for key, value in pairs for path in ((key,), *((key, *rest) for rest in places(value)))]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(choice=st.data())
def test_strange_values_and_lost_keys_never_end_in_a_traceback(choice, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(ROOT)
    data = yaml.safe_load((ROOT / BROKEN / "parts" / "base.yaml").read_text(encoding="utf-8"))
    data |= {
        "buckets": {"questions": {"by": "prose_score", "shares": {"high": 0.5, "low": 0.5}}},
        "references": {"ours": {"wikipedia": 0.5, "ocr": 0.5}},
        "domains": ["wikipedia", "questions.high", "questions.low", "ocr", "wikipedia.qa"],
        "propose": {"bounds": {"text": {"max": 0.9}}, "max_repetition": 4},
        "validate": {"transfer": {"preset": "4m", "tokens": "1x"}},
        "objective": {"tasks": {"heldout/ocr": 2}, "no_worse_than": {"bench": "ours"}},
    }
    data["swarm"]["freeze"] = {"text": {"wikipedia": 0.5, "ocr": 0.5}}
    data["select"].append({"rules": "gopher_quality", "limits": {"words": [30, None]}})
    data = copy.deepcopy(data)
    for path in choice.draw(st.lists(st.sampled_from(places(data)), min_size=1, max_size=3, unique=True)):
        try:
            parent = data
            for key in path[:-1]:
                parent = parent[key]
            if choice.draw(st.booleans()):
                parent[path[-1]] = choice.draw(STRANGE)
            else:
                del parent[path[-1]]
        except (KeyError, IndexError, TypeError):  # an earlier change took it away
            continue
    file = tmp_path / "mix.yaml"
    file.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    try:
        load_mix(file)
    except InputError as error:
        for line in str(error).splitlines():
            assert re.match(rf"{re.escape(str(file))}:\d+: ", line), line

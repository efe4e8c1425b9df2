"""A mix from several files and `--set`: validated, hashed and written is the whole, and mistakes name their place."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import cli
from pipeline.errors import InputError
from pipeline.load import load_mix, resolved
from pipeline.run import Run
from pipeline.yaml_layers import read_layers


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_the_including_file_is_laid_over_what_it_includes(tmp_path: Path) -> None:
    write(tmp_path, "parts/a.yaml", "swarm: {runs: 24, blocks: 2}\nfit: {laws: [linear, power]}\nseed: 1\n")
    write(tmp_path, "parts/b.yaml", "include: a.yaml\nseed: 2\nproxy:\n  preset: 1m\n")
    path = write(tmp_path, "mix.yaml", "include: [parts/b.yaml]\nswarm:\n  runs: 64\nfit: {laws: [ridge]}\n")
    document = read_layers(path)
    assert document.data == {
        "swarm": {"runs": 64, "blocks": 2},
        "fit": {"laws": ["ridge"]},
        "seed": 2,
        "proxy": {"preset": "1m"},
    }
    assert document.place(("swarm", "runs")) == f"{path}:3"
    assert document.place(("swarm", "blocks")) == f"{tmp_path}/parts/a.yaml:1"
    assert document.place(("proxy", "preset")) == f"{tmp_path}/parts/b.yaml:4"
    assert document.place(("fit", "laws", 0)) == f"{path}:4"


def test_one_file_may_be_included_twice(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", "seed: 1\n")
    write(tmp_path, "b.yaml", "include: a.yaml\nstore: b\n")
    assert read_layers(write(tmp_path, "mix.yaml", "include: [b.yaml, a.yaml]\n")).data == {"seed": 1, "store": "b"}


def test_set_changes_what_stands_there_and_adds_what_does_not(tmp_path: Path) -> None:
    path = write(
        tmp_path, "mix.yaml", "rewrite:\n  wiki.qa: {task: a}\nselect:\n  - {name: x, drop: y}\nswarm: {runs: 24}\n"
    )
    sets = [
        "swarm.runs=1k",
        "swarm.rounds=[500, 500]",
        "rewrite.wiki.qa.task=b",
        'references.ours."wiki.qa"=1',
        "select[0].drop='a < 3'",
        "proxy.preset=1m",
        "select[0].sources=[wiki]",
    ]
    document = read_layers(path, sets)
    assert document.data == {
        "rewrite": {"wiki.qa": {"task": "b"}},
        "select": [{"name": "x", "drop": "a < 3", "sources": ["wiki"]}],
        "swarm": {"runs": "1k", "rounds": [500, 500]},
        "references": {"ours": {"wiki.qa": 1}},
        "proxy": {"preset": "1m"},
    }
    assert document.place(("swarm", "runs")) == "--set swarm.runs=1k"
    assert document.place(("swarm", "rounds", 1)) == "--set swarm.rounds=[500, 500]"
    assert document.place(("select", 0, "name")) == f"{path}:4"


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("swarm.runs", "--set swarm.runs: expected key=value, e.g. --set swarm.runs=64"),
        ("swarm.runs=", "--set swarm.runs=: expected key=value"),
        ("=3", "--set =3: expected key=value"),
        ("swarm.rums=64", "--set swarm.rums=64: `swarm.rums`: unknown key (did you mean `runs`?)"),
        ("proxy.preset=2m", "--set proxy.preset=2m: `proxy.preset`: there is no preset `2m`"),
        ("swarm.runs.x=1", "--set swarm.runs.x=1: `swarm.runs` is 12, no mapping of keys"),
        ("select[7].drop=x", "--set select[7].drop=x: `select` is a list of 2; the first is [0]"),
        ("swarm[0]=1", "--set swarm[0]=1: `swarm` is a mapping, no list"),
        ("fit.laws=[linear", "--set fit.laws=[linear:1: the bracket that opens here is not closed"),
        ("include=x.yaml", "--set include=x.yaml: `include` stands in a file"),
        ("swarm..runs=1", "--set swarm..runs=1: `..runs` is no key"),
        ("seed=!!python/name:os.system 1", "only plain data is read"),
    ],
)
def test_a_wrong_option_is_named(tiny_yaml, option: str, message: str, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["mixwright", "check", str(tiny_yaml()), "--set", option])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert message in line


def test_run_folder_and_resolved_yaml_are_of_the_whole(tiny_yaml) -> None:
    plain, changed = load_mix(tiny_yaml()), load_mix(tiny_yaml(), ["swarm.blocks=3", "propose.max_repetition=2"])
    assert resolved(changed.config)["swarm"]["blocks"] == 3
    assert resolved(changed.config)["propose"]["max_repetition"] == 2
    folders = {Run.open(mix).folder for mix in (plain, changed, load_mix(tiny_yaml(), ["swarm.blocks=2"]))}
    assert len(folders) == 2, "a value that the YAML has already changes nothing"
    assert all(folder.startswith("tiny-") for folder in folders)


NAMES = st.sampled_from(["a", "b", "a.b", "c d", "x*"])
DATA = st.recursive(
    st.integers(0, 9), lambda inner: st.dictionaries(NAMES, inner, min_size=1, max_size=3), max_leaves=8
)


@given(st.dictionaries(NAMES, DATA, max_size=3), st.lists(NAMES, min_size=1, max_size=3), st.integers(10, 20))
def test_quoted_keys_are_always_found_again(tmp_path_factory, data, path, value) -> None:
    import yaml

    file = tmp_path_factory.mktemp("set") / "mix.yaml"
    file.write_text(yaml.safe_dump(data), encoding="utf-8")
    option = ".".join(f'"{name}"' for name in path) + f"={value}"
    here = data
    for name in path[:-1]:
        here = here.get(name, {}) if isinstance(here, dict) else here
    if not isinstance(here, dict):
        with pytest.raises(InputError, match="no mapping of keys"):
            read_layers(file, [option])
        return
    found = read_layers(file, [option]).data
    for name in path:
        found = found[name]
    assert found == value

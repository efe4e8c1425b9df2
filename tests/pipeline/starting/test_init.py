"""`mixwright init` writes a YAML that `check` accepts, from what it sees; and says what it did not see."""

from __future__ import annotations

import gzip
import json
import socket
import sys
from pathlib import Path

import pytest
import yaml

from pipeline import cli
from pipeline.load import load_mix
from pipeline.starting.files import name_of, sort_out

ROOT = Path(__file__).parents[3]
PROSE = "The river ran past the old mill, and the children of the village came to it with their boats. " * 8


def init(monkeypatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["mixwright", "init", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert not ended.value.code


def write_lines(path: Path, rows: list[dict]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(row) + "\n" for row in rows).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)


def test_the_samples(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.chdir(ROOT)
    out = tmp_path / "my.yaml"
    init(monkeypatch, "samples", "--out", str(out))
    config = load_mix(out).config
    assert {"wikipedia", "code", "ocr", "papers", "proofs", "questions", "speeches"} <= set(config.sources)
    ocr = config.sources["ocr"]
    assert (ocr.text, ocr.id, ocr.group, ocr.truth, ocr.license_field) == ("text", "id", "group", "truth", "license")
    assert set(config.evals.benchmarks) == {path.name.split(".")[0] for path in (ROOT / "samples/evals").iterdir()}
    (prose,) = (rule.sources for rule in config.select if rule.rules == "gopher_quality")
    assert {"wikipedia", "papers", "speeches"} <= set(prose or ())
    assert not {"code", "proofs"} & set(prose or ())
    assert 4_000_000 < config.target.tokens < 7_000_000, "20 MB of text at four bytes a token"
    assert "# not read: samples/README.md" in out.read_text(encoding="utf-8")


def test_a_folder_of_many_kinds(monkeypatch, tmp_path: Path) -> None:
    data = tmp_path / "data"
    for i in range(3):
        rows = [
            {"doc": f"{i}-{j}", "url": f"http://x/{i}/{j}", "body": f"{j} {PROSE}", "meta": {"host": f"h{j % 4}"}}
            for j in range(30)
        ]
        write_lines(data / "Web Crawl" / f"part-{i:05d}.jsonl.gz", rows)
    (data / "notes-1.csv").write_text("key,review\n" + "".join(f'{i},"{PROSE}"\n' for i in range(20)), encoding="utf-8")
    (data / "notes-2.csv").write_text(f'key,review\n77,"{PROSE}"\n', encoding="utf-8")
    (data / "repos" / "tool").mkdir(parents=True)
    (data / "repos" / "tool" / "main.py").write_text("print(1)\n" * 50, encoding="utf-8")
    (data / "2024 books").mkdir()
    (data / "2024 books" / "one.txt").write_text(PROSE, encoding="utf-8")
    (data / "picture.bin").write_bytes(b"\x00\x01")
    (data / "broken.parquet").write_bytes(b"PAR1 no")
    (data / ".hidden.jsonl").write_text("{}", encoding="utf-8")
    (data / "empty.jsonl").touch()
    write_lines(data / "quiz.jsonl", [{"question": "2 + 2?", "choices": ["4", "5"], "answer": 0}])
    out = tmp_path / "new" / "my.yaml"
    init(monkeypatch, str(data), "--out", str(out))
    config = load_mix(out).config
    assert set(config.sources) == {"web_crawl", "notes", "repos", "s_2024_books"}
    web, notes = config.sources["web_crawl"], config.sources["notes"]
    assert (web.text, web.id, web.group) == ("body", "url", "meta.host")
    assert web.path.endswith("/Web Crawl/**/*.jsonl.gz")
    assert (notes.text, notes.id, notes.path) == ("review", "key", f"{data}/notes*.csv")
    assert config.sources["repos"].format == "code"
    assert list(config.evals.benchmarks) == ["quiz"]
    text = out.read_text(encoding="utf-8")
    assert "broken.parquet (unreadable" in text
    assert "picture.bin" in text
    assert ".hidden" not in text
    assert "empty" not in text
    assert "3 files, about" in text


def test_hub_names_need_no_network(monkeypatch, tmp_path: Path) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    out = tmp_path / "hub.yaml"
    init(monkeypatch, "HuggingFaceFW/fineweb-edu", "someone/some-set", "--out", str(out))
    config = load_mix(out).config
    assert config.sources["fineweb_edu"].params == {"config": "sample-10BT"}
    assert config.sources["some_set"].path == "someone/some-set"
    assert "some_set:   # not looked at" in out.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (["one.jsonl"], "one source, `one`, and a mix needs at least two domains"),
        (["none"], "none: no such file or folder, and no name of a data set on the hub"),
        (["picture.bin"], "nothing that a reader knows"),
    ],
)
def test_what_makes_no_mix_is_told(what: list[str], said: str, monkeypatch, tmp_path: Path, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    write_lines(tmp_path / "one.jsonl", [{"id": "a", "text": PROSE}])
    (tmp_path / "picture.bin").write_bytes(b"\x00")
    monkeypatch.setattr(sys, "argv", ["mixwright", "init", *what, "--out", "my.yaml"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "my.yaml").exists()


def test_a_file_that_is_there_stays(monkeypatch, tmp_path: Path, capsys) -> None:
    out = tmp_path / "my.yaml"
    out.write_text("mine", encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["mixwright", "init", "a/b", "c/d", "--out", str(out)])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert out.read_text(encoding="utf-8") == "mine"
    assert "is there already" in capsys.readouterr().err


def test_shards_are_one_source_and_names_differ(tmp_path: Path) -> None:
    for name in ("wiki-00001-of-00002.jsonl", "wiki-00002-of-00002.jsonl", "wiki.parquet", "Q&A 2.jsonl"):
        (tmp_path / name).write_text("{}", encoding="utf-8")
    groups = {group.name: group for group in sort_out(tmp_path).groups}
    assert set(groups) == {"wiki", "wiki_2", "q_a"}
    assert len(groups["wiki"].files) == 2
    assert name_of("--") == "s"


def test_values_that_yaml_would_misread_are_quoted(monkeypatch, tmp_path: Path) -> None:
    data = tmp_path / "a: b #1"
    for name in ("no", "yes"):
        write_lines(data / f"{name}.jsonl", [{"id": "1", "on": PROSE}])
    out = tmp_path / "my.yaml"
    init(monkeypatch, str(data), "--out", str(out))
    config = load_mix(out).config
    assert config.sources["no"].text == "on"
    assert yaml.safe_load(out.read_text(encoding="utf-8"))["sources"]["yes"]["path"] == f"{data}/yes.jsonl"

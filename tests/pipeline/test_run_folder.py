"""Commands that take a run folder take its URL, and say the same of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.errors import InputError
from pipeline.funnel import funnel_frame
from pipeline.run_folder import find_run_folder, place_of
from pipeline.store import Store, to_json
from tests.pipeline.s3_server import S3Server, s3_server


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    with s3_server() as found:
        yield found


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run folder as a run leaves it, in what the commands read of it, in a local store."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store, name = Store(str(tmp_path / "store")), "mine-1a2b3c4d"
    measured = {"proposal": {"mean": 0.9, "tasks": {"heldout/a": 0.9}}, "natural": {"mean": 1.0, "tasks": {}}}
    mix = {"weights": {"a": 0.25, "b": 0.75}, "baselines": {"natural": {"a": 0.5, "b": 0.5}}, "measured": measured}
    store.write_text(f"{name}/mix.json", to_json(mix))
    store.write_text(f"{name}/verdict.txt", "The proposal wins.\n")
    store.write_text(f"{name}/report.md", "# Mine — “ä”\n")
    store.write_text(f"{name}/report.html", "<h1>Mine</h1>")
    counts = {"documents": 7, "bytes": 900, "quarantined": 0, "reasons": {}}
    dropped = pl.DataFrame({"source": ["a"], "reason": ["short"], "id": ["x"], "bytes": [5], "text": ["hello"]})
    for file, frame in (("funnel", funnel_frame([("sources", "a/0", counts)])), ("examples", dropped)):
        frame.write_parquet(tmp_path / "frame.parquet")
        store.copy_in(tmp_path / "frame.parquet", f"{name}/{file}.parquet")
    store.write_text(f"units/{name}/config.json", to_json({"seed": 1}))
    store.write_text(f"units/{name}/select.json", to_json({"units": {"a/0": "select/k"}}))
    return tmp_path / "store" / name


@pytest.fixture
def url(folder: Path, server: S3Server) -> str:
    """The same store in a bucket."""
    bucket = Store(f"{server.bucket('b-' + folder.parents[1].name.lower().replace('_', '-')[-40:])}/deep/store")
    for file in folder.parent.rglob("*"):
        if file.is_file():
            bucket.copy_in(file, file.relative_to(folder.parent).as_posix())
    return f"{bucket.root}/{folder.name}"


def said(*words: str) -> str:
    done = CliRunner().invoke(app, list(words))
    assert done.exit_code == 0, done
    return done.output


@pytest.mark.parametrize("words", [("report",), ("status",), ("funnel", "--examples"), ("diff",)])
def test_a_command_says_the_same_of_a_folder_and_of_its_url(folder: Path, url: str, words: tuple[str, ...]) -> None:
    (here, there) = ([each] * (2 if words == ("diff",) else 1) for each in (str(folder), url))
    assert said(words[0], *here, *words[1:]) == said(words[0], *there, *words[1:])
    assert said(words[0], f"{url}/", *there[1:], *words[1:]), "a slash at the end is none too many"


def test_a_folder_and_a_url_are_compared(folder: Path, url: str) -> None:
    Store(url.rpartition("/")[0]).write_text(f"units/{folder.name}/config.json", to_json({"seed": 2}))
    assert said("diff", str(folder), url) == "YAML\n  seed: 1 → 2\n"


def test_a_copy_is_as_new_as_the_run(folder: Path, url: str) -> None:
    """A run folder is written again by every run of the same YAML."""
    assert said("status", url).startswith("The proposal wins.")
    Store(url.rpartition("/")[0]).write_text(f"{folder.name}/verdict.txt", "It loses.")
    assert said("status", url).startswith("It loses.")


def test_only_what_a_command_needs_is_copied(url: str, server: S3Server) -> None:
    server.calls.clear()
    said("status", url)
    read = {path.rpartition("/")[2] for method, path in server.calls if method == "GET"}
    assert read == {"mix.json", "verdict.txt"}


def test_what_is_no_finished_run_is_said(folder: Path, url: str) -> None:
    (folder / "mix.json").unlink()
    for run in (str(folder), f"{url}x", "s3://no-such-bucket/store/run", "s3://bucket", str(folder / "none")):
        with pytest.raises(InputError, match=r"not a finished run folder \(it holds no mix.json\)"):
            find_run_folder(run)
    with pytest.raises(InputError, match="cannot open `nonsense://a/b`"):
        find_run_folder("nonsense://a/b")


def test_a_folder_may_be_called_by_where_one_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)
    assert said("status", ".").startswith("The proposal wins.")
    assert said("diff", ".", "../mine-1a2b3c4d/") == "no difference\n"
    assert place_of(".") == (Store(str(folder.parent)), folder.name)

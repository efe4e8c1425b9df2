"""The stage `sources`: bad input is set aside with file, place and reason while the run goes on, and counts add up."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import documents as document_table
from pipeline.documents import SCHEMA, TableWriter, batches, write_frames
from pipeline.driver import run_stages
from pipeline.errors import BadDataError, InputError
from pipeline.execute import execute
from pipeline.funnel import funnel_frame
from pipeline.ids import IdSet
from pipeline.load import load_mix
from pipeline.progress import Progress
from pipeline.run import Run
from pipeline.sources import units
from pipeline.units import Unit

GOOD = [{"id": i, "text": f"document {i} with some words"} for i in range(40)]


def jsonl(rows: list[Any]) -> bytes:
    return b"".join((row if isinstance(row, bytes) else json.dumps(row).encode()) + b"\n" for row in rows)


@pytest.fixture
def open_source(tmp_path: Path):
    """Return a run over one source (beside a plain one, for a mix has two), given as a line of YAML."""
    (tmp_path / "other.jsonl").write_bytes(jsonl(GOOD))

    def make(section: str) -> Run:
        path = tmp_path / "mix.yaml"
        path.write_text(
            f"store: {tmp_path}/store\ntarget: {{tokens: 1M}}\nsources:\n  mine: {{{section}}}\n"
            f"  other: {{path: {tmp_path}/other.jsonl}}\n"
        )
        return Run.open(load_mix(path))

    return make


def read(run: Run) -> list[tuple[Unit, dict[str, Any], pl.DataFrame, pl.DataFrame]]:
    """Run the units of the source `mine`; return each with its counts, documents and quarantine."""
    found = []
    run.units["sources"] = units(run)
    for unit in run.units["sources"]:
        outcome = execute(run.store.root, unit)
        assert outcome.error is None, outcome.error
        run.mark_done(unit)
        folder = run.store.local(unit.ref)
        tables = [pl.read_parquet(folder / f"{name}.parquet") for name in ("documents", "quarantine")]
        if unit.args["source"] == "mine":
            found.append((unit, outcome.counts, *tables))
    return found  # type: ignore[return-value]


def test_bad_input_of_every_kind_is_set_aside_and_the_counts_add_up(open_source, tmp_path: Path) -> None:
    """Broken UTF-8, NUL bytes, empty documents, a 50 MB line, a cut gz, a Parquet file cut in half, a bomb, no file."""
    folder = tmp_path / "in"
    folder.mkdir()
    rows = [
        *GOOD[:10],
        b'{"id": "x1", "text": "caf\xe9"}',
        {"id": "x2", "text": "nul \0 inside"},
        b"\0\0\0\0",
        {"id": "x3", "text": ""},
        {"id": "x4", "text": " \n"},
        {"id": "x5", "text": "x" * 50_000_000},
        b'{"id": "x6", "text": "half \\ud800 a pair"}',
        {"id": 3, "text": "again"},
        *GOOD[10:20],
    ]
    (folder / "a.jsonl").write_bytes(jsonl(rows))
    packed = gzip.compress(jsonl([{"id": i, "text": f"{i * 7919} words"} for i in range(5000)]))
    (folder / "b.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    pl.DataFrame(GOOD).write_parquet(folder / "c.parquet")
    (folder / "c.parquet").write_bytes(
        (folder / "c.parquet").read_bytes()[: (folder / "c.parquet").stat().st_size // 2]
    )
    with gzip.open(folder / "d.jsonl.gz", "wb") as file:
        file.write(jsonl(GOOD[:5]))
        for _ in range(200):
            file.write(b"0" * 10**6)
    (folder / "e.jsonl").write_bytes(b"")
    run = open_source(f'path: "{folder}/*", max_bad_fraction: 1')
    found = {unit.place["path"].rpartition("/")[2]: (counts, docs, bad) for unit, counts, docs, bad in read(run)}

    counts, documents, quarantine = found["a.jsonl"]
    assert documents["id"].to_list() == [str(i) for i in range(20)]
    assert list(zip(quarantine["row"], (r.partition(":")[0] for r in quarantine["reason"]), strict=True)) == [
        (10, "not UTF-8"),
        (11, "a NUL character in the text"),
        (12, "not JSON"),
        (15, "above max_document_bytes"),
        (16, "half a surrogate pair"),
    ]
    assert counts["skipped"] == {"empty text": 2, "repeated id": 1}
    assert counts["documents"] + counts["quarantined"] + 3 == len(rows)
    counts, documents, quarantine = found["b.jsonl.gz"]
    assert documents["id"].to_list() == [str(i) for i in range(len(documents))]
    assert len(documents) > 1000
    assert quarantine["row"].to_list() == [len(documents)]
    assert "cut off" in quarantine["reason"][0]
    assert found["c.parquet"][0] == {
        "documents": 0,
        "bytes": 0,
        "quarantined": 1,
        "reasons": {"unreadable Parquet": 1},
        "unread": {found["c.parquet"][2]["reason"][0]: 1},
    }
    counts, documents, quarantine = found["d.jsonl.gz"]
    assert len(documents) == 5
    assert "decompression bomb" in quarantine["reason"][0]
    assert found["e.jsonl"][0] == {"documents": 0, "bytes": 0, "quarantined": 0}
    for counts, documents, quarantine in found.values():
        assert (counts["documents"], counts["quarantined"]) == (len(documents), quarantine["records"].sum())
        assert sum(counts.get("reasons", {}).values()) == counts["quarantined"]
        assert counts["bytes"] == sum(len(text.encode()) for text in documents["text"])


@given(
    st.lists(
        st.one_of(
            st.fixed_dictionaries({"id": st.integers(0, 5), "text": st.sampled_from(["words", "", "n\0l", 7, None])}),
            st.sampled_from([b"", b"[]", b"\xff", b"{", b"  "]),
        ),
        max_size=20,
    )
)
def test_every_line_is_a_document_or_quarantined(tmp_path_factory, rows: list[Any]) -> None:
    from pipeline.sources import work
    from pipeline.units import Job

    folder = tmp_path_factory.mktemp("lines")
    (folder / "a.jsonl").write_bytes(jsonl(rows))
    fields = {"text": "text", "id": "id", "group": None, "truth": None, "license": None, "license_field": None}
    place = {"path": str(folder / "a.jsonl"), "name": "a.jsonl", "format": "jsonl", "first_row": 0, "files": ()}
    (folder / "out").mkdir()
    counts = work(Job({"fields": fields}, {}, place, folder / "out", lambda _: {}))
    blank = sum(isinstance(row, bytes) and not row.strip() for row in rows)
    assert counts["documents"] + counts["quarantined"] + sum(counts.get("skipped", {}).values()) == len(rows) - blank
    assert pq.read_metadata(folder / "out" / "documents.parquet").num_rows == counts["documents"]
    assert pq.read_metadata(folder / "out" / "quarantine.parquet").num_rows == counts["quarantined"]


def test_too_much_bad_data_names_file_place_and_reason(open_source, tmp_path: Path) -> None:
    from pipeline.sources import check

    (tmp_path / "a.jsonl").write_bytes(jsonl([*GOOD[:3], b"broken", b"\xff"]))
    run = open_source(f"path: {tmp_path}/a.jsonl")
    read(run)
    with pytest.raises(BadDataError) as caught:
        check(run)
    lines = str(caught.value).splitlines()
    assert lines[1:] == [
        f"  {tmp_path}/a.jsonl: row 3: not JSON: Expecting value",
        f"  {tmp_path}/a.jsonl: row 4: not UTF-8",
    ]


def test_empty_texts_and_repeated_ids_are_no_unreadable_data(open_source, tmp_path: Path) -> None:
    """Both are common in sound data: they are counted, and stop no run."""
    from pipeline.sources import check

    rows = [*GOOD, *({"id": f"e{i}", "text": " " * i} for i in range(20)), *GOOD[:20]]
    (tmp_path / "a.jsonl").write_bytes(jsonl(rows))
    run = open_source(f"path: {tmp_path}/a.jsonl")
    ((_, counts, *_),) = read(run)
    assert counts["skipped"] == {"empty text": 20, "repeated id": 20}
    assert (counts["documents"], counts["quarantined"]) == (40, 0)
    check(run)


def test_a_lost_row_group_counts_with_all_its_rows(open_source, tmp_path: Path) -> None:
    from pipeline.sources import check

    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": range(1000), "text": [f"words {i}" for i in range(1000)]}).write_parquet(
        path, row_group_size=100
    )
    about = pq.ParquetFile(path).metadata.row_group(3).column(1)
    at = about.dictionary_page_offset or about.data_page_offset
    data = bytearray(path.read_bytes())
    data[at : at + about.total_compressed_size] = bytes(about.total_compressed_size)
    path.write_bytes(data)
    run = open_source(f"path: {path}")
    ((_, counts, documents, quarantine),) = read(run)
    assert counts["documents"] == len(documents) == 900
    assert counts["quarantined"] == sum(counts["reasons"].values()) == 100
    assert quarantine.select("row", "records").rows() == [(300, 100)]
    with pytest.raises(BadDataError, match="100 of 1000 records are unreadable"):
        check(run)


def test_files_that_were_not_read_whole_are_named(open_source, tmp_path: Path) -> None:
    """Such a file weighs one bad record however much it held, so among good ones no share of bad records tells it."""
    from pipeline.sources import check

    for name in "abc":
        rows = [{"id": f"{name}{i}", "text": f"words {i * i}"} for i in range(500)]
        (tmp_path / f"{name}.jsonl.gz").write_bytes(gzip.compress(jsonl(rows)))
    cut = (tmp_path / "b.jsonl.gz").read_bytes()
    (tmp_path / "b.jsonl.gz").write_bytes(cut[: len(cut) // 2])
    run = open_source(f"path: {tmp_path}/*.jsonl.gz")
    counts = [each for _, each, *_ in read(run)]
    reason = "unreadable after this row: cut off: the file ends before its compressed data does"
    assert [each.get("unread") for each in counts] == [None, {reason: 1}, None]
    check(run)
    (note,) = run.notes
    assert note == f"sources: 1 file of `mine` was not read whole: {tmp_path}/b.jsonl.gz: {reason}"


def test_a_large_file_is_split_and_gives_the_same_documents(open_source, tmp_path: Path) -> None:
    rows = [{"id": i, "text": f"document {i} " + "words " * (i % 50)} for i in range(500)]
    rows[300] = b"broken"  # type: ignore[call-overload]
    path = tmp_path / "a.jsonl"
    path.write_bytes(jsonl(rows))
    ((_, counts, whole, _),) = read(open_source(f"path: {path}"))
    run = open_source(f"path: {path}, shard_bytes: 10k")
    parts = read(run)
    assert len(parts) > 5
    assert [unit.name for unit, *_ in parts][:2] == ["mine/000-000", "mine/000-001"]
    assert pl.concat(documents for _, _, documents, _ in parts).equals(whole)
    assert sum(each["quarantined"] for _, each, *_ in parts) == counts["quarantined"] == 1
    (bad,) = [bad for *_, bad in parts if len(bad)]
    assert path.read_bytes()[bad["byte"][0] :].startswith(b"broken")
    assert len({unit.key for unit in units(run)}) == len(units(run))


def test_a_large_file_is_hashed_and_cut_once(open_source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,text\n" + "".join(f'{i},"a\nb"\n' for i in range(1000)))
    run = open_source(f"path: {path}, shard_bytes: 2k")
    opened = Counter[str]()
    real = open

    def counted(file: Any, *args: Any, **options: Any) -> Any:
        opened[str(file)] += 1
        return real(file, *args, **options)

    monkeypatch.setattr("builtins.open", counted)
    assert len(units(run)) > 4
    assert opened[str(path)] == 2, "once for its hash, once for its quotes"
    units(run)
    assert opened[str(path)] == 2


def test_hashes_outlive_a_run_that_stops(open_source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise large files are hashed and cut again after every mistake."""
    (tmp_path / "a.jsonl").write_bytes(jsonl([*GOOD[:3], b"broken", b"\xff"]))
    run = open_source(f"path: {tmp_path}/a.jsonl")
    read(run)
    with pytest.raises(BadDataError):
        run_stages(open_source(f"path: {tmp_path}/a.jsonl"), Progress())
    monkeypatch.setattr("pipeline.shards._hash", lambda path: pytest.fail(f"{path} is hashed again"))
    assert len(units(open_source(f"path: {tmp_path}/a.jsonl"))) == 2


def test_hashes_outlive_a_source_that_cannot_be_listed(open_source, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(GOOD))
    second = f"path: json, format: huggingface, params: {{data_files: '{tmp_path}/none*.jsonl'}}"
    run = open_source(f"path: {tmp_path}/a.jsonl}}\n  second: {{{second}")
    with pytest.raises(InputError, match="cannot be opened"):
        run_stages(run, Progress())
    assert any("a.jsonl" in stamp for stamp in Run.open(run.mix).fingerprints)


def test_keys_of_whole_jsonl_files_are_those_of_earlier_stores(open_source, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(GOOD))
    (unit, *_) = units(open_source(f"path: {tmp_path}/a.jsonl, group: thread"))
    assert unit.recipe == {
        "stage": "sources",
        "version": 1,
        "args": {
            "source": "mine",
            "content": unit.args["content"],
            "fields": {
                "text": "text",
                "id": "id",
                "group": "thread",
                "truth": None,
                "license": None,
                "license_field": None,
            },
        },
        "inputs": {},
    }


def test_ids_come_from_file_and_row_where_the_yaml_says_so(open_source, tmp_path: Path) -> None:
    folder = tmp_path / "in" / "deep"
    folder.mkdir(parents=True)
    (folder / "a.jsonl").write_bytes(jsonl(GOOD[:2]))
    ((unit, _, documents, _),) = read(open_source(f'path: "{tmp_path}/in/**/*.jsonl", id: null'))
    assert documents["id"].to_list() == ["deep/a.jsonl:0", "deep/a.jsonl:1"]
    assert unit.args["file"] == "deep/a.jsonl"
    assert json.loads(documents["fields"][0]) == {"id": 0}


def test_nested_fields_are_mapped_by_their_path(open_source, tmp_path: Path) -> None:
    row = {"meta": {"url": "u1", "site": {"name": "s"}, "by": "MIT"}, "raw": {"body": "words"}, "a.b": "flat", "n": 1}
    (tmp_path / "a.jsonl").write_bytes(jsonl([row, {**row, "meta": {"url": "u2"}}]))
    section = "text: raw.body, id: meta.url, group: meta.site.name, license_field: meta.by"
    ((_, _, documents, _),) = read(open_source(f"path: {tmp_path}/a.jsonl, {section}"))
    assert documents["id"].to_list() == ["u1", "u2"]
    assert documents["text"].to_list() == ["words"] * 2
    assert documents["group"].to_list() == ["s", "u2"], "the id where there is none"
    assert documents["license"].to_list() == ["MIT", None]
    assert json.loads(documents["fields"][0]) == {"a.b": "flat", "n": 1}


def test_the_limit_of_a_document_is_the_yamls(open_source, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl([*GOOD[:3], {"id": "long", "text": "x" * 2000}]))
    ((plain, *_),) = read(open_source(f"path: {tmp_path}/a.jsonl"))
    ((unit, counts, *_),) = read(open_source(f"path: {tmp_path}/a.jsonl, max_document_bytes: 1k, max_bad_fraction: 1"))
    assert counts["reasons"] == {"above max_document_bytes": 1}
    assert unit.key != plain.key


def test_stackexchange_brings_its_own_group_and_licence_unless_the_yaml_says_another(
    open_source, tmp_path: Path
) -> None:
    row = '<row Id="{}" PostTypeId="2" ParentId="9" CreationDate="2019-01-01" Score="1" Body="words" />'
    (tmp_path / "Posts.xml").write_text("<posts>\n" + "\n".join(row.format(i) for i in range(3)) + "\n</posts>\n")
    ((_, _, documents, _),) = read(open_source(f"path: {tmp_path}/Posts.xml"))
    assert documents["group"].to_list() == ["9"] * 3
    assert documents["license"].to_list() == ["CC-BY-SA-4.0"] * 3
    assert json.loads(documents["fields"][0])["score"] == 1
    ((_, _, documents, _),) = read(open_source(f"path: {tmp_path}/Posts.xml, license: X, group: id"))
    assert documents["license"].to_list() == ["X"] * 3
    assert documents["group"].to_list() == ["0", "1", "2"]


def test_a_folder_of_code_is_split_by_files_and_named_by_their_content(open_source, tmp_path: Path) -> None:
    root = tmp_path / "repos"
    for i in range(6):
        (root / f"r{i}").mkdir(parents=True)
        (root / f"r{i}" / "a.py").write_text(f"print({i})\n" * 150)
    before = units(open_source(f"path: {root}, format: code, shard_bytes: 2k"))[:-1]
    assert len(before) == 6
    (root / "r3" / "a.py").write_text("print('changed')\n" * 90)
    after = units(open_source(f"path: {root}, format: code, shard_bytes: 2k"))[:-1]
    assert [a.key == b.key for a, b in zip(before, after, strict=True)] == [True, True, True, False, True, True]
    found = read(open_source(f"path: {root}, format: code"))
    assert found[0][2]["id"].to_list() == [f"repos/r{i}/a.py" for i in range(6)]


def test_skipped_records_are_counted_in_the_funnel(open_source, tmp_path: Path) -> None:
    rows = [{"id": "a", "title": "Post", "selftext": "words"}, {"id": "b", "body": "[deleted]"}, {"id": "c"}]
    (tmp_path / "RC_2020-01.jsonl").write_bytes(jsonl(rows))
    ((unit, counts, *_),) = read(open_source(f"path: {tmp_path}/RC_2020-01.jsonl, format: reddit"))
    frame = funnel_frame([("sources", unit.name, counts)])
    cells = {(outcome, reason): n for outcome, reason, n in frame.select("outcome", "reason", "documents").iter_rows()}
    assert cells == {
        ("kept", "read"): 1,
        ("quarantined", "neither a post nor a comment"): 1,
        ("skipped", "deleted"): 1,
    }


def test_any_fsspec_url_is_read_also_in_pieces(open_source, tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    memory.pipe_file("/data/a.jsonl", jsonl([{"id": i, "text": f"words {i}"} for i in range(200)]))
    ((_, _, whole, _),) = read(open_source("path: 'memory://data/*.jsonl'"))
    parts = read(open_source("path: 'memory://data/*.jsonl', shard_bytes: 1k"))
    assert len(parts) > 4
    assert pl.concat(documents for _, _, documents, _ in parts).equals(whole)
    memory.rm("/data", recursive=True)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ("path: {folder}/*.xyz", r"`.*a.xyz`: no reader for this ending; name one with `format`"),
        ("path: {folder}/a.xyz, format: jsnl", r"there is no format `jsnl` \(did you mean `jsonl`\?\)"),
        ("path: {folder}/a.xyz, format: csv, params: {{seperator: x}}", r"did you mean `separator`"),
        ("path: {folder}/a.xyz, format: text, params: {{by: word}}", r"params.by"),
        ("path: {folder}, format: jsonl", r"is a folder; its files are"),
        ("path: {folder}/a.xyz, format: code", r"no folder matches"),
        ("path: 'memory://code', format: code", r"`memory://code`: code is read from local folders only"),
        ("path: {folder}/a.xyz, format: jsonl, shard_bytes: 5", r"shard_bytes"),
    ],
)
def test_mistakes_in_the_yaml_are_named(open_source, tmp_path: Path, section: str, message: str) -> None:
    (tmp_path / "a.xyz").write_bytes(jsonl(GOOD))
    with pytest.raises(InputError, match=message):
        open_source(section.format(folder=tmp_path))


COLUMNS = [{"key": "1", "review": "words", "meta": {"url": "u", "by": {"name": "n"}}}]


def write_columns(path: Path) -> None:
    table = pa.Table.from_pylist(COLUMNS)
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".arrow":
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
    elif path.suffix == ".gz":
        out = io.BytesIO()
        with pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
        path.write_bytes(gzip.compress(out.getvalue()))
    else:
        path.write_text("key,review,meta.url,meta.by.name\n1,words,u,n\n")


@pytest.mark.parametrize("name", ["a.parquet", "a.arrow", "a.arrows.gz", "a.csv"])
def test_fields_are_held_against_the_columns_before_anything_is_read(open_source, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_columns(path)
    open_source(f"path: {path}, text: review, id: meta.url, group: meta.by.name")
    for section, message in (
        ("text: revue, id: key", rf"sources.mine.text`: `{path}` has no column `revue` \(did you mean `review`\?\)"),
        ("text: review", r"sources.mine.id`: .* has no column `id` .*; `id: null` names documents by file and row"),
        ("text: review, id: kee", r"has no column `kee` \(did you mean `key`\?\)"),
        ("text: review, id: key, group: meta.ur", r"mine.group`: .* no column `meta.ur` \(did you mean `meta.url`\?\)"),
        ("text: review, id: null, truth: x, license_field: y", r"(?s)mine.truth`.*mine.license_field`"),
    ):
        with pytest.raises(InputError, match=message):
            open_source(f"path: {path}, {section}")


def test_columns_that_cannot_be_told_are_left_to_the_reading(open_source, tmp_path: Path) -> None:
    for name in ("a.parquet", "b.arrow", "c.csv.gz"):
        (tmp_path / name).write_bytes(b"damaged")
        open_source(f"path: {tmp_path}/{name}")
    (tmp_path / "d.csv").write_text("id,text,text\n")
    with pytest.raises(InputError, match=r"mine.path`: `.*d.csv`: the column `text` stands twice"):
        open_source(f"path: {tmp_path}/d.csv")


def test_a_data_set_that_cannot_be_opened_is_wrong_input(open_source, tmp_path: Path) -> None:
    run = open_source(f"path: json, format: huggingface, params: {{data_files: '{tmp_path}/none*.jsonl'}}")
    with pytest.raises(InputError, match=r"mix.yaml:4: `sources.mine.path`: `json` cannot be opened"):
        units(run)


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_may_not_be_read_is_wrong_input(open_source, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(jsonl(GOOD))
    run = open_source(f"path: {tmp_path}/a.jsonl")
    (tmp_path / "a.jsonl").chmod(0)
    with pytest.raises(InputError, match="cannot be read"):
        units(run)


@given(st.lists(st.text(max_size=5), max_size=3000))
def test_an_id_set_knows_what_it_has_seen(names: list[str]) -> None:
    ids, known = IdSet(), set()
    for name in names:
        assert ids.add(name) == (name not in known)
        known.add(name)
    assert len(ids) == len(known)


def test_an_id_set_stays_small() -> None:
    ids = IdSet()
    assert all(ids.add(str(i)) for i in range(50_000))
    assert not any(ids.add(str(i)) for i in range(0, 50_000, 7))


def test_batches_are_bounded_by_bytes_and_tables_stay_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_table, "BATCH_CHARACTERS", 10_000)
    lengths = [5, 9000, 2000, 10, 30_000, 1, *[20] * 1500]
    path = tmp_path / "documents.parquet"
    with TableWriter(path, SCHEMA) as writer:
        for i, n in enumerate(lengths):
            writer.add({"id": str(i), "text": "x" * n, "group": "g", "license": None, "truth": None, "fields": "{}"})
    frames = list(batches(path, ["text"]))
    assert [len(frame) for frame in frames[:2]] == [3, 2]
    assert max(map(len, frames)) < 1000
    assert sum(map(len, frames)) == len(lengths)
    write_frames(
        tmp_path / "scores.parquet",
        (frame.select(n=pl.col("text").str.len_bytes()) for frame in frames),
        pl.DataFrame({"n": pl.Series([], dtype=pl.UInt32)}),
    )
    scores = list(batches(tmp_path / "scores.parquet"))
    assert list(map(len, scores)) == list(map(len, frames))
    assert pl.concat(scores)["n"].to_list() == lengths

"""`mixwright classifier` on real files: trained, measured, used in a mix by path; mistakes are told in one line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from classifiers.duplicates import exact_hash
from classifiers.language import MODEL
from classifiers.linear_quality import LinearParams, LinearScorer
from classifiers.model_card import read_card
from pipeline.cli import main
from pipeline.errors import BadDataError, InputError
from pipeline.labelled_files import Reading, check_params, read_documents
from pipeline.load import load_mix
from tests.pipeline.conftest import SAMPLES, walk_here

Cli = Callable[..., str]


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run the command line; return what it printed, to standard error where it failed."""

    def run(*words: str | Path, fails: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["mixwright", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        assert ended.value.code in ([fails] if fails else [0, None]), printed.err
        return printed.err if fails else printed.out

    return run


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wikipedia and questions, and both in one file with a column `good` of 1 and 0."""
    folder = tmp_path_factory.mktemp("files")
    wikipedia = pl.read_parquet(SAMPLES / "wikipedia.parquet", columns=["id", "text", "group"]).head(150)
    questions = pl.read_parquet(SAMPLES / "questions.parquet", columns=["id", "text", "group"]).head(150)
    wikipedia.write_parquet(folder / "wikipedia.parquet")
    questions.write_ndjson(folder / "questions.jsonl")
    both = pl.concat([wikipedia.with_columns(good=1), questions.with_columns(good=0)])
    both.write_ndjson(folder / "both.jsonl")
    return folder


def sides(files: Path) -> list[str]:
    return ["--positive", f"{files}/wikipedia.parquet", "--negative", f"{files}/questions.jsonl"]


QUICK = {"sklearn": ["--param", "bucket_bits=12"], "fasttext": ["--param", "epochs=30", "--param", "buckets=1000"]}


@pytest.mark.parametrize("model", ["sklearn", "fasttext"])
def test_trains_evaluates_and_repeats_itself(cli: Cli, files: Path, tmp_path: Path, model: str) -> None:
    """The card says what was read, the same command gives the same bytes, and other documents can be measured."""
    words = ["classifier", "train", *sides(files), "--model", model, "--group", "group", "--keep", "0.3", *QUICK[model]]
    printed = cli(*words, "--out", tmp_path / "a")
    assert printed.splitlines()[-1] == str(tmp_path / "a")
    assert printed.startswith((tmp_path / "a" / "card.md").read_text()[:200])
    card = read_card(tmp_path / "a")
    assert card.measures.auc > 0.9
    assert card.positive.origin[0]["file"] == "wikipedia.parquet"
    assert card.positive.origin[0]["documents"] == card.positive.documents == 150
    assert card.negative.groups == pl.read_ndjson(files / "questions.jsonl")["group"].n_unique() < 150
    assert card.held_out == 300 > card.trained > 200, "the stored model saw four folds of five"
    cli(*words, "--out", tmp_path / "b")
    cli(*words, "--out", tmp_path / "b")  # over itself
    first, second = ({f.name: f.read_bytes() for f in (tmp_path / name).iterdir()} for name in "ab")
    assert first == second
    rest = pl.read_parquet(SAMPLES / "wikipedia.parquet", columns=["id", "text"]).slice(150, 50)
    rest.write_parquet(tmp_path / "rest.parquet")
    pl.read_parquet(SAMPLES / "questions.parquet").slice(100, 100).write_parquet(tmp_path / "others.parquet")
    unseen = ["--positive", f"{tmp_path}/rest.parquet", "--negative", f"{tmp_path}/others.parquet"]
    found = json.loads(cli("classifier", "evaluate", tmp_path / "a", *unseen, "--json"))
    assert found["positive"] + found["negative"] + found["seen"] + found["dropped"] == 150
    learnt = np.load(tmp_path / "a" / "seen.npy")
    given = pl.concat([rest["text"], pl.read_parquet(tmp_path / "others.parquet")["text"]])
    assert found["seen"] == sum(exact_hash(text) in learnt for text in given) > 0
    assert found["measures"]["auc"] > 0.9
    text = cli("classifier", "evaluate", tmp_path / "a", *unseen)
    assert f"{found['seen']} that it was trained on" in text
    assert f"AUC {found['measures']['auc']:.3f}" in text


def test_conditions_choose_from_one_file(cli: Cli, files: Path, tmp_path: Path) -> None:
    """Labels in a field are the same as files of their own."""
    both = str(files / "both.jsonl")
    words = ["--positive", both, "--positive-if", "good = 1", "--negative", both, "--negative-if", "good < 1"]
    rest = ["--model", "sklearn", "--folds", "1", *QUICK["sklearn"]]
    cli("classifier", "train", *words, *rest, "--out", tmp_path / "one")
    cli("classifier", "train", *sides(files), *rest, "--out", tmp_path / "two")
    name = "weights.safetensors"
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert read_card(tmp_path / "one").positive.origin[1] == {"condition": "good = 1"}


def documents(count: int, word: str) -> list[dict[str, object]]:
    return [{"meta": {"body": f"{word} {i} times", "site": f"s{i // 5}"}, "at": i} for i in range(count)]


def test_fields_are_found_by_path_and_bad_records_are_counted(tmp_path: Path) -> None:
    """As in sources: a NUL, or no group where one is asked for, costs the record alone, up to a twentieth of them."""
    lines = documents(100, "good")
    lines[3]["meta"] = {"body": "a NUL \0 in it", "site": "s"}
    lines[50]["meta"] = {"body": "no site"}
    file = tmp_path / "good.jsonl"
    file.write_text("\n".join(map(json.dumps, lines)))
    how = Reading("meta.body", "meta.site")
    found = read_documents([str(file)], how)
    assert len(found.texts) == 98
    assert found.texts[0] == "good 0 times"
    assert found.groups is not None
    assert (found.groups[0], found.groups[-1]) == ("s0", "s19")
    assert found.origin[-1] == {"unreadable": 2}
    rest = read_documents([str(file)], how, "at > 60")
    assert (len(rest.texts), rest.origin[-1]) == (39, {"unreadable": 1}), "the group of a record that is not taken"
    file.write_text("\n".join(map(json.dumps, [*lines, *({"meta": {"body": f"x {i}"}} for i in range(10))])))
    with pytest.raises(BadDataError, match=r"12 of 110 records are unreadable: no `meta.site` .*\(11\); a NUL"):
        read_documents([str(file)], how)


def test_folders_of_code_and_settings_of_formats(tmp_path: Path) -> None:
    folder = tmp_path / "lib" / "src"
    folder.mkdir(parents=True)
    for i in range(3):
        (folder / f"m{i}.py").write_text(f"x = {i}\n")
    (tmp_path / "reviews.csv").write_text("text;stars\ngood, really;5\nbad;1\n")
    how = Reading(form="code", params={"separator": ";"})
    paths = [str(tmp_path / "lib"), str(tmp_path / "reviews.csv")]
    check_params(paths, how)
    found = read_documents(paths, how)
    assert list(found.texts) == ["x = 0\n", "x = 1\n", "x = 2\n", "good, really", "bad"]
    first = dict(found.origin[0])  # type: ignore[call-overload]
    assert (first["file"], first["bytes"], first["documents"]) == ("lib", 18, 3)
    (folder / "m0.py").write_text("y = 0\n")
    assert read_documents(paths, how).origin[0] != first, "the hash is of the files' bytes"
    with pytest.raises(InputError, match=r"lib: a folder; name its format with --format \(code\)"):
        read_documents(paths, Reading())
    with pytest.raises(InputError, match="no setting `separater` .did you mean `separator`"):
        check_params(paths, Reading(form="code", params={"separater": ";"}))
    with pytest.raises(InputError, match=r"reviews.csv: csv: separator: .*at most 1 character"):
        read_documents(paths[1:], Reading(params={"separator": ";;"}))


def test_the_threshold_of_a_pool(cli: Cli, files: Path, tmp_path: Path) -> None:
    pool = str(files / "questions.jsonl")
    words = ["--model", "sklearn", "--keep", "0.2", "--pool", pool, *QUICK["sklearn"]]
    cli("classifier", "train", *sides(files), *words, "--out", tmp_path / "a")
    threshold = read_card(tmp_path / "a").threshold
    assert threshold is not None
    texts = pl.read_ndjson(pool)["text"]
    scores = LinearScorer(LinearParams(), tmp_path / "a").score(texts)["score"]
    assert (scores >= threshold.score).sum() == 30


def test_a_mix_loads_it_by_path(cli: Cli, files: Path, tmp_path: Path, tiny_yaml) -> None:
    """Both kinds as attributes, compared by rules and buckets; moved to another folder, nothing is scored again."""
    for model in ("sklearn", "fasttext"):
        cli("classifier", "train", *sides(files), "--model", model, *QUICK[model], "--out", tmp_path / model)
    entries = [f"  {name}: {{scorer: {name}, model: {tmp_path}/{name}}}" for name in ("sklearn", "fasttext")]
    smaller = (
        ('  ocr: {path: "', '# ocr: {path: "'),
        ("ocr.clean:", "# ocr.clean:"),
        ("  clean: {scorer: sklearn, positive: [wikipedia], negative: [ocr]}\n", "\n".join(entries) + "\n"),
        ("prose_score < 0.01", "sklearn_calibrated < 0.3 OR fasttext_score < 0.001"),
    )
    buckets = "buckets:\n  questions: {by: sklearn_score, shares: {top: 0.5, rest: 0.5}}\ntokenize: {vocab"
    path = tiny_yaml(*smaller, ("tokenize: {vocab", buckets))
    run = walk_here(path, until="buckets")
    (unit,) = [unit for unit in run.of("annotate") if unit.name == "questions/000/sklearn"]
    found = pl.read_parquet(run.store.local(unit.ref) / "attributes.parquet")
    texts = pl.read_parquet(run.store.local(unit.inputs["documents"]) / "documents.parquet")["text"]
    assert found.equals(LinearScorer(LinearParams(), tmp_path / "sklearn").score(texts))
    assert (
        run.manifest(next(unit for unit in run.of("select") if "wiki" in unit.name))["counts"]["outcome"]["train"] > 100
    )
    (tmp_path / "sklearn").rename(tmp_path / "moved")
    again = tiny_yaml(*smaller, ("tokenize: {vocab", buckets), (f"{tmp_path}/sklearn", f"{tmp_path}/moved"))
    moved = walk_here(again, until="annotate")
    assert {u.key for u in moved.of("annotate")} == {u.key for u in run.of("annotate")}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{scorer: sklearn, model: none}", "annotate.good.model`: no such file or folder: none"),
        ("{scorer: sklearn, model: {card}}", "expected a folder that `mixwright classifier train` wrote"),
        (
            "{scorer: fasttext, model: {folder}}",
            "no folder of a trained fasttext classifier: it has no model.bin",
        ),
        ("{scorer: sklearn, model: {folder}, negative: [ocr]}", "annotate.good.negative`: `negative` is for training"),
        ("{scorer: fasttext, model: {card}}", "`good_calibrated` is empty: .* has no calibration; compare the score"),
    ],
)
def test_a_wrong_model_is_told_before_the_run(
    cli: Cli, files: Path, tmp_path: Path, tiny_yaml, entry: str, message: str
) -> None:
    cli("classifier", "train", *sides(files), "--model", "sklearn", *QUICK["sklearn"], "--out", tmp_path / "good")
    entry = entry.replace("{folder}", f"{tmp_path}/good").replace("{card}", f"{tmp_path}/good/card.json")
    changes = (("language: {}", f"good: {entry}"), ("prose_score < 0.01", "good_calibrated < 0.01"))
    with pytest.raises(InputError, match=message):
        load_mix(tiny_yaml(*changes))


def test_mistakes_are_one_line(cli: Cli, files: Path, tmp_path: Path) -> None:
    def failed(*words: str, code: int = 2) -> str:
        return cli("classifier", "train", *words, "--out", tmp_path / "out", fails=code)

    given = sides(files)
    assert "unknown kind of classifier 'svm': expected fasttext or sklearn" in failed(*given, "--model", "svm")
    plain = [*given, "--model", "sklearn"]
    assert "did you mean `bucket_bits`?" in failed(*plain, "--param", "bucket_bit=3")
    assert "--param bucket_bits" in failed(*plain, "--param", "bucket_bits=many")
    assert "no `grup` (did you mean `group`?) (150)" in failed(*plain, "--group", "grup", code=3)
    assert "no field `scor`" in failed(*plain, "--positive-if", "scor > 1")
    assert "not an SQL expression" in failed(*plain, "--positive-if", "score >>> 1")
    assert "no document with text = 'x'" in failed(*plain, "--positive-if", "text = 'x'")
    assert "give both" in failed(*plain, "--pool", given[1])
    nothing = ["--positive", "none.parquet", "--negative", "none.parquet", "--model", "sklearn"]
    assert "must be above 0" in failed(*nothing, "--keep", "2"), "before anything is read"
    assert "none.parquet: no such file" in failed("--positive", "none.parquet", *given[2:], "--model", "sklearn")
    assert "150 of 150 records are unreadable: field `body` holds no text (150)" in failed(
        *plain, "--text", "body", code=3
    )
    assert "unknown format `jsnl` (did you mean `jsonl`?)" in failed(*plain, "--format", "jsnl")
    assert "jsonl, parquet: no setting `separator`" in failed(*plain, "--format-param", "separator=;")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("keep")
    assert "is no folder of a classifier" in failed(*plain)
    assert (tmp_path / "out" / "mine.txt").read_text() == "keep"
    (tmp_path / "cut.bin").write_bytes(MODEL.read_bytes()[:100_000])
    assert f"{tmp_path}/cut.bin: a fastText model that is cut off" in cli(
        "classifier", "evaluate", tmp_path / "cut.bin", *given, fails=2
    )
    assert "no card.json" in cli("classifier", "evaluate", tmp_path / "out", *given, fails=2)

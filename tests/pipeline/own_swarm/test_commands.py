"""`mixwright fit` and `predict` as a user runs them: what is written, what is said, and how they fail."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr

from pipeline.tables import read_table
from tests.pipeline.own_swarm.conftest import DOMAINS, TASKS, losses, mixes, truth

FULL = [f"train_{name}" for name in DOMAINS]
LOSSES = [f"metric/{name}_loss" for name in TASKS]
CONFIG = """\
domains: {arxiv: 1B, code: 2B, web: 6B, wiki: 1B}
target: {tokens: 8B}
references: {ours: {web: 0.5, wiki: 0.5}}
"""


@pytest.fixture
def fitted(tables, config, command, tmp_path: Path) -> Path:
    out = tmp_path / "fits" / "mine"
    code, _, error = command("fit", "--ratios", tables[0], "--metrics", tables[1], "--config", config(), "--out", out)
    assert code == 0, error
    return out


def test_fit_proposes_a_mix_that_is_better_than_the_baselines_and_says_so(tables, config, command, tmp_path) -> None:
    out = tmp_path / "out"
    arguments = ["--ratios", tables[0], "--metrics", tables[1], "--config", config(CONFIG), "--out", out]
    code, said, noted = command("fit", *arguments)
    assert code == 0
    first, table = said.split("\n\n", 1)
    assert first.startswith("Proposed: ")
    assert "Predicted gain over natural: +" in first
    assert "not proven" in first
    assert all(name in table for name in FULL)
    assert "the prefix `train_`" in noted
    assert "rows of r.csv sum to" in noted
    assert "fit: 3/3" in noted

    proposal = json.loads((out / "proposal.json").read_text())
    weights = np.array([proposal["weights"][name] for name in FULL])
    assert weights.sum() == pytest.approx(1)
    assert set(proposal["baselines"]) == {"natural", "uniform", "best_observed", "ours"}
    assert proposal["baselines"]["natural"] == pytest.approx(dict(zip(FULL, [0.1, 0.2, 0.6, 0.1], strict=True)))
    assert proposal["baselines"]["ours"]["train_wiki"] == 0.5
    assert set(proposal["predicted"]["ours"]) == {"objective", "gain", "se", "probability", "tasks", "families"}
    assert set(proposal["objective"]["weights"]) == set(LOSSES)
    assert max(proposal["repetition"]["proposal"].values()) <= 4 + 1e-6
    low, high = (np.array([proposal["interval"][end][name] for name in FULL]) for end in ("low", "high"))
    assert np.all((low <= weights + 1e-8) & (weights <= high + 1e-8))

    def value(mix: dict[str, float]) -> float:
        return float(truth(np.array([mix[name] for name in FULL])).mean())

    for name in ("natural", "ours"):
        assert value(proposal["weights"]) < value(proposal["baselines"][name])

    report = (out / "report.md").read_text()
    assert all(name in report for name in [*FULL, *LOSSES, "ours"])


def test_fit_writes_the_joined_tables_and_scores_of_all_laws(fitted: Path, tables) -> None:
    ratios, metrics = read_table(fitted / "ratios.csv"), read_table(fitted / "metrics.csv")
    assert list(ratios) == list(metrics) == [str(i) for i in range(1, 25)]
    assert list(ratios["1"]) == FULL
    assert list(metrics["1"]) == LOSSES
    measured = {str(row["index"]): row for row in pl.read_csv(tables[1]).to_dicts()}
    assert all(metrics[run][task] == measured[run][task] for run in metrics for task in LOSSES)
    assert all(sum(row.values()) == pytest.approx(1, abs=1e-12) for row in ratios.values())
    content = json.loads((fitted / "fit.json").read_text())
    assert content["format"] == 1
    assert content["runs"] == {"finished": 24, "planned": 24}
    assert list(content["tasks"]) == sorted(LOSSES)
    for task in content["tasks"].values():
        assert task["version"] >= 1
        assert {score["law"] for score in task["scores"]} == {"linear", "power"}
        assert task["law"] == min(task["scores"], key=lambda score: score["error"])["law"]
        assert all(set(score) == {"law", "error", "rmse", "r2", "spearman", "shares"} for score in task["scores"])
        assert {each["domain"] for each in task["contrasts"]} == set(FULL)


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_predict_ranks_unseen_mixes_under_the_metrics_names(fitted: Path, command, tmp_path: Path, ending: str) -> None:
    unseen = mixes(60, seed=5, first=100)
    shuffled = unseen.select(["index", *reversed(FULL)])
    getattr(shuffled, f"write_{ending}")(tmp_path / f"t.{ending}")
    out = tmp_path / "deep" / f"p.{ending}"
    code, said, _ = command("predict", fitted, "--ratios", tmp_path / f"t.{ending}", "--out", out)
    assert code == 0
    assert "60 mixes" in said
    predicted = pl.read_csv(out, schema_overrides={"run": pl.String}) if ending == "csv" else pl.read_parquet(out)
    assert predicted.columns == ["run", *LOSSES]
    assert predicted["run"].to_list() == [str(i) for i in range(100, 160)]
    measured = losses(unseen, noise=0)
    for task in LOSSES:
        assert spearmanr(predicted[task], measured[task])[0] > 0.97


def test_predict_gives_the_proposal_what_fit_predicted_for_it(fitted: Path, command, tmp_path: Path) -> None:
    proposal = json.loads((fitted / "proposal.json").read_text())
    row = [proposal["weights"][name] for name in FULL]
    (tmp_path / "t.csv").write_text(f"name,{','.join(FULL)}\np,{','.join(map(repr, row))}\n")
    first, second = tmp_path / "p.csv", tmp_path / "q.csv"
    for out in (first, second):
        assert command("predict", fitted, "--ratios", tmp_path / "t.csv", "--out", out)[0] == 0
    assert read_table(first)["p"] == pytest.approx(proposal["predicted"]["proposal"]["tasks"], rel=1e-6)
    assert first.read_bytes() == second.read_bytes()


def test_the_same_input_gives_the_same_bytes(fitted: Path, tables, config, command, tmp_path: Path) -> None:
    again = tmp_path / "again"
    command("fit", "--ratios", tables[0], "--metrics", tables[1], "--config", config(), "--out", again)
    for name in ("ratios.csv", "metrics.csv", "fit.json", "proposal.json", "report.md"):
        assert (fitted / name).read_bytes() == (again / name).read_bytes(), name


def test_an_unfinished_swarm_is_fitted_and_said_to_be(tables, config, command, tmp_path: Path) -> None:
    pl.read_csv(tables[1]).head(16).write_csv(tables[1])
    out = tmp_path / "out"
    code, said, noted = command(
        "fit", "--ratios", tables[0], "--metrics", tables[1], "--config", config(), "--out", out
    )
    assert code == 0
    assert "natural (here the mean of the runs)" in said
    assert "16 of 24 runs have metrics (67%)" in noted
    assert "Fitted on 16 of 24 runs" in (out / "report.md").read_text()


def test_a_recipe_of_another_project_is_followed_and_named(tables, config, command, tmp_path: Path) -> None:
    out = tmp_path / "olmix"
    path = tmp_path / "recipe.yaml"
    path.write_text(CONFIG + "propose: {recipe: olmix}\n", encoding="utf-8")
    code, _, error = command("fit", "--ratios", tables[0], "--metrics", tables[1], "--config", path, "--out", out)
    assert code == 0, error
    assert {task["law"] for task in json.loads((out / "fit.json").read_text())["tasks"].values()} == {"olmix"}
    assert json.loads((out / "proposal.json").read_text())["recipe"] == "olmix"
    assert "Recipe: olmix (Chen et al. 2026)" in (out / "report.md").read_text()
    code, _, error = command("predict", out, "--ratios", tables[0], "--out", tmp_path / "p.csv")
    assert code == 0, error


def test_wrong_input_to_fit_ends_with_one_line_and_exit_code_2(tables, config, command, tmp_path: Path) -> None:
    ratios, metrics = tables

    def failed(message: str, **changed: Path) -> None:
        paths = {"ratios": ratios, "metrics": metrics, "out": tmp_path / "out", **changed}
        code, said, error = command("fit", *(part for key, path in paths.items() for part in (f"--{key}", path)))
        assert (code, said) == (2, "")
        assert message in error.splitlines()[-1]
        assert not (tmp_path / "out").exists()

    quick = config()
    failed("no such file", ratios=tmp_path / "none.csv")
    failed("no such file", config=tmp_path / "none.yaml")
    failed("--out is a file", out=ratios, config=quick)
    failed("did you mean `code`?", config=config("domains: {cod: 1B}"))
    failed("no mix satisfies all of", config=config("propose: {bounds: {web: {min: 0.6}, wiki: {min: 0.6}}}"))
    kept = pl.read_csv(metrics)
    kept.head(2).write_csv(metrics)
    failed("m.csv: 2 finished runs: 2 runs are too few", config=config("fit: {laws: [linear]}"))
    kept.with_columns(-kept["metric/web_loss"]).write_csv(metrics)
    failed("m.csv: task metric/web_loss has values that are not positive", config=config())


def test_fit_does_not_write_over_the_tables_that_it_reads(fitted: Path, config, command) -> None:
    before = (fitted / "ratios.csv").read_bytes()
    arguments = ["--ratios", fitted / "ratios.csv", "--metrics", fitted / "metrics.csv", "--config", config()]
    code, _, error = command("fit", *arguments, "--out", fitted)
    assert code == 2
    assert "would be overwritten" in error
    assert (fitted / "ratios.csv").read_bytes() == before


def test_wrong_input_to_predict_ends_with_one_line_and_exit_code_2(fitted: Path, command, tmp_path: Path) -> None:
    good = tmp_path / "t.csv"
    mixes(3, seed=1).write_csv(good)

    def failed(message: str, folder: Path = fitted, ratios: Path = good, out: Path = tmp_path / "p.csv") -> None:
        code, said, error = command("predict", folder, "--ratios", ratios, "--out", out)
        assert (code, said) == (2, "")
        assert len(error.splitlines()) == 1
        assert message in error
        assert not (tmp_path / "p.csv").exists()

    failed("expected a folder that `mixwright fit` wrote", folder=tmp_path)
    failed("ends in .csv or .parquet", out=tmp_path / "p.json")
    failed("--out is a folder", out=shutil.copytree(fitted, tmp_path / "d.csv"))
    failed("which would be lost", out=good)
    bad = tmp_path / "bad.csv"
    pl.read_csv(good).rename({"train_code": "train_cod"}).write_csv(bad)
    failed("column `train_cod` is no domain of the fit (did you mean `train_code`?)", ratios=bad)
    pl.read_csv(good).drop("train_code").write_csv(bad)
    failed("no column for `train_code`", ratios=bad)
    for old, new, message in (
        ('"format": 1', '"format": 9', "format 9"),
        ('"power"', '"pover"', "did you mean `power`?"),
    ):
        other = shutil.copytree(fitted, tmp_path / new.strip('"').replace('": ', ""))
        text = (other / "fit.json").read_text()
        assert old in text
        (other / "fit.json").write_text(text.replace(old, new))
        failed(message, folder=other)


def test_help_shows_an_example(command) -> None:
    for name in ("fit", "predict"):
        code, said, _ = command(name, "--help")
        assert code == 0
        assert f"mixwright {name}" in said


def test_metrics_that_are_better_when_higher_guards_and_the_front(tables, config, command, tmp_path: Path) -> None:
    """Accuracies may be 0; what is guarded is predicted no worse; families are weighed against each other."""
    metrics = pl.read_csv(tables[1])
    accuracy = pl.Series("quiz/web", np.clip(1.5 - metrics["metric/web_loss"].to_numpy() / 3, 0, 1))
    metrics.select("index", "metric/arxiv_loss", "metric/code_loss", accuracy).write_csv(tables[1])
    options = "objective: {maximise: [quiz], no_worse_than: {metric: natural}}"
    arguments = ["--ratios", tables[0], "--metrics", tables[1], "--config", config(options), "--out", tmp_path / "out"]
    code, _, error = command("fit", *arguments)
    assert code == 0, error
    record = json.loads((tmp_path / "out" / "proposal.json").read_text())
    assert record["objective"]["maximise"] == ["quiz/web"]
    ours, natural = (record["predicted"][name] for name in ("proposal", "natural"))
    assert ours["tasks"]["quiz/web"] > natural["tasks"]["quiz/web"]
    for task in ("metric/arxiv_loss", "metric/code_loss"):
        assert ours["tasks"][task] <= natural["tasks"][task] + 1e-6 * record["objective"]["reference"][task]
    assert any("no worse than natural" in name for name in record["binding"])
    assert set(ours["families"]) == {"metric", "quiz"}
    assert len(record["pareto"]) > 2
    for point in record["pareto"]:
        assert sum(point["weights"].values()) == pytest.approx(1)
        assert set(point["families"]) == set(point["family_weights"]) == {"metric", "quiz"}
    fitted = json.loads((tmp_path / "out" / "fit.json").read_text())["tasks"]
    assert [task for task, each in fitted.items() if each["maximised"]] == ["quiz/web"]
    assert fitted["quiz/web"]["version"] > fitted["metric/code_loss"]["version"]
    row = [record["weights"][name] for name in FULL]
    (tmp_path / "t.csv").write_text(f"name,{','.join(FULL)}\np,{','.join(map(repr, row))}\n")
    code, _, error = command("predict", tmp_path / "out", "--ratios", tmp_path / "t.csv", "--out", tmp_path / "p.csv")
    assert code == 0, error
    assert read_table(tmp_path / "p.csv")["p"] == pytest.approx(ours["tasks"], rel=1e-6)
    report = (tmp_path / "out" / "report.md").read_text()
    assert "↑ quiz/web" in report
    assert "## Between families" in report


def test_guards_that_no_mix_keeps_are_named(tables, config, command, tmp_path: Path) -> None:
    options = "references: {c: {code: 1}, a: {arxiv: 1}}\nobjective: {no_worse_than: {code: c, arxiv: a}}"
    options += "\npropose: {extrapolate: true}"
    arguments = ["--ratios", tables[0], "--metrics", tables[1], "--config", config(options), "--out", tmp_path / "out"]
    code, _, error = command("fit", *arguments)
    assert code == 2
    collision = "metric/code_loss no worse than c; metric/arxiv_loss no worse than a"
    assert collision in error.splitlines()[-1]

"""A swarm in the middle of its run can be fitted, says how far it is, and its store is left as it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline import unfinished
from pipeline.errors import InputError
from pipeline.load import load_mix
from pipeline.own_swarm.predict import predict
from pipeline.progress import Progress
from pipeline.records import normalised
from pipeline.run import Run
from pipeline.tables import read_table, write_table
from pipeline.unfinished import fit_finished
from tests.pipeline.conftest import walk_here

BASELINES = ("natural", "uniform", "prior")


def opened(path: Path) -> Run:
    return Run.open(load_mix(path))


@pytest.fixture(scope="module")
def scored(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The YAML of a tiny swarm of one round, trained and scored, with nothing fitted."""
    from tests.pipeline.conftest import SAMPLES, TINY

    home = tmp_path_factory.mktemp("scored")
    text = TINY.format(folder=tiny_data, evals=SAMPLES / "evals").replace(f"{tiny_data}/store", f"{home}/store")
    path = home / "tiny.yaml"
    path.write_text(text.replace("rounds: [9, 3], ", "") + "fit: {laws: [linear, power]}\n", encoding="utf-8")
    walk_here(path, until="score")
    return path


def test_what_is_finished_is_fitted_and_the_rest_is_said_to_be_missing(scored: Path, tmp_path: Path) -> None:
    store = scored.parent / "store"
    run = walk_here(scored, until="score")
    away = [unit for unit in run.of("score") if unit.name.startswith(run.of("train")[-1].name)][-1]
    manifest = store / "manifests" / f"{away.ref}.json"
    held = manifest.read_text()
    manifest.unlink()  # the last proxy has one task to be scored still
    before = sorted(store.rglob("*"))
    record = fit_finished(opened(scored), tmp_path / "out")
    manifest.write_text(held)
    assert sum(record["weights"].values()) == pytest.approx(1)
    for name in ("ratios.csv", "metrics.csv"):
        runs = read_table(tmp_path / "out" / name)
        assert len(runs) == 11
        assert run.of("train")[-1].name not in runs
    fitted = json.loads((tmp_path / "out" / "fit.json").read_text())
    assert fitted["runs"] == {"finished": 11, "planned": 12}
    assert all(task["version"] >= 1 and task["law"] in ("linear", "power") for task in fitted["tasks"].values())
    assert "the swarm is unfinished: 11 of 12 runs" in " ".join((tmp_path / "out" / "report.md").read_text().split())
    assert [path for path in before if path.exists()] == before
    assert not (store / "manifests" / "fit").exists()


def test_a_finished_swarm_gets_what_the_run_itself_would_propose(scored: Path, tmp_path: Path) -> None:
    record = fit_finished(opened(scored), tmp_path / "out")
    run = walk_here(scored, until="propose")
    own = json.loads((run.store.local(run.of("propose")[0].ref) / "proposal.json").read_text())
    assert record["weights"] == own["weights"]
    assert record["predicted"] == own["predicted"]
    assert "unfinished" not in (tmp_path / "out" / "report.md").read_text()


@pytest.mark.parametrize("change", ["", "freeze", "gone"])
def test_predict_reads_such_a_folder_and_says_what_the_proposal_said(
    scored: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """Seed blocks, frozen groups and domains that are gone belong to the laws, though no table speaks of them."""
    found = unfinished.finished_runs

    def changed(run: Run) -> tuple[dict[str, Any], dict[str, dict[str, str]]]:
        design, finished = found(run)
        *kept, last = design["domains"]
        if change == "freeze":
            design |= {"freeze": {"rest": dict.fromkeys(design["domains"][-2:], 0.5)}}
        if change == "gone":
            design |= {"domains": kept, "gone": [last]}
            design |= {each: normalised({name: design[each][name] for name in kept}) for each in BASELINES}
        return design, finished

    monkeypatch.setattr(unfinished, "finished_runs", changed)
    run = opened(scored)
    out = tmp_path / "out"
    record = fit_finished(run, out)
    write_table(tmp_path / "t.csv", {"proposal": record["weights"]})
    assert predict(out, tmp_path / "t.csv", tmp_path / "p.csv", Progress()) == 1
    predicted = read_table(tmp_path / "p.csv")["proposal"]
    assert predicted == pytest.approx(record["predicted"]["proposal"]["tasks"], rel=1e-6)


def test_predict_knows_that_an_accuracy_is_better_when_higher(scored: Path, tmp_path: Path) -> None:
    """Its law was fitted upside down, and must be again."""
    path = tmp_path / scored.name
    path.write_text(scored.read_text().replace("items: 60}", "items: 60, metric: [bpb, acc]}"), encoding="utf-8")
    record = fit_finished(walk_here(path, until="score"), tmp_path / "out")
    tasks = json.loads((tmp_path / "out" / "fit.json").read_text())["tasks"]
    assert {name: task["maximised"] for name, task in tasks.items() if name.startswith("bench/")} == {
        "bench/arc_easy": False,
        "bench/arc_easy.acc": True,
    }
    write_table(tmp_path / "t.csv", {"proposal": record["weights"]})
    predict(tmp_path / "out", tmp_path / "t.csv", tmp_path / "p.csv", Progress())
    predicted = read_table(tmp_path / "p.csv")["proposal"]
    assert predicted == pytest.approx(record["predicted"]["proposal"]["tasks"], rel=1e-6)


def test_a_run_without_a_design_is_wrong_input(tiny_yaml, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"tiny.yaml: no mix of its swarm is chosen yet"):
        fit_finished(opened(tiny_yaml()), tmp_path / "out")

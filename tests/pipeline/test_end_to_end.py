"""The whole way with the real command line and a real Ray: a proven mix, nothing done twice, the same after a kill."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest


def mixwright(*words: str | Path, **options) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, **options)


@pytest.fixture(scope="module")
def finished(tiny_data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, str]:
    """A finished tiny run: the YAML, the run folder and what was printed to standard error."""
    from tests.pipeline.conftest import SAMPLES, TINY

    home = tmp_path_factory.mktemp("whole")
    path = home / "tiny.yaml"
    text = TINY.format(folder=tiny_data, evals=SAMPLES / "evals").replace(f"{tiny_data}/store", f"{home}/store")
    path.write_text(text, encoding="utf-8")
    done = mixwright("run", path)
    assert done.returncode == 0, done.stderr
    return path, Path(done.stdout.splitlines()[-1]), done.stderr


def test_the_last_line_is_the_run_folder_and_it_holds_everything(finished) -> None:
    path, folder, _ = finished
    names = {file.name for file in folder.iterdir()}
    assert names >= {"mix.yaml", "mix.json", "ratios.csv", "metrics.csv", "report.html", "report.md", "funnel.parquet"}
    assert folder.name.startswith("tiny-")
    assert folder.parent == path.parent / "store"


def test_mix_json_says_what_is_proposed_predicted_and_measured(finished) -> None:
    mix = json.loads((finished[1] / "mix.json").read_text())
    assert abs(sum(mix["weights"].values()) - 1) < 1e-6
    assert min(mix["weights"].values()) >= 0
    assert set(mix["baselines"]) == {"natural", "uniform", "best_observed"}
    assert mix["baselines"]["natural"]["wikipedia.qa"] == 0, "natural is the raw parents"
    for name in ("proposal", "natural", "uniform", "best_observed"):
        measured = mix["measured"][name]
        assert len(measured["seeds"]) == 2
        assert set(measured["tasks"]) == {"heldout/wikipedia", "heldout/questions", "heldout/ocr", "bench/arc_easy"}
        assert measured["mean"] == pytest.approx(sum(measured["seeds"]) / 2)
        if name != "proposal":
            assert 0 <= measured["p_value"] <= 1
            assert measured["gain"] == pytest.approx(measured["mean"] - mix["measured"]["proposal"]["mean"], abs=1e-9)
    assert mix["measured"]["natural"]["mean"] == pytest.approx(1, abs=1e-9), "relative to the natural mix"


def test_the_run_folder_says_what_domains_cost_and_what_variants_are_worth(finished) -> None:
    _, folder, _ = finished
    mix = json.loads((folder / "mix.json").read_text())
    spent = {each["domain"]: each for each in json.loads((folder / "costs.json").read_text())}
    assert set(spent) == set(mix["weights"])
    assert spent["wikipedia.qa"]["rewriting"] > 0 == spent["wikipedia"]["rewriting"]
    assert all(each["curation"] > 0 and each["tokens"] > 0 for each in spent.values())
    variants = {name for name, weight in mix["weights"].items() if "." in name and weight > 0}
    assert set(mix["worth"]) == variants
    page = (folder / "report.html").read_text()
    assert "What a domain costs and what it is worth" in page
    (made,) = (folder.parent / "data/report").iterdir()
    assert "What a domain costs" not in (made / "report.html").read_text(), "seconds are in no artefact"


def test_weights_caps_and_epochs_speak_of_the_same_domains(finished) -> None:
    mix = json.loads((finished[1] / "mix.json").read_text())
    natural = mix["repetition"]["natural"]
    assert max(natural.values()) == pytest.approx(min(natural.values())), (
        "natural passes over every source equally often"
    )
    assert max(mix["repetition"]["proposal"].values()) <= 4 + 1e-6, "the repetition cap"


def test_ratios_and_metrics_hold_every_run_of_the_swarm(finished) -> None:
    tables = [(finished[1] / name).read_text().splitlines() for name in ("ratios.csv", "metrics.csv")]
    assert [line.split(",")[0] for line in tables[0]] == [line.split(",")[0] for line in tables[1]]
    assert len(tables[0]) == 1 + 12
    for line in tables[0][1:]:
        assert sum(map(float, line.split(",")[1:])) == pytest.approx(1, abs=1e-9)


def test_a_finished_run_is_exported(finished, tmp_path: Path) -> None:
    _, folder, _ = finished
    done = mixwright("export", folder, "--to", "megatron", "--out", tmp_path / "blend")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(tmp_path / "blend")]
    weights = json.loads((folder / "mix.json").read_text())["weights"]
    words = (tmp_path / "blend" / "blend.txt").read_text().split()
    blend = {Path(prefix).name: float(weight) for weight, prefix in zip(words[::2], words[1::2], strict=True)}
    assert blend == {name: weight for name, weight in weights.items() if weight > 0}
    rows = json.loads((tmp_path / "blend" / "mix.json").read_text())["domains"]
    for name in blend:
        assert (tmp_path / "blend" / f"{name}.bin").stat().st_size == 2 * rows[name]["available_tokens"]


def test_progress_is_plain_lines_when_piped(finished) -> None:
    lines = finished[2].splitlines()
    assert any(line.startswith("train: 12/12, ") and line.endswith("done") for line in lines)
    assert "\x1b" not in finished[2]


def test_a_second_run_does_nothing_and_says_so_without_ray(finished) -> None:
    path, folder, _ = finished
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    again = mixwright("run", path)
    assert again.returncode == 0, again.stderr
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime < 10  # whatever else the cores do
    assert "Nothing to do" in again.stderr
    assert "Ray" not in again.stderr
    assert again.stdout.splitlines()[-1] == str(folder)


def test_the_design_of_all_rounds_is_remembered_for_other_domains(finished) -> None:
    store = finished[0].parent / "store"
    (pin,) = (store / "pins" / "tiny").glob("swarm-*/*.json")
    key = json.loads(pin.read_text())["key"]
    assert len(json.loads((store / "data" / "design" / key / "swarm.json").read_text())["mixes"]) == 12


def test_an_added_eval_trains_nothing(finished) -> None:
    path, folder, _ = finished
    text = path.read_text()
    evals = Path(__file__).parents[2] / "samples" / "evals"
    path.write_text(
        text.replace(
            "items: 60}",
            f"items: 60}}\n    openbookqa: {{path: {evals}/openbookqa.jsonl.gz, items: 60, metric: [bpb, acc]}}",
        )
    )
    try:
        plan = mixwright("plan", path)
        for line in ("tokenize     7 done, 0 to do", "train        9 done, 0 to do", "score        36 done, 9 to do"):
            assert line in plan.stdout, plan.stdout
        assert "train 2      12 done, 0 to do" in plan.stdout, "the mixes of the second round are kept"
        done = mixwright("run", path)
        assert done.returncode == 0, done.stderr
        units = dict(re.findall(r"(\w+) (\d+)[,.]", done.stderr.rpartition("Units run: ")[2]))
        proxies = 12 + 2 * 4  # of the swarm and of the proof
        assert units == {
            "benchmarks": "2", "overlap": "7", "requests": "1", "score": "12", "laws": "2", "fit": "1",
            "propose": "1", "confirm": str(proxies - 12), "validate": "1", "report": "1",
        }  # fmt: skip
        before, after = (
            json.loads((each / "mix.json").read_text()) for each in (folder, Path(done.stdout.splitlines()[-1]))
        )
        assert 0 <= after["measured"]["proposal"]["tasks"]["bench/openbookqa.acc"] <= 1
        assert after["objective"]["maximise"] == ["bench/openbookqa.acc"]
        assert after["weights"] == before["weights"]
        assert after["baselines"] == before["baselines"]
        assert "what tiny proved is kept" in done.stderr
        assert "Nothing to do" in mixwright("run", path).stderr
        path.write_text(path.read_text().replace("metric: [bpb, acc]", "metric: acc_per_char"))
        plan = mixwright("plan", path).stdout.splitlines()
        assert [
            line for line in plan if re.match("(benchmarks|requests|train|score|confirm) .* [^0 ] to do", line)
        ] == []
        assert any(re.match("fit .* 1 to do", line) for line in plan), (
            "another metric is another fit, and no forward pass"
        )
    finally:
        path.write_text(text)


def test_a_run_killed_half_way_ends_in_the_same_mix(finished, tmp_path: Path) -> None:
    path, folder, _ = finished
    copy = tmp_path / "tiny.yaml"
    copy.write_text(path.read_text().replace(f"{path.parent}/store", f"{tmp_path}/store"))
    command = [sys.executable, "-m", "pipeline", "run", str(copy)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    checkpoints = tmp_path / "store" / "manifests" / "train"
    deadline = time.monotonic() + 400
    while time.monotonic() < deadline and (not checkpoints.exists() or len(list(checkpoints.iterdir())) < 5):
        time.sleep(0.2)
    os.killpg(process.pid, signal.SIGKILL)  # the driver and the Ray that it started
    process.wait()
    finished_before = len(list(checkpoints.iterdir()))
    assert 5 <= finished_before < 12, "it was to be killed in the middle of the swarm"
    done = mixwright("run", copy)
    assert done.returncode == 0, done.stderr
    resumed = Path(done.stdout.splitlines()[-1])
    assert (resumed / "mix.json").read_bytes() == (folder / "mix.json").read_bytes()
    trained = re.search(r"Units run: train (\d+),", done.stderr)
    assert trained, "nothing before the swarm is done again"
    # workers in the middle of a proxy may still finish it after their driver is gone
    assert 1 <= int(trained[1]) <= 12 - finished_before, "only the missing proxies are trained"


def test_wrong_input_is_one_message_exit_code_2_and_no_traceback(finished, tmp_path: Path) -> None:
    path, *_ = finished
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(path.read_text().replace("scorer: sklearn", "scorer: sklern"))
    done = mixwright("run", wrong)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"{wrong}:12: `annotate.clean.scorer`: there is no scorer `sklern` (did you mean `sklearn`?)" in done.stderr
    assert "Traceback" not in done.stderr


def test_finished_proxies_are_logged_on_mlflow_once(finished: tuple[Path, Path, str], tmp_path: Path) -> None:
    """In a database of MLflow's: each proxy with its mix and its scores, and nothing twice."""
    from mlflow import MlflowClient

    path, folder, _ = finished
    uri = f"sqlite:///{tmp_path}/mlflow.db"
    for _ in range(2):
        done = mixwright("run", path, "--mlflow", uri)
        assert done.returncode == 0, done.stderr
        assert "Nothing to do" in done.stderr
    client = MlflowClient(tracking_uri=uri)
    experiment = client.get_experiment_by_name("mixwright/tiny")
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id], max_results=1000)
    swarm = {run.info.run_name: run for run in runs if run.data.tags["mixwright.part"] == "swarm"}
    ratios, metrics = (pl.read_csv(folder / f"{name}.csv").to_dicts() for name in ("ratios", "metrics"))
    assert set(swarm) == {row["run"] for row in ratios}
    assert any(run.data.tags["mixwright.part"] == "proof" for run in runs)
    for row in metrics:
        logged = swarm[row["run"]].data.metrics
        for task, value in row.items():
            if task.startswith("heldout/"):
                assert logged[f"steer/{task}"] == pytest.approx(value, abs=1e-6)
        assert logged["last_loss"] < logged["first_loss"]
    for run in swarm.values():
        weights = [float(value) for name, value in run.data.params.items() if name.startswith("weight/")]
        assert sum(weights) == pytest.approx(1)


def test_an_mlflow_server_that_is_not_there_is_wrong_input(finished: tuple[Path, Path, str]) -> None:
    done = mixwright("run", finished[0], "--mlflow", "http://127.0.0.1:9")
    assert done.returncode == 2
    assert "MLflow at http://127.0.0.1:9: " in done.stderr
    assert "Traceback" not in done.stderr

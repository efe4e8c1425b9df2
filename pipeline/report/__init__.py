"""Stage `report`: everything a person decides from, as one HTML page, Markdown and JSON."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from pipeline.examples import examples_frame
from pipeline.failures import FAILED
from pipeline.funnel import STAGES as FUNNEL_STAGES
from pipeline.funnel import funnel_frame
from pipeline.load import resolved
from pipeline.report.samples import SHARDS, drawn, kept_samples, rewritten_samples, shards_of
from pipeline.run import Run
from pipeline.store import write_json
from pipeline.tables import read_table
from pipeline.units import Job, Unit

VERSION = 7


def units(run: Run) -> list[Unit]:
    """One unit over all that the report shows. Times are not in it: the same inputs give the same page."""
    inputs = {stage: run.of(stage)[-1].ref for stage in ("design", "fit", "propose", "validate", "numerics")}
    for stage in (
        *FUNNEL_STAGES,
        "classifiers",
        "suite",
        "overlap",
        "requests",
        "train",
        "proof",
        "transfer",
        "curve",
        "laws",
    ):
        inputs |= {f"{stage}|{unit.name}": unit.ref for unit in run.of(stage)}
    inputs |= {f"annotate|{unit.name}": unit.ref for unit in run.of("annotate") if unit.name.endswith("/contamination")}
    args = {"mix": run.mix.stem, "config": resolved(run.config)}
    return [Unit("report", "report", VERSION, args, inputs)]


def work(job: Job) -> dict[str, Any]:
    """Write the files of the run folder."""
    from pipeline.report.html import render_html
    from pipeline.report.markdown import render_markdown

    for stage, names in (("fit", ("ratios.csv", "metrics.csv", "fit.json")), ("validate", ("verdict.txt",))):
        for name in names:
            shutil.copyfile(job.inputs[stage] / name, job.out / name)
    data = collect(job)
    write_json(job.out / "mix.json", data["mix"])
    data["funnel"].write_parquet(job.out / "funnel.parquet")
    data["funnel"] = data["funnel"].to_dicts()
    data["examples"].write_parquet(job.out / "examples.parquet")
    data["examples"] = data["examples"].to_dicts()
    config = yaml.safe_dump(job.args["config"], sort_keys=False, allow_unicode=True)
    (job.out / "mix.yaml").write_text(config, encoding="utf-8")
    data["config"] = config
    (job.out / "report.html").write_text(render_html(data), encoding="utf-8")
    (job.out / "report.md").write_text(render_markdown(data), encoding="utf-8")
    return {"bytes": (job.out / "report.html").stat().st_size}


def collect(job: Job) -> dict[str, Any]:
    """Return the report's data.

    Keys: `title`; `mix` (mix.json, with the licences of every mix); `fit` (fit.json); `forms` (task → form.json of its
    law); `swarm` (swarm.json);
    `ratios` and `metrics` (run → column → value); `funnel` (frame, see pipeline.funnel); `examples` (frame, see
    pipeline.examples); `proxies` (run → tokens, realised, repetition, first_loss, last_loss), of swarm, proof and
    transfer, without those that diverged; `larger` (runs of the last); `diverged` (those); `curves` (run → held-out
    task → share of the training → bits per byte, empty unless asked for); `requests` (task → side → items, bytes,
    tokens, truncated); `classifiers` (name → counts and auc); `numerics` (plan and reason); `samples`
    (variant/shard → rewritten and rejected texts); `kept` (source → documents that were kept); `cards` (classifier →
    its card as Markdown); `licenses` (domain → licence → share of its tokens); `masked`
    (source → kind → addresses, of those that ask for it); `unread` (shard → why it
    could not be read whole); `contamination` (`suite`: its counts, `matched`: source →
    eval → documents, `later`: eval → domain → training texts).
    """

    def read(stage: str, name: str) -> Any:
        return json.loads((job.inputs[stage] / name).read_text(encoding="utf-8"))

    def roles(stage: str) -> list[str]:
        return [role for role in job.inputs if role.startswith(f"{stage}|")]

    def counts(stage: str) -> dict[str, dict[str, Any]]:
        return {role.split("|", 1)[1]: job.counts(role) for role in roles(stage)}

    def text_of(role: str, name: str) -> str:
        return (job.inputs[role] / name).read_text(encoding="utf-8")

    seed = job.args["config"]["seed"]
    swarm, proof, larger = counts("train"), counts("proof"), counts("transfer")
    licenses = _licenses(counts("tokenize"))
    mix = read("validate", "mix.json")
    mixes = {"proposal": mix["weights"], **mix["baselines"]}
    return {
        "title": job.args["config"]["report"]["title"] or job.args["mix"],
        "mix": {**mix, "licenses": {name: mixed(weights, licenses) for name, weights in mixes.items()}},
        "fit": read("fit", "fit.json"),
        "forms": {
            role.split("|", 1)[1]: json.loads((job.inputs[role] / "form.json").read_text(encoding="utf-8"))
            for role in roles("laws")
        },
        "swarm": read("design", "swarm.json"),
        "ratios": read_table(job.inputs["fit"] / "ratios.csv"),
        "metrics": read_table(job.inputs["fit"] / "metrics.csv"),
        "funnel": funnel_frame((stage, unit, c) for stage in FUNNEL_STAGES for unit, c in counts(stage).items()),
        "examples": examples_frame(
            (role.split("|")[1], job.inputs[role] / "examples.parquet") for role in roles("select")
        ),
        "proxies": {run: each for run, each in (swarm | proof | larger).items() if FAILED not in each},
        "larger": [run for run, each in larger.items() if FAILED not in each],
        "diverged": [run for run, each in (swarm | proof | larger).items() if FAILED in each],
        "curves": {run: each["bpb"] for run, each in counts("curve").items()},
        "requests": counts("requests"),
        "classifiers": counts("classifiers"),
        "numerics": job.counts("numerics"),
        "licenses": licenses,
        "masked": _summed((unit, c["masked"]) for unit, c in counts("sources").items() if "masked" in c),
        "unread": {unit: "; ".join(c["unread"]) for unit, c in counts("sources").items() if "unread" in c},
        "contamination": {
            "suite": next(iter(counts("suite").values()), {}),
            "matched": _summed((unit, c["matched"]) for unit, c in counts("annotate").items()),
            "later": _later(counts("overlap")),
        },
        "samples": {
            shard: rewritten_samples(job.inputs[f"rewrite|{shard}"], shard, seed)
            for variant, shards in shards_of(job.inputs, "rewrite").items()
            for shard in drawn(shards, SHARDS, seed, variant)
        },
        "kept": kept_samples(job.inputs, seed),
        "cards": {role.split("|")[1]: text_of(role, "card.md") for role in roles("classifiers")},
    }


def _summed(entries: Iterable[tuple[str, dict[str, int]]]) -> dict[str, dict[str, int]]:
    """Return source or domain → name → sum over its shards."""
    total: dict[str, Counter[str]] = {}
    for unit, each in entries:
        total.setdefault(unit.split("/")[0], Counter()).update(each)
    return {name: dict(each) for name, each in total.items()}


def _licenses(tokenized: dict[str, dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Return domain → licence → share of its target tokens."""
    total = _summed((unit, c["licenses"]) for unit, c in tokenized.items())
    return {name: {lic: n / sum(each.values()) for lic, n in sorted(each.items())} for name, each in total.items()}


def mixed(weights: Mapping[str, float], shares: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """Return licence → share of a mix's tokens; shares: domain → licence → share of its tokens."""
    total: dict[str, float] = {}
    for domain, weight in weights.items():
        for name, share in shares[domain].items():
            total[name] = total.get(name, 0.0) + weight * share
    return {name: round(share, 9) for name, share in total.items() if share}


def _later(overlap: dict[str, dict[str, Any]]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {}
    for unit, c in overlap.items():
        name, domain = unit.split("/")[:2]
        found.setdefault(name, Counter())[domain] += c["documents"]
    return {name: dict(each) for name, each in found.items()}

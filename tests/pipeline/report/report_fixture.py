"""The data of a report from planted numbers, made by the real stages design, fit, propose and validate.

Only what needs documents or training is invented: token counts, bits per byte, the funnel, samples. `python
report_fixture.py OUT` writes the page for looking at it.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from pipeline import laws, proof, proposal, swarm
from pipeline.config import Config
from pipeline.load import resolved
from pipeline.mixture.objective import maximised_tasks
from pipeline.report import collect
from pipeline.select import EXAMPLE_SCHEMA
from pipeline.units import Job

SOURCES = ("wikipedia", "code", "papers", "questions", "speeches", "ocr")
VARIANTS = {"wikipedia.qa": "wiki_qa", "ocr.clean": "ocr_cleanup"}
TOKENS = {
    "wikipedia": 2_400_000, "code": 1_900_000, "papers": 1_300_000, "questions": 800_000,
    "speeches": 450_000, "ocr": 600_000, "wikipedia.qa": 700_000, "ocr.clean": 580_000,
}  # fmt: skip
BENCHES = ("arc_easy", "lambada", "mbpp", "coin_flips")
LICENSES = {
    "code": {"MIT": 0.6, "Apache-2.0": 0.3, "unknown": 0.1},
    "papers": {f"publisher-{i:02d}": 0.05 for i in range(20)},
}
OTHERS = {"CC-BY-SA-4.0": 1.0}
"""Licence → share of the tokens of the other sources."""
EVIL = "<script>alert(1)</script> \"quoted\" 'single' \u202eright to left\u202c & done"


def config(
    *,
    variants: int = 2,
    reference: bool = True,
    seeds: int = 5,
    runs: int = 24,
    laws: list[str] | None = None,
    freeze: dict[str, Any] | None = None,
    transfer: dict[str, Any] | None = None,
) -> Config:
    """Return the mix YAML that the planted run belongs to. variants: how many of `VARIANTS`."""
    document: dict[str, Any] = {
        "seed": 1,
        "target": {"tokens": "8M"},
        "sources": {name: {"path": f"samples/{name}.parquet"} for name in SOURCES},
        "annotate": {"prose": {"scorer": "fasttext", "positive": ["wikipedia", "speeches"], "negative": ["code"]}},
        "select": [{"name": "too_short", "drop": "gopher_words < 30"}],
        "rewrite": {name: {"task": task} for name, task in list(VARIANTS.items())[:variants]},
        "swarm": {"runs": runs, "blocks": 4, "freeze": freeze or {}},
        "evals": {"benchmarks": {name: {"path": f"samples/evals/{name}.jsonl.gz"} for name in BENCHES}},
        "fit": {"laws": laws},
        "propose": {"max_repetition": 4},
        "validate": {"seeds": seeds, "transfer": transfer},
    }
    document["sources"]["papers"] |= {"origin": f"papers.example/archive {EVIL}", "mask": ["email", "ip"]}
    if reference:
        document["references"] = {"production": {"wikipedia": 0.5, "code": 0.3, "papers": 0.2}}
    return Config.model_validate(yaml.safe_load(yaml.safe_dump(document)))


class Planted:
    """Bits per byte as a known function of the mix, plus an effect of the seed block and noise."""

    def __init__(self, domains: list[str], tasks: list[str], seed: int) -> None:
        self.domains, self.tasks, self.seed = domains, tasks, seed
        rng = np.random.default_rng(seed)
        self.base = dict(zip(tasks, rng.uniform(1.6, 3.2, len(tasks)), strict=True))
        self.help = {task: dict(zip(domains, rng.uniform(0, 0.02, len(domains)), strict=True)) for task in tasks}
        for task, helped in self.help.items():
            name = task.split("/")[1]
            own = {domain: 0.12 for domain in domains if domain.split(".")[0] == name}
            strong = {
                "arc_easy": {"wikipedia.qa": 0.5, "questions": 0.2},
                "lambada": {"speeches": 0.3, "wikipedia": 0.2},
                "mbpp": {"code": 0.6, "questions": 0.1},
            }.get(name, own)
            helped |= {domain: value for domain, value in strong.items() if domain in domains}
            if name == "coin_flips":
                helped |= dict.fromkeys(domains, 0.0)

    def bpb(self, weights: Mapping[str, float], block: int, side: str) -> dict[str, float]:
        """Return task → bits per byte of a proxy; the same mix and block are the same proxy."""
        key = [round(1e6 * weights.get(domain, 0.0)) for domain in self.domains]
        noise = np.random.default_rng([self.seed, block, *side.encode(), *key])
        shared = np.random.default_rng([self.seed, 99, block]).normal(0, 0.004)
        found = {}
        for task in self.tasks:
            gain = sum(self.help[task][d] * (1 - np.exp(-3 * weights.get(d, 0.0))) for d in self.domains)
            found[task] = round(float(self.base[task] * (1 - gain + shared + noise.normal(0, 0.0025))), 9)
        return found


def build(folder: Path, settings: Config | None = None, *, seed: int = 3) -> dict[str, Any]:
    """Return the report's data of a planted run; `folder` is filled with the stages' artefacts."""
    settings = settings or config()
    rng = np.random.default_rng(seed)
    domains = settings.domain_names()
    origins = {name: settings.origin(name) for name in domains}
    tasks = [
        *(f"heldout/{name}" for name in settings.sources),
        *(f"bench/{name}" for name in settings.evals.benchmarks),
    ]
    planted = Planted(domains, tasks, seed)
    counts: dict[str, dict[str, Any]] = {}

    def job(stage: str, args: dict[str, Any], roles: Mapping[str, str]) -> Job:
        out = folder / stage
        out.mkdir(parents=True)
        inputs = {role: folder / place for role, place in roles.items()}
        return Job(args, inputs, {}, out, lambda role: counts[role])

    def proxy(run: str, weights: Mapping[str, float], block: int, side: str, prefix: str) -> None:
        realised = {d: w for d, w in weights.items() if w > 0}
        first, last = 8.3 + rng.normal(0, 0.01), 5.1 + rng.normal(0, 0.05)
        counts[f"{prefix}|{run}"] = {
            "tokens": settings.proxy.tokens,
            "realised": realised,
            "repetition": {d: round(w * settings.target.tokens / TOKENS[d], 3) for d, w in realised.items()},
            "first_loss": round(first, 4),
            "last_loss": round(last, 4),
        }
        for task, value in planted.bpb(weights, block, side).items():
            counts[f"score|{run}|{task}"] = {"requests": 40, "bytes": 50_000, "bpb": value}

    for name in domains:
        counts[f"{name}/000"] = {"target_tokens": TOKENS[name], "tokens": TOKENS[name]}
    propose = settings.propose.model_dump(mode="json")
    design_args = {
        "domains": origins,
        "design": settings.swarm.model_dump(mode="json"),
        "propose": {key: propose[key] for key in ("max_repetition", "bounds")},
        "target_tokens": settings.target.tokens,
        "seed": settings.seed,
    }
    design_job = job("design", design_args, {f"{name}/000": "tokens" for name in domains})
    swarm.design(design_job)
    plan = yaml.safe_load((folder / "design" / "swarm.json").read_text())
    for mix in plan["mixes"]:
        proxy(mix["run"], mix["weights"], mix["block"], "steer", "train")

    objective = settings.objective.model_dump(mode="json")
    raised = maximised_tasks(objective["maximise"], tasks)
    asked = {"fit": settings.fit.model_dump(mode="json"), "seed": settings.seed}
    for n, task in enumerate(tasks):
        args = {"tasks": [task], "maximise": task in raised, **asked}
        laws.work(job(f"law-{n}", args, {"design": "design"}))
    fit_args = {"tasks": tasks, "objective": objective}
    chosen = {f"law|{task}": f"law-{n}" for n, task in enumerate(tasks)}
    proposal.fit(job("fit", fit_args, {"design": "design", **chosen}))
    propose_args = {
        "domains": origins,
        "objective": objective,
        "propose": propose,
        "references": settings.references,
        "variants": [name for name in origins if name in settings.rewrite],
        "target_tokens": settings.target.tokens,
        "seed": settings.seed,
    }
    proposal.propose(job("propose", propose_args, {"fit": "fit", "design": "design"}))
    found = yaml.safe_load((folder / "propose" / "proposal.json").read_text())
    mixes = {"proposal": found["weights"], **found["baselines"]}
    for name, weights in mixes.items():
        for i in range(settings.validation.seeds):
            proxy(f"{name}-s{i}", weights, 1000 + i, "confirm", "proof")
    proof_args: dict[str, Any] = {"mixes": list(mixes), "seeds": settings.validation.seeds, "tasks": tasks}
    larger = settings.validation.transfer
    if larger:
        proof_args["transfer"] = larger.model_dump(mode="json")
        for name, weights in mixes.items():
            for i in range(larger.seeds):
                proxy(f"{name}-t{i}", weights, 2000 + i, "confirm", "transfer")
    proof.validate(job("validate", proof_args, {"propose": "propose"}))

    roles = {stage: stage for stage in ("design", "fit", "propose", "validate", "numerics")}
    curation(folder, settings, counts, roles, rng)
    for task in tasks:
        side = {"items": 62, "bytes": 48_211, "tokens": 15_020, "truncated": 0}
        counts[f"requests|{task}"] = {
            "steer": side,
            "confirm": {**side, "items": 58, "truncated": 2},
            "contaminated": 0,
        }
        roles[f"requests|{task}"] = "requests"
    roles |= {f"laws|{task}": f"law-{n}" for n, task in enumerate(tasks)}
    for role in list(counts):
        if role.split("|")[0] in ("train", "proof", "transfer"):
            roles[role] = "train"
    counts["numerics"] = {
        "plan": {"device": "cpu", "dtype": "float32", "attention": "sdpa", "torch": "2.13.0"},
        "reason": "proxies on the CPU in fp32: without AMX tiles bf16 is slower",
    }
    data = collect(job("report", {"mix": "planted", "config": resolved(settings)}, roles))
    for name in ("funnel", "examples"):
        data[name] = data[name].to_dicts()
    data["config"] = yaml.safe_dump(resolved(settings), sort_keys=False, allow_unicode=True)
    return data


def curation(
    folder: Path,
    settings: Config,
    counts: dict[str, dict[str, Any]],
    roles: dict[str, str],
    rng: np.random.Generator,
) -> None:
    """Invent the funnel, the classifiers and the samples, consistent with each other."""
    train: dict[str, int] = {}
    for name in settings.sources:
        read = int(rng.integers(400, 1500))
        outcome = {
            "duplicate": int(rng.integers(0, 40)),
            "too_short": int(rng.integers(0, 90)),
            "contaminated": 2,
        }
        outcome["heldout"] = read // 8
        outcome["train"] = read - sum(outcome.values())
        train[name] = outcome["train"]
        size = {reason: n * 3_100 for reason, n in outcome.items()}
        counts[f"sources|{name}/000"] = {
            "documents": read,
            "bytes": read * 3_100,
            "quarantined": int(name == "ocr"),
            **({"masked": {"email": 1042, "ip": 7}} if name == "papers" else {}),
        }
        counts[f"select|{name}/000"] = {"documents": read, "outcome": outcome, "bytes": size}
        place = folder / f"select-{name}"
        place.mkdir()
        dropped = [("too_short", 7, "d7", 26, "Click here to go on."), ("too_short", 9, EVIL, 9_000, EVIL)]
        pl.DataFrame(dropped, schema=EXAMPLE_SCHEMA, orient="row").write_parquet(place / "examples.parquet")
        pl.DataFrame({"split": ["train", None, "heldout", "train"]}).write_parquet(place / "selection.parquet")
        read_from = folder / f"sources-{name}"
        read_from.mkdir()
        texts = [f"A good page of {name}. {EVIL}", "dropped text", "held-out text", "word " * 400]
        pl.DataFrame({"id": ["k1", "x", "h", EVIL], "text": texts}).write_parquet(read_from / "documents.parquet")
        roles |= {f"sources|{name}/000": f"sources-{name}", f"select|{name}/000": f"select-{name}"}
    made = {}
    for name in settings.rewrite:
        into = train[name.split(".")[0]]
        made[name] = 2 * (into - 31)
        counts[f"rewrite|{name}/000"] = {
            "documents_in": into,
            "rewritten": into - 31,
            "documents": made[name],
            "bytes": made[name] * 900,
            "rejected": {"answer not in text": 57, "too short": 12},
        }
        roles[f"rewrite|{name}/000"] = f"rewrite-{name}"
        place = folder / f"rewrite-{name}"
        place.mkdir()
        texts = [EVIL, "Question: What is the capital of France?\nAnswer: Paris.", "word" * 150]
        pl.DataFrame({"origin": ["a", "b", "c"], "text": texts}).write_parquet(place / "documents.parquet")
        refused = {
            "origin": ["d"],
            "reason": ["answer not in text"],
            "text": ["Question: Why?\nAnswer: because."],
        }
        pl.DataFrame(refused).write_parquet(place / "rejected.parquet")
    for name in settings.domain_names():
        documents = train.get(name) or made[name]
        counts[f"tokenize|{name}/000"] = {
            "documents": documents,
            "bytes": TOKENS[name] * 3,
            "tokens": TOKENS[name],
            "licenses": {
                license: round(share * TOKENS[name])
                for license, share in LICENSES.get(name.split(".")[0], OTHERS).items()
            },
        }
        roles[f"tokenize|{name}/000"] = "tokenize"
    for i, name in enumerate(settings.sources):
        counts[f"annotate|{name}/000/contamination"] = {"documents": 500, "matched": {"arc_easy": 2} if i else {}}
        roles[f"annotate|{name}/000/contamination"] = "annotate"
    *pinned, later = settings.evals.benchmarks
    of = dict.fromkeys(pinned, 120)
    counts["suite|suite"] = {"items": sum(of.values()), "of": of, "too_short": dict.fromkeys(pinned, 1)}
    counts[f"overlap|{later}/wikipedia/000"] = {"documents": 7, "items": 3}
    roles |= {"suite|suite": "suite", f"overlap|{later}/wikipedia/000": "overlap"}
    counts["classifiers|prose"] = {"positive": 900, "negative": 850, "auc": [0.981, 0.988, 0.993]}
    roles["classifiers|prose"] = "classifiers"
    (folder / "classifiers").mkdir()
    (folder / "classifiers" / "card.md").write_text(f"# Quality classifier (fasttext)\n\n{EVIL}\n")


def form(rng: np.random.Generator, domains: int, runs: int) -> dict[str, Any]:
    """Return a form of the size that a blend of all laws has (`pipeline.mixture.compact`)."""

    def some(*size: int) -> Any:
        return rng.normal(size=size).tolist()

    tree = {"values": some(8), "splits": [(i % domains, 0.0, 255 >> (i + 1)) for i in range(7)]}
    thresholds = rng.integers(0, 255, (400, 7)) / 1000
    return {
        "offset": 2.0,
        "slope": some(domains),
        "roots": {"0.5": some(domains), "0.25": some(domains)},
        "bends": some(domains * (domains + 1) // 2),
        "exponentials": [{"factor": 0.1, "start": 0.0, "slope": some(domains), "clip": [-30, 8]}] * 2,
        "powers": [{"factor": 1.0, "use": rng.uniform(size=domains).tolist(), "power": 0.4}],
        "processes": [{"inverse": rng.uniform(size=domains).tolist(), "pulls": some(runs)}],
        "trees": [
            tree | {"values": some(8), "splits": [(f, t, b) for (f, _, b), t in zip(tree["splits"], each, strict=True)]}
            for each in thresholds.tolist()
        ],
        "sds": rng.uniform(0.01, 0.02, 384).tolist(),
        "checked": {"mean": [2.0] * 200, "sd": [0.01] * 200},
    }


def enlarged(data: dict[str, Any], domains: int = 64, tasks: int = 52, runs: int = 512) -> dict[str, Any]:
    """Return data of the same form with many domains, tasks and runs; the numbers mean nothing."""
    rng = np.random.default_rng(5)
    names = [f"source_number_{i:02d}" for i in range(domains)]
    columns = [f"bench/a_task_of_some_length_{i:02d}" for i in range(tasks)]
    swarm_runs = [f"dirichlet-{i:03d}-b{i % 4}" for i in range(runs)]

    def mix() -> dict[str, float]:
        return dict(zip(names, rng.dirichlet(np.full(domains, 0.5)).tolist(), strict=True))

    def values() -> dict[str, float]:
        return dict(zip(columns, rng.uniform(1, 3, tasks).tolist(), strict=True))

    big = json.loads(json.dumps(data))
    old = big["mix"]
    for part in ("predicted", "measured"):
        for each in old[part].values():
            each["tasks"] = values()
            each["families"] = {"bench": {"predicted": 0.9, "se": 0.01}}
    others = list(old["baselines"])
    old |= {
        "weights": mix(),
        "baselines": {name: mix() for name in others},
        "objective": {"weights": dict.fromkeys(columns, 1 / tasks), "reference": values(), "maximise": []},
        "pareto": [],
        "worth": {},
        "repetition": {name: dict.fromkeys(names, 1.5) for name in ("proposal", *others)},
    }
    old["uncertainty"]["interval"] = {"low": dict.fromkeys(names, 0.0), "high": dict.fromkeys(names, 0.2)}
    measured = {column: dict(zip(swarm_runs, rng.uniform(1, 3, runs).tolist(), strict=True)) for column in columns}
    contrasts = [{"domain": name, "effect": -0.01, "low": -0.02, "high": 0.01, "p_value": 0.2} for name in names]
    big["fit"]["tasks"] = {
        column: {
            "law": "linear",
            "scale": 1.0,
            "weight": 1 / tasks,
            "mixture_sd": 0.05,
            "seed_sd": 0.01,
            "noisy": False,
            "contrasts": contrasts,
            "measured": each,
            "scores": [
                {"law": law, "rmse": 0.01, "r2": 0.9, "spearman": 0.9, "predicted": each, "std": each}
                for law in ("linear", "power")
            ],
        }
        for column, each in measured.items()
    }
    big["ratios"] = {run: mix() for run in swarm_runs}
    big["metrics"] = {run: {column: measured[column][run] for column in columns} for run in swarm_runs}
    big["swarm"] = {
        "tokens": dict.fromkeys(names, 1e9),
        "natural": mix(),
        "prior": mix(),
        "domains": names,
        "freeze": {},
        "gone": [],
        "mixes": [{"run": run, "mix": run, "block": i % 4, "weights": {}} for i, run in enumerate(swarm_runs)],
    }
    big["forms"] = {column: form(rng, domains, runs) for column in columns}
    proxy = {
        "tokens": 400_000,
        "realised": {},
        "repetition": dict.fromkeys(names, 1.0),
        "first_loss": 8.0,
        "last_loss": 5.0,
    }
    big["proxies"] = dict.fromkeys(swarm_runs, proxy)
    side = {"items": 100, "bytes": 50_000, "tokens": 9_000, "truncated": 0}
    evals = [column.split("/")[1] for column in columns]
    big["contamination"] = {
        "suite": {"of": dict.fromkeys(evals, 400), "too_short": dict.fromkeys(evals, 3)},
        "matched": {name: dict.fromkeys(evals, 5) for name in names},
        "later": {},
    }
    big["requests"] = {column: {"steer": side, "confirm": side, "contaminated": 0} for column in columns}
    old_funnel = [row for row in big["funnel"] if row["name"] == "wikipedia" and row["stage"] != "rewrite"]
    big["funnel"] = [{**row, "name": name} for row in old_funnel for name in names]
    return big


if __name__ == "__main__":
    from pipeline.report.html import render_html
    from pipeline.report.markdown import render_markdown

    with tempfile.TemporaryDirectory() as temporary:
        data = build(Path(temporary))
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for stem, each in (("report", data), ("large", enlarged(data))):
        (out / f"{stem}.html").write_text(render_html(each), encoding="utf-8")
        (out / f"{stem}.md").write_text(render_markdown(each), encoding="utf-8")

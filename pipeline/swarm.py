"""Stages `design`, `train` and `score`: the swarm of proxies.

A proxy's key holds only the domains that it was trained on, so a new domain leaves finished proxies valid.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from pipeline.config import Proxy
from pipeline.failures import FAILED, trained
from pipeline.grow import EARLIER, added, grown, kept_of
from pipeline.numerics import read_plan
from pipeline.run import Run, micro_tokens, preset_values
from pipeline.store import write_json
from pipeline.units import Job, Unit, seed_of

DESIGN_VERSION = 4
TRAIN_VERSION = 2
SCORE_VERSION = 1


def block_seed(seed: int, block: int) -> int:
    """Return the seed of a block: it fixes the order of every domain's chunks and the initial weights of a proxy."""
    return seed_of([seed, "block", block])


# design: the swarm's mixes


def design_units(run: Run) -> list[Unit]:
    """One unit over the token counts of all domains."""
    inputs = {unit.name: unit.ref for unit in run.of("tokenize")}
    args = {
        **run.config.domain_origins(),
        # later rounds are no part of the first, or one more round would ask for another first
        "design": {
            **run.config.swarm.model_dump(mode="json", exclude={"rounds", "tolerance"}),
            "runs": run.config.swarm.sizes[0],
        },
        "propose": run.config.propose.model_dump(mode="json", include={"max_repetition", "bounds"}),
        "target_tokens": run.config.target.tokens,
        "seed": run.config.seed,
    }
    return [Unit("design", "swarm", DESIGN_VERSION, args, inputs)]


def design(job: Job) -> dict[str, Any]:
    """Write `swarm.json`: the domains with their tokens, the prior, the baselines and the mixes with their blocks.

    Where an earlier design goes on (see `pipeline.reuse`), its finished mixes stand first, as they were, and `gone`
    names the domains that only they have.
    """
    from pipeline.mixture.designs import swarm
    from pipeline.mixture.freeze import freeze
    from pipeline.mixture.spaces import natural, prior, uniform

    tokens = dict.fromkeys(job.args["domains"], 0)
    own = dict.fromkeys(job.args["domains"], 0)
    arrays: dict[str, dict[str, str]] = {}
    for role in job.inputs:
        if role == EARLIER:
            continue
        domain, counts = role.split("/")[0], job.counts(role)
        tokens[domain] += counts["target_tokens"]
        own[domain] += counts["tokens"]
        arrays.setdefault(domain, {})[role] = f"tokenize/{job.inputs[role].name}"
    domains = domains_of(job.args["domains"], tokens, job.args.get("buckets", ()))
    options = job.args["design"]
    frozen = freeze(domains, options["freeze"])
    within = limits_of(domains, job.args["propose"], job.args["target_tokens"], frozen.shares)
    free = frozen.domains
    names = [domain.name for domain in domains]
    earlier = kept_of(job)
    method = {"method": options["method"], "within": frozen.limits(within), "min_weight": options["min_weight"]}
    if earlier is None:
        mixes = swarm(free, options["runs"], seed=job.args["seed"], blocks=options["blocks"], **method)
    else:
        mixes = added(job, earlier, frozen, names, method)

    def by_name(weights: Any) -> dict[str, float]:
        return dict(zip(names, (round(float(weight), 12) for weight in weights), strict=True))

    def named(weights: Any) -> dict[str, float]:
        return by_name(frozen.expand(weights))

    plan = {
        "domains": names,
        "gone": [],
        "tokens": tokens,
        "own_per_target": {name: own[name] / tokens[name] for name in names},
        "arrays": arrays,
        "freeze": frozen.shares,
        "natural": by_name(natural(domains)),
        "uniform": named(uniform(free)),
        "prior": named(prior(free)),
        "mixes": [
            {"run": each.name, "mix": each.mix, "block": each.block, "weights": named(each.weights)} for each in mixes
        ],
        "settled": False,
        "grown": 0,
    }
    plan = plan if earlier is None else grown(plan, earlier)
    write_json(job.out / "swarm.json", plan)
    return {"runs": len(plan["mixes"]), "mixes": len({each["mix"] for each in plan["mixes"]})}


def domains_of(origins: Mapping[str, str], tokens: Mapping[str, float], buckets: Collection[str] = ()) -> list[Any]:
    """Return the mixture's domains from name → origin and name → target tokens; raw are sources and `buckets`."""
    from pipeline.mixture.spaces import Domain

    return [
        Domain(name, origin, tokens[name], is_raw=name == origin or name in buckets) for name, origin in origins.items()
    ]


def limits_of(
    domains: list[Any], propose: Mapping[str, Any], target_tokens: int | None, groups: Mapping[str, Iterable[str]]
) -> Any:
    """Return the limits that designs and proposals keep: repetition caps, and bounds on weights and on their sums."""
    from pipeline.mixture.spaces import Bound, bound_names, limits

    named = bound_names([domain.name for domain in domains], groups)
    bounds = [Bound(named[name], bound["min"], bound["max"], name) for name, bound in propose["bounds"].items()]
    return limits(domains, target_tokens, propose["max_repetition"], bounds)


# train: one proxy a mix and seed block


def swarm_of(run: Run) -> dict[str, Any]:
    """Return the design with the mixes of all rounds so far. Raises NotYet before it is finished."""
    unit = run.of("design")[-1]
    run.manifest(unit)
    return run.store.read_json(unit.ref, "swarm.json")


def train_units(run: Run) -> list[Unit]:
    """One unit per run of the swarm."""
    plan = swarm_of(run)
    return [train_unit(run, mix["run"], mix["weights"], mix["block"], plan) for mix in plan["mixes"]]


def train_unit(
    run: Run,
    name: str,
    weights: Mapping[str, float],
    block: int,
    plan: Mapping[str, Any],
    proxy: Proxy | None = None,
) -> Unit:
    """Return the unit that trains one proxy; its inputs are the arrays of the domains with a weight, and of those that
    are no longer on offer the arrays that the plan was made with.

    proxy: preset and tokens where they are not those of the swarm.

    Weights are shares of target tokens; the proxy reads its own tokens, of which a domain needs more or fewer.
    """
    proxy = proxy or run.config.proxy
    used = {domain: weight for domain, weight in weights.items() if weight > 0}
    own = {domain: weight * plan["own_per_target"][domain] for domain, weight in used.items()}
    total = sum(own.values())
    inputs = {unit.name: unit.ref for unit in run.of("tokenize") if unit.args["domain"] in used}
    for domain in used:
        if domain not in run.config.domain_names():
            inputs |= plan["arrays"][domain]
    (numerics,) = run.of("numerics")
    (vocabulary,) = run.of("vocabulary")
    args = {
        "weights": {domain: round(weight / total, 12) for domain, weight in own.items()},
        "seed": block_seed(run.config.seed, block),
        "preset": proxy.preset,
        "preset_values": preset_values(proxy),
        "tokens": proxy.tokens,
        "share": proxy.tokens / run.config.target.tokens,
        **proxy.options,
    }
    if micro := micro_tokens(proxy):
        args["micro_tokens"] = micro
    inputs |= {"numerics": numerics.ref, "vocabulary": vocabulary.ref}
    return Unit("train", name, TRAIN_VERSION, args, inputs)


def train_proxy(job: Job) -> dict[str, Any]:
    """Train one proxy and keep its checkpoint; return the shares it was really trained on, or why it diverged."""
    from proxy_models.resume import Resume
    from proxy_models.train import Diverged, train

    model, config = preset_of(job)
    resume = Resume(job.scratch / "training") if job.scratch else None
    try:
        return trained_counts(
            train(model, config, open_feed_of(job, model, config), read_plan(job), job.out, resume=resume)
        )
    except Diverged as error:
        return diverged_counts(job, error)


def open_feed_of(job: Job, model: Any, config: Any) -> Any:
    """Return the feed of the job's mix over its token arrays."""
    from proxy_models.feed import DomainArrays, open_feed
    from proxy_models.settings import chunks_of

    roles: dict[str, list[str]] = {domain: [] for domain in job.args["weights"]}
    for role in job.inputs:
        if "/" in role:
            roles[role.rpartition("/")[0]].append(role)
    arrays = {
        domain: DomainArrays(
            domain,
            [job.inputs[role] / "tokens.bin" for role in shards],
            "uint16" if job.counts(shards[0])["bytes_per_id"] == 2 else "uint32",
            model.context,
            model.vocab_size,
        )
        for domain, shards in roles.items()
    }
    return open_feed(arrays, job.args["weights"], chunks_of(model, config), job.args["share"], job.args["seed"])


def trained_counts(result: Any) -> dict[str, Any]:
    """Return what a finished training counts."""
    return {
        "tokens": result.tokens,
        "realised": result.realised,
        "repetition": result.repetition,
        "first_loss": result.losses[0][1],
        "last_loss": result.losses[-1][1],
    }


def diverged_counts(job: Job, error: Any) -> dict[str, Any]:
    """Write why a proxy has no checkpoint and return it as its counts."""
    counts = {FAILED: str(error), "tokens": error.tokens}
    write_json(job.out / "failed.json", counts)
    return counts


def preset_of(job: Job) -> tuple[Any, Any]:
    """Return the model and training configuration of a proxy."""
    from proxy_models.presets import preset

    model, config = preset(job.args["preset"], job.counts("vocabulary")["vocab_size"], job.args["seed"])
    return model, replace(
        config,
        tokens=job.args["tokens"],
        average=job.args.get("average", 0.0),
        snapshots=tuple(job.args.get("curve", ())),
        micro_tokens=job.args.get("micro_tokens") if read_plan(job).device == "cpu" else None,
    )


def measured_inputs(run: Run) -> dict[str, str]:
    """Return role → artefact of all that the swarm has trained and scored so far, diverged proxies among them."""
    return {f"{stage}|{unit.name}": unit.ref for stage in ("train", "score") for unit in run.of(stage)}


# score: Σ log p of every task


def score_units(run: Run) -> list[Unit]:
    """One unit per proxy of the swarm and task, on steer items."""
    swarm_of(run)
    return [unit for proxy in trained(run, run.of("train")) for unit in score_units_of(run, proxy, "steer")]


def score_units_of(run: Run, proxy: Unit, side: str) -> list[Unit]:
    """Return the units that score one checkpoint on one side of every task."""
    (numerics,) = run.of("numerics")
    return [
        Unit(
            "score",
            f"{proxy.name}|{requests.name}",
            SCORE_VERSION,
            {"side": side},
            {"proxy": proxy.ref, "requests": requests.ref, "numerics": numerics.ref},
        )
        for requests in run.of("requests")
    ]


def score_proxy(job: Job) -> dict[str, Any]:
    """Write raw Σ log p and byte counts of every request (`scores.npz`); return their sums and the metrics."""
    import numpy as np

    from proxy_models.metrics import metrics_of
    from proxy_models.requests import load_requests
    from proxy_models.score import score

    requests = load_requests(job.inputs["requests"] / f"{job.args['side']}.npz")
    (scores,) = score(job.inputs["proxy"], [requests], read_plan(job))
    with open(job.out / "scores.npz", "wb") as file:
        np.savez(file, logprob=scores.logprob, tokens=scores.tokens, bytes=requests.bytes, chars=requests.chars)
    return {
        "requests": len(requests),
        "bytes": int(requests.bytes.sum()),
        **{name: round(value, 9) for name, value in metrics_of(scores, requests).items()},
    }

"""Do optimiser, schedule and averaging change which mix is best? The same mixes under each, on the samples' sources.

    python benchmarks/recipes.py --out runs/recipes            # about a quarter of an hour on one core
    python benchmarks/recipes.py --out runs/recipes-400k --tokens 400000 --larger-tokens 4000000

Every recipe trains preset quickstart on each mix, and three of the mixes on a second seed; preset `1m` (its shape, with
batches and rates of quickstart) trains the same mixes once. All are scored in bits per byte of held-out text of every
source. What is in `--out` is not trained again. The last line is one JSON object, by recipe:

- `rank_correlation`: Spearman of the mixes' order, mean over tasks, with `default` (the first recipe, same seeds: the
  luck of a seed is common to both) and with `larger`; `default`'s own entry is against its second seed on three mixes.
- `time_to_loss_ratio`: CPU-seconds in which the first recipe comes to its last training loss, over those of this one
  to the same loss (mean curve of all mixes); null where it does not get there.
- `bpb`: mean over tasks and mixes. `seed_sd`: of one proxy, over tasks and three mixes. `mixture_sd`: between mixes.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from pipeline.report.curves import rank_correlation
from proxy_models.feed import DomainArrays, open_feed
from proxy_models.hardware import NumericPlan, choose_plan
from proxy_models.metrics import bits_per_byte
from proxy_models.presets import PRESETS, preset
from proxy_models.requests import RequestSet, documents, encode
from proxy_models.score import score
from proxy_models.settings import ModelConfig, OptimiserConfig, TrainConfig, chunks_of
from proxy_models.train import train

SAMPLES = Path(__file__).parents[1] / "samples"
SOURCES: tuple[str, ...] = ("wikipedia", "code", "papers", "questions", "speeches", "proofs", "ocr")
VOCAB, END = 2048, "<|endoftext|>"
HELD_OUT, EXCERPT = 20, 1200  # documents of a source, characters of each
TRAINED_CHARACTERS = 3_000_000  # of a source, at most
TWICE = 3  # mixes on a second seed
POINTS = 3  # of the loss curve that its last loss is the mean of

BASE = PRESETS["quickstart"].optimiser
RECIPES: dict[str, tuple[OptimiserConfig, float]] = {
    "adamw linear": (BASE, 0.0),
    "adamw cosine": (replace(BASE, schedule="cosine"), 0.0),
    "adamw linear, averaged": (BASE, 0.2),
    "adamw constant, averaged": (replace(BASE, schedule="constant"), 0.3),
    "muon linear": (replace(BASE, name="muon", lr=5e-2), 0.0),
}
"""Name -> optimiser and share of the steps averaged at the end; the first is the default."""
LARGER = "larger"


@dataclass(frozen=True)
class Data:
    """arrays: of every source. sets: held-out requests of every source. mixes: (n, sources) weights."""

    arrays: dict[str, DomainArrays]
    sets: dict[str, RequestSet]
    mixes: np.ndarray


def prepare(folder: Path, mixes: int) -> Data:
    """Train the BPE on all sources alike, write token arrays and encode the held-out documents, the last ones."""
    context = PRESETS["quickstart"].context
    texts = {name: pl.read_parquet(SAMPLES / f"{name}.parquet")["text"].to_list() for name in SOURCES}
    kept = {name: cut(each[:-HELD_OUT], TRAINED_CHARACTERS) for name, each in texts.items()}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB, special_tokens=[END], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([text for each in kept.values() for text in cut(each, 500_000)], trainer)
    arrays, sets = {}, {}
    for name in SOURCES:
        ids = [i for each in tokenizer.encode_batch_fast(kept[name]) for i in (*each.ids, tokenizer.token_to_id(END))]
        file = folder / f"{name}.bin"
        np.asarray(ids, dtype="<u2").tofile(file)
        arrays[name] = DomainArrays(name, [file], "uint16", context, VOCAB)
        held = [(str(i), text[:EXCERPT]) for i, text in enumerate(texts[name][-HELD_OUT:])]
        sets[name] = encode(documents(held), tokenizer, context)
    rng = np.random.default_rng(0)
    strengths = [(0.5, 2.0, 8.0)[i % 3] for i in range(mixes)]
    return Data(arrays, sets, np.array([rng.dirichlet(np.full(len(SOURCES), s)) for s in strengths]))


def cut(texts: list[str], characters: int) -> list[str]:
    """The first texts that have about so many characters together."""
    ends = np.cumsum([len(text) for text in texts])
    return texts[: int(np.searchsorted(ends, characters)) + 1]


def settings(recipe: str, tokens: int, larger_tokens: int, seed: int) -> tuple[ModelConfig, TrainConfig]:
    """Model and training of a recipe, or of the larger proxies under the first one."""
    model, config = preset("quickstart", VOCAB, seed)
    if recipe == LARGER:
        return preset("1m", VOCAB)[0], replace(config, tokens=larger_tokens)
    optimiser, average = RECIPES[recipe]
    return model, replace(config, tokens=tokens, optimiser=optimiser, average=average)


def proxy(
    data: Data, recipe: str, mix: int, seed: int, config: tuple[ModelConfig, TrainConfig], plan: NumericPlan, out: Path
) -> dict:
    """Train and score one proxy, or read what it gave: CPU-seconds of training, losses, bits per byte by source."""
    file = out / f"{recipe.replace(', ', '-').replace(' ', '-')}-{mix:02d}-s{seed}.json"
    asked = json.loads(json.dumps([asdict(each) for each in (*config, plan)]))
    if file.exists() and (found := json.loads(file.read_text()))["asked"] == asked:
        return found
    weights = dict(zip(SOURCES, data.mixes[mix].tolist(), strict=True))
    feed = open_feed(data.arrays, weights, chunks_of(*config), share=1.0, seed=seed)
    start = time.process_time()
    result = train(*config, feed, plan, out / "checkpoint")
    seconds = time.process_time() - start
    scores = score(out / "checkpoint", list(data.sets.values()), plan)
    bpb = {name: bits_per_byte(each, data.sets[name]) for name, each in zip(data.sets, scores, strict=True)}
    found = {"asked": asked, "seconds": seconds, "losses": result.losses, "bpb": bpb}
    file.write_text(json.dumps(found))
    print(f"{recipe}, mix {mix}, seed {seed}: {seconds:.1f} CPU-s, {np.mean(list(bpb.values())):.4f} BPB", flush=True)
    return found


def agreement(one: list[dict], two: list[dict]) -> float:
    """Spearman of the mixes' order, mean over the sources."""
    pairs = [([run["bpb"][name] for run in one], [run["bpb"][name] for run in two]) for name in SOURCES]
    return round(float(np.mean([rank_correlation(*pair) or 0.0 for pair in pairs])), 3)


def seconds_to(runs: list[dict], loss: float) -> float | None:
    """CPU-seconds after which the mean curve of the runs is at or under a training loss; None where it never is."""
    curve = np.mean([[value for _, value in run["losses"]] for run in runs], axis=0)
    tokens = [at for at, _ in runs[0]["losses"]]
    smooth = np.convolve(curve, np.full(POINTS, 1 / POINTS), mode="valid")
    under = np.flatnonzero(smooth <= loss)
    if not len(under):
        return None
    return float(np.mean([run["seconds"] for run in runs])) * tokens[under[0] + POINTS - 1] / tokens[-1]


def summary(first: dict[str, list[dict]], second: dict[str, list[dict]]) -> dict:
    """first: recipe -> a run a mix. second: the same of the first TWICE mixes on another seed."""
    default = next(iter(RECIPES))
    last = float(np.mean([value for run in first[default] for _, value in run["losses"][-POINTS:]]))
    goal = seconds_to(first[default], last + 1e-9)
    rank, ratio, seed_sd = {}, {}, {}
    for name in RECIPES:
        runs = first[name]
        rank[name] = {"default": agreement(first[default], runs), LARGER: agreement(first[LARGER], runs)}
        taken = seconds_to(runs, last + 1e-9)
        ratio[name] = round(goal / taken, 3) if goal and taken else None
        apart = [[a["bpb"][s] - b["bpb"][s] for s in SOURCES] for a, b in zip(runs, second[name], strict=False)]
        seed_sd[name] = round(float(np.sqrt(np.mean(np.square(apart)) / 2)), 5)
    rank[default]["default"] = agreement(first[default][:TWICE], second[default])
    values = {name: np.array([[run["bpb"][s] for s in SOURCES] for run in first[name]]) for name in (*RECIPES, LARGER)}
    return {
        "rank_correlation": rank,
        "time_to_loss_ratio": ratio,
        "bpb": {name: round(float(each.mean()), 4) for name, each in values.items()},
        "seed_sd": seed_sd,
        "mixture_sd": {name: round(float(each.std(0, ddof=1).mean()), 4) for name, each in values.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--mixes", type=int, default=12)
    parser.add_argument("--tokens", type=int, default=100_000)
    parser.add_argument("--larger-tokens", type=int, default=200_000)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    plan, data = choose_plan("cpu"), prepare(args.out, args.mixes)

    def runs(recipe: str, seed: int, mixes: int) -> list[dict]:
        config = settings(recipe, args.tokens, args.larger_tokens, seed)
        return [proxy(data, recipe, mix, seed, config, plan, args.out) for mix in range(mixes)]

    first = {name: runs(name, 0, args.mixes) for name in (*RECIPES, LARGER)}
    second = {name: runs(name, 1, min(TWICE, args.mixes)) for name in RECIPES}
    print(json.dumps(summary(first, second)))


if __name__ == "__main__":
    main()

"""Laws on RegMix's published swarm, beside LightGBM as RegMix's notebook fits it: ranks, regret, coverage, seconds.

    python benchmarks/laws.py --data ../shared/data --out runs/laws

512 mixes of 17 domains to fit on, 256 unseen ones to judge by, 13 losses of 1M models. Laws are chosen by
cross-validation among the training mixtures; the unseen ones are only predicted. Figures at 32 to 128 runs are means
over 20 seeded draws. The peer stops early on the unseen mixtures, as the notebook does, which flatters it. Every
draw's result is kept in `--out`; what is there is not run again. The last line is one JSON object; Spearman x 100.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from scipy.stats import rankdata

from pipeline.mixture import designs
from pipeline.mixture.objective import build
from pipeline.mixture.proposer import propose
from pipeline.mixture.selection import TaskFit, choose
from pipeline.mixture.spaces import Domain, limits
from pipeline.mixture.table import Swarm, join

DATA = Path(__file__).parents[2] / "shared" / "data"
WHOLE = 512
DRAWS = 20
# The design picks this share of its mixes by their weights, the rest in rounds by what it has measured.
FIRST, ROUNDS = 2 / 3, 3
PILE_CC = "metric/the_pile_pile_cc_val_loss"


def read(folder: Path, part: str) -> Swarm:
    """One part of the published swarm, `train` or `test`, joined by its column `index`."""
    ratios, losses = (
        {row.pop("index"): {name: float(value) for name, value in row.items()} for row in rows(folder / name)}
        for name in (f"{part}_mixture_1m.csv", f"{part}_pile_loss_1m.csv")
    )
    return join(ratios, losses)


def rows(path: Path) -> Iterator[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        yield from csv.DictReader(file)


def some(swarm: Swarm, chosen: np.ndarray) -> Swarm:
    """The runs at the row indices `chosen`."""
    return replace(
        swarm,
        runs=tuple(swarm.runs[i] for i in chosen),
        weights=swarm.weights[chosen],
        values=swarm.values[chosen],
        blocks=swarm.blocks[chosen],
    )


def ranks(predicted: np.ndarray, swarm: Swarm) -> list[float]:
    """Spearman x 100 of each task; a prediction that never changes ranks nothing."""
    return [
        100 * float(np.corrcoef(rankdata(p), rankdata(y))[0, 1]) if np.ptp(p) > 0 else 0.0
        for p, y in zip(predicted.T, swarm.values.T, strict=True)
    ]


def ours(train: Swarm, unseen: Swarm) -> dict:
    """Choose and fit the laws on `train`; judge their predictions of `unseen`."""
    start = time.process_time()
    fits = choose(train, seed=0)
    seconds = time.process_time() - start
    found = [fit.predict(unseen.weights) for fit in fits]
    mean, std = np.stack([m for m, _ in found], axis=1), np.stack([s for _, s in found], axis=1)
    objective = unseen.values.mean(axis=1)
    return {
        "spearman": ranks(mean, unseen),
        "coverage": float(np.mean(np.abs(mean - unseen.values) <= 1.645 * std)),
        "regret": float(objective[np.argmin(mean.mean(axis=1))] - objective.min()),
        "laws": [fit.law for fit in fits],
        "seconds": seconds,
        "propose_seconds": propose_seconds(train, fits) if len(train.runs) == WHOLE else None,
    }


def propose_seconds(train: Swarm, fits: Sequence[TaskFit]) -> float:
    """CPU seconds of a proposal with all there is: two families and their front, caps, a guard in each, intervals."""
    names = tuple(f"{('even', 'odd')[t % 2]}/{task}" for t, task in enumerate(train.tasks))
    named = [replace(fit, task=name) for fit, name in zip(fits, names, strict=True)]
    swarm, prior = replace(train, tasks=names), train.weights.mean(axis=0)
    domains = [Domain(name, name, weight, True) for name, weight in zip(train.domains, prior, strict=True)]
    start = time.process_time()
    propose(
        swarm,
        named,
        build(swarm, prior),
        limits(domains, 2.0, 4.0),  # of twice the tokens that there are, and four epochs of each
        prior,
        baselines={"natural": prior, "uniform": np.full(len(prior), 1 / len(prior))},
        seed=0,
        no_worse_than={names[0]: "natural", names[-2]: "natural"},
    )
    return time.process_time() - start


def peer(train: Swarm, unseen: Swarm) -> dict:
    """LightGBM with the settings of RegMix's notebook (regression_fitting/regression.ipynb, sail-sg/regmix).

    The notebook has 512 runs. Its least leaf of 20 runs would leave 32 unsplit, so smaller swarms get a leaf of 5.
    """
    import lightgbm

    warnings.filterwarnings("ignore", module="lightgbm")
    start = time.process_time()
    predicted = []
    for y, judged in zip(train.values.T, unseen.values.T, strict=True):
        model = lightgbm.LGBMRegressor(
            boosting_type="gbdt",
            objective="regression",
            n_estimators=1000,
            learning_rate=1e-2,
            random_state=42,
            min_child_samples=20 if len(y) >= 256 else 5,
            n_jobs=1,
            verbosity=-1,
        )
        stop = lightgbm.early_stopping(stopping_rounds=3, verbose=False)
        model.fit(train.weights, y, eval_set=[(unseen.weights, judged)], eval_metric=["l1", "l2"], callbacks=[stop])
        predicted.append(np.asarray(model.predict(unseen.weights)))
    seconds = time.process_time() - start
    return {"spearman": ranks(np.stack(predicted, axis=1), unseen), "seconds": seconds}


def random_rows(pool: Swarm, count: int, seed: int) -> np.ndarray:
    return np.random.default_rng([count, seed]).permutation(len(pool.runs))[:count]


def designed_rows(pool: Swarm, count: int, seed: int) -> np.ndarray:
    """Rows that the design itself picks from the pool, in rounds; it sees values only of what it has picked."""
    rows = designs.pick(pool.weights, round(FIRST * count), seed)
    for size in map(len, np.array_split(np.arange(count - len(rows)), ROUNDS)):
        left, measured = np.setdiff1d(np.arange(len(pool.runs)), rows), some(pool, rows)
        chosen = designs.pick_next(pool.weights[left], size, measured.weights, measured.values, measured.blocks)
        rows = np.append(rows, left[chosen])
    return rows


def kept(path: Path, measure: Callable[[], dict]) -> dict:
    """The result at `path`, measured first where it is not there yet."""
    if not path.exists():
        result = measure()
        path.with_suffix(".part").write_text(json.dumps(result))
        path.with_suffix(".part").replace(path)
        print(f"{path.stem}: Spearman {np.mean(result['spearman']):.2f}, {result['seconds']:.1f} CPU-s", flush=True)
    return json.loads(path.read_text())


def error_of(results: list[dict], key: str) -> float:
    """Standard error of `mean_of`; draws from one pool share mixes, which it does not know."""
    return float(np.std([np.mean(result[key]) for result in results], ddof=1) / np.sqrt(len(results)))


def mean_of(results: list[dict], key: str) -> float:
    return float(np.mean([np.mean(result[key]) for result in results]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA, help="folder that holds regmix/")
    parser.add_argument("--out", type=Path, default=Path("runs/laws"), help="where results are kept; delete to redo")
    parser.add_argument("--only-propose", action="store_true", help="only the seconds of a proposal; nothing is kept")
    args = parser.parse_args()
    folder = args.data / "regmix"
    if not folder.is_dir():
        raise SystemExit(f"no RegMix swarm at {folder}: give the folder that holds regmix/ with --data")
    train, unseen = read(folder, "train"), read(folder, "test")
    if args.only_propose:
        print(json.dumps({"propose_seconds": round(propose_seconds(train, choose(train, seed=0)), 2)}))
        return
    args.out.mkdir(parents=True, exist_ok=True)

    def draws(name: str, measure: Callable[[Swarm, Swarm], dict], pick: Callable, count: int) -> list[dict]:
        return [
            kept(
                args.out / f"{name}-{count}-{seed}.json",
                lambda seed=seed: measure(some(train, pick(train, count, seed)), unseen),
            )
            for seed in range(DRAWS)
        ]

    whole = kept(args.out / "ours-512.json", lambda: ours(train, unseen))
    small = {count: draws("ours", ours, random_rows, count) for count in (64, 32)}
    peer_whole = kept(args.out / "peer-512.json", lambda: peer(train, unseen))
    peers = {count: draws("peer", peer, random_rows, count) for count in (64, 32)}
    result = {
        "spearman_512": mean_of([whole], "spearman"),
        "spearman_64": mean_of(small[64], "spearman"),
        "spearman_32": mean_of(small[32], "spearman"),
        "pile_cc_512": whole["spearman"][train.tasks.index(PILE_CC)],
        "regret_64": mean_of(small[64], "regret"),
        "coverage_90_at_64": mean_of(small[64], "coverage"),
        "coverage_90_at_512": whole["coverage"],
        "fit_seconds": whole["seconds"],
        "propose_seconds": whole["propose_seconds"],
        "peer_spearman_512": mean_of([peer_whole], "spearman"),
        "peer_spearman_64": mean_of(peers[64], "spearman"),
        "peer_spearman_32": mean_of(peers[32], "spearman"),
    }
    # Named otherwise than the picks in one go of before, which a folder may still hold.
    designed, drawn = draws("rounds", ours, designed_rows, 96), draws("ours", ours, random_rows, 128)
    for name, found in {"spearman_designed_96": designed, "spearman_random_128": drawn}.items():
        result |= {name: mean_of(found, "spearman"), f"{name}_se": error_of(found, "spearman")}
    print(json.dumps({key: round(value, 4) for key, value in result.items()}))


if __name__ == "__main__":
    main()

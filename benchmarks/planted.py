"""Planted truth: surfaces whose optimum is known, so that a proposal's regret can be measured.

*planted*: five surfaces (linear, log-linear, with interaction, with a useless domain, with a harmful one), 8 domains,
48 runs in rounds, natural's regret 5 noise SDs. `within_noise`: how often the proposal's regret against the true
optimum under the limits stays below one noise SD; `region_coverage`: how often that optimum is in the region of mixes
that the data cannot tell from the best (stated: 90 %). `--one-round` has all 48 runs in one round.

*quickstart*: 8 domains, 24 runs and 12 tasks shaped like the quickstart's measured proxies: how often the proposal
wins as `validate` judges. The last line is one JSON object.
"""

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.mixture.designs import swarm
from pipeline.mixture.judge import judge
from pipeline.mixture.objective import build
from pipeline.mixture.optimise import minimise
from pipeline.mixture.polytope import Polytope, interior, whole_simplex
from pipeline.mixture.proposer import Proposal, propose
from pipeline.mixture.rounds import next_mixes
from pipeline.mixture.selection import choose
from pipeline.mixture.spaces import Domain, Limits, limits, natural, prior, uniform
from pipeline.mixture.surface import surface
from pipeline.mixture.table import Swarm

Truth = Callable[[np.ndarray], np.ndarray]  # (n, d) weights -> (n, t) noiseless tasks
ROUNDS = (24, 8, 8, 8)
BLOCKS = 4
KINDS = ("linear", "log_linear", "interaction", "useless", "harmful")


@dataclass(frozen=True)
class Problem:
    domains: tuple[Domain, ...]
    tasks: tuple[str, ...]
    truth: Truth
    noise: np.ndarray  # (t,) seed SD
    within: Limits


def planted_problem(kind: str, rng: np.random.Generator) -> Problem:
    """8 domains, 3 tasks; noise is scaled so that natural's regret is 5 SDs of the objective's noise."""
    d, t = 8, 3
    tokens = np.sort(rng.lognormal(0, 1.0, d))[::-1] * 1e6
    domains = tuple(Domain(f"d{i}", f"d{i}", float(n), True) for i, n in enumerate(tokens))
    slopes = rng.normal(0, 1.5, (t, d))
    slopes[:, 0] = slopes[:, 1:].max(axis=1) * 0.5  # the largest domain is no bargain, or natural would be the optimum
    pairs = [(int(a), int(b)) for a, b in (rng.choice(d, 2, replace=False) for _ in range(2))]
    if kind == "useless":
        slopes[:, 1] = 0.3 * slopes.mean(axis=1) + 0.7 * slopes.max(axis=1)
    if kind == "harmful":
        slopes[:, 1] = slopes.max(axis=1) + 2.0

    def truth(w: np.ndarray) -> np.ndarray:
        if kind == "linear":
            return 50 + 0.2 * w @ slopes.T
        y = 1 + np.exp(0.2 + w @ slopes.T)
        if kind == "interaction":
            for a, b in pairs:
                y = y - 4.0 * (w[:, a] * w[:, b])[:, None]
        return 50 + y  # far from 0: tasks are taken relative to natural, and noise must not make one negative

    within = limits(domains, float(tokens.sum()), 1.0 / (natural(domains).min() * 4), ())
    optimum = true_optimum(truth, whole_simplex(within), np.ones(t) / t)
    gap = float(np.mean(truth(natural(domains)[None]) - truth(optimum[None])))
    noise = np.full(t, gap / 5 * np.sqrt(t))  # the objective averages t tasks
    return Problem(domains, tuple(f"task/{i}" for i in range(t)), truth, noise, within)


def quickstart_problem(rng: np.random.Generator) -> Problem:
    """Like the quickstart's real proxies (one trial of 24): steep near weight 0, then flat; noise far below signal.

    y = c + k (useful tokens + e)^-a plus a smooth random surface of a tenth of its SD, which no law here can express.
    """
    names = ("wikipedia", "wikipedia.qa", "code", "papers", "ocr", "ocr.clean", "questions", "speeches")
    origins = [n.split(".")[0] for n in names]
    tokens = rng.lognormal(0, 0.6, len(names)) * 3e5
    tokens[1], tokens[5] = tokens[0] * 0.5, tokens[4] * 0.95
    domains = tuple(Domain(n, o, float(k), "." not in n) for n, o, k in zip(names, origins, tokens, strict=True))
    sources = list(dict.fromkeys(origins))
    own = np.array([[float(o == s) for o in origins] for s in sources])
    own[:, [1, 5]] *= rng.uniform(0.3, 1.3, 2)  # a rewrite serves its source's held-out text less or more than raw text
    held_out = np.maximum(own, rng.uniform(0.0, 0.1, own.shape))
    benches = rng.dirichlet(np.full(len(names), 0.4), 6) + 0.02
    useful = np.vstack([held_out, benches / benches.max(axis=1, keepdims=True)])
    power, floor = rng.uniform(0.15, 0.5, len(useful)), rng.uniform(0.005, 0.03, len(useful))
    waves, phase = rng.normal(0, 4.0, (40, len(names))), rng.uniform(0, 2 * np.pi, 40)
    height = rng.normal(0, 1.0, (len(useful), 40)) * (2 / 40) ** 0.5
    probe = rng.dirichlet(np.ones(len(names)), 400)
    shape = (probe @ useful.T + floor) ** -power
    spread = rng.uniform(0.1, 0.3, len(useful))
    scale = spread / shape.std(axis=0)

    def truth(w: np.ndarray) -> np.ndarray:
        ripple = np.cos(w**0.5 @ waves.T + phase) @ height.T
        return 3.0 + scale * ((w @ useful.T + floor) ** -power - shape.mean(axis=0)) + 0.1 * spread * ripple

    tasks = tuple([f"heldout/{s}" for s in sources] + [f"bench/{i}" for i in range(len(benches))])
    noise = np.concatenate([rng.uniform(0.005, 0.02, len(sources)), rng.uniform(0.01, 0.04, len(benches))])
    total = float(sum(d.tokens for d in domains if d.is_raw))
    return Problem(domains, tasks, truth, noise, limits(domains, total, 4.0))


def true_optimum(truth: Truth, space: Polytope, factors: np.ndarray) -> np.ndarray:
    def mean(w: np.ndarray) -> np.ndarray:
        return truth(w) @ factors

    def gradient(w: np.ndarray) -> np.ndarray:
        step = 1e-6 * np.eye(len(w))
        return (mean(w + step) - mean(w - step)) / 2e-6

    return minimise(space, mean, gradient, interior(space), np.random.default_rng(0), 4)


@dataclass
class Laboratory:
    """Measures mixes with noise and a common effect a seed block. weights (n, d), values (n, t), blocks (n,)."""

    problem: Problem
    rng: np.random.Generator

    def __post_init__(self) -> None:
        tasks = len(self.problem.tasks)
        self.shift = self.rng.normal(size=(BLOCKS, tasks)) * self.problem.noise
        self.weights, self.values = np.zeros((0, len(self.problem.domains))), np.zeros((0, tasks))
        self.blocks = np.zeros(0, dtype=int)

    def measure(self, weights: np.ndarray, blocks: np.ndarray) -> Swarm:
        """Train the mixes and return all that was measured so far."""
        noise = self.rng.normal(size=(len(weights), len(self.problem.tasks))) * self.problem.noise
        self.values = np.vstack([self.values, self.problem.truth(weights) + noise + self.shift[blocks]])
        self.weights, self.blocks = np.vstack([self.weights, weights]), np.concatenate([self.blocks, blocks])
        names = tuple(f"run-{i}" for i in range(len(self.weights)))
        domains = tuple(d.name for d in self.problem.domains)
        return Swarm(names, domains, self.problem.tasks, self.weights, self.values, self.blocks)


def run_swarm(problem: Problem, runs: int, seed: int) -> tuple[Laboratory, Swarm]:
    """The first round: a design without knowledge."""
    mixes = swarm(problem.domains, runs, seed=seed, within=problem.within, blocks=BLOCKS)
    laboratory = Laboratory(problem, np.random.default_rng([seed, 1]))
    return laboratory, laboratory.measure(np.array([m.weights for m in mixes]), np.array([m.block for m in mixes]))


@dataclass(frozen=True)
class Planted:
    """Regrets in SDs of the objective's noise; held: the optimum is in the region."""

    regret: float
    natural: float
    held: bool


def planted(seed: int, kind: str, rounds: tuple[int, ...]) -> Planted:
    problem = planted_problem(kind, np.random.default_rng([seed, 0]))
    base = {"natural": natural(problem.domains), "uniform": uniform(problem.domains)}
    laboratory, table = run_swarm(problem, rounds[0], seed)
    for i, count in enumerate(rounds[1:]):
        goal = build(table, base["natural"], force=problem.tasks)
        model = surface(table, choose(table, seed=seed), goal)
        added = next_mixes(model, table.weights, problem.within, count, seed=100 * seed + i).mixes
        table = laboratory.measure(added, (len(table.runs) + np.arange(len(added))) % BLOCKS)
    goal = build(table, base["natural"], force=problem.tasks)
    fits = choose(table, seed=seed)
    found = propose(table, fits, goal, problem.within, prior(problem.domains), baselines=base, seed=seed)
    return judged(problem, goal.factors, found)


def judged(problem: Problem, factors: np.ndarray, found: Proposal) -> Planted:
    best = true_optimum(problem.truth, whole_simplex(problem.within), factors)
    value = problem.truth(np.stack([found.weights, best, natural(problem.domains)])) @ factors
    noise = float(np.sqrt(np.sum((factors * problem.noise) ** 2)))
    held = bool(found.beliefs.holds(best[None])[0])
    return Planted((value[0] - value[1]) / noise, (value[2] - value[1]) / noise, held)


@dataclass(frozen=True)
class Quickstart:
    """One synthetic quickstart's verdict; gains are true differences in validation SEs."""

    natural: bool
    uniform: bool
    best: bool
    gains: tuple[float, float, float]
    laws: tuple[str, ...]
    choose_seconds: float
    propose_seconds: float

    @property
    def wins(self) -> bool:
        return self.natural and self.uniform and self.best


def quickstart(seed: int, runs: int) -> Quickstart:
    problem = quickstart_problem(np.random.default_rng([seed, 2]))
    _, table = run_swarm(problem, runs, seed)
    base = {"natural": natural(problem.domains), "uniform": uniform(problem.domains)}
    goal = build(table, base["natural"])
    began = time.process_time()
    fits = choose(table, seed=seed)
    chosen = time.process_time()
    found = propose(table, fits, goal, problem.within, prior(problem.domains), baselines=base, seed=seed)
    ended = time.process_time()
    mixes = {"proposal": found.weights, **base, "best_observed": found.best_observed.weights}
    same = tuple(n for n, w in mixes.items() if n != "proposal" and np.abs(w - found.weights).max() < 1e-3)
    rng = np.random.default_rng([seed, 3])
    truth = problem.truth(np.array(list(mixes.values())))
    shared = rng.normal(size=(5, truth.shape[1])) * problem.noise  # what a seed does to all mixes alike
    drawn = truth[:, None] + shared + rng.normal(size=(len(mixes), 5, truth.shape[1])) * problem.noise
    rows = zip(mixes, goal.value(drawn), strict=True)
    verdict = judge({n: dict(enumerate(v.tolist())) for n, v in rows if n not in same}, same_as_proposal=same)
    exact = goal.value(truth)
    versus = verdict.comparisons
    ours, *theirs = (float(v) for v in exact / (verdict.sd * (2 / 5) ** 0.5))
    return Quickstart(
        natural=versus["natural"].wins,
        uniform=versus["uniform"].wins,
        best=versus["best_observed"].gain >= -versus["best_observed"].se,
        gains=(theirs[0] - ours, theirs[1] - ours, theirs[2] - ours),
        laws=tuple(f.law for f in fits),
        choose_seconds=chosen - began,
        propose_seconds=ended - chosen,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=20, help="seeds a planted surface; 20 make the bar's 100 problems")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS, help="surfaces to try")
    parser.add_argument("--one-round", action="store_true", help="all runs in one round, to see what rounds gain")
    parser.add_argument("--quickstarts", type=int, default=20)
    args = parser.parse_args()
    rounds = (sum(ROUNDS),) if args.one_round else ROUNDS
    every: list[Planted] = []
    for kind in args.kinds:
        rows = [planted(seed, kind, rounds) for seed in range(args.seeds)]
        every += rows
        regrets = [r.regret for r in rows]
        print(
            f"{kind:12s} regret {np.median(regrets):.2f} SD, largest {max(regrets):.2f} SD,"
            f" {np.mean(np.array(regrets) < 1):.2f} below one"
            f" (natural {np.median([r.natural for r in rows]):.1f} SD);"
            f" optimum held {np.mean([r.held for r in rows]):.2f}",
            flush=True,
        )
    result = {
        "within_noise": np.mean([r.regret < 1 for r in every]),
        "region_coverage": np.mean([r.held for r in every]),
        "problems": len(every),
    }
    tried = [quickstart(seed, 24) for seed in range(args.quickstarts)]
    if tried:
        gains = np.median([q.gains for q in tried], axis=0)
        print(f"quickstart   median gain over natural, uniform, best observed: {gains.round(1).tolist()} SE")
        print("laws chosen ", dict(Counter(law for q in tried for law in q.laws)))
        result |= {
            "quickstart_wins": np.mean([q.wins for q in tried]),
            "quickstart_beats_natural": np.mean([q.natural for q in tried]),
            "quickstart_beats_uniform": np.mean([q.uniform for q in tried]),
            "quickstart_not_worse_than_best": np.mean([q.best for q in tried]),
            "quickstarts": len(tried),
            "choose_seconds": np.median([q.choose_seconds for q in tried]),
            "propose_seconds": np.median([q.propose_seconds for q in tried]),
        }
    print(json.dumps({k: round(float(v), 4) for k, v in result.items()}))


if __name__ == "__main__":
    main()

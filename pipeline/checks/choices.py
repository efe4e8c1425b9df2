"""Checks of `objective`, `fit`, `propose` and `references`, of a run and of a swarm from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from pipeline.checks.base import BASELINES, TAKEN, Mistakes, unknown
from pipeline.config import Fit, Objective, Propose, References
from pipeline.mixture.names import LAWS, RECIPES


def choice_mistakes(
    domains: Iterable[str],
    tasks: Iterable[str],
    families: Iterable[str],
    *,
    objective: Objective,
    fit: Fit,
    propose: Propose,
    references: References,
    sums: Mapping[str, Sequence[str]],
) -> Mistakes:
    """Yield what is wrong in the sections that choose a mix from a swarm over these domains and tasks.

    sums: what a bound may be called -> the domains whose total it limits.
    """
    domains, tasks, families = list(domains), list(tasks), list(families)
    for family in objective.families:
        if family not in families:
            yield ("objective", "families", family), unknown(family, families, "task family")
    for task in objective.tasks:
        if task not in tasks:
            yield ("objective", "tasks", task), unknown(task, tasks, "task")
    either = list(dict.fromkeys([*tasks, *families]))
    for key, names in (("force", objective.force), ("maximise", objective.maximise)):
        for i, task in enumerate(names):
            if task not in either:
                yield ("objective", key, i), unknown(task, either, "task or family")
    for task, mix in objective.no_worse_than.items():
        if task not in either:
            yield ("objective", "no_worse_than", task), unknown(task, either, "task or family")
        if mix not in (*BASELINES, *references):
            yield ("objective", "no_worse_than", task), unknown(mix, (*BASELINES, *references), "mix")
    shares = [objective.families.get(task.split("/", 1)[0], 1) * objective.tasks.get(task, 1) for task in tasks]
    if tasks and not any(shares):
        yield ("objective",), "every task has weight 0: a mix needs something to be good at"
    for i, law in enumerate(fit.laws or []):
        if law not in LAWS:
            yield ("fit", "laws", i), unknown(law, LAWS, "law")
    if fit.law and fit.law not in LAWS:
        yield ("fit", "law"), unknown(fit.law, LAWS, "law")
    if propose.recipe and propose.recipe not in RECIPES:
        yield ("propose", "recipe"), unknown(propose.recipe, RECIPES, "recipe")
    elif propose.recipe and (fit.law or fit.laws):
        key = "law" if fit.law else "laws"
        yield ("fit", key), f"the recipe {propose.recipe} brings its own law: leave this out, or `propose.recipe`"
    if propose.recipe == "regmix" and propose.kl:
        yield ("propose", "kl"), "the recipe regmix has no pull to the prior: leave this out"
    yield from _bounds(propose, sums)
    for name, weights in references.items():
        if name in TAKEN:
            yield ("references", name), f"this name is taken, as are {', '.join(f'`{each}`' for each in TAKEN)}"
        if not name.isprintable() or not name.strip() or set(name) & set("|/"):
            yield ("references", name), "expected a name of printable characters without `|` and `/`"
        for domain in weights:
            if domain not in domains:
                yield ("references", name, domain), unknown(domain, domains, "domain")
        if any(weight < 0 for weight in weights.values()) or abs(sum(weights.values()) - 1) > 0.005:
            yield ("references", name), f"weights must be 0 or more and sum to 1, got {sum(weights.values()):g}"


def _bounds(propose: Propose, sums: Mapping[str, Sequence[str]]) -> Mistakes:
    """Yield unknown names and empty ranges; or, where there are none, the bounds that cannot hold together."""
    wrong = False
    for name, bound in propose.bounds.items():
        if name not in sums:
            yield ("propose", "bounds", name), unknown(name, sums, "domain or group")
        elif bound.min > bound.max:
            yield ("propose", "bounds", name), f"min {bound.min} is above max {bound.max}"
        wrong |= not sums.get(name) or bound.min > bound.max
    if wrong or not propose.bounds:
        return
    from pipeline.mixture.polytope import collisions, whole_simplex
    from pipeline.mixture.spaces import Bound, Domain, limits

    # Tokens are not known yet, and bounds need none: caps are checked when the swarm is designed.
    domains = [Domain(name, name, 1.0, True) for name in dict.fromkeys(each for sum_ in sums.values() for each in sum_)]
    bounds = [Bound(tuple(sums[name]), each.min, each.max, name) for name, each in propose.bounds.items()]
    names = collisions(whole_simplex(limits(domains, bounds=bounds)))
    if names:
        yield ("propose", "bounds"), "no mix satisfies all of: " + "; ".join(names)

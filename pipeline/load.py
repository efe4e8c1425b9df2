"""Load a mix YAML and check everything that can be known before work starts.

All mistakes of a file are reported at once, each with file, line, key and what was expected.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from pydantic import BaseModel, ValidationError

from classifiers.registry import SCORERS
from pipeline.config import NAME, Benchmark, Config, Fit, Objective, Propose, References, Section, Transfer
from pipeline.errors import InputError, nearest
from pipeline.own_tokenizer import open_tokenizer, vocabulary_size
from pipeline.readers import READERS, reader_of
from pipeline.resolve import with_values
from pipeline.rewriting.registry import REWRITERS
from pipeline.tasks import task_names
from pipeline.yaml_lines import Path_, YamlDocument, dotted, read_yaml
from proxy_models.metrics import ACCURACIES
from proxy_models.readers import FORMATS, format_of

BASELINES = ("natural", "uniform")
"""Mixes that are always there, beside the user's references."""

TAKEN = ("proposal", *BASELINES, "best_observed")
"""Names that no reference may have: mixes that it stands beside."""

RESERVED_SCORERS = ("duplicates", "contamination")  # always run by the pipeline itself


@dataclass(frozen=True)
class LoadedMix:
    """A checked configuration and the document it came from (for messages that name a line)."""

    config: Config
    document: YamlDocument

    @property
    def stem(self) -> str:
        return Path(self.document.name).stem

    def error(self, path: Path_, message: str) -> InputError:
        return InputError(line_of(self.document, path, message))


def load_mix(path: Path) -> LoadedMix:
    """Read, validate and cross-check one mix YAML. Raises InputError with one line per mistake."""
    document = read_yaml(path)
    try:
        config = Config.model_validate(with_values(document.data))
    except ValidationError as error:
        raise InputError("\n".join(schema_mistakes(document, error, Config))) from None
    mistakes = [line_of(document, place, text) for place, text in _mistakes(config)]
    if mistakes:
        raise InputError("\n".join(mistakes))
    return LoadedMix(config, document)


def line_of(document: YamlDocument, path: Path_, message: str) -> str:
    """Return one mistake as `file:line: key: message`."""
    return f"{document.place(path)}: `{dotted(path)}`: {message}"


def schema_mistakes(document: YamlDocument, error: ValidationError, model: type[BaseModel]) -> Iterator[str]:
    """Yield one line per mistake that the schema found, with the nearest key that it knows."""
    for mistake in error.errors():
        path = tuple(part for part in mistake["loc"] if part != "[key]")
        if mistake["type"] == "extra_forbidden":
            known = _keys_at(model, path[:-1])
            message = f"unknown key{nearest(str(path[-1]), known)}"
        elif mistake["type"] == "missing":
            message = "is required and missing"
        else:
            message = f"{mistake['msg'].removeprefix('Value error, ')}, got {mistake['input']!r}"
        yield line_of(document, path, message)


def _keys_at(model: type[BaseModel], path: Path_) -> list[str]:
    """Return the keys that the schema knows at a path."""
    schema = model.model_json_schema(by_alias=True)
    here = schema
    for part in path:
        here = _resolve(here, schema)
        if isinstance(part, int):
            here = here.get("items", {})
        else:
            here = here.get("properties", {}).get(part) or here.get("additionalProperties") or {}
    return list(_resolve(here, schema).get("properties", {}))


def _resolve(node: dict, schema: dict) -> dict:
    for option in node.get("anyOf", []):
        if "$ref" in option or option.get("type") in ("object", "array"):
            node = option
    return schema["$defs"][node["$ref"].split("/")[-1]] if "$ref" in node else node


Mistakes = Iterator[tuple[Path_, str]]


def _mistakes(config: Config) -> Mistakes:
    from pipeline.mixture.spaces import bound_names

    yield from _sources(config)
    yield from _annotate(config)
    yield from _select(config)
    yield from _rewrite(config)
    yield from _domains(config)
    yield from _design(config)
    yield from _evals(config)
    yield from _tokenizers(config)
    yield from _proxy(config)
    yield from choice_mistakes(
        config.domain_names(),
        task_names(config),
        {task.split("/")[0] for task in task_names(config)},
        objective=config.objective,
        fit=config.fit,
        propose=config.propose,
        references=config.references,
        sums=bound_names(config.domain_names(), config.swarm.freeze),
    )


def unknown(name: str, known: Iterable[str], what: str) -> str:
    """Return the message for a name that is not there, with the nearest that is."""
    return f"there is no {what} `{name}`{nearest(name, known)}"


def source_files(path: str) -> list[str]:
    """Return the files of a source in order; a glob may match several, each of them a shard."""
    if "://" in path:
        import fsspec

        fs, base = fsspec.core.url_to_fs(path)
        return sorted(fs.unstrip_protocol(name) for name in fs.glob(base))
    return sorted(glob.glob(path, recursive=True))


def _sources(config: Config) -> Mistakes:
    for name, source in config.sources.items():
        if not NAME.fullmatch(name):
            yield ("sources", name), "a source's name is lower-case letters, digits and _"
        files = source_files(source.path)
        if not files:
            yield ("sources", name, "path"), f"no file matches `{source.path}`"
        for file in files:
            if reader_of(file) is None:
                yield ("sources", name, "path"), f"`{file}`: no reader for this ending (known: {', '.join(READERS)})"
            elif "://" not in file and Path(file).stat().st_size == 0:
                yield ("sources", name, "path"), f"`{file}` is empty: a source needs at least one document"
        if source.license and source.license_field:
            yield ("sources", name, "license_field"), "give `license` or `license_field`, not both"


def _annotate(config: Config) -> Mistakes:
    for name, section in config.annotate.items():
        place = ("annotate", name)
        if not NAME.fullmatch(name):
            yield place, "an attribute's name is lower-case letters, digits and _"
        scorer = section.get("scorer", name)
        known = [each for each in SCORERS if each not in RESERVED_SCORERS]
        if scorer not in known:
            yield (*place, "scorer") if "scorer" in section else place, unknown(str(scorer), known, "scorer")
            continue
        spec = SCORERS[scorer]
        params = scorer_params(section)
        try:
            spec.params.model_validate(params)
        except ValidationError as error:
            yield from _nested(place, error, [*spec.params.model_fields, *_training_keys(spec.trains)])
        model = section.get("model")
        if model is not None and not Path(str(model)).is_file():
            yield (*place, "model"), f"no such file: {model}"
        if is_trained(name, section):
            for side in ("positive", "negative"):
                chosen = section.get(side)
                if not isinstance(chosen, list) or not chosen:
                    yield (*place, side), "expected a list of sources that the classifier learns from"
                    continue
                for i, source in enumerate(chosen):
                    if source not in config.sources:
                        yield (*place, side, i), unknown(str(source), config.sources, "source")


def is_trained(name: str, section: dict) -> bool:
    """Tell whether an `annotate` entry is a classifier that the run trains itself (not one from elsewhere, by path)."""
    return SCORERS[section.get("scorer", name)].trains and section.get("model") is None


def _training_keys(trains: bool) -> tuple[str, ...]:
    return ("scorer", "positive", "negative") if trains else ("scorer",)


def scorer_params(section: dict) -> dict:
    """Return the scorer's own parameters of an `annotate` entry."""
    return {key: value for key, value in section.items() if key not in ("scorer", "positive", "negative")}


def _nested(place: Path_, error: ValidationError, known: Iterable[str]) -> Mistakes:
    for mistake in error.errors():
        path = (*place, *mistake["loc"])
        if mistake["type"] == "extra_forbidden":
            yield path, f"unknown key{nearest(str(mistake['loc'][-1]), known)}"
        else:
            yield path, f"{mistake['msg'].removeprefix('Value error, ')}, got {mistake['input']!r}"


def attribute_columns(config: Config) -> list[str]:
    """Return the names of all attribute columns, as `name_column`, that rules may compare."""
    columns = []
    for name, section in config.annotate.items():
        spec = SCORERS.get(section.get("scorer", name))
        columns += [f"{name}_{column}" for column in spec.columns] if spec else []
    return columns


def _select(config: Config) -> Mistakes:
    columns = attribute_columns(config)
    seen = set()
    for i, rule in enumerate(config.select):
        if rule.name in seen:
            yield ("select", i, "name"), f"the reason `{rule.name}` is used twice"
        seen.add(rule.name)
        try:
            used = pl.sql_expr(rule.drop).meta.root_names()
        except Exception as error:  # polars raises several types for bad SQL
            yield ("select", i, "drop"), f"not an SQL expression: {str(error).splitlines()[0]}"
            continue
        for column in used:
            if column not in columns:
                yield ("select", i, "drop"), unknown(column, columns, "attribute")
        for j, source in enumerate(rule.sources or []):
            if source not in config.sources:
                yield ("select", i, "sources", j), unknown(source, config.sources, "source")


def _rewrite(config: Config) -> Mistakes:
    for name, rewrite in config.rewrite.items():
        origin, _, variant = name.partition(".")
        if not variant or not NAME.fullmatch(variant):
            yield ("rewrite", name), "expected `source.variant`, in lower-case letters, digits and _"
        elif origin not in config.sources:
            yield ("rewrite", name), unknown(origin, config.sources, "source")
        if rewrite.task not in REWRITERS:
            yield ("rewrite", name, "task"), unknown(rewrite.task, REWRITERS, "rewriting task")
            continue
        try:
            REWRITERS[rewrite.task].params.model_validate(rewrite.params)
        except ValidationError as error:
            known = REWRITERS[rewrite.task].params.model_fields
            yield from _nested(("rewrite", name, "params"), error, known)


def _domains(config: Config) -> Mistakes:
    possible = [*config.sources, *config.rewrite]
    for i, domain in enumerate(config.domains or []):
        if domain not in possible:
            yield ("domains", i), unknown(domain, possible, "domain")
    domains = config.domain_names()
    if len(domains) < 2:
        yield ("domains",), "a mix needs at least two domains"
    raw = [domain for domain in domains if domain in config.sources]
    for i, domain in enumerate(domains):
        if config.origin(domain) not in raw:
            yield ("domains", i), f"`{domain}` needs its source `{config.origin(domain)}` among the domains"
    if config.proxy.tokens > config.target.tokens:
        yield ("proxy", "tokens"), f"{config.proxy.tokens} is above target.tokens ({config.target.tokens})"


def _design(config: Config) -> Mistakes:
    from pipeline.mixture.designs import METHODS
    from pipeline.mixture.freeze import mistakes

    if config.swarm.method not in METHODS:
        yield (
            ("swarm", "method"),
            f"there is no design method `{config.swarm.method}`{nearest(config.swarm.method, METHODS)}",
        )
    for place, message in mistakes(config.swarm.freeze, config.domain_names()):
        yield ("swarm", "freeze", *place), message


def _evals(config: Config) -> Mistakes:
    for name, benchmark in config.evals.benchmarks.items():
        if not NAME.fullmatch(name):
            yield ("evals", "benchmarks", name), "a benchmark's name is lower-case letters, digits and _"
        yield from (((*("evals", "benchmarks", name), *place), text) for place, text in _benchmark(benchmark))


def _tokenizers(config: Config) -> Mistakes:
    for section, path in (("target", config.target.tokenizer), ("tokenize", config.tokenize.tokenizer)):
        if path is None:
            continue
        if not Path(path).is_file():
            yield (section, "tokenizer"), f"no such file: {path}"
            continue
        try:
            size = vocabulary_size(open_tokenizer(Path(path)))
        except ValueError as error:
            yield (section, "tokenizer"), str(error)
            continue
        if section == "tokenize" and config.tokenize.vocab_size != size:
            text = f"{config.tokenize.vocab_size} is not the size of `{path}` ({size}): leave it out"
            yield ("tokenize", "vocab_size"), text


def _benchmark(benchmark: Benchmark) -> Mistakes:
    """Yield what is wrong with one benchmark, as far as its first line tells."""
    if len(set(benchmark.metric)) < len(benchmark.metric):
        yield ("metric",), "a metric stands twice"
    if benchmark.format is not None and benchmark.format not in FORMATS:
        yield ("format",), unknown(benchmark.format, FORMATS, "format")
    elif not Path(benchmark.path).is_file():
        yield ("path",), f"no such file: {benchmark.path}"
    else:
        try:
            form = format_of(Path(benchmark.path), benchmark.format)
        except ValueError as error:
            yield ("path",), str(error)
            return
        if "bpb" in benchmark.metric and not FORMATS[form].has_context:
            known = ", ".join(each for each in ACCURACIES if each != "acc_uncond")
            yield ("metric",), f"{form} has no context to answer, so bits per byte say nothing; expected one of {known}"


def _proxy(config: Config) -> Mistakes:
    from proxy_models.presets import PRESETS

    if config.proxy.preset not in PRESETS:
        yield ("proxy", "preset"), unknown(config.proxy.preset, PRESETS, "preset")
        return
    batch = PRESETS[config.proxy.preset].batch_tokens
    steps, curve = config.proxy.tokens // batch, config.proxy.curve
    if not steps:
        text = f"{config.proxy.tokens} is less than one batch of preset {config.proxy.preset} ({batch})"
        yield ("proxy", "tokens"), text
    elif curve != sorted(set(curve)) or len({round(share * steps) for share in curve} - {0, steps}) < len(curve):
        text = f"expected rising shares between 0 and 1 that fall on different steps of {steps}, got {curve}"
        yield ("proxy", "curve"), text
    if config.validation.transfer:
        yield from _transfer(config, config.validation.transfer)


def _transfer(config: Config, transfer: Transfer) -> Mistakes:
    from proxy_models.presets import PRESETS

    place = ("validate", "transfer")
    if transfer.preset not in PRESETS:
        yield (*place, "preset"), unknown(transfer.preset, PRESETS, "preset")
        return
    small, large = PRESETS[config.proxy.preset], PRESETS[transfer.preset]
    tokens = transfer.tokens or large.tokens
    vocab_size = config.tokenize.vocab_size
    if large.parameters(vocab_size) * tokens <= small.parameters(vocab_size) * config.proxy.tokens:
        yield place, f"expected larger proxies than the swarm's ({config.proxy.preset}, {config.proxy.tokens} tokens)"
    if large.context < small.context:
        text = f"its context of {large.context} tokens is shorter than the proxies' ({small.context}): evals do not fit"
        yield (*place, "preset"), text
    if tokens < large.batch_tokens:
        yield (*place, "tokens"), f"{tokens} is less than one batch of preset {transfer.preset} ({large.batch_tokens})"
    if tokens > config.target.tokens:
        yield (*place, "tokens"), f"{tokens} is above target.tokens ({config.target.tokens})"


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
    from pipeline.mixture.laws import LAWS
    from pipeline.mixture.recipes import RECIPES

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
        for domain in weights:
            if domain not in domains:
                yield ("references", name, domain), unknown(domain, domains, "domain")
        if any(weight < 0 for weight in weights.values()) or abs(sum(weights.values()) - 1) > 0.005:
            yield ("references", name), f"weights must be 0 or more and sum to 1, got {sum(weights.values()):g}"


def _bounds(propose: Propose, sums: Mapping[str, Sequence[str]]) -> Mistakes:
    """Yield unknown names and empty ranges; or, where there are none, the bounds that cannot hold together."""
    from pipeline.mixture.polytope import collisions, whole_simplex
    from pipeline.mixture.spaces import Bound, Domain, limits

    wrong = False
    for name, bound in propose.bounds.items():
        if name not in sums:
            yield ("propose", "bounds", name), unknown(name, sums, "domain or group")
        elif bound.min > bound.max:
            yield ("propose", "bounds", name), f"min {bound.min} is above max {bound.max}"
        wrong |= name not in sums or bound.min > bound.max
    if wrong or not propose.bounds:
        return
    # Tokens are not known yet, and bounds need none: caps are checked when the swarm is designed.
    domains = [Domain(name, name, 1.0, True) for name in dict.fromkeys(each for sum_ in sums.values() for each in sum_)]
    bounds = [Bound(tuple(sums[name]), each.min, each.max, name) for name, each in propose.bounds.items()]
    names = collisions(whole_simplex(limits(domains, bounds=bounds)))
    if names:
        yield ("propose", "bounds"), "no mix satisfies all of: " + "; ".join(names)


def resolved(config: Section) -> dict:
    """Return the configuration with all defaults, as plain data under the YAML's own key names."""
    return config.model_dump(mode="json", by_alias=True)

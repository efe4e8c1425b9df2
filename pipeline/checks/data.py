"""Checks of `sources`, `annotate`, `select`, `rewrite` and `domains`."""

from __future__ import annotations

import os

from pydantic import ValidationError

from classifiers.registry import SCORERS
from pipeline.checks.base import RESERVED_SCORERS, Mistakes, scorer_of, unknown
from pipeline.conditions import FIELD, BadCondition, columns_of, field_types, is_field
from pipeline.config import NAME, Config, Source
from pipeline.readers.listing import format_of, params_of, source_files
from pipeline.readers.registry import FORMATS, missing_modules
from pipeline.readers.streams import codec_of
from pipeline.rewriting.registry import mistakes as rewrite_mistakes
from pipeline.rules import RULE_SETS, signals_of
from pipeline.yaml_lines import Path_
from pipeline.yaml_schema import nested_mistakes


def data_mistakes(config: Config) -> Mistakes:
    yield from _sources(config)
    yield from _annotate(config)
    yield from _select(config)
    yield from _rewrite(config)
    yield from _domains(config)


def _sources(config: Config) -> Mistakes:
    for name, source in config.sources.items():
        place = ("sources", name)
        if not NAME.fullmatch(name):
            yield place, "a source's name is lower-case letters, digits and _"
        if source.license and source.license_field:
            yield (*place, "license_field"), "give `license` or `license_field`, not both"
        if source.format is not None and source.format not in FORMATS:
            yield (*place, "format"), unknown(source.format, FORMATS, "format")
            continue
        yield from _files(place, source)


def _files(place: Path_, source: Source) -> Mistakes:
    """Check that there is something to read, and a reader with settings that it knows."""
    try:
        files = source_files(source)
    except ConnectionError as error:
        yield (*place, "path"), str(error)
        return
    if not files:
        folder = source.format is not None and FORMATS[source.format].of == "folder"
        if folder and "://" in source.path:
            yield (*place, "path"), f"`{source.path}`: {source.format} is read from local folders only"
        else:
            yield (*place, "path"), f"no {'folder' if folder else 'file'} matches `{source.path}`"
    used = set()
    for file in files:
        form = format_of(source, file)
        if form is None:
            endings = "no reader for this ending; name one with `format`"
            yield (*place, "path"), f"`{file}`: {endings} (known: {', '.join(FORMATS)})"
        elif FORMATS[form].of == "file" and "://" not in file and os.path.isdir(file):
            yield (*place, "path"), f"`{file}` is a folder; its files are `{file.rstrip('/')}/*`"
        used.add(form)
    for form in used - {None}:
        if missing := missing_modules(form):
            yield (
                (*place, "format" if source.format else "path"),
                (f"the format `{form}` needs {' and '.join(missing)}: pip install 'mixwright[{form}]'"),
            )
        try:
            params = params_of(source, form)
        except ValidationError as error:
            yield from nested_mistakes((*place, "params"), error, FORMATS[form].params.model_fields)
            continue
        lacking = FORMATS[form].missing
        if lacking and (what := lacking(params)):
            yield (*place, "params"), f"it needs {what}"
    local = [file for file in files if "://" not in file and os.path.isfile(file)]
    if local and len(local) == len(files) and not any(os.path.getsize(file) for file in local):
        yield (*place, "path"), f"`{local[0]}` is empty: a source needs at least one document"
        return
    found = {_looks_like(file) for file in local[:_LOOKED_AT]}
    if (
        source.format
        and len(found) == 1
        and not codec_of(local[0])
        and (kind := found.pop()) not in (None, source.format)
    ):
        yield (*place, "format"), f"`{local[0]}` is a file of {kind}, not of {source.format}"


_LOOKED_AT = 5
"""Files of a source whose first bytes are looked at. One that is damaged is set aside by the run."""

_STARTS = {b"PAR1": "parquet", b"%PDF": "pdf", b"ARROW1": "arrow", b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip"}


def _looks_like(file: str) -> str | None:
    """Return what a file's first bytes say that it is; None for text and what is not known."""
    with open(file, "rb") as opened:
        start = opened.read(8)
    return next((kind for magic, kind in _STARTS.items() if start.startswith(magic)), None)


def _annotate(config: Config) -> Mistakes:
    for name, section in config.annotate.items():
        place = ("annotate", name)
        if not NAME.fullmatch(name):
            yield place, "an attribute's name is lower-case letters, digits and _"
        if is_field(f"{name}_"):
            yield place, f"`{FIELD}…` are the documents' own fields; give the attribute another name"
        scorer = scorer_of(name, section)
        known = [each for each in SCORERS if each not in RESERVED_SCORERS]
        if scorer not in known:
            yield (*place, "scorer") if "scorer" in section else place, unknown(scorer, known, "scorer")
            continue
        spec = SCORERS[scorer]
        params = scorer_params(section)
        try:
            spec.params.model_validate(params)
        except ValidationError as error:
            yield from nested_mistakes(place, error, [*spec.params.model_fields, *_training_keys(spec.trains)])
        if is_trained(name, section):
            for side in ("positive", "negative"):
                chosen = section.get(side)
                if not isinstance(chosen, list) or not chosen:
                    yield (*place, side), "expected a list of sources that the classifier learns from"
                    continue
                for i, source in enumerate(chosen):
                    if str(source) not in config.sources:
                        yield (*place, side, i), unknown(str(source), config.sources, "source")


def is_trained(name: str, section: dict) -> bool:
    """Tell whether an `annotate` entry is a classifier that the run trains itself (not one from elsewhere, by path)."""
    return SCORERS[scorer_of(name, section)].trains and section.get("model") is None


def _training_keys(trains: bool) -> tuple[str, ...]:
    return ("scorer", "positive", "negative") if trains else ("scorer",)


def scorer_params(section: dict) -> dict:
    """Return the scorer's own parameters of an `annotate` entry."""
    return {key: value for key, value in section.items() if key not in ("scorer", "positive", "negative")}


def attribute_columns(config: Config) -> list[str]:
    """Return the names of all attribute columns, as `name_column`, that rules may compare."""
    columns = []
    for name, section in config.annotate.items():
        spec = SCORERS.get(scorer_of(name, section))
        columns += [f"{name}_{column}" for column in spec.columns] if spec else []
    return columns


def of_no_scorer(config: Config, column: str) -> bool:
    """Tell whether a column belongs to an `annotate` entry whose scorer is not known: that is the mistake then."""
    return any(
        scorer_of(name, section) not in SCORERS and column.startswith(f"{name}_")
        for name, section in config.annotate.items()
    )


def _select(config: Config) -> Mistakes:
    columns = attribute_columns(config)
    seen: set[tuple[str, str]] = set()
    for i, rule in enumerate(config.select):
        for j, source in enumerate(rule.sources or []):
            if source not in config.sources:
                yield ("select", i, "sources", j), unknown(source, config.sources, "source")
        reason = str(rule.rules or rule.name)
        holds = {(reason, source) for source in rule.sources or config.sources}
        if seen & holds:
            what = f"the rule set `{reason}`" if rule.rules else f"the reason `{reason}`"
            yield ("select", i, "rules" if rule.rules else "name"), f"{what} is used twice for a source"
        seen |= holds
        if rule.rules is not None:
            yield from _rule_set(config, i, rule.rules)
            continue
        place = ("select", i, "drop")
        try:
            named = columns_of(str(rule.drop))
            strangers = [
                each for each in named if not (each in columns or is_field(each) or of_no_scorer(config, each))
            ]
            if not strangers:
                field_types(str(rule.drop))
        except BadCondition as error:
            yield place, str(error)
            continue
        for column in strangers:
            hint = f"; a document's own field is `{FIELD}{column}`" if "_" not in column else ""
            yield place, unknown(column, columns, "attribute") + hint


def _rule_set(config: Config, i: int, name: str) -> Mistakes:
    if name not in RULE_SETS:
        yield ("select", i, "rules"), unknown(name, RULE_SETS, "rule set")
        return
    rule, rules = config.select[i], {each.name: each for each in RULE_SETS[name].rules}
    for key, limit in rule.limits.items():
        if key not in rules:
            yield ("select", i, "limits", key), unknown(key, rules, f"rule of {name}")
            continue
        try:
            rules[key].within(limit)
        except ValueError as error:
            yield ("select", i, "limits", key), str(error)
    scorer, fitting = RULE_SETS[name].scorer, signals_of(name, config.annotate)
    if not fitting:
        yield ("select", i, "rules"), f"`{name}` reads the scorer `{scorer}`, which is not in `annotate`"
    elif rule.attribute is not None and rule.attribute not in fitting:
        yield ("select", i, "attribute"), unknown(rule.attribute, fitting, f"attribute of the scorer {scorer}")
    elif rule.attribute is None and len(fitting) > 1:
        choices = ", ".join(f"`{each}`" for each in fitting)
        yield ("select", i, "rules"), f"`attribute` has to say which one `{name}` reads: {choices}"


def _rewrite(config: Config) -> Mistakes:
    for name, rewrite in config.rewrite.items():
        origin, _, variant = name.partition(".")
        if not variant or not NAME.fullmatch(variant):
            yield ("rewrite", name), "expected `source.variant`, in lower-case letters, digits and _"
        elif origin not in config.sources:
            yield ("rewrite", name), unknown(origin, config.sources, "source")
        for place, text in rewrite_mistakes(rewrite.task, rewrite.params):
            yield ("rewrite", name, *place), text


def _domains(config: Config) -> Mistakes:
    buckets = [name for source in config.buckets for name in config.raw_parts(source)]
    possible = [*config.sources, *buckets, *config.rewrite]
    for i, domain in enumerate(config.domains or []):
        if domain not in possible:
            yield ("domains", i), unknown(domain, possible, "domain")
        elif domain in (config.domains or [])[:i]:
            yield ("domains", i), f"`{domain}` stands twice"
    domains = config.domain_names()
    if len(domains) < 2:
        yield ("domains",), "a mix needs at least two domains"
    raw = {config.origin(domain) for domain in domains if domain in config.sources or domain in buckets}
    for i, domain in enumerate(domains):
        if config.origin(domain) in config.sources and config.origin(domain) not in raw:
            yield ("domains", i), f"`{domain}` needs its source `{config.origin(domain)}` among the domains"
        if domain in config.buckets and not set(domains).isdisjoint(config.raw_parts(domain)):
            yield ("domains", i), f"`{domain}` holds the documents of its buckets once more: take it or them"
    if config.proxy.tokens > config.target.tokens:
        yield ("proxy", "tokens"), f"{config.proxy.tokens} is above target.tokens ({config.target.tokens})"

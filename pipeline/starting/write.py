"""The YAML that `mixwright init` writes: what was seen, what was guessed, and what only its user can know."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import yaml

from pipeline.errors import InputError
from pipeline.rules import expand
from pipeline.starting.fields import DEFAULTS, Look, look_at
from pipeline.starting.files import Group, name_of, sort_out
from pipeline.starting.hub import KNOWN, is_hub_name

BYTES_PER_TOKEN = 4
_LEAST_TARGET, _SAMPLED = 400_000, 50
_KEPT, _ENGLISH = 0.5, 0.7
"""Shares of a sample, kept and in English, above which a filter is proposed."""
_SYMBOLS = 0.08
"""Share of symbols among characters below which a text is prose: of the samples' prose at most 0.05, of code 0.11."""
_HUB = 10e9
"""Tokens of the target where data was not looked at."""
_SIZES = ((20e9, "14m", "280M"), (2e9, "4m", "80M"), (2e8, "1m", "20M"), (0, "quickstart", "200k"))
"""From so many tokens of the target on: a preset and its tokens."""


@dataclass
class _Source:
    """One line of `sources`, what is said about it, and what the sample allows."""

    name: str
    keys: dict[str, Any]
    note: str
    size: float = 0
    prose: bool = False
    english: bool = False


@dataclass
class _Seen:
    sources: list[_Source] = field(default_factory=list)
    evals: dict[str, str] = field(default_factory=dict)
    unread: list[str] = field(default_factory=list)


def first_yaml(what: Sequence[str], schema: str | None) -> str:
    """Return a commented YAML for folders, files and hub names. schema: for the editor's line, if any.

    Raises InputError where there is nothing to read, or a single source.
    """
    seen = _Seen()
    for each in what:
        _see(each, seen)
    if not seen.sources:
        raise InputError(f"{' '.join(what)}: nothing that a reader knows; docs/sources.md lists the formats")
    if len(seen.sources) == 1:
        raise InputError(
            f"{' '.join(what)}: one source, `{seen.sources[0].name}`, and a mix needs at least two domains: name more "
            "data (or write the YAML with `buckets` or `rewrite`: docs/classifiers.md, docs/rewriting.md)"
        )
    return "\n".join(_lines(seen, what, schema)) + "\n"


def _see(what: str, seen: _Seen) -> None:
    path = Path(what)
    if path.exists():
        folder = sort_out(path)
        seen.evals |= folder.evals
        seen.unread += folder.unread
        for group in folder.groups:
            source = _source(group)
            (seen.sources.append(source) if isinstance(source, _Source) else seen.unread.append(source))
    elif is_hub_name(what):
        known = KNOWN.get(what)
        keys: dict[str, Any] = {"path": what, "format": "huggingface", **(known or {})}
        note = (
            "fields by its card"
            if known
            else "not looked at: put its fields in (text, id, group), its config and license"
        )
        seen.sources.append(_Source(name_of(what.rpartition("/")[2]), keys, note))
    else:
        raise InputError(f"{what}: no such file or folder, and no name of a data set on the hub (owner/name)")


def _source(group: Group) -> _Source | str:
    look = look_at(group)
    if look.wrong is not None:
        return f"{group.path} ({' '.join(look.wrong.split())[:120]})"
    keys: dict[str, Any] = {"path": group.path}
    if group.form:
        keys["format"] = group.form
    keys |= {key: name for key, name in look.fields.items() if DEFAULTS.get(key, "") != name}
    kept, prose, english = _kinds(look)
    note = [_number(len(group.files), "file"), f"about {_amount(look.size)}B of text"]
    if look.documents is not None:
        note.insert(1, _number(look.documents, "document"))
    if prose:
        note.append(f"gopher_quality keeps {kept:.0%} of the first {min(len(look.texts), _SAMPLED)}")
    if "license_field" not in keys and group.form != "code":
        note.append("no license stated")
    return _Source(group.name, keys, ", ".join(note), look.size, prose, english)


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _kinds(look: Look) -> tuple[float, bool, bool]:
    """Return what Gopher's rules keep of a sample, whether it is prose, and whether it is English prose."""
    from classifiers.heuristics import GopherParams, GopherScorer
    from classifiers.language import LanguageParams, LanguageScorer

    texts = pl.Series([text for text in look.texts if text.strip()][:_SAMPLED], dtype=pl.String)
    if texts.is_empty():
        return 0.0, False, False
    signals = GopherScorer(GopherParams()).score(texts).rename(lambda name: f"gopher_{name}")
    drops = [pl.sql_expr(condition) for _, condition in expand("gopher_quality", "gopher", {})]
    kept = signals.filter(~pl.any_horizontal(drops)).height / len(texts)
    prose = kept > _KEPT and float(np.mean(signals["gopher_symbols"].to_numpy())) < _SYMBOLS
    labels = LanguageScorer(LanguageParams.model_validate({})).score(texts)["label"].to_list()
    return kept, prose, prose and labels.count("en") / len(labels) > _ENGLISH


def _lines(seen: _Seen, what: Sequence[str], schema: str | None) -> Iterator[str]:
    known = all(source.size for source in seen.sources)
    target = max(_LEAST_TARGET, sum(source.size for source in seen.sources) / BYTES_PER_TOKEN) if known else _HUB
    preset, proxy_tokens = next((preset, each) for least, preset, each in _SIZES if target >= least)
    if schema:
        yield f"# yaml-language-server: $schema={schema}"
    yield f"# Written by `mixwright init {' '.join(what)}`. Guesses are marked `?`. Every key: docs/YAML.md."
    yield "# Paths are relative to the folder that the command is run in."
    yield from ("", "seed: 1", "", "target:")
    yield "  # ? the token budget of YOUR training run" + (
        "; here one pass over the data, at four bytes a token" if known else ""
    )
    yield f"  tokens: {_amount(target)}"
    yield from ("", "sources:")
    for source in seen.sources:
        yield f"  {_flow(source.name)}:   # {source.note}"
        yield f"    {_flow(source.keys)}"
    yield from (f"  # not read: {each}" for each in seen.unread[:20])
    if len(seen.unread) > 20:
        yield f"  # not read: {len(seen.unread) - 20} more"
    yield from _filters(seen.sources)
    yield from ("", f"swarm: {{runs: {max(24, 6 * len(seen.sources))}}}   # small proxies, each on a mix of its own")
    yield from (
        "",
        f"proxy: {{preset: {preset}, tokens: {proxy_tokens}}}   # ? `mixwright plan --cpu-hours 10` suggests sizes",
    )
    yield from ("", "evals:", "  heldout: {fraction: 0.1}   # of every source, never trained on")
    if seen.evals:
        yield "  benchmarks:"
        yield from (f"    {_flow(name)}: {_flow({'path': path})}" for name, path in seen.evals.items())
    else:
        yield "  # benchmarks:   # ? what the model is for: files of requests or questions (docs/YAML.md, Evals)"
        yield "  #   arc_easy: {path: evals/arc_easy.jsonl.gz}"
    yield from ("", "propose: {max_repetition: 4}   # passes over one source in the target run, at most")


def _filters(sources: Sequence[_Source]) -> Iterator[str]:
    """Yield scorers and rules for the sources whose sample they fit."""
    prose = [source.name for source in sources if source.prose]
    english = [source.name for source in sources if source.english and source.prose]
    if not prose:
        return
    yield from ("", "annotate:                # scores beside documents", "  gopher: {}")
    if english:
        yield "  language: {}"
    yield from (
        "",
        "select:                  # the first rule that holds drops a document; `mixwright curate` shows how many",
    )
    yield f"  - {_flow({'rules': 'gopher_quality', 'sources': prose})}"
    if english:
        condition = "language_label <> 'en' OR language_probability < 0.4"
        yield f"  - {_flow({'name': 'not_english', 'drop': condition, 'sources': english})}"


def _flow(value: Any) -> str:
    """Return a value as YAML in one line."""
    return (
        yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**9, allow_unicode=True)
        .removesuffix("...\n")
        .strip()
    )


def _amount(value: float) -> str:
    """Return a count with a unit, rounded down to two digits."""
    for size, unit in ((10**12, "T"), (10**9, "B"), (10**6, "M"), (10**3, "k")):
        if value >= size:
            return f"{int(value / size * 10) / 10:g}{unit}" if value < 10 * size else f"{int(value / size)}{unit}"
    return f"{int(value)}"


def schema_beside(out: Path) -> str | None:
    """Return how a YAML names the schema: the repository's copy, or one beside it; None where there is neither."""
    shipped = Path("docs/mix.schema.json")
    if shipped.is_file():
        return os.path.relpath(shipped, out.parent)
    return shipped.name if (out.parent / shipped.name).is_file() else None

"""Checks of `swarm`, `evals`, tokenizers, `proxy` and `validate`."""

from __future__ import annotations

from pathlib import Path

from pipeline.checks.base import Mistakes, unknown
from pipeline.config import NAME, Benchmark, Config, Transfer
from pipeline.errors import nearest
from pipeline.mixture.names import METHODS
from pipeline.own_tokenizer import open_tokenizer, vocabulary_size
from proxy_models.metrics import ACCURACIES
from proxy_models.readers import FORMATS, format_of


def proxy_mistakes(config: Config) -> Mistakes:
    yield from _design(config)
    yield from _evals(config)
    yield from _tokenizers(config)
    yield from _proxy(config)


def _design(config: Config) -> Mistakes:
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
        return
    if large.context < small.context:
        text = f"its context of {large.context} tokens is shorter than the proxies' ({small.context}): evals do not fit"
        yield (*place, "preset"), text
    if tokens < large.batch_tokens:
        yield (*place, "tokens"), f"{tokens} is less than one batch of preset {transfer.preset} ({large.batch_tokens})"
    if tokens > config.target.tokens:
        yield (*place, "tokens"), f"{tokens} is above target.tokens ({config.target.tokens})"

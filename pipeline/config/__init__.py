"""The mix YAML as typed data. docs/YAML.md describes every key for users, and is made from what stands here."""

from pipeline.config.base import NAME, Bytes, Count, ProxyTokens, Section, parse_count, parse_tokens
from pipeline.config.choice import Bound, Fit, Objective, Propose, References, Target
from pipeline.config.data import Buckets, Licenses, Rewrite, Rule, Source, Tokenize
from pipeline.config.mix import Config, Prices, Report
from pipeline.config.proxies import (
    Benchmark,
    Contamination,
    Design,
    Evals,
    Heldout,
    Proxy,
    Resources,
    Transfer,
    Validate,
)

__all__ = [
    "NAME",
    "Benchmark",
    "Bound",
    "Buckets",
    "Bytes",
    "Config",
    "Contamination",
    "Count",
    "Design",
    "Evals",
    "Fit",
    "Heldout",
    "Licenses",
    "Objective",
    "Prices",
    "Propose",
    "Proxy",
    "ProxyTokens",
    "References",
    "Report",
    "Resources",
    "Rewrite",
    "Rule",
    "Section",
    "Source",
    "Target",
    "Tokenize",
    "Transfer",
    "Validate",
    "parse_count",
    "parse_tokens",
]

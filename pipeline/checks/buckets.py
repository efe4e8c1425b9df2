"""Checks of `buckets`."""

from __future__ import annotations

from pipeline.checks.base import Mistakes, unknown
from pipeline.checks.data import attribute_columns, of_no_scorer
from pipeline.config import NAME, Config

_SUM_TOLERANCE = 1e-6


def bucket_mistakes(config: Config) -> Mistakes:
    columns = attribute_columns(config)
    for source, buckets in config.buckets.items():
        place = ("buckets", source)
        if source not in config.sources:
            yield place, unknown(source, config.sources, "source")
        if buckets.by not in columns and not of_no_scorer(config, buckets.by):
            yield (*place, "by"), unknown(buckets.by, columns, "attribute")
        if len(buckets.shares) < 2:
            yield (*place, "shares"), "expected at least two buckets, the best first"
        if any(share <= 0 for share in buckets.shares.values()):
            yield (*place, "shares"), "expected shares above 0"
        elif abs(sum(buckets.shares.values()) - 1) > _SUM_TOLERANCE:
            yield (*place, "shares"), f"shares must sum to 1, got {sum(buckets.shares.values()):g}"
        for name in buckets.shares:
            if not NAME.fullmatch(name):
                yield (*place, "shares", name), "a bucket's name is lower-case letters, digits and _"
            elif f"{source}.{name}" in config.rewrite:
                yield (*place, "shares", name), f"`{source}.{name}` is a rewritten variant; a bucket needs another name"

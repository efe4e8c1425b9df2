"""What a mix YAML says that cannot be, beyond its schema: all mistakes, each with its place."""

from __future__ import annotations

from pipeline.checks.base import Mistakes
from pipeline.checks.buckets import bucket_mistakes
from pipeline.checks.choices import choice_mistakes
from pipeline.checks.columns import column_mistakes
from pipeline.checks.data import data_mistakes
from pipeline.checks.models import model_mistakes
from pipeline.checks.proxies import proxy_mistakes
from pipeline.checks.resources import resource_mistakes
from pipeline.config import Config
from pipeline.tasks import task_names


def mistakes(config: Config) -> Mistakes:
    from pipeline.mixture.spaces import bound_names

    """Yield place and text of every mistake in a configuration that fits the schema."""
    yield from data_mistakes(config)
    yield from column_mistakes(config)
    yield from model_mistakes(config)
    yield from bucket_mistakes(config)
    yield from proxy_mistakes(config)
    yield from resource_mistakes(config)
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

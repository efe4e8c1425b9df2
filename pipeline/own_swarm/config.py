"""The choices beside a swarm from elsewhere: a few sections of a mix YAML, checked against the swarm's own names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError

from pipeline.checks.base import unknown
from pipeline.checks.choices import choice_mistakes
from pipeline.config import Config, Count, Fit, Objective, Propose, References, Section, Target
from pipeline.errors import InputError
from pipeline.mixture.objective import family_of
from pipeline.own_swarm.names import Names
from pipeline.own_swarm.swarm import OwnSwarm
from pipeline.records import normalised
from pipeline.tables import few
from pipeline.yaml_layers import read_layers
from pipeline.yaml_lines import Path_, YamlDocument
from pipeline.yaml_schema import line_of, schema_mistakes


def _by_name(value: Any) -> Any:
    """Turn `{wiki: 1.5B}` and the list of a whole mix YAML into name → section."""
    if isinstance(value, list) and all(isinstance(name, str) for name in value):
        return {name: {} for name in value}
    if isinstance(value, dict):
        return {name: each if isinstance(each, dict) else {"tokens": each} for name, each in value.items()}
    return value


class OwnDomain(Section):
    tokens: Count | None = Field(None, description="Tokens that there are of it.")


class OwnConfig(Section):
    """What may be said about a swarm from elsewhere; every section may be left out."""

    seed: int = Field(1, ge=0)
    target: Target | None = None
    domains: Annotated[dict[str, OwnDomain], BeforeValidator(_by_name)] = Field(default_factory=dict)
    objective: Objective = Objective()  # type: ignore[call-arg]
    fit: Fit = Fit()  # type: ignore[call-arg]
    propose: Propose = Propose()  # type: ignore[call-arg]
    references: References = Field(default_factory=dict)

    @property
    def tokens(self) -> dict[str, float]:
        """Tokens of every domain, or empty where they are not given."""
        return {name: float(domain.tokens) for name, domain in self.domains.items() if domain.tokens}


_ELSEWHERE = {field.alias or name for name, field in Config.model_fields.items()} - set(OwnConfig.model_fields)
"""Sections of a whole mix YAML that say nothing about a swarm that is there already."""


def load_own_config(path: Path | None, own: OwnSwarm, sets: Sequence[str] = ()) -> tuple[OwnConfig, tuple[str, ...]]:
    """Read the choices, with all names in full, and notes. Raises InputError with one line per mistake."""
    if path is None:
        return OwnConfig(), ()  # type: ignore[call-arg]
    document = read_layers(path, sets)
    unread = [key for key in document.data if key in _ELSEWHERE]
    try:
        config = OwnConfig.model_validate({k: v for k, v in document.data.items() if k not in unread})
    except ValidationError as error:
        raise InputError("\n".join(schema_mistakes(document, error, OwnConfig))) from None
    mistakes = [line_of(document, place, text) for place, text in _mistakes(config, own)]
    if mistakes:
        raise InputError("\n".join(mistakes))
    notes = (f"{path.name}: {few(unread)} say nothing about a finished swarm and are not used",) if unread else ()
    return _in_full(config, own, document), notes


def _mistakes(config: OwnConfig, own: OwnSwarm) -> Iterator[tuple[Path_, str]]:
    strange = [name for name in config.domains if name not in own.domains.known]
    for name in strange:
        yield ("domains", name), unknown(name, own.domains.known, "domain")
    given = {own.domains.resolve(name) for name in config.domains}
    missing = [name for name in own.domains.full if name not in given]
    if given and missing and not strange:
        yield ("domains",), f"expected all domains of the swarm, {few(missing)} missing"
    without = [name for name in config.domains if name not in config.tokens]
    if config.tokens and without:
        yield ("domains", without[0]), f"{few(without)} without tokens; give them for all domains or for none"
    yield from choice_mistakes(
        own.domains.known,
        own.tasks.known,
        dict.fromkeys(family_of(task) for task in own.tasks.full),
        objective=config.objective,
        fit=config.fit,
        propose=config.propose,
        references=config.references,
        sums={**{name: (own.domains.resolve(name),) for name in own.domains.known}, **own.domains.groups},
    )


def _in_full(config: OwnConfig, own: OwnSwarm, document: YamlDocument) -> OwnConfig:
    """Return the same choices under the tables' own names. Raises InputError where one is named twice."""

    def full(section: Mapping[str, Any], names: Names, place: Path_) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name, value in section.items():
            if names.resolve(name) in result:
                message = f"`{names.resolve(name)}` is named twice, in full and short"
                raise InputError(line_of(document, (*place, name), message))
            result[names.resolve(name)] = value
        return result

    objective, propose = config.objective, config.propose
    return config.model_copy(
        update={
            "domains": full(config.domains, own.domains, ("domains",)),
            "objective": objective.model_copy(
                update={
                    "tasks": full(objective.tasks, own.tasks, ("objective", "tasks")),
                    "force": [own.tasks.resolve(name) for name in objective.force],
                    "maximise": [own.tasks.resolve(name) for name in objective.maximise],
                    "no_worse_than": full(objective.no_worse_than, own.tasks, ("objective", "no_worse_than")),
                }
            ),
            "propose": propose.model_copy(update={"bounds": full(propose.bounds, own.domains, ("propose", "bounds"))}),
            "references": {
                name: normalised(full(weights, own.domains, ("references", name)))
                for name, weights in config.references.items()
            },
        }
    )

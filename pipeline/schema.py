"""The JSON Schema of a mix YAML, for completion and checks in an editor: what pydantic knows of the sections, and the
names of scorers, laws, presets and the rest that are looked up in registries.

It is a first look: `mixwright check` also reads files, names and what does not fit together.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from classifiers.registry import SCORERS
from pipeline.checks.base import RESERVED_SCORERS
from pipeline.config import NAME, Config
from pipeline.mixture.names import LAWS, METHODS, RECIPES
from pipeline.own_swarm.config import OwnConfig
from pipeline.readers.registry import FORMATS
from pipeline.rewriting.llm.task import shipped
from pipeline.rewriting.registry import REWRITERS
from pipeline.rules import RULE_SETS
from pipeline.stage_names import WITH_UNITS
from proxy_models.presets import PRESETS
from proxy_models.readers import FORMATS as EVAL_FORMATS

COUNT = r"^\s*\d[\d_]*(\.\d+)?([eE]\+?\d\d?)?\s*[kmbgtKMBGT]?\s*$"
TIMES = r"^\s*\d+(\.\d+)?\s*[xX]\s*$"

_NAMES: dict[tuple[str, str], Iterable[str]] = {  # (section, key) -> what may stand there
    ("Design", "method"): METHODS,
    ("Proxy", "preset"): PRESETS,
    ("Transfer", "preset"): PRESETS,
    ("Fit", "law"): LAWS,
    ("Fit", "laws"): LAWS,
    ("Propose", "recipe"): RECIPES,
    ("Source", "format"): FORMATS,
    ("Rule", "rules"): RULE_SETS,
    ("Benchmark", "format"): EVAL_FORMATS,
}
_TIMES = (("Proxy", "tokens"), ("Transfer", "tokens"))
"""Counts that may be multiples of the parameters."""


def schema_text() -> str:
    """Return the schema as JSON."""
    return json.dumps(mix_schema(), indent=1, ensure_ascii=False) + "\n"


def mix_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 7, as editors read) of mix YAMLs and of choices beside a swarm from elsewhere."""
    schema = Config.model_json_schema(by_alias=True)
    sections = schema["$defs"]
    for (section, key), names in _NAMES.items():
        _text_of(sections[section]["properties"][key])["enum"] = list(names)
    for section, key in _TIMES:
        _number_of(sections[section]["properties"][key])["times"] = True
    scorers = [name for name in SCORERS if name not in RESERVED_SCORERS]
    sections |= {f"scorer_{name}": _scorer(name) for name in scorers} | {"any_scorer": _any_scorer(scorers)}
    other = {"$ref": "#/$defs/any_scorer"}
    schema["properties"]["annotate"] |= {
        "additionalProperties": other,
        "properties": {name: {"anyOf": [{"$ref": f"#/$defs/scorer_{name}"}, other]} for name in scorers},
    }
    for named in (schema["properties"]["sources"], schema["properties"]["annotate"]):
        named["propertyNames"] = {"pattern": f"^{NAME.pattern}$"}
    schema["properties"]["resources"]["propertyNames"] = {"enum": list(WITH_UNITS)}
    sections["Rule"]["oneOf"] = [{"required": ["name", "drop"]}, {"required": ["rules"]}]
    sections["Rewrite"]["properties"]["task"] = {
        **sections["Rewrite"]["properties"]["task"],
        "anyOf": [{"enum": [*REWRITERS, *shipped()]}, {"pattern": r"\.ya?ml$"}],
    }
    metric = sections["Benchmark"]["properties"]["metric"]
    sections["Benchmark"]["properties"]["metric"] = _either(metric, metric["items"])
    _own_swarm(schema)
    file = {"type": "string", "description": "A YAML below this one."}
    schema["properties"]["include"] = {
        "anyOf": [file, {"type": "array", "items": file}],
        "description": "A YAML, or several, that this one is laid over: mappings join key by key, a list or a single "
        "value takes the place of the one below. Paths here are relative to this file.",
    }
    del schema["required"]
    schema["dependencies"] = {"sources": {"anyOf": [{"required": ["target"]}, {"required": ["include"]}]}}
    schema = _tidy(schema)
    head = {"$schema": "http://json-schema.org/draft-07/schema#", "title": "Mixwright mix"}
    return head | {key: value for key, value in schema.items() if key != "title"}


def _scorer(name: str) -> dict[str, Any]:
    """Return the schema of an `annotate` entry of one scorer."""
    spec = SCORERS[name]
    properties = {"scorer": {"const": name}, **spec.params.model_json_schema().get("properties", {})}
    if spec.trains:
        sources = {"type": "array", "items": {"type": "string"}, "minItems": 1}
        properties["positive"] = {**sources, "description": "Sources that the classifier learns as good."}
        properties["negative"] = {**sources, "description": "Sources that it learns as bad."}
    return {"type": "object", "properties": properties, "additionalProperties": False}


def _any_scorer(known: Iterable[str]) -> dict[str, Any]:
    """Return the schema of an entry that says which scorer it is."""
    names = list(known)
    cases = [
        {"if": {"properties": {"scorer": {"const": name}}}, "then": {"$ref": f"#/$defs/scorer_{name}"}}
        for name in names
    ]
    scorer = {"enum": names, "description": "The scorer; the attribute's own name if absent."}
    told = {  # for who reads the schema; each scorer says what it takes
        "positive": "Sources that a trained classifier (`fasttext`, `sklearn`) learns as good; required for those.",
        "negative": "Sources that it learns as bad; required too.",
        "model": "A classifier by path instead of one trained in the run: a folder that `mixwright classifier train` "
        "wrote, or any fastText model (docs/classifiers.md).",
        "label": "Of a fastText model from elsewhere: the label whose probability is the score; `positive` or `hq` if "
        "absent, the expected number where all labels are numbers.",
    }
    properties = {"scorer": scorer, **{key: {"description": text} for key, text in told.items()}}
    return {"type": "object", "properties": properties, "allOf": [{"required": ["scorer"]}, *cases]}


def _own_swarm(schema: dict[str, Any]) -> None:
    """Let `domains` be what `mixwright fit` reads beside tables: tokens by name."""
    own = OwnConfig.model_json_schema()
    schema["$defs"]["OwnDomain"] = own["$defs"]["OwnDomain"]
    domain = {"anyOf": [{"type": "integer", "minimum": 1}, {"$ref": "#/$defs/OwnDomain"}]}
    schema["properties"]["domains"]["anyOf"].append({"type": "object", "additionalProperties": domain})


def _text_of(node: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a key's schema that is text, maybe one of several, or in a list."""
    for option in node.get("anyOf", [node]):
        if option.get("type") == "string":
            return option
        if option.get("type") == "array":
            return option["items"]
    raise ValueError(f"no text in {node}")


def _number_of(node: dict[str, Any]) -> dict[str, Any]:
    return next(option for option in node.get("anyOf", [node]) if option.get("type") == "integer")


def _either(node: dict[str, Any], *others: dict[str, Any]) -> dict[str, Any]:
    """Return a key's schema with other forms beside its own; description and default stay outside."""
    outside = {key: value for key, value in node.items() if key in ("description", "default")}
    inside = {key: value for key, value in node.items() if key not in outside}
    return {**outside, "anyOf": [inside, *others]}


def _tidy(node: Any) -> Any:
    """Drop pydantic's titles and the defaults of whole sections, let counts have units, and write pairs as draft 7."""
    if isinstance(node, list):
        return [_tidy(each) for each in node]
    if not isinstance(node, dict):
        return node
    node = dict(node)
    if isinstance(node.get("title"), str):
        del node["title"]
    if isinstance(node.get("default"), dict):
        del node["default"]
    if "gt" in node:
        node["exclusiveMinimum"] = node.pop("gt")
    if "prefixItems" in node:
        node["items"] = node.pop("prefixItems")
    result = {
        key: {name: _tidy(each) for name, each in value.items()} if key in ("properties", "$defs") else _tidy(value)
        for key, value in node.items()
    }
    if result.get("type") == "integer":
        times = [{"type": "string", "pattern": TIMES}] if result.pop("times", False) else []
        return _either(result, {"type": "string", "pattern": COUNT}, *times)
    if isinstance(options := result.get("anyOf"), list):
        result["anyOf"] = _flat(options)
    return result


def _flat(options: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return options without an `anyOf` that stands alone in one."""
    return [inner for option in options for inner in (option["anyOf"] if set(option) == {"anyOf"} else [option])]

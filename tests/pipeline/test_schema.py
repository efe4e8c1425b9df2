"""The JSON Schema that editors read: current, right about every ready mix, and against most broken ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from pipeline.schema import mix_schema, schema_text
from pipeline.yaml_reference import with_keys
from tests.pipeline.conftest import TINY

ROOT = Path(__file__).parents[2]
MIXES = sorted((ROOT / "mixes").glob("*.yaml"))
BROKEN = ROOT / "tests" / "pipeline" / "broken"
UNSEEN = {"key_no_text", "key_twice", "key_twice_inside", "range_not_a_number", "range_proxy_above_target"}
"""What no schema can see: what a YAML parser takes, keys that stand twice, one value against another."""


@pytest.fixture(scope="module")
def validator() -> Any:
    schema = mix_schema()
    jsonschema.Draft7Validator.check_schema(schema)
    return jsonschema.Draft7Validator(schema)


def mistakes(validator: Any, path: Path) -> list[str]:
    return [error.message for error in validator.iter_errors(yaml.safe_load(path.read_text(encoding="utf-8")))]


def test_what_is_made_from_the_code_is_current() -> None:
    """`make docs` writes both."""
    assert (ROOT / "docs" / "mix.schema.json").read_text(encoding="utf-8") == schema_text()
    page = (ROOT / "docs" / "YAML.md").read_text(encoding="utf-8")
    assert page == with_keys(page)


@pytest.mark.parametrize("path", MIXES, ids=lambda path: path.stem)
def test_ready_mixes_fit_and_name_the_schema(validator, path: Path) -> None:
    assert mistakes(validator, path) == []
    first = path.read_text(encoding="utf-8").splitlines()[0]
    schema = path.parent / first.removeprefix("# yaml-language-server: $schema=")
    assert json.loads(schema.read_text(encoding="utf-8"))["title"] == "Mixwright mix"


def test_units_and_short_forms_fit(validator) -> None:
    text = TINY.format(folder="data", evals="evals") + (
        "fit: {laws: [linear]}\ndomains: [wikipedia, ocr]\nresources: {train: {memory: 4G}}\n"
    )
    data = yaml.safe_load(text)
    data["proxy"]["tokens"] = "20x"
    data["swarm"] |= {"runs": "1k", "rounds": ["1k"], "freeze": {"a": ["ocr", "wikipedia"], "b": {"x": 1}}}
    data["evals"]["benchmarks"]["arc_easy"]["metric"] = "acc"
    assert [error.message for error in validator.iter_errors(data)] == []


@pytest.mark.parametrize(
    "path",
    [path for kind in ("key", "type", "unit", "range") for path in sorted(BROKEN.glob(f"{kind}_*.yaml"))],
    ids=lambda path: path.stem,
)
def test_wrong_keys_types_and_units_are_seen_in_the_editor(validator, path: Path) -> None:
    assert bool(mistakes(validator, path)) == (path.stem not in UNSEEN)


@pytest.mark.parametrize(
    "name", ["scorer", "law", "preset", "method", "recipe", "metric", "format", "rule_set", "task"]
)
def test_unknown_names_are_seen_in_the_editor(validator, name: str) -> None:
    assert mistakes(validator, BROKEN / f"name_{name}.yaml")

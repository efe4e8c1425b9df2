"""The rewriters by name. Adding one is a file and a line here; one that asks a model is a YAML file in `tasks/`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from pipeline.errors import InputError, nearest
from pipeline.rewriting import c4_lines, ocr_cleanup, wiki_qa
from pipeline.rewriting.base import BatchRewriter, Rewriter
from pipeline.yaml_lines import Path_
from pipeline.yaml_schema import nested_mistakes


@dataclass(frozen=True)
class RewriterSpec:
    """A rewriter as a mix names it.

    `version` belongs to the key of what it makes: raise it whenever the same document may come out
    differently. `params` validates the YAML section; `load` builds the rewriter (and reads its data), once
    per worker.
    """

    name: str
    version: str
    params: type[BaseModel]
    load: Callable[[Any, int], Rewriter]


REWRITERS: dict[str, RewriterSpec] = {
    spec.name: spec
    for spec in (
        RewriterSpec("wiki_qa", wiki_qa.VERSION, wiki_qa.Params, wiki_qa.load),
        RewriterSpec("c4_lines", c4_lines.VERSION, c4_lines.Params, c4_lines.load),
        RewriterSpec("ocr_cleanup", ocr_cleanup.VERSION, ocr_cleanup.Params, ocr_cleanup.load),
    )
}


def mistakes(task: str, params: dict[str, Any]) -> Iterator[tuple[Path_, str]]:
    """Yield what is wrong with a section of `rewrite`: places in it, and what."""
    if task in REWRITERS:
        try:
            REWRITERS[task].params.model_validate(params)
        except ValidationError as error:
            yield from nested_mistakes(("params",), error, REWRITERS[task].params.model_fields)
        return
    from pipeline.rewriting.llm.params import params_mistakes
    from pipeline.rewriting.llm.task import load_task, shipped, task_path

    path = task_path(task)
    if path is None:
        known = [*REWRITERS, *shipped()]
        yield ("task",), f"there is no rewriting task `{task}`{nearest(task, known)}; a file of yours ends in .yaml"
        return
    try:
        definition = load_task(path)
    except InputError as error:
        yield ("task",), str(error)
        return
    for place, text in params_mistakes(params, definition):
        yield ("params", *place), text


def asked(
    task: str, params: dict[str, Any], shards: int, store: str, fingerprint: Callable[[str], str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (args, place) of a variant's units: what its texts depend on, and what else a worker needs.

    shards: how many units the variant has. fingerprint: names the content of a file.
    """
    if task not in REWRITERS:
        from pipeline.rewriting.llm import units

        return units.asked(task, params, shards, store, fingerprint)
    spec = REWRITERS[task]
    known = spec.params.model_validate(params)
    files = {name: fingerprint(str(value)) for name, value in known if isinstance(value, Path)}
    args = {"task": task, "task_version": spec.version, "params": known.model_dump(mode="json")}
    return {**args, **({"files": files} if files else {})}, {}


def open_rewriter(args: Mapping[str, Any], place: Mapping[str, Any]) -> Rewriter | BatchRewriter:
    """Return the rewriter of a unit, on its worker."""
    if "definition" in args:
        from pipeline.rewriting.llm import units

        return units.open_rewriter(args, place)
    spec = REWRITERS[args["task"]]
    return spec.load(spec.params.model_validate(args["params"]), args["seed"])


def provenance(args: Mapping[str, Any]) -> dict[str, str]:
    """Return what a rewritten document keeps of how it was made: task, backend, model, hash of the prompt, sampling."""
    if "definition" in args:
        from pipeline.rewriting.llm import units

        return units.provenance(args)
    return {"task": args["task"], "backend": "rules", "model": "", "prompt": "", "sampling": ""}

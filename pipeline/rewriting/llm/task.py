"""A rewriting task as a YAML file: how to cut the text, what to ask, how to read replies, what to check and to write.

A file is checked as a mix is: every mistake with its line, key and the nearest name that is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from pipeline.config import Section
from pipeline.errors import InputError, nearest
from pipeline.rewriting.llm.base import Sampling
from pipeline.rewriting.llm.checks import CHECKS
from pipeline.rewriting.llm.parsers import PARSERS
from pipeline.rewriting.llm.round_trip import VARIABLES, RoundTrip
from pipeline.rewriting.llm.segments import Segmenting
from pipeline.rewriting.llm.templates import template_mistake
from pipeline.yaml_lines import Path_, read_yaml
from pipeline.yaml_schema import line_of, nested_mistakes, schema_mistakes

SHIPPED = Path(__file__).parent.parent / "tasks"
"""Folder of the tasks that come with the program; a user's own is named by its path."""

PROMPT_VARIABLES = ("text", "title", "fields", "sample")
OUTPUT_VARIABLES = {"document": ("text", "title", "fields", "segments"), "item": ("text", "title", "fields", "item")}


def _named(value: Any) -> Any:
    """Turn `name` into `{name: {}}`."""
    return {value: {}} if isinstance(value, str) else value


Named = Annotated[dict[str, dict[str, Any]], BeforeValidator(_named), Field(min_length=1, max_length=1)]
"""A name, or a name with its parameters."""


class Message(Section):
    role: Literal["system", "user", "assistant"]
    content: str


class Prompt(Section):
    """What is asked: chat messages, or a text to continue (solved examples and then the segment)."""

    messages: list[Message] | None = Field(None, min_length=1)
    completion: str | None = None
    continues: bool = Field(False, description="A reply goes on from the prompt's last line, and is read with it.")

    @model_validator(mode="after")
    def _one(self) -> Prompt:
        if (self.messages is None) == (self.completion is None):
            raise ValueError("give `messages` or `completion`, and not both")
        if self.continues and self.messages:
            raise ValueError("`continues` is for a `completion`")
        return self


class SamplingSection(Section):
    temperature: float = Field(0.0, ge=0, le=5)
    top_p: float = Field(1.0, gt=0, le=1)
    max_tokens: int = Field(512, ge=1)
    stop: list[str] = Field(default_factory=list, max_length=4)

    def drawn(self) -> Sampling:
        return Sampling(self.temperature, self.top_p, self.max_tokens, tuple(self.stop))


class Task(Section):
    """A whole task file."""

    about: str = Field(description="What it makes, in a line.")
    segment: Segmenting = Segmenting()  # type: ignore[call-arg]
    prompt: Prompt
    samples: int = Field(1, ge=1, le=64, description="Replies to ask for each segment.")
    sampling: SamplingSection = SamplingSection()  # type: ignore[call-arg]
    parser: Named
    snap: float | None = Field(
        None, gt=0, le=1, description="Answers this similar to a span of the segment become that span."
    )
    checks: list[Named] = Field(default_factory=list)
    round_trip: RoundTrip | None = None
    max_items: int | None = Field(None, ge=1, description="Items kept of a segment, in the order that they came.")
    output: str = Field(description="Template of the text that is written.")
    per: Literal["document", "item"] = Field("document", description="What a text is written of.")

    @property
    def parser_name(self) -> str:
        return next(iter(self.parser))


def task_path(task: str) -> Path | None:
    """Return the file of a shipped task, or of a user's own (a path that ends in .yaml); None where it is neither."""
    if task.endswith((".yaml", ".yml")):
        return Path(task)
    path = SHIPPED / f"{task}.yaml"
    return path if task.replace("_", "").isalnum() and path.is_file() else None


def shipped() -> list[str]:
    """Return the names of the tasks that come with the program."""
    return sorted(path.stem for path in SHIPPED.glob("*.yaml"))


def load_task(path: Path) -> Task:
    """Read and check a task file. Raises InputError with one line per mistake."""
    document = read_yaml(path)
    try:
        task = Task.model_validate(document.data)
    except ValidationError as error:
        raise InputError("\n".join(schema_mistakes(document, error, Task))) from None
    found = [line_of(document, place, text) for place, text in _mistakes(task)]
    if found:
        raise InputError("\n".join(found))
    return task


def _mistakes(task: Task) -> Iterator[tuple[Path_, str]]:
    for place, source, known in _templates(task):
        if mistake := template_mistake(source, known):
            yield place, mistake
    for place, section, known in [
        (("parser",), task.parser, {name: spec.params for name, spec in PARSERS.items()}),
        *((("checks", i), each, {n: s.params for n, s in CHECKS.items()}) for i, each in enumerate(task.checks)),
    ]:
        ((name, params),) = section.items()
        if name not in known:
            yield place, f"there is no {'parser' if place[0] == 'parser' else 'check'} `{name}`{nearest(name, known)}"
            continue
        try:
            known[name].model_validate(params)
        except ValidationError as error:
            yield from nested_mistakes((*place, name), error, known[name].model_fields)
        if place[0] == "checks" and CHECKS[name].pairs and task.parser_name != "qa_pairs":
            yield place, f"`{name}` checks a question and an answer: the parser must be `qa_pairs`"
    if task.snap is not None and task.parser_name != "qa_pairs":
        yield ("snap",), "this is about answers: the parser must be `qa_pairs`"
    if task.round_trip and task.parser_name != "qa_pairs":
        yield ("round_trip",), "this checks a question and an answer: the parser must be `qa_pairs`"


def _templates(task: Task) -> Iterator[tuple[Path_, str, tuple[str, ...]]]:
    for i, message in enumerate(task.prompt.messages or []):
        yield ("prompt", "messages", i, "content"), message.content, PROMPT_VARIABLES
    if task.prompt.completion is not None:
        yield ("prompt", "completion"), task.prompt.completion, PROMPT_VARIABLES
    if task.round_trip:
        yield ("round_trip", "template"), task.round_trip.template, VARIABLES
    yield ("output",), task.output, OUTPUT_VARIABLES[task.per]

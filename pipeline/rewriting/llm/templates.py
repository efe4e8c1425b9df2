"""Templates of tasks: Jinja in its sandbox, with every variable known beforehand.

A document's text is a value, never a template, so nothing that stands in it is carried out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.errors import nearest

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, autoescape=False, keep_trailing_newline=False, trim_blocks=True, lstrip_blocks=True
)


def _matching(text: str, pattern: str) -> bool:
    return re.search(pattern, text) is not None


_ENVIRONMENT.tests["matching"] = _matching
"""`text is matching("[0-9]{4}")`: whether a regular expression is found in a text."""


@lru_cache(maxsize=64)
def compiled(source: str) -> Template:
    return _ENVIRONMENT.from_string(source)


def render(source: str, **values: Any) -> str:
    """Return the text of a template. Raises ValueError where the template asks for what there is not."""
    try:
        return compiled(source).render(**values)
    except (
        TemplateError,
        TypeError,
        OverflowError,
        re.error,
    ) as error:  # also undefined variables and what the sandbox forbids
        raise ValueError(f"the template cannot be filled in: {error}") from None


def template_mistake(source: str, known: Iterable[str]) -> str:
    """Return what is wrong with a template, "" where nothing is: its syntax, or a variable that is not `known`."""
    try:
        asked = meta.find_undeclared_variables(_ENVIRONMENT.parse(source))
    except TemplateSyntaxError as error:
        return f"not a Jinja template: {error.message} (line {error.lineno} of the template)"
    known = list(known)
    for name in sorted(asked):
        if name not in known:
            return f"there is no variable `{name}`{nearest(name, known)}"
    return ""

"""Commands about mix YAMLs: `schema` and `init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def schema(
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="File to write in place of printing.")] = None,
) -> None:
    """Print the JSON Schema of mix YAMLs, with which editors complete and check them.

    A first line `# yaml-language-server: $schema=mix.schema.json` in a YAML names it.

    Example: `mixwright schema --out mix.schema.json`
    """
    from pipeline.schema import schema_text

    if out is None:
        print(schema_text(), end="")
    else:
        out.write_text(schema_text(), encoding="utf-8")
        print(out)


def init() -> None:
    """."""

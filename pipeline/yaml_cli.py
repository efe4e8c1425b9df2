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


def init(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="WHAT...", help="Folders or files of data, or names on Hugging Face's hub.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="MIX.yaml", help="YAML to write; one that is there stays.")],
) -> None:
    """Look at data and write a first YAML with comments: formats, fields, sizes and evals as found.

    Names on the hub are not looked at: no network is needed. Guesses are marked `?`.

    Examples:

    `mixwright init data --out my.yaml`

    `mixwright init HuggingFaceFW/fineweb-edu wikimedia/wikipedia --out hub.yaml`
    """
    from pipeline.errors import InputError
    from pipeline.load import load_mix
    from pipeline.starting.write import first_yaml, schema_beside

    if out.exists():
        raise InputError(f"{out}: is there already; give another name, or remove it")
    text = first_yaml(what, schema_beside(out))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text, encoding="utf-8")
    load_mix(out)
    print(f"{out}: look at what is marked `?`, then `mixwright plan {out}` shows what would run")

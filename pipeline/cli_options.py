"""Arguments and options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Mix = Annotated[Path, typer.Argument(metavar="MIX.yaml", help="The mix YAML.", show_default=False)]
RunFolder = Annotated[str, typer.Argument(metavar="RUN", help="A run folder, or its URL.", show_default=False)]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set a key of the YAML, e.g. swarm.runs=64; may be repeated."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON in place of text.")]
Address = Annotated[str | None, typer.Option(help="Ray cluster to join, e.g. auto; starts a local Ray if absent.")]

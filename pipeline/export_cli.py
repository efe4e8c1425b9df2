"""The command `export`."""

from __future__ import annotations

from typing import Annotated

import typer


def export(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A finished run's folder, or its URL.", show_default=False)],
    to: Annotated[
        str,
        typer.Option(
            metavar="FORMAT",
            help="yaml, json, csv, parquet, jsonl, bin, olmo-core, megatron (or nemo), interleave, mosaicml, litdata, "
            "torchtitan.",
        ),
    ],
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="New folder or URL; exports/RUN/FORMAT by default.")
    ] = None,
    weights_only: Annotated[bool, typer.Option("--weights-only", help="Write the mix, not the data it names.")] = False,
    context: Annotated[int, typer.Option(metavar="N", min=2, help="mosaicml: tokens of a sample.")] = 2048,
) -> None:
    """Write the proposed mix, and the documents selected for training, as a trainer's tools read them.

    The last line of standard output is the folder.

    Example: `mixwright export runs/quickstart-1a2b3c4d --to megatron`
    """
    from pipeline.export.write import write_export
    from pipeline.progress import Progress

    print(write_export(run, to, out, weights_only=weights_only, context=context, say=Progress().say))

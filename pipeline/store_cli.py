"""Commands about a store and the runs in it."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from pipeline.cli_options import AsJson


def diff(
    run_a: Annotated[str, typer.Argument(metavar="RUN_A", help="A finished run's folder, or its URL.")],
    run_b: Annotated[str, typer.Argument(metavar="RUN_B", help="Another one.")],
    as_json: AsJson = False,
) -> None:
    """Print what differs between two finished runs: the YAML, weights, what was measured, units.

    Example: `mixwright diff runs/quickstart-1a2b3c4d runs/quickstart-5e6f7a8b`
    """
    from pipeline.diff import diff_record, diff_text
    from pipeline.visible import visible

    print(json.dumps(diff_record(run_a, run_b), ensure_ascii=False) if as_json else visible(diff_text(run_a, run_b)))


def gc(
    store: Annotated[str, typer.Argument(metavar="STORE", help="A store's folder or URL.")],
    yes: Annotated[bool, typer.Option("--yes", help="Remove it; otherwise it is only shown.")] = False,
    days: Annotated[float, typer.Option(metavar="D", min=0, help="Nothing younger is removed.")] = 14,
    as_json: AsJson = False,
) -> None:
    """Show what no run folder, run in progress or pin of a store refers to, and with --yes remove it.

    Examples:

    `mixwright gc runs`

    `mixwright gc s3://bucket/store --days 30 --yes`
    """
    from pipeline.garbage import find_garbage, garbage_record, garbage_text, remove_garbage
    from pipeline.store import Store

    place = Store(store)
    found = find_garbage(place, days)
    if not as_json:
        print(garbage_text(found))
    if yes:
        remove_garbage(place, found)
    if as_json:
        print(json.dumps({**garbage_record(found), "removed": yes}))
    elif yes:
        print("removed")
    elif found.files:
        print("nothing is removed without --yes")

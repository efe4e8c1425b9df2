"""Commands about the reports of finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import InputError


def compare(
    runs: Annotated[list[str], typer.Argument(metavar="RUN RUN…", help="Finished runs' folders, or their URLs.")],
    out: Annotated[Path, typer.Option(metavar="PAGE.html", help="Page to write.")] = Path("comparison.html"),
) -> None:
    """Put finished runs side by side: what differs in the YAML, the mix, what was predicted and measured.

    Prints Markdown and writes one HTML file that needs nothing else.

    Example: `mixwright compare runs/quickstart-1a2b3c4d runs/quickstart-5e6f7a8b --out comparison.html`
    """
    from pipeline.report.comparison import Compared, comparison_html, comparison_markdown

    compared = Compared(runs)
    print(comparison_markdown(compared))
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(comparison_html(compared), encoding="utf-8")
    except OSError as error:
        raise InputError(f"{out}: cannot be written: {error}") from None
    print(out)

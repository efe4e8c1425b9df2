"""Formats `yaml`, `json`, `csv`: the mix as plain data. `mix.json` also lies beside every other export."""

from __future__ import annotations

import csv
import io
from typing import Any

from pipeline.export.base import Export, Format
from pipeline.export.mix import Mix

COMMENT = """\
weight: share of the target run's tokens; target_tokens: its tokens in that run; repetition: how often the run passes
over what there is: available_tokens in documents. Tokens are counted with the tokenizer named, and an end of text a
document is one of them."""


def record(mix: Mix) -> dict[str, Any]:
    """Return the mix as plain data."""
    return {
        "run": mix.run,
        "target_tokens": mix.target_tokens,
        "tokenizer": mix.target_tokenizer or "the run's own",
        "domains": {
            domain.name: {
                "weight": domain.weight,
                "target_tokens": mix.planned(domain),
                "repetition": round(mix.repetition(domain), 6),
                "available_tokens": domain.tokens,
                "documents": domain.documents,
            }
            for domain in mix.domains
        },
    }


def _yaml(export: Export) -> None:
    export.folder.write_yaml("mix.yaml", record(export.mix), COMMENT)


def _csv(export: Export) -> None:
    rows = [{"domain": name, **row} for name, row in record(export.mix)["domains"].items()]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    export.folder.write_text("mix.csv", text.getvalue())


YAML = Format(_yaml)
JSON = Format()  # mix.json itself
CSV = Format(_csv)

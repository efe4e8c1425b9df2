"""`mixwright score`: a Hugging Face causal language model on eval files, with the readers and metrics of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.evals import sampled_items
from proxy_models.metrics import METRICS

SEED = 1
"""Of the sample of items: what `seed` is in a mix YAML that does not say."""


def score_folder(folder: Path, files: Sequence[Path], items: int | None = None) -> dict[str, dict[str, Any]]:
    """Return file → `items`, `truncated` (rows that lost context) and every metric that the file allows.

    items: a seeded sample of each file; all where it is None. Raises InputError for a folder or file that cannot be
    read.
    """
    import torch

    from proxy_models.hf import encode_for, load_hf, score_hf
    from proxy_models.metrics import metrics_of
    from proxy_models.readers import FORMATS, format_of, read_requests

    found: dict[str, dict[str, Any]] = {}
    try:
        sets = {}
        for file in files:  # all files before the model, which takes longer to load
            requests = read_requests(file)
            kept = sampled_items(requests, items or len(requests), SEED)
            sets[file] = [request for request in requests if request.item in kept]
        model = load_hf(folder, "cuda" if torch.cuda.is_available() else "cpu")
        for file, requests in sets.items():
            encoded = encode_for(model, requests)
            metrics = metrics_of(score_hf(model, encoded), encoded)
            if not FORMATS[format_of(file)].has_context:
                del metrics["bpb"]
            cut = int((encoded.truncated & ~encoded.unconditional).sum())
            found[str(file)] = {"items": len(encoded.items), "truncated": cut, **metrics}
    except (OSError, ValueError) as error:
        raise InputError(str(error)) from None
    return found


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the metrics as aligned columns, one file a line."""
    names = [name for name in METRICS if any(name in each for each in found.values())]
    rows = [["eval", "items", "truncated", *names]]
    for file, each in found.items():
        numbers = [f"{each[name]:.4f}" if name in each else "" for name in names]
        rows.append([file, str(each["items"]), str(each["truncated"]), *numbers])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)

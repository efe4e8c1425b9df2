"""Data sets on Hugging Face's hub whose fields are known without looking, by their cards; the hub is not asked."""

from __future__ import annotations

from typing import Any

KNOWN: dict[str, dict[str, Any]] = {
    "HuggingFaceFW/fineweb-edu": {"params": {"config": "sample-10BT"}, "license": "ODC-By-1.0"},
    "HuggingFaceFW/fineweb": {"params": {"config": "sample-10BT"}, "license": "ODC-By-1.0"},
    "wikimedia/wikipedia": {"params": {"config": "20231101.en"}, "license": "CC-BY-SA-4.0"},
    "bigcode/the-stack-dedup": {
        "text": "content",
        "id": "hexsha",
        "group": "max_stars_repo_name",
        "params": {"data_files": "data/python/*.parquet"},
    },
    "common-pile/stackexchange": {"license": "CC-BY-SA-4.0"},
    "allenai/c4": {"id": "url", "params": {"config": "en"}, "license": "ODC-By-1.0"},
}


def is_hub_name(text: str) -> bool:
    """Tell whether a name looks like one on the hub: `owner/name`, and nothing more."""
    return text.count("/") == 1 and not text.startswith((".", "/", "~")) and not text.endswith("/") and "*" not in text

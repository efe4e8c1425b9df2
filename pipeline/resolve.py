"""What a mix YAML leaves to be worked out: the size of a tokenizer from elsewhere, tokens as multiples of parameters.

`tokens: 20x` are 20 tokens a parameter (Hoffmann et al. 2022, arXiv:2203.15556, find about that many best for the
compute), counted over the parameters that multiply: all but the embedding, at the YAML's own vocabulary.
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

from pipeline.config import Tokenize, parse_count
from pipeline.own_tokenizer import open_tokenizer, vocabulary_size

_COUNT = re.compile(r"\d[\d_]{0,17}(\.\d{1,9})?[kmbgtKMBGT]")
_MULTIPLE = re.compile(r"\s*(\d{1,9}(?:\.\d{1,9})?)\s*[xX]\s*")


def with_values(data: Any) -> Any:
    """Return a YAML's data with multiples of tokens, counts of scorers and the vocabulary's size as numbers.

    What cannot be worked out stays as it is, or is left to the checks that follow: this function finds no mistakes.
    """
    if not isinstance(data, dict):
        return data
    data = dict(data)
    if (size := _own_size(data)) is not None:
        data["tokenize"] = {"vocab_size": size, **data["tokenize"]}
    vocab_size = _section(data, "tokenize").get("vocab_size", Tokenize.model_fields["vocab_size"].default)
    with contextlib.suppress(ValueError):  # told by the checks
        vocab_size = parse_count(vocab_size)
    if annotate := _section(data, "annotate"):
        data["annotate"] = {name: _counted(section) for name, section in annotate.items()}
    data |= _tokens(data, "proxy", "quickstart", vocab_size)
    validate = _section(data, "validate")
    if transfer := _tokens(validate, "transfer", None, vocab_size):
        data["validate"] = {**validate, **transfer}
    return data


def _section(data: dict[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _counted(section: Any) -> Any:
    """Return a scorer's parameters with counts that have units as numbers; its texts name files, labels and sources."""
    if not isinstance(section, dict):
        return section
    return {key: parse_count(value) if _is_count(value) and key != "label" else value for key, value in section.items()}


def _is_count(value: Any) -> bool:
    return isinstance(value, str) and _COUNT.fullmatch(value) is not None


def _own_size(data: dict[str, Any]) -> int | None:
    path = _section(data, "tokenize").get("tokenizer")
    if not isinstance(path, str):
        return None
    try:
        return vocabulary_size(open_tokenizer(Path(path)))
    except ValueError:
        return None


def _tokens(data: dict[str, Any], name: str, default: str | None, vocab_size: Any) -> dict[str, Any]:
    """Return the section with its multiple of tokens as whole batches, at least one; nothing where it has none."""
    from proxy_models.presets import PRESETS

    section = _section(data, name)
    tokens = section.get("tokens")
    match = _MULTIPLE.fullmatch(tokens) if isinstance(tokens, str) else None
    if match is None:
        return {}
    preset = PRESETS.get(str(section.get("preset", default)))
    if preset is None or type(vocab_size) is not int:
        return {name: {**section, "tokens": 1}}  # the preset or the vocabulary is what is wrong
    batches = float(match[1]) * preset.parameters(vocab_size) / preset.batch_tokens
    return {name: {**section, "tokens": max(1, round(batches)) * preset.batch_tokens}}

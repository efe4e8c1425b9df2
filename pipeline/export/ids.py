"""The documents of a domain as token ids of the target's tokenizer, or of the run's own vocabulary."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.errors import InputError
from pipeline.export.base import Export
from pipeline.export.mix import Domain, Mix, Part
from pipeline.export.texts import texts
from pipeline.own_tokenizer import END_OF_TEXT, vocabulary_size
from pipeline.shards import content_of

if TYPE_CHECKING:
    from tokenizers import Tokenizer

ENDS = (END_OF_TEXT, "<|end_of_text|>", "</s>", "<eos>", "<|eos|>")
"""Tokens that end a document in tokenizers which do not say (GPT-2, NeoX, OLMo; Llama 3; Llama 2, Mistral; Gemma)."""


@dataclass(frozen=True)
class Vocabulary:
    """A tokenizer that cuts and pads nothing. end: the token after every document, and its id."""

    tokenizer: Tokenizer
    end: str
    end_id: int
    size: int

    def dtype(self) -> np.dtype[Any]:
        """Return uint16 where all ids fit into it, else uint32. Little-endian."""
        return np.dtype("<u2" if self.size <= 2**16 else "<u4")


def open_vocabulary(mix: Mix) -> Vocabulary:
    """Return the tokenizer whose tokens the weights are shares of.

    Its end of text is `eos_token` of a tokenizer_config.json beside it, or the first of `ENDS` that it has. Raises
    InputError where the file is gone, is another than the run counted with, or has no end of text.
    """
    from tokenizers import Tokenizer

    if mix.target_tokenizer is None:
        path = mix.store.local(mix.vocabulary) / "tokenizer.json"
    else:
        path = Path(mix.target_tokenizer)
        if content_of(mix.target_tokenizer) != mix.target_fingerprint:
            raise InputError(f"{path}: is not the file that {mix.run} counted tokens with")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    end = _stated_end(path) or next((token for token in ENDS if tokenizer.token_to_id(token) is not None), None)
    end_id = tokenizer.token_to_id(end) if end else None
    if end is None or end_id is None:
        known = f"no `{end}`" if end else f"none of {', '.join(ENDS)}"
        raise InputError(f"{path} has {known}; name its end of text as eos_token in a tokenizer_config.json beside it")
    return Vocabulary(tokenizer, end, end_id, vocabulary_size(tokenizer))


def _stated_end(path: Path) -> str | None:
    file = path.with_name("tokenizer_config.json")
    if not file.is_file():
        return None
    try:
        stated = json.loads(file.read_text(encoding="utf-8")).get("eos_token")
    except (ValueError, AttributeError) as error:
        raise InputError(f"{file}: not a tokenizer_config.json: {error}") from None
    return stated.get("content") if isinstance(stated, dict) else stated


def encoded(mix: Mix, vocabulary: Vocabulary, part: Part, dtype: np.dtype[Any]) -> Iterator[list[np.ndarray]]:
    """Yield the training documents of one shard as arrays of ids, each with the end of text, a batch at a time."""
    for frame in texts(mix.store, part):
        batch = vocabulary.tokenizer.encode_batch_fast(frame["text"].to_list(), add_special_tokens=False)
        yield [np.array([*each.ids, vocabulary.end_id], dtype=dtype) for each in batch]


def domain_ids(
    export: Export, vocabulary: Vocabulary, domain: Domain, dtype: np.dtype[Any]
) -> Iterator[list[np.ndarray]]:
    """Yield a whole domain as `encoded` does, shard after shard."""
    for part in domain.parts:
        yield from encoded(export.mix, vocabulary, part, dtype)


def pieces(export: Export, vocabulary: Vocabulary, domain: Domain, dtype: np.dtype[Any], size: int) -> Iterator[bytes]:
    """Yield a whole domain as the bytes of its ids, `size` at a time, the last piece shorter."""
    waiting = bytearray()
    for batch in domain_ids(export, vocabulary, domain, dtype):
        for document in batch:
            waiting += document.tobytes()
            while len(waiting) >= size:
                yield bytes(waiting[:size])
                del waiting[:size]
    if waiting:
        yield bytes(waiting)


def said_ids(export: Export, vocabulary: Vocabulary, dtype: np.dtype[Any]) -> dict[str, Any]:
    """Write the tokenizer beside exported ids, and return what to know of them."""
    export.folder.write_text("tokenizer.json", vocabulary.tokenizer.to_str())
    end = {"end_of_text": vocabulary.end, "end_of_text_id": vocabulary.end_id}
    return {"tokenizer": "tokenizer.json", "vocabulary": vocabulary.size, **end, "dtype": dtype.name}

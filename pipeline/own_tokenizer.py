"""A `tokenizer.json` from elsewhere, made fit for proxies: it ends documents and cuts or pads nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

END_OF_TEXT = "<|endoftext|>"


def open_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a file, with the end-of-text token added where it has none.

    Proxies are trained from scratch, so any id will do for it. Raises ValueError for a file that is no tokenizer.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception
        raise ValueError(f"`{path}` is no tokenizer.json: {error}") from None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if tokenizer.token_to_id(END_OF_TEXT) is None:
        tokenizer.add_special_tokens([END_OF_TEXT])
    return tokenizer


def vocabulary_size(tokenizer: Tokenizer) -> int:
    """Return the rows that an embedding needs: the largest id and one, as ids of some tokenizers have gaps."""
    return max(tokenizer.get_vocab().values()) + 1

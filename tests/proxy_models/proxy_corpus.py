"""Real text for the proxies' tests: two domains of samples/, a small tokenizer and token arrays on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from proxy_models.feed import DomainArrays
from proxy_models.settings import ModelConfig

SAMPLES = Path(__file__).parents[2] / "samples"
EOT = "<|endoftext|>"
VOCAB = 512
TINY = ModelConfig(vocab_size=VOCAB, context=64, width=32, layers=2, heads=2, ff=64)


@dataclass(frozen=True)
class Corpus:
    """held_out: texts of a domain that its array does not hold."""

    tokenizer: Tokenizer
    files: dict[str, Path]
    held_out: dict[str, list[str]]

    def arrays(self, model: ModelConfig = TINY) -> dict[str, DomainArrays]:
        return {
            name: DomainArrays(name, [file], "uint16", model.context, model.vocab_size)
            for name, file in self.files.items()
        }


def build_corpus(folder: Path) -> Corpus:
    texts, held_out = {}, {}
    for name in ("code", "wikipedia"):
        found = pl.read_parquet(SAMPLES / f"{name}.parquet")["text"].str.slice(0, 4000).to_list()
        texts[name], held_out[name] = found[:100], found[100:108]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)  # type: ignore[assignment]
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB,
        special_tokens=[EOT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([text for many in texts.values() for text in many], trainer)
    files = {}
    for name, many in texts.items():
        ids = [i for encoded in tokenizer.encode_batch(many) for i in [tokenizer.token_to_id(EOT), *encoded.ids]]
        files[name] = folder / f"{name}.bin"
        np.asarray(ids, dtype="<u2").tofile(files[name])
    return Corpus(tokenizer, files, held_out)

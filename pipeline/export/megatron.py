"""Format `megatron`, also called `nemo`: a blend, and its domains as indexed data sets (`.bin` and `.idx`).

A blend's weights are normalised and say how many samples of `seq_length` tokens come from each data set: they are
shares of tokens. The index, little-endian, as Megatron Core's IndexedDataset reads it:

    MMIDIDX\\0\\0   9 bytes
    version        uint64, 1
    type           uint8: 8 is uint16, 4 is int32
    sequences      uint64; one a document here
    documents      uint64, one more than there are: boundaries
    lengths        int32 a sequence, in tokens
    pointers       int64 a sequence, in bytes of the .bin
    boundaries     int64: the sequence at which a document starts, and the number of sequences at the end
"""

from __future__ import annotations

import struct
from array import array
from typing import IO, Any

import numpy as np

from pipeline.errors import InputError
from pipeline.export.base import Export, Format
from pipeline.export.documents import said
from pipeline.export.ids import Vocabulary, domain_ids, open_vocabulary, said_ids

_CODES = {"uint16": 8, "int32": 4}
_STEP = 1_000_000


def megatron_dtype(vocabulary: Vocabulary) -> np.dtype[Any]:
    """Return uint16 below 65,500 ids, else int32, as Megatron chooses itself, so that padded vocabularies fit."""
    return np.dtype("<u2" if vocabulary.size < 65_500 else "<i4")


def write_index(file: IO[bytes], lengths: array[int], dtype: np.dtype[Any]) -> None:
    """Write the index of documents of those lengths (tokens), a sequence each, that follow one another in a `.bin`."""
    count = len(lengths)
    file.write(b"MMIDIDX\x00\x00" + struct.pack("<QBQQ", 1, _CODES[dtype.name], count, count + 1))
    every = np.frombuffer(lengths, dtype=np.intc) if count else np.zeros(0, np.intc)
    file.write(every.astype("<i4").tobytes())
    start = 0
    for at in range(0, count, _STEP):
        sizes = every[at : at + _STEP].astype("<i8") * dtype.itemsize
        ends = start + np.cumsum(sizes)
        file.write((ends - sizes).astype("<i8").tobytes())
        start = int(ends[-1])
    for at in range(0, count + 1, _STEP):
        file.write(np.arange(at, min(at + _STEP, count + 1), dtype="<i8").tobytes())


def write_data(export: Export) -> dict[str, Any]:
    """Write `<domain>.bin` and `<domain>.idx`; memory grows by four bytes a document."""
    blend(export)  # a folder it cannot name is found before hours of work
    vocabulary = open_vocabulary(export.mix)
    dtype = megatron_dtype(vocabulary)
    for domain in export.mix.weighted:
        lengths = array("i")
        with export.folder.open(f"{domain.name}.bin") as file:
            for batch in domain_ids(export, vocabulary, domain, dtype):
                for document in batch:
                    file.write(document.tobytes())
                    lengths.append(len(document))
        with export.folder.open(f"{domain.name}.idx") as file:
            write_index(file, lengths, dtype)
        said(export, domain)
    return said_ids(export, vocabulary, dtype)


def blend(export: Export) -> list[str]:
    """Return weight, prefix, weight, prefix …; a prefix is the path of a data set without ending.

    Raises InputError for a folder that a blend cannot name, as its words are parted by spaces.
    """
    if any(letter.isspace() for letter in export.folder.url):
        raise InputError(f"--out {export.folder.url}: holds a space, at which Megatron would cut the path")
    pairs = [(repr(domain.weight), export.folder.path(domain.name)) for domain in export.mix.weighted]
    return [each for pair in pairs for each in pair]


def _config(export: Export) -> None:
    words = blend(export)
    lines = [f"{weight} {prefix}\n" for weight, prefix in zip(words[::2], words[1::2], strict=True)]
    export.folder.write_text("blend.txt", "".join(lines))
    export.folder.write_json("blend.json", words)


FORMAT = Format(_config, write_data)

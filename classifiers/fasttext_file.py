"""fastText models as files, checked before fastText reads them.

fastText does not notice that a file ends early: it takes whatever lies in memory for the rest and then crashes, fails
at the first text or gives wrong probabilities. So its layout is walked through here first: that of `loadModel`,
`Dictionary::load`, `DenseMatrix::load`, `QuantMatrix::load` and `ProductQuantizer::load` in fastText 0.9.2.
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path
from typing import Any

_MAGIC = 793_712_314
_ARGUMENTS = 12 * 4 + 8
_CENTROIDS = 256  # of each dimension of a product quantizer, 4 bytes each


def load_fasttext(path: Path) -> Any:
    """Load a fastText model. Raises ValueError with the path when the file is missing, cut off or no such model."""
    import fasttext

    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            if data[:4] != struct.pack("<i", _MAGIC):
                raise ValueError("no fastText model")
            _walk(data)
        return fasttext.load_model(str(path))
    except (OSError, ValueError, RuntimeError, MemoryError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise ValueError(f"{path}: {reason}") from None


def _walk(data: mmap.mmap) -> None:
    """Raise ValueError where the file is shorter than its own numbers say."""
    try:
        at = 8 + _ARGUMENTS
        words, _, _, _, pruned = struct.unpack_from("<iiiqq", data, at)
        at += 28
        for _ in range(words):  # text, a zero, its count and its type
            at = data.find(b"\0", at) + 1
            if not at:
                raise ValueError("a fastText model that is cut off")
            at += 9
        at += 8 * max(pruned, 0)
        is_quantized, at = data[at], at + 1
        at = _quantized(data, at) if is_quantized else _dense(data, at)
        is_output_quantized, at = data[at], at + 1
        at = _quantized(data, at) if is_quantized and is_output_quantized else _dense(data, at)
    except (struct.error, IndexError):
        at = len(data) + 1
    if at > len(data):
        raise ValueError("a fastText model that is cut off")


def _dense(data: mmap.mmap, at: int) -> int:
    """Return where a matrix ends that begins at `at`."""
    rows, columns = struct.unpack_from("<qq", data, at)
    return at + 16 + 4 * rows * columns


def _quantized(data: mmap.mmap, at: int) -> int:
    has_norms, rows, _, codes = struct.unpack_from("<?qqi", data, at)
    at = _quantizer(data, at + 21 + codes)
    return _quantizer(data, at + rows) if has_norms else at


def _quantizer(data: mmap.mmap, at: int) -> int:
    (dimensions,) = struct.unpack_from("<i", data, at)
    return at + 16 + 4 * dimensions * _CENTROIDS

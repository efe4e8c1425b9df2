"""Arrays of numbers inside a page: one run of bytes, deflated and in base64, and where in it each array lies."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, field

import numpy as np

KINDS = {"f8": 8, "f4": 4, "i2": 2, "u1": 1, "u2": 2, "u4": 4}
"""Little-endian types that a page can read, with their bytes."""


@dataclass
class Packing:
    """Collects arrays; what `add` returns finds one again: [type, first byte, length]."""

    _parts: list[bytes] = field(default_factory=list)
    _size: int = 0

    def add(self, values: np.ndarray, kind: str) -> list[str | int]:
        """Append an array, flat, row by row, as `kind`."""
        data = np.ascontiguousarray(values).astype(f"<{kind}").tobytes()
        place: list[str | int] = [kind, self._size, len(data) // KINDS[kind]]
        data += bytes(-len(data) % 8)  # a page reads an array of 8-byte numbers only from a multiple of 8
        self._parts.append(data)
        self._size += len(data)
        return place

    def text(self) -> str:
        return base64.b64encode(zlib.compress(b"".join(self._parts), 9)).decode()

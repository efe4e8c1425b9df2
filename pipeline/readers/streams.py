"""Bytes of a shard from any fsspec URL: decompressed within bounds, cut to a piece, in lines of bounded length."""

from __future__ import annotations

import bz2
import io
import itertools
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO, NamedTuple, Protocol

import fsspec

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

from pipeline.readers.base import Piece

CHUNK = 1 << 18
MAX_RATIO = 500
"""Decompressed bytes for each compressed one, at most. Text reaches 10, logs 100; a bomb 1,030 (gzip) or more."""
RATIO_FROM = 64_000_000
"""Decompressed bytes from which on the ratio counts."""


class Broken(Exception):
    """The rest of a shard cannot be read: what it holds is damaged, cut off or a decompression bomb.

    Not an OSError: those mean that a disk or the network failed, and end the unit instead of setting its shard aside.
    """


class _Codec(Protocol):
    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class _Gzip:
    """zlib's decompressor of one gzip member, with the methods that bz2's and lzma's have."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    def decompress(self, data: bytes, max_length: int = -1, /) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, max(max_length, 0))

    @property
    def eof(self) -> bool:
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        return self._inner.unused_data


def _zstd() -> _Codec:
    # --long=31 is what Reddit's dumps use; the default refuses windows above 128 MB
    return zstd.ZstdDecompressor(options={zstd.DecompressionParameter.window_log_max: 31})


CODECS: dict[str, Callable[[], _Codec]] = {
    ".gz": _Gzip,
    ".bz2": bz2.BZ2Decompressor,
    ".xz": lzma.LZMADecompressor,
    ".zst": _zstd,
}
"""Ending → decompressor of one member, stream or frame; a file may hold several."""

_DAMAGED = (zlib.error, lzma.LZMAError, zstd.ZstdError, OSError, ValueError, EOFError)


def codec_of(path: str) -> str:
    """Return the compression's ending of a path, or an empty text."""
    return next((ending for ending in CODECS if path.lower().endswith(ending)), "")


class Inflated(io.RawIOBase):
    """A decompressed stream. Raises Broken where it is damaged, cut off, or grows by more than MAX_RATIO."""

    def __init__(self, raw: BinaryIO, codec: Callable[[], _Codec]) -> None:
        self._raw, self._new, self._codec = raw, codec, codec()
        self._pending = b""
        self._taken = self._given = 0
        self._fresh = True  # nothing of the present member was read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._some(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _some(self, size: int) -> bytes:
        while True:
            if self._codec.eof and not self._next_member():
                return b""
            if self._codec.needs_input and not self._pending:
                self._pending = self._fetch()
                if not self._pending:
                    if self._fresh and self._taken:
                        return b""
                    raise Broken("cut off: the file ends before its compressed data does")
            try:
                data = self._codec.decompress(self._pending, size)
            except _DAMAGED as error:
                raise Broken(f"damaged compressed data: {error}") from None
            self._fresh = self._fresh and not self._pending
            self._pending = b""
            self._given += len(data)
            if self._given > RATIO_FROM and self._given > MAX_RATIO * self._taken:
                raise Broken(f"decompression bomb: over {MAX_RATIO} times the size of the file so far")
            if data:
                return data

    def _next_member(self) -> bool:
        """Go on to the next member. Zeros after the last one are padding."""
        rest = self._codec.unused_data or self._fetch()
        while rest and not (rest := rest.lstrip(b"\0")):
            rest = self._fetch()
        self._codec, self._pending, self._fresh = self._new(), rest, True
        return bool(rest)

    def _fetch(self) -> bytes:
        data = self._raw.read(CHUNK)
        self._taken += len(data)
        return data

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Part(io.RawIOBase):
    """The bytes of a file from where it stands, `size` at most."""

    def __init__(self, raw: BinaryIO, size: int) -> None:
        self._raw, self._left = raw, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        data = self._raw.read(min(len(buffer), self._left))
        buffer[: len(data)] = data
        self._left -= len(data)
        return len(data)

    def close(self) -> None:
        self._raw.close()
        super().close()


def open_raw(path: str) -> BinaryIO:
    """Open a file's own bytes, seekable. Raises OSError."""
    return fsspec.open(path, "rb").open() if "://" in path else open(path, "rb")  # type: ignore[return-value]


def size_of(path: str) -> int:
    """Return a file's size in bytes."""
    if "://" in path:
        fs, base = fsspec.core.url_to_fs(path)
        return int(fs.size(base) or 0)
    return os.path.getsize(path)


def open_shard(path: str, piece: Piece | None = None) -> BinaryIO:
    """Open the decompressed bytes of a file, or of a piece of it that starts and ends at borders of bytes."""
    file = open_raw(path)
    if piece is not None:
        file.seek(piece.start)
        file = io.BufferedReader(_Part(file, piece.end - piece.start), CHUNK)
    codec = codec_of(path)
    return io.BufferedReader(Inflated(file, CODECS[codec]), CHUNK) if codec else file


class Line(NamedTuple):
    """data: without the line break, None where it is longer than allowed; row from 0; byte: where it starts in the
    opened stream; size: bytes with the line break."""

    row: int
    byte: int
    data: bytes | None
    size: int


def lines(file: BinaryIO, limit: int, start: int = 0) -> Iterator[Line]:
    """Yield lines, of at most `limit` bytes each in memory; a byte-order mark goes. start: the byte to count from."""
    byte = start
    for row in itertools.count():
        data = file.readline(limit + 1)
        if not data:
            return
        size = len(data)
        if size > limit and not data.endswith(b"\n"):
            while part := file.readline(CHUNK):
                size += len(part)
                if part.endswith(b"\n"):
                    break
            yield Line(row, byte, None, size)
        else:
            if byte == 0:
                data = data.removeprefix(b"\xef\xbb\xbf")
            yield Line(row, byte, data.rstrip(b"\r\n"), size)
        byte += size

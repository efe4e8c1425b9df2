"""Where a large file may be cut so that every record stays whole. Only a little around each cut is read."""

from __future__ import annotations

import bz2
import re
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import fsspec

from pipeline.readers.base import Piece
from pipeline.readers.streams import codec_of, open_raw, size_of

WINDOW = 1 << 16
_BZ2_STREAM = re.compile(rb"BZh[1-9]1AY&SY")
_LONGEST_TOKEN = 16


class Cutter(Protocol):
    """Returns the pieces of a file that is larger than `step` bytes; none where it cannot be cut."""

    def __call__(self, path: str, step: int, params: Any) -> list[Piece]: ...


def targets(size: int, step: int) -> Iterator[int]:
    """Yield where even pieces of at most `step` would start, without the first."""
    n = -(-size // step)
    return (size * i // n for i in range(1, n))


def between(borders: Iterable[int], size: int) -> list[Piece]:
    """Return the pieces between borders, which may repeat or lie outside; none where only one would come out."""
    inner = sorted({border for border in borders if 0 < border < size})
    return [Piece(start, end) for start, end in zip([0, *inner], [*inner, size], strict=True)] if inner else []


def find(path: str, start: int, token: re.Pattern[bytes]) -> tuple[int, int] | None:
    """Return where the first match at or after byte `start` of a file starts and ends; None where there is none."""
    if "://" in path:
        fs, base = fsspec.core.url_to_fs(path)
        size = size_of(path)
        return _find(
            (bytes(fs.cat_file(base, at, min(at + WINDOW, size))) for at in range(start, size, WINDOW)), start, token
        )
    with open(path, "rb") as file:
        file.seek(start)
        return _find(iter(lambda: file.read(WINDOW), b""), start, token)


def _find(windows: Iterable[bytes], start: int, token: re.Pattern[bytes]) -> tuple[int, int] | None:
    tail = b""
    for window in windows:
        seen = tail + window
        if match := token.search(seen):
            return start - len(tail) + match.start(), start - len(tail) + match.end()
        start += len(window)
        tail = seen[-_LONGEST_TOKEN:]
    return None


def after(token: bytes) -> Cutter:
    """Return a cutter of uncompressed files behind a token, e.g. a line break."""
    pattern = re.compile(re.escape(token))

    def cut(path: str, step: int, params: Any) -> list[Piece]:
        if codec_of(path):
            return []
        size = size_of(path)
        found = (find(path, target, pattern) for target in targets(size, step))
        return between((match[1] for match in found if match), size)

    return cut


def before(token: bytes) -> Cutter:
    """Return a cutter before a token, e.g. an opening tag; bz2 is cut before a stream that begins with the token."""
    pattern = re.compile(re.escape(token))

    def cut(path: str, step: int, params: Any) -> list[Piece]:
        codec, size = codec_of(path), size_of(path)
        if codec == ".bz2":
            return between((at for target in targets(size, step) if (at := _stream(path, target, token))), size)
        found = (find(path, target, pattern) for target in targets(size, step)) if not codec else ()
        return between((match[0] for match in found if match), size)

    return cut


def _stream(path: str, start: int, token: bytes) -> int | None:
    """Return where the next bz2 stream starts whose text begins with `token`; None if the next one does not.

    Wikipedia's multistream dumps hold whole pages in every stream; other writers cut them anywhere, and those files
    stay whole.
    """
    match = find(path, start, _BZ2_STREAM)
    if match is None:
        return None
    with open_raw(path) as file:
        file.seek(match[0])
        try:
            text = bz2.BZ2Decompressor().decompress(file.read(1 << 20), 4096)  # a block is 900 kB
        except OSError:
            return None
    return match[0] if text.lstrip().startswith(token) else None

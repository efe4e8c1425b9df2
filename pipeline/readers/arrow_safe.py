"""Arrow IPC from anywhere: how much its batches unpack to, before they do, and whether their numbers hold.

Neither does pyarrow ask: 30 kB may unpack to a gigabyte at once, and an offset beyond its buffer reads other memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from pipeline.readers.streams import MAX_RATIO, RATIO_FROM

_MAGIC = 8
"""Bytes before the stream that an IPC file holds."""
_DICTIONARY, _BATCH = 2, 3
"""Kinds of messages as Message.fbs of Arrow numbers them."""


def bomb_in(path: str, is_file: bool) -> str:
    """Return what is wrong with a local IPC file, or stream, of which a batch is a bomb; empty if nothing.

    Damage is told where it is read.
    """
    try:
        source = pa.memory_map(path)
        source.seek(_MAGIC if is_file else 0)
        for packed, whole in _batch_sizes(source):
            if whole > RATIO_FROM and whole > MAX_RATIO * max(1, packed):
                return f"decompression bomb: a batch grows over {MAX_RATIO} times"
    except (pa.ArrowException, OSError, ValueError):
        pass
    return ""


def _batch_sizes(source: Any) -> Iterator[tuple[int, int]]:
    """Yield (bytes packed, bytes unpacked) of every message. Raises pa.ArrowException where the stream is damaged."""
    reader = pa.ipc.MessageReader.open_stream(source)
    while True:
        try:
            message = reader.read_next_message()
        except StopIteration:
            return
        if message.body is not None:
            yield message.body.size, _unpacked(message.metadata.to_pybytes(), message.body)


def _unpacked(metadata: bytes, body: pa.Buffer) -> int:
    """Return what the buffers of a message say that they unpack to; each packed one begins with its size."""
    try:
        message = struct.unpack_from("<I", metadata, 0)[0]
        kind, header = _field(metadata, message, 1), _follow(metadata, _field(metadata, message, 2))
        if not kind or metadata[kind] not in (_DICTIONARY, _BATCH):
            return 0
        if metadata[kind] == _DICTIONARY:
            header = _follow(metadata, _field(metadata, header, 1))
        if not _field(metadata, header, 3):
            return body.size
        buffers = _follow(metadata, _field(metadata, header, 2))
        total = 0
        for i in range(struct.unpack_from("<I", metadata, buffers)[0]):
            start, length = struct.unpack_from("<qq", metadata, buffers + 4 + 16 * i)
            if length >= 8 and 0 <= start <= body.size - 8:
                said = struct.unpack_from("<q", body, start)[0]
                total += length if said == -1 else max(0, said)
        return total
    except struct.error:
        raise pa.ArrowInvalid("a message whose header is damaged") from None


def _follow(data: bytes, at: int) -> int:
    return at + struct.unpack_from("<I", data, at)[0]


def _field(data: bytes, table: int, number: int) -> int:
    """Return where a field of a flatbuffers table stands; 0 where it is absent."""
    layout = table - struct.unpack_from("<i", data, table)[0]
    if 4 + 2 * number >= struct.unpack_from("<H", data, layout)[0]:
        return 0
    offset = struct.unpack_from("<H", data, layout + 4 + 2 * number)[0]
    return table + offset if offset else 0


def validated(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return a batch whose offsets and codes lie in their buffers. Raises pa.ArrowInvalid for another.

    Text that is no UTF-8 passes: it costs its row alone, later.
    """
    for column in batch.columns:
        kind = column.type
        if pa.types.is_string(kind):
            column = column.view(pa.binary())
        elif pa.types.is_large_string(kind):
            column = column.view(pa.large_binary())
        column.validate(full=True)
    return batch

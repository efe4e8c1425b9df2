"""JSON lines: one object a line, in UTF-8."""

from __future__ import annotations

import json
from collections.abc import Iterator

from pipeline.readers.base import BadRecord, Record, Shard, too_long
from pipeline.readers.streams import Line, lines, open_shard


def read_jsonl(shard: Shard) -> Iterator[Record | BadRecord]:
    """Yield the objects; blank lines are left out and count as rows."""
    for line, byte in shard_lines(shard):
        if line.data is None:
            yield too_long(line.row, line.size, shard.limit, byte)
        elif line.data.strip():
            yield json_record(line.data, line.row, byte)


def shard_lines(shard: Shard) -> Iterator[tuple[Line, int | None]]:
    """Yield the lines of a shard, and of a piece also the byte of the file where each starts."""
    start = shard.piece.start if shard.piece else 0
    with open_shard(shard.path, shard.piece) as file:
        for line in lines(file, shard.limit, start):
            yield line, line.byte if shard.piece else None


def json_record(data: bytes, row: int, byte: int | None) -> Record | BadRecord:
    """Return the JSON object that a line holds."""
    try:
        value = json.loads(data.decode())
    except UnicodeDecodeError:
        return BadRecord(row, "not UTF-8", byte)
    except json.JSONDecodeError as error:
        return BadRecord(row, f"not JSON: {error.msg}", byte)
    except RecursionError:
        return BadRecord(row, "not JSON: nested too deeply", byte)
    except ValueError as error:  # a whole number of more digits than Python reads
        return BadRecord(row, f"not JSON: {error}", byte)
    return Record(value, row, byte) if isinstance(value, dict) else BadRecord(row, "not a JSON object", byte)

"""What readers take and give: a shard of a source in; records, bad records and skipped ones out, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

MAX_DOCUMENT_BYTES = 16_000_000
"""Default of a source's `max_document_bytes`. Above it a document is set aside: scorers need several times its size."""


class Params(BaseModel):
    """A format's own settings (`params` of a source); most have none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True)
class Piece:
    """Part of a large file that is a shard of its own: `start` to before `end`, in bytes, row groups or rows as the
    format counts; first_row: number of its first record in the file, where that is known."""

    start: int
    end: int
    first_row: int = 0


@dataclass(frozen=True)
class Shard:
    """What one reader reads.

    path: a file, folder or name, any fsspec URL; name: what ids call it, its path within the source.
    columns: the fields that the source maps, as in the YAML. limit: bytes of a record, at most.
    files: of a folder, the files of this shard below it.
    """

    path: str
    name: str
    piece: Piece | None = None
    columns: tuple[str, ...] = ("text", "id")
    limit: int = MAX_DOCUMENT_BYTES
    params: BaseModel = field(default_factory=Params)
    files: tuple[str, ...] = ()

    @property
    def first_row(self) -> int:
        return self.piece.first_row if self.piece else 0


class Record(dict[str, Any]):
    """One document's fields as the shard gives them.

    row: its number in the file from 0. In a piece that is cut by bytes it is the number in the piece, and byte is
    where it starts in the file.
    """

    __slots__ = ("byte", "row")

    def __init__(self, values: Mapping[str, Any], row: int, byte: int | None = None) -> None:
        super().__init__(values)
        self.row, self.byte = row, byte


@dataclass(frozen=True)
class BadRecord:
    """A record, or the rest of a shard, that cannot be read. row -1: the shard as a whole.

    records: how many it stands for, as far as known; uncounted: there are more, e.g. to the end of a file cut off.
    """

    row: int
    reason: str
    byte: int | None = None
    records: int = 1
    uncounted: bool = False


@dataclass(frozen=True)
class Skipped:
    """A record that is well-formed and no document, e.g. a redirect. It is counted by its reason."""

    row: int
    reason: str


Item = Record | BadRecord | Skipped


class Reader(Protocol):
    """Yields the records of one shard in order, with bounded memory. May raise `streams.Broken`: the rest of the shard
    is then one bad record."""

    def __call__(self, shard: Shard) -> Iterator[Item]: ...


def twice(names: Iterable[str]) -> str:
    """Return what is wrong where a column stands twice, an empty text where none does. Those without a name do not
    count."""
    found = next((name for name, number in Counter(names).items() if number > 1 and name), None)
    return f"the column `{found}` stands twice" if found else ""


def too_long(row: int, size: int, limit: int, byte: int | None = None) -> BadRecord:
    """Return the bad record that stands for one of `size` bytes, above `limit`."""
    return BadRecord(row, f"above max_document_bytes: {size:,} bytes, limit {limit:,}", byte)

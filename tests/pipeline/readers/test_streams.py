"""Compressed bytes come out as they went in, and what is cut off, damaged or a bomb ends in one stated reason."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.readers.base import Piece
from pipeline.readers.streams import Broken, codec_of, lines, open_shard
from tests.pipeline.readers.helpers import bad, good, read

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    ".gz": gzip.compress,
    ".bz2": bz2.compress,
    ".xz": lzma.compress,
    ".zst": zstd.compress,
}
LINES = b"".join(b'{"id": %d, "text": "%d"}\n' % (i, i * 7919) for i in range(20_000))


@pytest.mark.parametrize("ending", COMPRESS)
def test_every_compression_gives_the_same_bytes_in_one_or_several_members(ending: str, tmp_path: Path) -> None:
    for name, data in (
        ("one", COMPRESS[ending](LINES)),
        ("two", COMPRESS[ending](LINES[:777]) + COMPRESS[ending](LINES[777:])),
    ):
        path = tmp_path / f"{name}{ending}"
        path.write_bytes(data)
        with open_shard(str(path)) as file:
            assert file.read() == LINES


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_cut_file_gives_its_whole_lines_and_one_bad_record(ending: str, tmp_path: Path) -> None:
    whole = COMPRESS[ending](LINES)
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(whole[: len(whole) * 9 // 10])
    items = read(path)
    ids = [record["id"] for record in good(items)]
    assert ids == list(range(len(ids)))
    assert bad(items) == [(len(ids), "unreadable after this row")]
    if ending in (".gz", ".zst"):  # the others come in blocks larger than this file
        assert len(ids) > 10_000


@pytest.mark.parametrize("ending", COMPRESS)
def test_damaged_bytes_are_one_bad_record(ending: str, tmp_path: Path) -> None:
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(b"this was never compressed" * 10)
    assert bad(read(path)) == [(0, "unreadable after this row")]


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_compressed_file_without_a_byte_is_cut_off(ending: str, tmp_path: Path) -> None:
    """What compresses nothing writes a header: no byte at all is a copy that failed."""
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(b"")
    assert bad(read(path)) == [(0, "unreadable after this row")]
    path.write_bytes(COMPRESS[ending](b""))
    assert read(path) == []


@pytest.mark.parametrize("ending", COMPRESS)
def test_a_bomb_is_stopped_after_few_bytes(ending: str, tmp_path: Path) -> None:
    zeros = bytes(10**6)
    if ending == ".gz":
        data = _streamed_gzip(zeros, 400)
    elif ending == ".zst":
        compressor = zstd.ZstdCompressor()
        data = b"".join(compressor.compress(zeros) for _ in range(400)) + compressor.flush()
    else:
        data = COMPRESS[ending](zeros * 400)
    path = tmp_path / f"a.jsonl{ending}"
    path.write_bytes(COMPRESS[ending](b'{"id": 1}\n') + data)
    items = read(path)
    assert [record["id"] for record in good(items)] == [1]
    (last,) = [item for item in items if item not in good(items)]
    assert "decompression bomb" in last.reason


def _streamed_gzip(block: bytes, times: int) -> bytes:
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="wb") as file:
        for _ in range(times):
            file.write(block)
    return out.getvalue()


def test_padding_of_zeros_behind_a_gzip_member_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"text") + bytes(1000))
    with open_shard(str(path)) as file:
        assert file.read() == b"text"
    path.write_bytes(gzip.compress(b"text") + b"junk")
    with open_shard(str(path)) as file, pytest.raises(Broken, match="damaged"):
        file.read()


def test_a_window_of_two_gigabytes_can_be_read(tmp_path: Path) -> None:
    options = {zstd.CompressionParameter.window_log: 31, zstd.CompressionParameter.enable_long_distance_matching: 1}
    path = tmp_path / "a.zst"
    compressor = zstd.ZstdCompressor(options=options)  # streamed: the size is unknown, so the frame asks for all of it
    path.write_bytes(compressor.compress(LINES) + compressor.flush())
    with open_shard(str(path)) as file:
        assert file.read() == LINES


def test_a_piece_holds_exactly_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(LINES)
    with open_shard(str(path), Piece(10, 5000)) as file:
        assert file.read() == LINES[10:5000]


@given(st.binary(max_size=300), st.integers(1, 40))
def test_lines_lose_nothing_but_what_is_too_long(data: bytes, limit: int) -> None:
    found = list(lines(io.BytesIO(data), limit))
    whole = data.splitlines(keepends=True) if b"\r" not in data else io.BytesIO(data).readlines()
    assert [line.size for line in found] == [len(each) for each in whole]
    assert [line.byte for line in found] == [sum(map(len, whole[:i])) for i in range(len(whole))]
    for line, each in zip(found, whole, strict=True):
        plain = each.removesuffix(b"\n")
        assert (line.data is None) == (len(plain) > limit)
        if line.data is not None:
            assert line.data.rstrip(b"\r") == plain.rstrip(b"\r").removeprefix(b"\xef\xbb\xbf" if not line.row else b"")


@pytest.mark.parametrize(("name", "codec"), [("a.JSONL.GZ", ".gz"), ("a.zst", ".zst"), ("gz", ""), ("a.zip", "")])
def test_the_compression_is_told_by_the_ending(name: str, codec: str) -> None:
    assert codec_of(name) == codec

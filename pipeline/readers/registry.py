"""The formats. Adding one is a file with its reader and a line here."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pipeline.readers import pdf
from pipeline.readers.alto import read_alto
from pipeline.readers.base import BadRecord, Item, Params, Reader, Shard
from pipeline.readers.columnar import cut_arrow, cut_parquet, read_arrow, read_parquet
from pipeline.readers.hocr import read_hocr
from pipeline.readers.huggingface import HuggingFaceParams, dataset_pieces, read_dataset
from pipeline.readers.jsonl import read_jsonl
from pipeline.readers.mediawiki import OPEN, read_pages
from pipeline.readers.pieces import Cutter, after, before, cut_csv
from pipeline.readers.reddit import read_reddit
from pipeline.readers.source_code import read_code
from pipeline.readers.stackexchange import read_posts
from pipeline.readers.streams import Broken, codec_of
from pipeline.readers.tables import TableParams, read_table
from pipeline.readers.text import TextParams, cut_text, read_text
from pipeline.readers.warc import MODULES as WARC_MODULES
from pipeline.readers.warc import read_warc


@dataclass(frozen=True)
class Format:
    """What a source's `format` stands for.

    names: matches the end of its files' names, in lower case and without the compression's ending.
    of: what `path` is. cut: into which pieces a large file is split; by_bytes: they are ranges of bytes.
    params: its own settings. version: raised when what the reader gives changes; 0: as old as the store, in no key.
    fields: what the reader calls the fields that other sources map. names_documents: ids are made from the path.
    needs: modules of the optional extra that is called like the format. missing: says what its settings need beside
    them that is not installed.
    """

    read: Reader
    names: str | None = None
    of: Literal["file", "folder", "dataset"] = "file"
    cut: Cutter | None = None
    params: type[Params] = Params
    version: int = 1
    fields: Mapping[str, str] = field(default_factory=dict)
    names_documents: bool = False
    by_bytes: bool = False
    needs: tuple[str, ...] = ()
    missing: Callable[[Any], str] | None = None


_GROUPED = {"group": "group"}
_LICENSED = {"group": "group", "license_field": "license"}
_LINES = after(b"\n")

FORMATS: dict[str, Format] = {
    "parquet": Format(read_parquet, r"\.parquet", cut=cut_parquet, version=0),
    "jsonl": Format(read_jsonl, r"\.(jsonl|ndjson)", cut=_LINES, by_bytes=True, version=0),
    "csv": Format(read_table, r"\.(csv|tsv)", cut=cut_csv, by_bytes=True, params=TableParams),
    "text": Format(
        read_text, r"\.txt", cut=cut_text, by_bytes=True, params=TextParams, version=2, names_documents=True
    ),
    "arrow": Format(read_arrow, r"\.(arrows?|feather)", cut=cut_arrow),
    "huggingface": Format(read_dataset, of="dataset", cut=dataset_pieces, params=HuggingFaceParams),
    "stackexchange": Format(read_posts, r"posts\.xml", cut=_LINES, by_bytes=True, fields=_LICENSED),
    "mediawiki": Format(
        read_pages, r"pages-(articles|meta-current)[^/]*\.xml(-p\d+(p\d+)?)?", cut=before(OPEN), by_bytes=True
    ),
    "warc": Format(read_warc, r"\.(warc|wet)", fields=_GROUPED, needs=WARC_MODULES),
    "reddit": Format(
        read_reddit, r"(^|/)r[cs]_\d{4}-\d\d|_(comments|submissions)", cut=_LINES, by_bytes=True, fields=_GROUPED
    ),
    "pdf": Format(
        pdf.read_pdf, r"\.pdf", params=pdf.PdfParams, names_documents=True, needs=pdf.MODULES, missing=pdf.missing
    ),
    "hocr": Format(read_hocr, r"\.hocr(\.html?|\.xml)?", names_documents=True),
    "alto": Format(read_alto, r"\.alto(\.xml)?", names_documents=True),
    "code": Format(read_code, of="folder", fields=_LICENSED, names_documents=True),
}


def format_named_like(path: str) -> str | None:
    """Return the name of the format that a file's ending tells, None where it tells none."""
    plain = path.lower().removesuffix(codec_of(path))
    return next((name for name, each in FORMATS.items() if each.names and re.search(f"({each.names})$", plain)), None)


def missing_modules(name: str) -> list[str]:
    """Return the modules of a format's optional extra that are not installed."""
    return [module for module in FORMATS[name].needs if importlib.util.find_spec(module) is None]


def read_shard(form: str, shard: Shard) -> Iterator[Item]:
    """Yield the records of one shard. What cannot be read any further is one bad record."""
    row = shard.first_row - 1
    try:
        for item in FORMATS[form].read(shard):
            row = item.row
            yield item
    except Broken as error:
        yield BadRecord(row + 1, f"unreadable after this row: {error}")

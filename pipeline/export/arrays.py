"""Format `bin`: a flat array of token ids a domain, as nanoGPT reads `train.bin`."""

from __future__ import annotations

from typing import Any

from pipeline.export.base import Export, Format
from pipeline.export.documents import said
from pipeline.export.ids import domain_ids, open_vocabulary, said_ids


def write_arrays(export: Export) -> dict[str, Any]:
    """Write `<domain>.bin`: little-endian uint16, or uint32 above 65,536 ids; an end of text after every document."""
    vocabulary = open_vocabulary(export.mix)
    dtype = vocabulary.dtype()
    for domain in export.mix.weighted:
        with export.folder.open(f"{domain.name}.bin") as file:
            for batch in domain_ids(export, vocabulary, domain, dtype):
                for document in batch:
                    file.write(document.tobytes())
        said(export, domain)
    return said_ids(export, vocabulary, dtype)


FORMAT = Format(data=write_arrays)

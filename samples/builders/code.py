"""Program text: Python's standard library, and the formal proofs of Coq's."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from samples.builders.tables import Row

MIN_CHARS = 400
# Not Python's own, under another licence, or tables a program wrote.
_SKIPPED = re.compile(
    r"^(site-packages|_pyodide|pyodide|__phello__|pydoc_data|encodings|_sysconfigdata|lib2to3)"
    r"|(^|/)(test|tests|idlelib|turtledemo)/|html/entities\.py|_pydecimal\.py|^xmlrpc/|^xml/etree/|^_strptime\.py"
)
_FOREIGN = re.compile(r"Copyright|Licensed under|All rights reserved", re.IGNORECASE)
_OWN = re.compile(r"Python Software Foundation", re.IGNORECASE)


def python_stdlib(package: Path) -> list[Row]:
    """One document a module of CPython's standard library, from `python_stdlib.zip` in `pyodide`.

    Files that carry a copyright notice other than the Python Software Foundation's are left out, so that the
    PSF licence alone holds for the whole source.
    """
    rows: list[Row] = []
    with zipfile.ZipFile(package / "package" / "python_stdlib.zip") as archive:
        for name in sorted(archive.namelist()):
            if not name.endswith(".py") or _SKIPPED.search(name):
                continue
            text = archive.read(name).decode("utf-8")
            if len(text) < MIN_CHARS or foreign_notice(text):
                continue
            rows.append(
                {
                    "id": f"code/{name}",
                    "text": text,
                    "source": "code",
                    "path": name,
                    "license": "PSF-2.0",
                    "group": name.split("/")[0].removesuffix(".py"),
                }
            )
    return rows


def foreign_notice(text: str) -> bool:
    """Whether a comment or docstring names a copyright holder or licence that is not the PSF's."""
    lines = [line for line in text.splitlines() if _FOREIGN.search(line)]
    return any(not _OWN.search(line) for line in lines)


def coq_library(package: Path) -> list[Row]:
    """One document a file of Coq's standard library, from `libcoq-stdlib`, without the licence header."""
    root = next((package / "usr" / "lib").rglob("coq/theories"))
    rows: list[Row] = []
    for path in sorted(root.rglob("*.v")):
        name = path.relative_to(root).as_posix()
        text = without_coq_header(path.read_text(encoding="utf-8"))
        if len(text) < MIN_CHARS:
            continue
        rows.append(
            {
                "id": f"proofs/{name}",
                "text": text,
                "source": "proofs",
                "path": name,
                "license": "LGPL-2.1-only",
                "group": name.rsplit("/", 1)[0],
            }
        )
    return rows


def without_coq_header(text: str) -> str:
    """The file without its leading box of `(* ... *)` lines, which is the same notice in all of them."""
    lines = text.splitlines()
    start = 0
    while start < len(lines) and re.fullmatch(r"\(\*.*\*\)|\s*", lines[start]):
        start += 1
    return "\n".join(lines[start:]).strip() + "\n"

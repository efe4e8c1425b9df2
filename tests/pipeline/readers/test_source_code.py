"""Folders of source code: language, repository and licence of every file; what is no code is skipped and counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from pipeline.readers.base import Item, Shard
from pipeline.readers.registry import read_shard
from pipeline.readers.source_code import code_files, language_of, parts_of, stated_license
from tests.pipeline.readers.helpers import bad, good, skipped

LICENSES = Path(__file__).parents[3]


@pytest.fixture
def repositories(tmp_path: Path) -> Path:
    """Two repositories: one with a .git and an Apache licence, one with licences by folder."""
    root = tmp_path / "repos"
    files = {
        "one/.git/config": "[core]",
        "one/LICENSE": (LICENSES / "LICENSE").read_text(),
        "one/src/a.py": "print(1)\n",
        "one/src/b.h": "int b;\n",
        "one/node_modules/x.js": "x",
        "two/README.md": "# Two\n",
        "two/COPYING.txt": "All rights reserved.",
        "two/lib/LICENSE": (LICENSES / "samples" / "licenses" / "LGPL-2.1.txt").read_text(),
        "two/lib/c.rs": "// SPDX-License-Identifier: MIT OR Apache-2.0\nfn c() {}\n",
        "two/lib/deep/d.go": "package d\n",
        "two/empty.py": "",
        "two/data.bin": "0",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    (root / "two" / "bad.py").write_bytes(b"caf\xe9")
    (root / "two" / "binary.py").write_bytes(b"a\0b")
    (root / "two" / "link.py").symlink_to(root / "one" / "src" / "a.py")
    return root


def read_folder(root: Path, **options) -> list[Item]:
    return list(read_shard("code", Shard(str(root), root.name, files=tuple(code_files(str(root))), **options)))


def test_files_have_language_repository_and_licence(repositories: Path) -> None:
    found = {record["id"]: record for record in good(read_folder(repositories))}
    assert {name: (each["language"], each["group"], each.get("license")) for name, each in found.items()} == {
        "repos/one/src/a.py": ("Python", "repos/one", "Apache-2.0"),
        "repos/one/src/b.h": ("C", "repos/one", "Apache-2.0"),
        "repos/two/README.md": ("Markdown", "repos/two", None),
        "repos/two/lib/c.rs": ("Rust", "repos/two", "MIT OR Apache-2.0"),
        "repos/two/lib/deep/d.go": ("Go", "repos/two", "LGPL-2.1"),
    }
    assert found["repos/one/src/a.py"]["path"] == "one/src/a.py"


def test_what_is_no_code_is_counted(repositories: Path) -> None:
    items = read_folder(repositories)
    assert Counter(skipped(items)) == {"no known language": 4, "empty file": 1, "binary": 1}
    assert [reason for _, reason in bad(items)] == ["not UTF-8"]
    assert len(items) == len(code_files(str(repositories)))
    assert [reason for _, reason in bad(read_folder(repositories / "one" / "src", limit=8))] == [
        "above max_document_bytes"
    ]


def test_without_git_and_licence_a_folder_of_folders_holds_repositories(tmp_path: Path) -> None:
    (tmp_path / "x" / "src").mkdir(parents=True)
    (tmp_path / "x" / "src" / "a.py").write_text("1")
    assert [record["group"] for record in good(read_folder(tmp_path))] == [f"{tmp_path.name}/x"]
    (tmp_path / "b.py").write_text("2")
    assert {record["group"] for record in good(read_folder(tmp_path))} == {tmp_path.name}


def test_shards_hold_every_file_once(repositories: Path) -> None:
    files = code_files(str(repositories))
    runs = parts_of(files, [10] * len(files), 35)
    assert [name for run in runs for name in run] == files
    assert max(map(len, runs)) == 3


@pytest.mark.parametrize(
    ("name", "language"),
    [("a.py", "Python"), ("Makefile", "Makefile"), ("x.min.js", "JavaScript"), ("a.png", None), ("notes.txt", None)],
)
def test_language_of(name: str, language: str | None) -> None:
    assert language_of(name) == language


@pytest.mark.parametrize(
    ("text", "license_"),
    [
        ("// SPDX-License-Identifier: MIT", "MIT"),
        ("<!-- SPDX-License-Identifier: MIT -->", "MIT"),
        ("/* SPDX-License-Identifier: GPL-2.0-or-later*/", "GPL-2.0-or-later"),
        ("-- SPDX-License-Identifier: Apache-2.0 -- see NOTICE", "Apache-2.0"),
        ("# SPDX-License-Identifier: GPL-2.0+ WITH Classpath-exception-2.0.", "GPL-2.0+ WITH Classpath-exception-2.0"),
        ("# SPDX-License-Identifier: (MIT OR Apache-2.0) AND BSD-3-Clause", "(MIT OR Apache-2.0) AND BSD-3-Clause"),
        ("(SPDX-License-Identifier: MIT)", "MIT"),
        ("SPDX-License-Identifier: LicenseRef-Own-1 and more", "LicenseRef-Own-1"),
        ('re.compile("SPDX-License-Identifier: (.*)")', None),
        ('"SPDX-License-Identifier: %s"\n# SPDX-License-Identifier: MIT', "MIT"),
        ("SPDX-License-Identifier:\nMIT", None),
    ],
)
def test_of_an_spdx_line_only_the_expression_counts(text: str, license_: str | None) -> None:
    assert stated_license(text) == license_

"""Every example of docs/sources.md is a valid mix, and every format of the registry is described there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
import yaml

from pipeline.load import load_mix
from pipeline.readers.registry import FORMATS, missing_modules

PAGE = (Path(__file__).parents[3] / "docs" / "sources.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, flags=re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_valid(example: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for extra in ("pdf", "warc"):
        if f".{extra}" in example and missing_modules(extra):
            pytest.skip(f"the extra `{extra}` is not installed")
    if "ocr:" in example and shutil.which("tesseract") is None:
        pytest.skip("the program tesseract is not installed (apt install tesseract-ocr)")
    monkeypatch.chdir(tmp_path)
    for source in yaml.safe_load(example)["sources"].values():
        path = Path(re.sub(r"\[(.).*?\]", r"\1", source["path"]).replace("**/", "deep/").replace("*", "01"))
        if source.get("format") in ("code", "huggingface"):
            path.mkdir(parents=True)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("something")
    (tmp_path / "other.txt").write_text("something")
    (tmp_path / "mix.yaml").write_text(f"target: {{tokens: 1B}}\n{example}  other: {{path: other.txt}}\n")
    assert load_mix(tmp_path / "mix.yaml").config.sources


def test_every_format_has_a_row_and_an_example() -> None:
    for name in FORMATS:
        assert f"| `{name}` |" in PAGE
    assert len(EXAMPLES) == len(FORMATS)

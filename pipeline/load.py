"""Load a mix YAML and check everything that can be known before work starts.

All mistakes of a file are reported at once, each with file, line, key and what was expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.checks import mistakes
from pipeline.config import Config, Section
from pipeline.errors import InputError
from pipeline.repair import mend
from pipeline.resolve import with_values
from pipeline.storage.names import is_inside
from pipeline.yaml_layers import read_layers
from pipeline.yaml_lines import Path_, YamlDocument
from pipeline.yaml_schema import line_of


@dataclass(frozen=True)
class LoadedMix:
    """A checked configuration and the document it came from (for messages that name a line)."""

    config: Config
    document: YamlDocument

    @property
    def stem(self) -> str:
        return Path(self.document.name).stem

    def error(self, path: Path_, message: str) -> InputError:
        return InputError(line_of(self.document, path, message))


def load_mix(path: Path, sets: Sequence[str] = ()) -> LoadedMix:
    """Read one mix YAML with what it includes, apply `key=value` options, validate and cross-check.

    Raises InputError with one line per mistake.
    """
    _check_stem(path)
    document = read_layers(path, sets)
    if not document.data:
        raise InputError(f"{path}:1: empty; a mix has at least `target` and `sources`")
    if "sources" not in document.data and isinstance(document.data.get("domains"), dict):
        told = (
            "tokens by domain and no `sources`: this is for `mixwright fit --config`, beside tables, and no mix to run"
        )
        raise InputError(line_of(document, ("domains",), told))
    mended = mend(document.data, with_values)
    found = [line_of(document, place, text) for place, text in mended.found]
    if mended.config is not None:
        others = ((place, text) for place, text in mistakes(mended.config) if mended.is_own(place))
        found += [line_of(document, mended.written(place), text) for place, text in others]
    if found:
        raise InputError("\n".join(sorted(dict.fromkeys(found), key=_file_and_line)))
    assert mended.config is not None
    return LoadedMix(mended.config, document)


def _file_and_line(message: str) -> tuple[str, int]:
    file, _, line = message.partition(": ")[0].rpartition(":")
    return file, int(line) if line.isdigit() else 0


def _check_stem(path: Path) -> None:
    """The file's name without its ending is part of the run folder's and of names in the store."""
    if not is_inside(path.stem) or not path.stem.isprintable() or not path.stem.strip():
        what = "expected printable characters, none of / \\ :, and more than dots"
        raise InputError(f"{path}: `{path.stem}` cannot name a run folder: {what}")


def resolved(config: Section) -> dict:
    """Return the configuration with all defaults, as plain data under the YAML's own key names."""
    return config.model_dump(mode="json", by_alias=True)

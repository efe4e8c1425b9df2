"""Load a mix YAML and check everything that can be known before work starts.

All mistakes of a file are reported at once, each with file, line, key and what was expected.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from pipeline.checks import mistakes
from pipeline.config import Config, Section
from pipeline.errors import InputError
from pipeline.resolve import with_values
from pipeline.storage.names import is_inside
from pipeline.yaml_lines import Path_, YamlDocument, read_yaml
from pipeline.yaml_schema import line_of, schema_mistakes


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


def load_mix(path: Path) -> LoadedMix:
    """Read, validate and cross-check one mix YAML. Raises InputError with one line per mistake."""
    document = read_yaml(path)
    _check_stem(path)
    try:
        config = Config.model_validate(with_values(document.data))
    except ValidationError as error:
        raise InputError("\n".join(schema_mistakes(document, error, Config))) from None
    found = [line_of(document, place, text) for place, text in mistakes(config)]
    if found:
        raise InputError("\n".join(found))
    return LoadedMix(config, document)


def _check_stem(path: Path) -> None:
    """The file's name without its ending is part of the run folder's and of names in the store."""
    good = is_inside(path.stem) and path.stem.isprintable() and bool(path.stem.strip())
    if not good:
        what = "expected printable characters, none of / \\\\ :, and more than dots"
        raise InputError(f"{path}: `{path.stem}` cannot name a run folder: {what}")


def resolved(config: Section) -> dict:
    """Return the configuration with all defaults, as plain data under the YAML's own key names."""
    return config.model_dump(mode="json", by_alias=True)

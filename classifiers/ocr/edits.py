"""What a reader makes of print: the table of edits that `ocr_cleanup` undoes, as it is kept in a JSON file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

DEFAULT = Path(__file__).parent / "data" / "ocr_edits.json"

STRAIGHT = str.maketrans("‘’“”", "''\"\"")  # typographic quotes as a table knows them

Nats = Annotated[float, Field(ge=0, le=100)]
Share = Annotated[float, Field(ge=0, le=1)]
Piece = Annotated[str, Field(max_length=3)]


class EditTable(BaseModel):
    """Costs are nats, -log P(read | printed). What was read is folded (see `fold`), what was printed in small letters.

    `edits`: (read, printed, cost), pieces of up to three characters; an empty piece is a letter lost or added.
    `changed`, `lost`, `added`: cost of any other letter. `space_lost`, `space_added`: between words. `signs`: what
    stands for one sign that is nearly always misread. `before`, `after`, `alone`: how often a sign that is read
    before a word, after it, or by itself was printed. `noise`: share of common words misread where this was learned.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: Literal[1] = 1
    origin: str = Field(description="what it was learned from, for people")
    characters: int = Field(ge=0, description="characters printed in what it was learned from")
    noise: float = Field(gt=0, lt=1)
    edits: tuple[tuple[Piece, Piece, Nats], ...]
    changed: Nats
    lost: Nats
    added: Nats
    space_lost: Nats
    space_added: Nats
    signs: dict[Annotated[str, Field(min_length=1, max_length=1)], Piece] = {}
    before: dict[str, Share] = {}
    after: dict[str, Share] = {}
    alone: dict[str, Share] = {}


def fold(word: str) -> str:
    """A word with the case that says nothing taken away: of its first letter, and of a word in capitals."""
    if word[1:].islower() or word.isupper():
        return word.lower()
    return word[:1].lower() + word[1:]


def load_edits(path: Path) -> EditTable:
    """Raises ValueError, with file and place, where there is no table or it is not one."""
    try:
        return EditTable.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ValueError(
            f"{path}: {error.strerror or error}; expected a table of `python -m pipeline.rewriting.ocr_learn`"
        ) from None
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"])) or "the file"
        raise ValueError(
            f"{path}: {place}: {first['msg']}; expected a table of `python -m pipeline.rewriting.ocr_learn`"
        ) from None


def save_edits(table: EditTable, path: Path) -> None:
    """One edit a line, so that two tables can be compared by their lines."""
    import json

    content = table.model_dump(mode="json")
    edits = content.pop("edits")
    head = json.dumps(content, ensure_ascii=False, indent=1)
    lines = ",\n".join("  " + json.dumps(edit, ensure_ascii=False) for edit in edits)
    path.write_text(head[:-2] + ',\n "edits": [\n' + lines + "\n ]\n}\n", encoding="utf-8")

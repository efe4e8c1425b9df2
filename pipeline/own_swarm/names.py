"""Long column names and the short ones that people write: `train_the_pile_arxiv` is also `arxiv`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.mixture.spaces import bound_names

_EDGES = "_/.:-"


@dataclass(frozen=True)
class Names:
    """Columns of a table, and the prefix and suffix that all of them share (empty where there is none)."""

    full: tuple[str, ...]
    prefix: str
    suffix: str

    @property
    def short(self) -> tuple[str, ...]:
        """The names without prefix and suffix, in the same order; unique because the full ones are."""
        return tuple(name[len(self.prefix) : len(name) - len(self.suffix)] for name in self.full)

    @property
    def known(self) -> list[str]:
        """All names that may be given."""
        return list(dict.fromkeys([*self.full, *self.short]))

    def resolve(self, name: str) -> str:
        """Return the full name of a column given in full or short; a name of neither kind comes back as it is."""
        if name in self.full or name not in self.short:
            return name
        return self.full[self.short.index(name)]

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """`source.*` -> the full names of a source and its variants; the source may be given in full or short."""
        named = {name: each for name, each in bound_names(self.known, {}).items() if len(each) > 1}
        return {name: tuple(dict.fromkeys(map(self.resolve, each))) for name, each in named.items()}

    def note(self, what: str) -> str | None:
        """Return what was recognised, for the user; None where the names share nothing."""
        if not self.prefix and not self.suffix:
            return None
        shared = [f"the prefix `{self.prefix}`"] if self.prefix else []
        shared += [f"the suffix `{self.suffix}`"] if self.suffix else []
        return f"all {what} share {' and '.join(shared)}: `{self.full[0]}` may also be called `{self.short[0]}`"


def names_of(columns: Sequence[str]) -> Names:
    """Find what all columns share, cut at a separator: `web_a` and `web_b` share `web_`, `wiki` and `wind` nothing."""
    if len(columns) < 2:
        return Names(tuple(columns), "", "")
    prefix = _start(columns)
    prefix = prefix[: max(prefix.rfind(edge) for edge in _EDGES) + 1]
    rests = [name[len(prefix) :] for name in columns]
    suffix = _start([rest[::-1] for rest in rests])[::-1]
    starts = [suffix.index(edge) for edge in _EDGES if edge in suffix]
    suffix = suffix[min(starts) :] if starts else ""
    if any(len(rest) <= len(suffix) for rest in rests):
        return Names(tuple(columns), "", "")
    return Names(tuple(columns), prefix, suffix)


def _start(names: Sequence[str]) -> str:
    """The characters that all names start with."""
    same = 0
    for letters in zip(*names, strict=False):  # up to the end of the shortest
        if len(set(letters)) > 1:
            break
        same += 1
    return names[0][:same]

"""What differs between two JSON values, by dotted key: two YAMLs, or the recipes that two units' keys are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.store import to_json

ABSENT = "(none)"
_SHOWN = 80


@dataclass(frozen=True)
class Change:
    """A key with its old and new value as JSON text, `(none)` where it is absent."""

    key: str
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.key}: {self.old} → {self.new}"


def changes(old: Any, new: Any, key: str = "") -> Iterator[Change]:
    """Yield the smallest parts that differ, in the order of the new value; lists of unequal length whole."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in [*new, *(name for name in old if name not in new)]:
            yield from changes(old.get(name, _MISSING), new.get(name, _MISSING), f"{key}.{name}" if key else str(name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from changes(one, other, f"{key}[{i}]")
    elif old is _MISSING or new is _MISSING or to_json(old) != to_json(new):  # 0 and false make different keys
        yield Change(key, _text(old), _text(new))


_MISSING = object()


def _text(value: Any) -> str:
    if value is _MISSING:
        return ABSENT
    text = " ".join(to_json(value).split())
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"

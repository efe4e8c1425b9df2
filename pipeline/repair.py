"""Go on after a mistake: mend a copy of a YAML's data as the message suggests, so that one look finds all mistakes.

Nothing runs on mended data; it only lets the other checks see the rest. What a mistake may have made seem wrong
elsewhere is not reported: one message a mistake.
"""

from __future__ import annotations

import copy
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from pipeline.config import Config
from pipeline.yaml_lines import Path_, at, stands
from pipeline.yaml_schema import keys_at, path_of, text_in

_ROUNDS = 8
_SURE = 0.8
"""Likeness of an unknown key and a free one from which it is read as that one; a required one that is missing needs
less."""

_STAND_INS: dict[Path_, Any] = {  # for what is required; "*" stands for any key
    ("target",): {"tokens": 10**15},
    ("target", "tokens"): 10**15,
    ("sources", "*"): {"path": ""},
    ("sources", "*", "path"): "",
    ("select", "*"): {"name": "rule", "drop": "FALSE"},
    ("rewrite", "*"): {"task": "wiki_qa"},
    ("rewrite", "*", "task"): "wiki_qa",
    ("buckets", "*", "shares", "*"): 0.5,
    ("evals", "benchmarks", "*"): {"path": ""},
    ("evals", "benchmarks", "*", "path"): "",
    ("validate", "transfer", "preset"): "60m",
    ("references", "*"): {},
    ("references", "*", "*"): 0.0,
    ("propose", "bounds", "*"): {},
    ("objective", "families", "*"): 1.0,
    ("objective", "tasks", "*"): 1.0,
}

_NAMES_OF = {  # section whose names others use -> those others
    "sources": None,  # all
    "annotate": ("select", "buckets"),
    "rewrite": ("domains", "swarm", "objective", "propose", "references"),
    "buckets": ("domains", "swarm", "objective", "propose", "references"),
    "domains": ("swarm", "objective", "propose", "references"),
    "swarm": ("propose",),
    "evals": ("objective",),
    "references": ("objective",),
}


@dataclass
class Mended:
    """Data that fits the schema as far as it could be mended. `config` is None where it could not."""

    data: dict[str, Any]
    config: Config | None = None
    found: list[tuple[Path_, str]] = field(default_factory=list)
    _renamed: dict[Path_, Path_] = field(default_factory=dict)
    _touched: list[Path_] = field(default_factory=list)
    _lost: list[str] = field(default_factory=list)

    def written(self, place: Path_) -> Path_:
        """Return the keys of a place as they stand in the YAML."""
        for new, old in self._renamed.items():
            if place[: len(new)] == new:
                return (*old, *place[len(new) :])
        return place

    def is_own(self, place: Path_) -> bool:
        """Tell whether a further mistake at a place of the mended data is none that another one may have caused."""
        for section in self._lost:
            others = _NAMES_OF.get(section, ())
            if others is None or place[0] in others:
                return False
        return not any(
            place[: len(each)] == each or (len(place) > 1 and each[: len(place)] == place) for each in self._touched
        )


def mend(data: dict[str, Any], prepared: Callable[[Any], Any]) -> Mended:
    """Validate a mix's data; note every mistake of its schema and mend it. prepared: what is done before validation."""
    mended = Mended(copy.deepcopy(data))
    for _ in range(_ROUNDS):
        try:
            mended.config = Config.model_validate(prepared(mended.data))
            break
        except ValidationError as error:
            if not _mend_all(mended, error.errors()):
                break
    return mended


def _mend_all(mended: Mended, mistakes: Sequence[Mapping[str, Any]]) -> bool:
    """Note and mend the mistakes of one validation; tell whether all could be mended."""
    unknown = {path_of(mistake) for mistake in mistakes if mistake["type"] == "extra_forbidden"}
    texts = {}
    for mistake in mistakes:
        place = path_of(mistake)
        if mended.is_own(place) and place not in texts:
            texts[place] = text_in(Config, place, mistake)
    found = {place: (mended.written(place), text) for place, text in texts.items()}
    missing = {path_of(mistake) for mistake in mistakes if mistake["type"] == "missing"}
    for place in unknown:
        if new := _rename(mended, place, missing):
            found.pop(new, None)  # missing, for it is the one that is written wrongly
    mended.found += found.values()
    wrong = [each for each in mistakes if path_of(each) not in unknown]
    done = [_replace(mended, path_of(each), missing=each["type"] == "missing") for each in wrong]
    return all(done)


def _rename(mended: Mended, place: Path_, missing: set[Path_]) -> Path_ | None:
    """Give an unknown key the name that it surely stands for, and return its new place; otherwise take it away."""
    parent, key = at(mended.data, place[:-1]), str(place[-1])
    value = parent.pop(key)
    close = difflib.get_close_matches(key, keys_at(Config, place[:-1]), n=1, cutoff=0.6)
    new = (*place[:-1], *close)
    sure = new in missing or (close and difflib.SequenceMatcher(None, key, close[0]).ratio() >= _SURE)
    if not sure or close[0] in parent:
        return None
    mended._renamed[new] = mended.written(place)
    parent[close[0]] = value
    return new


def _replace(mended: Mended, place: Path_, missing: bool) -> bool:
    """Put something harmless in the place of a wrong value, or take it away where it may be absent."""
    if any(place[: len(each)] == each for each in mended._touched) or (missing and stands(mended.data, place)):
        return True  # another mistake's mending did it
    depth = len(place)
    while depth and not missing and not stands(mended.data, place[:depth]):
        depth -= 1  # pydantic's path may go on into the kinds of value that it tried
    place = place[:depth]
    while place:
        for pattern, value in _STAND_INS.items():
            if len(pattern) == len(place) and all(a in ("*", b) for a, b in zip(pattern, place, strict=True)):
                at(mended.data, place[:-1])[place[-1]] = copy.deepcopy(value)
                mended._touched.append(place)
                return True
        if isinstance(place[-1], str):
            break
        place = place[:-1]  # one of a list of names: without it the others would move up
    if not place or missing or place == ("sources",):
        return False
    at(mended.data, place[:-1]).pop(place[-1])
    mended._touched.append(place)
    if len(place) == 1 or (len(place) == 2 and place[0] in ("annotate", "buckets")) or place[1:2] == ("benchmarks",):
        mended._lost.append(str(place[0]))
    return True

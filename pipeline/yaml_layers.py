"""One mix from several places: files that it includes, the file itself, and `--set key=value` over all of them.

Mappings join key by key; a list or a single value takes the place of the one below. Included paths are relative to the
file that names them. What is validated, hashed and written to a run folder is the whole.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.errors import InputError
from pipeline.yaml_lines import Path_, YamlDocument, at, dotted, kind_of, parse_text, parse_yaml, stands

INCLUDE = "include"
_PART = re.compile(r'\.?(?:"([^"]*)"|\[(\d+)\]|([^."\[\]]+))')


def read_layers(path: Path, sets: Sequence[str] = ()) -> YamlDocument:
    """Read a mix with what it includes, then apply `key.path=value` options in order.

    Raises InputError with one line per mistake of the YAML itself, and for options that are no `key=value`.
    """
    document = _with_included(path, ())
    if document.mistakes:
        raise InputError("\n".join(document.mistakes))
    for option in sets:
        _apply(document, option)
    return document


def _with_included(path: Path, chain: tuple[Path, ...]) -> YamlDocument:
    """Return a file over what it includes. chain: the files that are being read, the outermost first."""
    own = parse_yaml(path)
    chain = (*chain, path)
    whole = YamlDocument(own.name, {}, {}, own.mistakes)
    for key in [key for key in own.data if difflib.get_close_matches(key, [INCLUDE], cutoff=0.8)]:
        if key != INCLUDE:
            own.mistakes.append(f"{own.place((key,))}: `{key}`: unknown key (did you mean `{INCLUDE}`?)")
        for place, name in _names(own, key):
            base = Path(os.path.normpath(path.parent / name))
            here = f"{own.place(place)}: `{dotted(place)}`: "
            if any(_same(base, each) for each in chain):
                circle = " → ".join(str(each) for each in (*chain, base))
                own.mistakes.append(f"{here}files include each other in a circle: {circle}")
            elif not base.is_file():
                own.mistakes.append(f"{here}no such file: {base}")
            else:
                below = _with_included(base, chain)
                own.mistakes.extend(below.mistakes)
                _join(whole, below.data, below.places, ())
        del own.data[key]
    _join(whole, own.data, own.places, ())
    return whole


def _names(document: YamlDocument, key: str) -> list[tuple[Path_, str]]:
    value = document.data[key]
    names = value if isinstance(value, list) else [value]
    if all(isinstance(name, str) for name in names):
        return [((key, i) if isinstance(value, list) else (key,), name) for i, name in enumerate(names)]
    text = f"expected the name of a YAML file or a list of them, got {kind_of(value)}"
    document.mistakes.append(f"{document.place((key,))}: `{key}`: {text}")
    return []


def _same(a: Path, b: Path) -> bool:
    return a.resolve() == b.resolve()


def _join(whole: YamlDocument, data: dict[str, Any], places: dict[Path_, str], top: Path_) -> None:
    """Lay data, whose keys stand at `places`, over the mapping of a document at a path."""
    target = at(whole.data, top)
    for key, value in data.items():
        here = (*top, key)
        if isinstance(value, dict) and isinstance(target.get(key), dict):
            if here in places:
                whole.places[here] = places[here]
            _join(whole, value, places, here)
            continue
        _forget(whole, here)
        target[key] = value
        whole.places.update({place: text for place, text in places.items() if place[: len(here)] == here})


def _forget(document: YamlDocument, top: Path_) -> None:
    for place in [place for place in document.places if place[: len(top)] == top]:
        del document.places[place]


def _apply(document: YamlDocument, option: str) -> None:
    """Set one `key.path=value`; the value is YAML. Keys with dots stand in quotes where they are new."""
    name, sign, text = option.partition("=")
    said = f"--set {option}"
    if not sign or not name.strip() or not text.strip():
        raise InputError(f"{said}: expected key=value, e.g. --set swarm.runs=64")
    value, _, mistakes = parse_text(text, said)
    if mistakes:
        raise InputError("\n".join(mistakes))
    path = _path(document.data, name.strip(), said)
    if path[0] == INCLUDE:
        raise InputError(f"{said}: `{INCLUDE}` stands in a file; name the file that includes it")
    here: Any = document.data
    for i, key in enumerate(path):
        if wrong := _unfit(here, key):
            raise InputError(f"{said}: {f'`{dotted(path[:i])}`' if i else 'the top'} is {wrong}")
        if i == len(path) - 1:
            _forget(document, path)
            here[key] = value
            document.places[path] = said
        else:
            if isinstance(key, str) and key not in here:
                here[key] = {}
                document.places[path[: i + 1]] = said
            here = here[key]


def _unfit(data: Any, key: str | int) -> str | None:
    """Return why data has no place for a key or an item; None where it has."""
    if isinstance(key, str):
        return None if isinstance(data, dict) else f"{kind_of(data)}, no mapping of keys"
    if not isinstance(data, list):
        return f"{kind_of(data)}, no list"
    return None if key < len(data) else f"a list of {len(data)}; the first is [0]"


def _path(data: Any, name: str, said: str) -> Path_:
    """Return the keys that a dotted name stands for: of keys that are there the longest that fits."""
    path: list[str | int] = []
    while name:
        known = [key for key in data if _starts(name, key)] if isinstance(data, dict) else []
        match = None if known else _PART.match(name)
        if known:
            key: str | int = max(known, key=len)
            name = name.removeprefix(".")[len(str(key)) :]
        elif match:
            key = int(match[2]) if match[2] else match[1] if match[1] is not None else match[3]
            name = name[match.end() :]
        else:
            raise InputError(f"{said}: `{name}` is no key; keys look like swarm.runs, select[0].drop")
        path.append(key)
        data = at(data, (key,)) if stands(data, (key,)) else None
    return tuple(path)


def _starts(name: str, key: str) -> bool:
    rest = name.removeprefix(".")
    return rest == key or rest.startswith((f"{key}.", f"{key}["))

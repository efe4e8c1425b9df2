"""XML parsed by expat without entities: nothing is fetched, nothing can grow. A record as a tree, a file as events."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO
from xml.parsers import expat

_CHUNK = 1 << 18
_MAX_TAG = 1 << 22
"""Bytes of one tag in a file, about at most: expat holds it as a whole."""
_MAX_DEPTH = 500
_MAX_ELEMENTS = 10_000
"""Of a record that is made a tree, where an element takes a hundred times its bytes. Pages and posts have a few."""


class BadXml(Exception):
    """A record is not well-formed, or declares a document type."""


@dataclass
class Element:
    """An element with its own text (`text`), without the text of its children."""

    name: str
    attributes: Mapping[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def find(self, *path: str) -> Element | None:
        """Return the first descendant along a path of names."""
        here: Element | None = self
        for name in path:
            here = next((child for child in here.children if child.name == name), None) if here else None
        return here

    def text_of(self, *path: str) -> str:
        """Return the text of the first descendant along a path, empty where there is none."""
        found = self.find(*path)
        return found.text if found else ""


def parse(data: bytes) -> Element:
    """Return the root of a small XML text in UTF-8. Raises BadXml."""
    root = Element("", {})
    stack = [root]
    texts: list[list[str]] = [[]]
    count = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > _MAX_ELEMENTS or len(stack) > _MAX_DEPTH:
            raise BadXml(f"over {_MAX_ELEMENTS:,} elements, or {_MAX_DEPTH} inside each other")
        element = Element(name, attributes)
        stack[-1].children.append(element)
        stack.append(element)
        texts.append([])

    def end(_: str) -> None:
        stack.pop().text = "".join(texts.pop())

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = lambda text: texts[-1].append(text)
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadXml(str(error)) from None
    return root.children[0]


def walk(file: BinaryIO, start: Callable[[str, dict[str, str]], None], end: Callable[[str], None]) -> None:
    """Call `start` (name, attributes) and `end` (name) for the elements of an XML file, in its stated encoding.

    Nothing but the tag at hand is held. Raises BadXml, and what the two functions raise.
    """
    depth = 0

    def enter(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > _MAX_DEPTH:
            raise BadXml(f"over {_MAX_DEPTH} elements inside each other")
        start(name, attributes)

    def leave(name: str) -> None:
        nonlocal depth
        depth -= 1
        end(name)

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = enter, leave
    parser.StartDoctypeDeclHandler = _refuse
    given = 0
    try:
        while data := file.read(_CHUNK):
            parser.Parse(data, False)
            given += len(data)
            if given - max(parser.CurrentByteIndex, 0) > _MAX_TAG:
                raise BadXml("a tag without an end")
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two: an encoding that expat has not
        raise BadXml(str(error)) from None


def _refuse(*_: Any) -> None:
    raise BadXml("it declares a document type, which may hold entities")

"""XML of one record, parsed by expat without entities: nothing is fetched, and nothing can grow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat


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

    def start(name: str, attributes: dict[str, str]) -> None:
        element = Element(name, attributes)
        stack[-1].children.append(element)
        stack.append(element)
        texts.append([])

    def end(_: str) -> None:
        stack.pop().text = "".join(texts.pop())

    def refuse(*_: Any) -> None:
        raise BadXml("it declares a document type, which may hold entities")

    parser = expat.ParserCreate("utf-8")
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler = lambda text: texts[-1].append(text)
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadXml(str(error)) from None
    return root.children[0]

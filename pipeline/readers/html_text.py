"""HTML to plain text: paragraphs, lists and code keep their lines, everything else its words."""

from __future__ import annotations

import re

from pipeline.readers.html_safe import SafeParser

_BLOCKS = frozenset(
    {"address", "article", "aside", "blockquote", "caption", "dd", "details", "div", "dl", "dt", "fieldset"}
    | {"figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "legend", "li"}
    | {"main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul"}
)
_HIDDEN = frozenset({"script", "style", "template", "head", "title", "noscript"})
_CLOSE = frozenset({"li", "dd", "dt", "tr"})
"""Blocks that follow each other on the next line, without a blank one between."""
_SPACES = re.compile(r"[ \t\r\n\f]+")
_BLANK_LINES = re.compile(r"\n{3,}")
_DEEPEST = 20
"""Lists and quotes inside each other that show: their marks would make a text as large as the square of its depth."""


def html_to_text(html: str) -> str:
    """Return the text of an HTML fragment.

    Blocks are separated by a blank line, items and table rows by a line break; items begin with `- ` or their number,
    quotes with `> `; `<pre>` is kept as it is; images and scripts leave nothing. Broken markup is read too.
    Raises BadHtml where that would take too long.
    """
    walker = _Walker()
    walker.feed(html)
    walker.close()
    return walker.text()


class _Walker(SafeParser):
    def __init__(self) -> None:
        super().__init__()
        self._parts: list[str] = []
        self._gap = ""  # line breaks owed before the next text
        self._prefix: list[str] = []  # marks owed before the next text: item bullets
        self._lists: list[int | None] = []  # open lists: the next number, None where unnumbered
        self._quotes: list[int] = []  # where the open quotes began in `_parts`
        self._pre = self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag == "br":
            self._parts.append("\n")
        elif tag in ("td", "th"):
            if not self._gap and not self._at_line_start():
                self._parts.append("\t")
        elif tag in _BLOCKS:
            self._break("\n" if tag in _CLOSE or (tag in ("ul", "ol") and self._lists) else "\n\n")
            if tag in ("ul", "ol"):
                self._lists.append(1 if tag == "ol" else None)
            elif tag == "li":
                self._item()
            elif tag == "pre":
                self._pre += 1
            elif tag == "blockquote":
                self._settle()
                self._quotes.append(len(self._parts))

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS:
            if tag == "pre":
                self._pre = max(0, self._pre - 1)
            elif tag == "li":
                self._prefix = []  # an empty item
            elif tag == "blockquote" and self._quotes:
                self._quote(self._quotes.pop())
            elif tag in ("ul", "ol") and self._lists:
                self._lists.pop()
            self._break("\n" if tag in _CLOSE or (tag in ("ul", "ol") and self._lists) else "\n\n")

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if not self._pre:
            data = _SPACES.sub(" ", data)
            if self._gap or self._prefix or self._at_line_start():
                data = data.lstrip(" ")
        elif self._gap:
            data = data.removeprefix("\n")
        if data:
            self._settle()
            self._parts.append(data)

    def _at_line_start(self) -> bool:
        return not self._parts or self._parts[-1].endswith(("\n", "\t", " "))

    def _break(self, gap: str) -> None:
        if len(gap) > len(self._gap) and not self._prefix:  # a block that opens an item stays on the item's line
            self._gap = gap

    def _settle(self) -> None:
        """Write the line breaks and marks that are owed."""
        if self._gap:
            if len(self._parts) > (self._quotes[-1] if self._quotes else 0):  # a quote begins without a gap
                self._parts[-1] = self._parts[-1].rstrip(" \n") if not self._pre else self._parts[-1].rstrip("\n")
                self._parts.append(self._gap)
            self._gap = ""
        if self._prefix:
            self._parts += self._prefix
            self._prefix = []

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        if self._lists and number is not None:
            self._lists[-1] = number + 1
        self._prefix = [
            "  " * min(max(0, len(self._lists) - 1), _DEEPEST) + ("- " if number is None else f"{number}. ")
        ]

    def _quote(self, start: int) -> None:
        if len(self._quotes) >= _DEEPEST:
            return
        inside = "".join(self._parts[start:]).strip("\n")
        del self._parts[start:]
        if inside:
            self._parts.append("\n".join(f"> {line}".rstrip() for line in inside.split("\n")))

    def text(self) -> str:
        while self._quotes:
            self._quote(self._quotes.pop())
        return _BLANK_LINES.sub("\n\n", "".join(self._parts)).strip()

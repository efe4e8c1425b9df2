"""HTML from anywhere, read with a bound on the work.

Python's parser reads all of the rest again for each tag that has no end. Native ones take the square of the depth.
"""

from __future__ import annotations

import re
from collections import Counter
from html.parser import HTMLParser

MOST_WORK = 20_000_000
"""Characters that may be looked through in vain, about a second. A document that is not made for it needs none, or a
few times its size."""
MOST_TRIES = 8
"""How often the rest may be looked through in vain, however long it is."""

DEEPEST = 1000
"""Elements inside each other. Browsers stop at 512."""
_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)")
_UNCLOSED = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"}
    | {"p", "li", "dd", "dt", "tr", "td", "th", "thead", "tbody", "tfoot", "colgroup", "option", "optgroup", "rp", "rt"}
    | {"html", "head", "body"}
)
"""Elements that HTML lets stand without an end tag."""


class BadHtml(Exception):
    """Markup that would take the parser too long."""


class SafeParser(HTMLParser):
    """Raises BadHtml, out of `feed` and `close`, for tags, comments and sections without an end in large numbers."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._work = self._tries = 0

    def parse_starttag(self, i: int) -> int:
        return self._paid(i, super().parse_starttag(i))

    def parse_endtag(self, i: int) -> int:
        return self._paid(i, super().parse_endtag(i))

    def parse_comment(self, i: int, report: bool = True) -> int:
        return self._paid(i, super().parse_comment(i, report))

    def parse_pi(self, i: int) -> int:
        return self._paid(i, super().parse_pi(i))

    def parse_html_declaration(self, i: int) -> int:
        return self._paid(i, super().parse_html_declaration(i))

    def _paid(self, start: int, end: int) -> int:
        if end < 0:
            self._work += len(self.rawdata) - start
            self._tries += 1
            if self._work > MOST_WORK and self._tries > MOST_TRIES:
                raise BadHtml("too many tags without an end")
        return end


def check_depth(html: str) -> None:
    """Raise BadHtml for a page whose tags, read one after the other, would stand deeper than DEEPEST."""
    if html.count("<") <= DEEPEST:
        return
    opened = Counter[str]()
    depth = 0
    for end, name in _TAG.findall(html):
        name = name.lower()
        if name in _UNCLOSED:
            continue
        if not end:
            opened[name] += 1
            depth += 1
            if depth > DEEPEST:
                raise BadHtml(f"over {DEEPEST:,} elements inside each other")
        elif opened[name]:
            opened[name] -= 1
            depth -= 1

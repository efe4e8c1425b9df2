"""Wikitext to plain text with mwparserfromhell: prose, headings, lists and code stay; templates, tables, references,
media and categories go."""

from __future__ import annotations

import re
from collections.abc import Iterator

import mwparserfromhell
from mwparserfromhell.nodes import ExternalLink, Heading, HTMLEntity, Tag, Text, Wikilink
from mwparserfromhell.wikicode import Wikicode

_DROPPED_TAGS = frozenset(
    {"ref", "references", "table", "gallery", "math", "chem", "ce", "timeline", "imagemap", "score", "hiero", "graph"}
    | {"mapframe", "maplink", "templatestyles", "categorytree", "inputbox", "section", "script", "style", "noinclude"}
)
_CODE_TAGS = frozenset({"pre", "source", "syntaxhighlight"})
_BLOCK_TAGS = frozenset({"blockquote", "center", "div", "p", "poem"})
_ELSEWHERE = re.compile(r"[^\W\d_][\w-]*( [\w-]+)?\s*:\S")
"""A link's target that begins with a namespace or a language, whatever the wiki calls it (`File:x`, `Kategorie:x`); in
a title with a colon, as `Star Trek: Picard`, a space follows."""
_SWITCH = re.compile(r"__[A-Z]+__")
_SPACES = re.compile(r"[ \t\u00a0]+")
_SPACE_ENDS = re.compile(r" *\n *")
_EMPTY_BRACKETS = re.compile(r" ?\((?:[\s,;:]*)\)")
_BLANK_LINES = re.compile(r"\n{3,}")


def wikitext_to_text(source: str) -> str:
    """Return the text that a reader of the page sees in its running prose.

    Of a link its label is left. Links into another namespace or language (media, categories) go, unless they begin
    with a colon. Brackets that were only around what went are dropped. Code is kept in `<pre>` and `<syntaxhighlight>`.
    """
    text = "".join(_walk(mwparserfromhell.parse(source)))
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[1].strip("\n"))
        return f"\n\n\0{len(kept) - 1}\0\n\n"

    text = re.sub(r"\x01(.*?)\x02", keep, text, flags=re.DOTALL)
    text = _SPACE_ENDS.sub("\n", _SPACES.sub(" ", _EMPTY_BRACKETS.sub("", _SWITCH.sub("", text))))
    text = re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], text)
    return _BLANK_LINES.sub("\n\n", text).strip()


def _walk(code: Wikicode | None) -> Iterator[str]:
    marked = False  # a list mark was just written: those of deeper levels follow it
    for node in code.nodes if code else ():
        if isinstance(node, Tag) and node.wiki_markup in ("*", "#", ":", ";"):
            if not marked and node.wiki_markup in ("*", "#"):
                yield "- "
                marked = True
            continue
        marked = False
        if isinstance(node, Text):
            yield str(node)
        elif isinstance(node, HTMLEntity):
            yield node.normalize()
        elif isinstance(node, Heading):
            yield "\n\n"
            yield from _walk(node.title)
            yield "\n\n"
        elif isinstance(node, Wikilink):
            yield from _link(node)
        elif isinstance(node, ExternalLink):
            yield from _walk(node.title) if node.brackets else (str(node.url),)
        elif isinstance(node, Tag):
            yield from _tag(node)


def _link(link: Wikilink) -> Iterator[str]:
    target = str(link.title).strip()
    if _ELSEWHERE.match(target):
        return
    if link.text is None:
        yield target.removeprefix(":")
    else:
        yield from _walk(link.text)


def _tag(tag: Tag) -> Iterator[str]:
    name = str(tag.tag).strip().lower()
    if name in _DROPPED_TAGS or name == "hr":
        yield "\n\n" if name in ("table", "hr") else ""
    elif name == "br":
        yield "\n"
    elif name in _CODE_TAGS:
        yield f"\x01{tag.contents}\x02"
    else:
        around = "\n\n" if name in _BLOCK_TAGS else "\n" if name == "li" else ""
        yield around
        yield from _walk(tag.contents)
        yield around

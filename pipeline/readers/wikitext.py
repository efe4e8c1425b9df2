"""Wikitext to plain text with mwparserfromhell: prose, headings, lists and code stay; templates, tables, references,
media and categories go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Set

import mwparserfromhell
from mwparserfromhell.nodes import ExternalLink, Heading, HTMLEntity, Tag, Text, Wikilink
from mwparserfromhell.wikicode import Wikicode

_DROPPED_TAGS = frozenset(
    {"ref", "references", "table", "gallery", "math", "chem", "ce", "timeline", "imagemap", "score", "hiero", "graph"}
    | {"mapframe", "maplink", "templatestyles", "categorytree", "inputbox", "section", "script", "style", "noinclude"}
)
_CODE_TAGS = frozenset({"pre", "source", "syntaxhighlight"})
_BLOCK_TAGS = frozenset({"blockquote", "center", "div", "p", "poem"})
HIDDEN = frozenset({"file", "image", "category"})
"""Namespaces whose links are no part of the prose, as every wiki knows them beside its own names; in lower case."""
_MEDIA = re.compile(r":.*\.(jpe?g|png|gif|svg|tiff?|webp|xcf|pdf|djvu|og[agv]|webm|mp[34]|mid|wav)$", re.IGNORECASE)
"""Files also go by older names of their namespace (`Bild:`, `Immagine:`), which dumps do not list."""
_LANGUAGE = re.compile(r"(?!(mw|doi|rfc|rev|wmf|irc|svn)$)[a-z]{2,3}(-[a-z]+)*|simple")
"""Language codes as wikis write them; the other prefixes of two or three letters are those of other sites."""
_SWITCH = re.compile(r"__[A-Z]+__")
_SPACES = re.compile(r"[ \t\u00a0]+")
_SPACE_ENDS = re.compile(r" *\n *")
_EMPTY_BRACKETS = re.compile(r" ?\((?:[\s,;:]*)\)")
_BLANK_LINES = re.compile(r"\n{3,}")


def wikitext_to_text(source: str, hidden: Set[str] = HIDDEN) -> str:
    """Return the text that a reader of the page sees in its running prose.

    Of a link its label is left, else its target. Links to media, categories (namespaces in `hidden`, lower case) and
    other languages go, unless they begin with a colon. Brackets that were only around what went are dropped. Code is
    kept in `<pre>` and `<syntaxhighlight>`.
    """
    text = "".join(_walk(mwparserfromhell.parse(source), hidden))
    kept: list[str] = []

    def keep(match: re.Match[str]) -> str:
        kept.append(match[1].strip("\n"))
        return f"\n\n\0{len(kept) - 1}\0\n\n"

    text = re.sub(r"\x01(.*?)\x02", keep, text, flags=re.DOTALL)
    text = _SPACE_ENDS.sub("\n", _SPACES.sub(" ", _EMPTY_BRACKETS.sub("", _SWITCH.sub("", text))))
    text = re.sub(r"\0(\d+)\0", lambda match: kept[int(match[1])], text)
    return _BLANK_LINES.sub("\n\n", text).strip()


def _walk(code: Wikicode | None, hidden: Set[str]) -> Iterator[str]:
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
            yield from _walk(node.title, hidden)
            yield "\n\n"
        elif isinstance(node, Wikilink):
            yield from _link(node, hidden)
        elif isinstance(node, ExternalLink):
            yield from _walk(node.title, hidden) if node.brackets else (str(node.url),)
        elif isinstance(node, Tag):
            yield from _tag(node, hidden)


def _link(link: Wikilink, hidden: Set[str]) -> Iterator[str]:
    target = str(link.title).strip()
    if _is_hidden(target, hidden):
        return
    if link.text is None:
        yield target.removeprefix(":")
    else:
        yield from _walk(link.text, hidden)


def _is_hidden(target: str, hidden: Set[str]) -> bool:
    prefix, colon, _ = target.partition(":")
    prefix = prefix.strip().replace("_", " ")
    if not colon or not prefix:
        return False
    return prefix.lower() in hidden or bool(_LANGUAGE.fullmatch(prefix) or _MEDIA.search(target))


def _tag(tag: Tag, hidden: Set[str]) -> Iterator[str]:
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
        yield from _walk(tag.contents, hidden)
        yield around

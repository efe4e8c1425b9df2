"""Untrusted text made visible: on a page or in a terminal it does nothing but stand there."""

from __future__ import annotations

import unicodedata

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Characters that turn the direction of the text around them; a document must not turn the page's."""


def visible(text: str) -> str:
    """Return text in which characters that act without being seen are written out, e.g. `[U+202E]`.

    Direction marks, control characters other than line feed and tab, and lone surrogates.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(f"[U+{ord(c):04X}]" if _acts(c) else c for c in text)


def _acts(c: str) -> bool:
    return c in BIDI or (unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t")

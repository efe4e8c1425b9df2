"""Numbers and names as people read them."""

from __future__ import annotations

from pipeline.visible import BIDI, visible

__all__ = ["BIDI", "count", "listed", "number", "p_value", "percent", "signed", "size", "visible", "words"]


def words(name: str) -> str:
    """Return a mix's, law's or reason's name for people: `best_observed` → `best observed`."""
    return visible(name.replace("_", " "))


def listed(names: list[str]) -> str:
    """Return `a, b and c`."""
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]


def number(value: float, digits: int = 4) -> str:
    return f"{value:.{digits}f}"


def signed(value: float, digits: int = 2) -> str:
    """Return a number with its sign; what rounds to zero has none."""
    text = f"{value:+.{digits}f}"
    return text[1:] if float(text) == 0 else text


def percent(share: float, digits: int = 1) -> str:
    """Return a share of 1 as percent."""
    return f"{100 * share:.{digits}f} %"


def p_value(p: float) -> str:
    if p < 1e-4:
        return "< 0.0001"
    return f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def count(value: float) -> str:
    """Return a whole number with thousands separated."""
    return f"{value:,.0f}"


def size(tokens: float) -> str:
    """Return a token count in three figures: `2.40M`."""
    for unit, scale in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if tokens >= scale:
            value = tokens / scale
            return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f}{unit}"
    return f"{tokens:.0f}"

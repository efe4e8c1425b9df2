"""What a chart is: a plotly.js figure (data and layout) with a name; and the marks that charts are made of.

A colour that begins with `--` is a variable of page.css: page.js puts in its value, so that charts follow the
theme. plotly.js reads some HTML in texts, so every name from the data goes through `label`.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.report.text import visible

Trace = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """key: unique in the page. alt: the chart in one sentence. height: in CSS pixels."""

    key: str
    title: str
    alt: str
    figure: dict[str, Any]
    height: int


def label(text: str) -> str:
    """Return text that plotly.js shows as it is."""
    return html.escape(visible(text), quote=False)


def chart(
    key: str,
    title: str,
    alt: str,
    traces: Sequence[Trace],
    height: int,
    *,
    legend: bool = False,
    **layout: Any,
) -> Chart:
    figure = {"data": list(traces), "layout": {"showlegend": legend, **layout}}
    return Chart(key, title, alt, figure, height)


def dots(x: Sequence[Any], y: Sequence[Any], colour: str, *, size: int = 8, name: str = "", **more: Any) -> Trace:
    """Return markers; `more` goes into the trace, its `marker` into the marker."""
    marker = {"color": colour, "size": size, **more.pop("marker", {})}
    base = {"type": "scatter", "mode": "markers", "name": label(name), "x": list(x), "y": list(y)}
    return {**base, "marker": marker, **more}


def bars(x: Sequence[float], y: Sequence[str], colour: str, *, name: str = "", **more: Any) -> Trace:
    """Return horizontal bars."""
    base = {"type": "bar", "orientation": "h", "name": label(name), "x": list(x), "y": list(y)}
    return {**base, "marker": {"color": colour}, **more}


def spread(values: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str, **more: Any) -> Trace:
    """Return error bars from low to high around values."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [h - v for v, h in zip(values, high, strict=True)],
        "arrayminus": [v - low_ for v, low_ in zip(values, low, strict=True)],
        "color": colour,
        "thickness": 1.5,
        **more,
    }


def axis(title: str, **more: Any) -> dict[str, Any]:
    return {"title": {"text": title}, **more}


def names_axis(names: Sequence[str], **more: Any) -> dict[str, Any]:
    """Return an axis of names, the first on top."""
    order = [label(name) for name in reversed(names)]
    return {"type": "category", "categoryorder": "array", "categoryarray": order, "automargin": True, **more}

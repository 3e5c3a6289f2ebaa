"""How values are distributed, as columns; and what charts of any form have beside them.

Charts with a line for each name are in `chart_tables`, those of points in a plane in `points`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from graders.report.html.axes import HEIGHT, Axis, Scale, figure, framed, percent, pixels
from graders.report.html.elements import Markup, el
from graders.report.html.table import table

_MARKS: Final = 6
"""Colours that are told apart."""


def histogram(
    title: str, edges: tuple[float, float], counts: Sequence[int], *, x: str = "", said: str = ""
) -> Markup:
    """How many values are where: columns of equal width.

    Args:
        title: What is counted.
        edges: Where the first column begins and the last one ends.
        counts: Of each column.
        x: What the values are.
        said: What the chart shows, for those who do not see it.
    """
    most, width = max(counts, default=0), 100 / max(len(counts), 1)
    spans = [_span(edges, i, len(counts)) for i in range(len(counts))]
    columns = [
        el(
            "rect",
            el("title", f"{spans[i]}: {n:,}"),
            x=percent(i * width + 0.4),
            width=percent(width - 0.8),
            y=pixels(min(HEIGHT * (1 - n / most), HEIGHT - 1.5)),
            height=pixels(max(HEIGHT * n / most, 1.5)),
            class_="m1",
        )
        for i, n in enumerate(counts)
        if n
    ]
    rows = [[span, f"{n:,}"] for span, n in zip(spans, counts, strict=True)]
    numbers = table([x or "from, to", "how many"], rows, caption=title, numbers=[1])
    described = said or f"{sum(counts):,} values from {edges[0]:g} to {edges[1]:g}."
    y_axis = Axis(Scale(0.0, float(most or 1)), counts=True)
    plot = framed(Axis(Scale(*edges), x), y_axis, columns)
    return figure(title, described, plot, below=as_numbers(numbers))


def _span(edges: tuple[float, float], i: int, columns: int) -> str:
    """From where to where a column is; by shares, because a range may be too wide for a double."""
    low, high = (edges[0] * (1 - t) + edges[1] * t for t in (i / columns, (i + 1) / columns))
    return f"{low:.4g} to {high:.4g}"


def legend_of(names: Sequence[str]) -> Markup:
    """Which colour is whose."""
    swatches = [
        el("svg", el("rect", width="12", height="12", class_=mark(i)), width="12", height="12",
           aria_hidden="true")
        for i in range(len(names))
    ]  # fmt: skip
    pairs = zip(swatches, names, strict=True)
    return el("ul", [el("li", pair) for pair in pairs], class_="legend")


def mark(i: int) -> str:
    """The class of the colour of the i-th series, from 0."""
    return f"m{i % _MARKS + 1}"


def as_numbers(numbers: Markup) -> Markup:
    """The table of what a chart shows, for who opens it."""
    return el("details", el("summary", "The numbers"), numbers)

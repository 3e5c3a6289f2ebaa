"""How values are distributed, as columns; and what charts of any form have beside them.

Charts with a line for each name are in `chart_tables`, those of points in a plane in `points`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from graders.markup import Markup, el
from graders.report.html.axes import HEIGHT, Axis, Scale, figure, framed, percent, pixels
from graders.report.html.table import table

_MARKS: Final = 6
"""Colours that are told apart."""


def histogram(
    title: str,
    edges: tuple[float, float],
    counts: Sequence[int] | Mapping[str, Sequence[int]],
    *,
    x: str = "",
    said: str = "",
) -> Markup:
    """How many values are where: columns of equal width.

    Args:
        title: What is counted.
        edges: Where the first column begins and the last one ends.
        counts: Of each column; or, by the name of a kind, those of its own, side by side.
        x: What the values are.
        said: What the chart shows, for those who do not see it.
    """
    kinds = counts if isinstance(counts, Mapping) else {"how many": counts}
    columns = max(map(len, kinds.values()), default=0)
    spans = [_span(edges, i, columns) for i in range(columns)]
    most = max((n for one in kinds.values() for n in one), default=0)
    marks = [
        _column(i, n, (columns, most), (kind, len(kinds)), f"{spans[i]}: {n:,}{_of(name, kinds)}")
        for kind, (name, one) in enumerate(kinds.items())
        for i, n in enumerate(one)
        if n
    ]
    rows = [[span, *(f"{one[i]:,}" for one in kinds.values())] for i, span in enumerate(spans)]
    head, numbers = [x or "from, to", *kinds], [*range(1, len(kinds) + 1)]
    below = as_numbers(table(head, rows, caption=title, numbers=numbers))
    total = sum(map(sum, kinds.values()))
    described = said or f"{total:,} values from {edges[0]:g} to {edges[1]:g}."
    plot = framed(Axis(Scale(*edges), x), Axis(Scale(0.0, float(most or 1)), counts=True), marks)
    legend = legend_of([*kinds]) if len(kinds) > 1 else None
    return figure(title, described, plot, above=legend, below=below)


def _of(name: str, kinds: Mapping[str, object]) -> str:
    return f" {name}" if len(kinds) > 1 else ""


def _column(i: int, number: int, of: tuple[int, int], kind: tuple[int, int], said: str) -> Markup:
    """The i-th column of so many; of one of several kinds, a part of its width."""
    (columns, most), (which, kinds) = of, kind
    width = 100 / columns
    part = (width - 0.8) / kinds
    return el(
        "rect",
        el("title", said),
        x=percent(i * width + 0.4 + which * part),
        width=percent(part),
        y=pixels(min(HEIGHT * (1 - number / most), HEIGHT - 1.5)),
        height=pixels(max(HEIGHT * number / most, 1.5)),
        class_=mark(which),
    )


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

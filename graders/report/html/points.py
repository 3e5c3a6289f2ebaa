"""Points in a plane: one measure against another, and what is worth its cost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite, log10
from typing import Final

from graders.markup import Markup, el
from graders.report.html.axes import HEIGHT, Axis, Scale, figure, framed, percent, pixels
from graders.report.html.charts import as_numbers, legend_of, mark
from graders.report.html.table import table
from graders.studies.statistics.short import exactly

_MOST_DOTS: Final = 800
"""Points that are drawn one by one; of more, a grid says how many are where."""
_ROOM: Final = 0.04
"""Share of a plot that is left free on each side of its dots, so that none covers a label."""
_GRID: Final = 40
_SHADES: Final = 5
_LINE: Final = 14
"""Pixels between two labels."""
_NEAR: Final = 0.3
"""Share of the width at which labels no longer meet."""
_WIDE: Final = 30
"""Times that one cost is another, from which on they stand on a logarithmic axis."""
_MOST_NAMES: Final = 8
"""Names that are written beside their points."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of one kind.

    Attributes:
        name: What the legend says.
        points: Pairs of x and y.
        joined: Whether a line through them is drawn, and not they.
    """

    name: str
    points: Sequence[tuple[float, float]]
    joined: bool = False


@dataclass(frozen=True, slots=True)
class _Plane:
    """Two axes, and marks at their values."""

    x: Axis
    y: Axis

    @classmethod
    def around(
        cls, points: Sequence[tuple[float, float]], names: tuple[str, str], *, room: float = 0
    ) -> _Plane:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        x, y = (Scale.around(values).wider(room) for values in (xs, ys))
        return cls(Axis(x, names[0]), Axis(y, names[1]))

    def share(self, point: tuple[float, float]) -> tuple[float, float]:
        return self.x.scale.share(point[0]), self.y.scale.share(point[1])

    def line(self, one: tuple[float, float], other: tuple[float, float]) -> Markup:
        ends = {"x1": self.x.at(one[0]), "y1": self.y.above(one[1])}
        ends |= {"x2": self.x.at(other[0]), "y2": self.y.above(other[1])}
        return el("line", class_="line", **ends)


def scatter(
    title: str,
    series: Sequence[Series],
    axes: tuple[str, str],
    *,
    said: str = "",
    seed: int = 0,
) -> Markup:
    """Points in a plane; of more than some hundred, a grid whose shades say how many are where.

    Points that share a place are moved a little, so that all are seen.

    Args:
        title: What is shown.
        series: The points, at most six kinds of them.
        axes: What is along x, and along y.
        said: What the chart shows, for those who do not see it.
        seed: Decides where points that share a place are moved.

    Raises:
        ValueError: A number is not finite.
    """
    every = [point for one in series if not one.joined for point in one.points]
    around = [point for one in series for point in one.points]
    plane = _Plane.around(around, axes, room=0 if len(every) > _MOST_DOTS else _ROOM)
    described = said or f"{len(every):,} points: {axes[1]} against {axes[0]}."
    lines = [plane.line(*ends) for one in series if one.joined for ends in pairwise(one.points)]
    if len(every) > _MOST_DOTS:
        drawn = framed(plane.x, plane.y, [*_density(plane, every), *lines])
        return figure(title, f"{described} The stronger the colour, the more points.", drawn)
    chance = random.Random(seed)  # noqa: S311 - for looks
    dotted = [one for one in series if not one.joined]
    marks = [
        el("g", [*_dots(plane, one, chance)], class_=f"{mark(i)} dot")
        for i, one in enumerate(dotted)
    ]
    legend = legend_of([one.name for one in dotted]) if len(dotted) > 1 else None
    return figure(title, described, framed(plane.x, plane.y, [*lines, *marks]), above=legend)


def _dots(plane: _Plane, series: Series, chance: random.Random) -> Iterator[Markup]:
    shared = Counter(series.points)
    for point in series.points:
        x, y = plane.share(point)
        if shared[point] > 1:
            x, y = x + chance.uniform(-0.012, 0.012), y + chance.uniform(-0.018, 0.018)
        yield _circle(x, y, None, radius=4)


def _density(plane: _Plane, points: Iterable[tuple[float, float]]) -> Iterator[Markup]:
    def cell(share: float) -> int:
        return min(int(share * _GRID), _GRID - 1)

    counts = Counter((cell(x), cell(y)) for x, y in map(plane.share, points))
    most = max(counts.values())
    for (i, j), count in sorted(counts.items()):
        # By the root, so that few are seen beside many.
        shade = max(1, round((count / most) ** 0.5 * _SHADES))
        yield el(
            "rect",
            x=percent(i * 100 / _GRID),
            width=percent(100 / _GRID),
            y=pixels(HEIGHT * (1 - (j + 1) / _GRID)),
            height=pixels(HEIGHT / _GRID),
            class_="m1",
            fill_opacity=f"{shade / _SHADES:g}",
        )


def steps(
    title: str,
    points: Sequence[tuple[float, float]],
    axes: tuple[str, str],
    *,
    marked: tuple[float, tuple[float, float]],
    said: str,
) -> Markup:
    """A line that goes from point to point in steps: across, then up.

    Args:
        title: What is shown.
        points: Pairs of x and y, by x; at least one.
        axes: What is along x, and along y.
        marked: A value of x with a line through it, and two of y between which it is shaded.
        said: What the chart shows, for those who do not see it.
    """
    at, band = marked
    plane = _Plane.around([*points, (at, band[1])], axes)
    low, high = (plane.y.scale.share(end) for end in band)
    place = {"y": pixels(HEIGHT * (1 - high)), "height": pixels(HEIGHT * (high - low))}
    marks = [el("rect", x="0%", width="100%", class_="m1 band", **place)]
    for one, other in pairwise(points):
        corner = other[0], one[1]
        marks += [plane.line(one, corner), plane.line(corner, other)]
    ends = {"x1": plane.x.at(at), "x2": plane.x.at(at), "y1": "0", "y2": pixels(HEIGHT)}
    marks.append(el("line", class_="mark", **ends))
    rows = [[exactly(x), f"{y:.4g}"] for x, y in points]  # a rounded one parts others
    numbers = as_numbers(table([*axes], rows, caption=title, numbers=[1]))
    return figure(title, said, framed(plane.x, plane.y, marks), below=numbers)


def pareto(
    title: str, points: Sequence[tuple[str, float, float]], axes: tuple[str, str], *, said: str = ""
) -> Markup:
    """Names by what they cost and what they are worth, and a line along those none is better than.

    Costs of which one is many times another stand on a logarithmic axis; of many names, those on
    the line are written.

    Args:
        title: What is shown.
        points: A name, what it costs (x, less is better) and what it is worth (y, more is better).
        axes: What the cost is, and what the worth.
        said: What the chart shows, for those who do not see it.

    Raises:
        ValueError: A number is not finite.
    """
    costs = [cost for _, cost, _ in points]
    powers = min(costs, default=0) > 0 and max(costs) / min(costs) > _WIDE
    placed = [(name, log10(x) if powers else x, y) for name, x, y in points]
    xs, ys = [x for _, x, _ in placed], [y for *_, y in placed]
    if not all(map(isfinite, (*xs, *ys))):
        raise ValueError("a chart shows finite numbers; leave the others out, and say so")
    x = Scale.around(xs) if powers else Scale.near([0.0, *xs])
    plane = _Plane(Axis(x, axes[0], powers=powers), Axis(Scale.near(ys), axes[1]))
    best = frontier([one[1:] for one in placed])
    marks: list[Markup] = []
    for one, other in pairwise(best):
        corner = other[0], one[1]
        marks += [plane.line(one, corner), plane.line(corner, other)]
    for _, *point in placed:
        class_ = "m1" if tuple(point) in best else "m6"
        marks.append(_circle(*plane.share((point[0], point[1])), class_, radius=5))
    marks += _labels(
        [
            (name, *plane.share((x, y)))
            for name, x, y in placed
            if len(points) <= _MOST_NAMES or (x, y) in best
        ]
    )
    rows = [[name, f"{cost:g}", f"{worth:g}"] for name, cost, worth in points]
    numbers = table(["Name", *axes], rows, caption=title, numbers=[1, 2])
    names = ", ".join(name for name, *point in placed if tuple(point) in best)
    drawn = framed(plane.x, plane.y, marks)
    return figure(title, said or f"None is better than: {names}.", drawn, below=as_numbers(numbers))


def frontier(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The points than which no other costs no more and is worth as much, by cost.

    Example:
        >>> frontier([(1, 0.5), (2, 0.4), (3, 0.9), (1, 0.3)])
        [(1, 0.5), (3, 0.9)]
    """
    best: list[tuple[float, float]] = []
    for cost, worth in sorted(set(points), key=lambda one: (one[0], -one[1])):
        if not best or worth > best[-1][1]:
            best.append((cost, worth))
    return best


def _labels(points: Sequence[tuple[str, float, float]]) -> Iterator[Markup]:
    """Names above their points, to the left where the plot ends, none over another."""
    taken: list[tuple[float, float]] = []
    for name, x, y in sorted(points, key=lambda one: (one[2], one[1])):
        top = HEIGHT * (1 - y) - 9
        for other, below in taken:
            if abs(other - x) < _NEAR and abs(below - top) < _LINE:
                top = below - _LINE
        taken.append((x, top))
        left = x > 1 - _NEAR
        place = {"x": percent(x * 100), "y": pixels(top), "dx": "5" if left else "-5"}
        yield el("text", name, text_anchor="end" if left else "start", class_="strong", **place)


def _circle(x: float, y: float, class_: str | None, *, radius: int) -> Markup:
    place = {"cx": percent(x * 100), "cy": pixels(HEIGHT * (1 - y))}
    return el("circle", r=radius, class_=class_, **place)

"""Points in a plane: one measure against another, and what is worth its cost."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from graders.report.html.axes import HEIGHT, Axis, Scale, figure, framed, percent, pixels
from graders.report.html.charts import as_numbers, legend_of, mark
from graders.report.html.elements import Markup, el
from graders.report.html.table import table

_MOST_DOTS: Final = 800
"""Points that are drawn one by one; of more, a grid says how many are where."""
_GRID: Final = 40
_SHADES: Final = 5
_LINE: Final = 14
"""Pixels between two labels."""
_NEAR: Final = 0.3
"""Share of the width at which labels no longer meet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Points of one kind.

    Attributes:
        name: What the legend says.
        points: Pairs of x and y.
    """

    name: str
    points: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class _Plane:
    """Two axes, and marks at their values."""

    x: Axis
    y: Axis

    @classmethod
    def around(cls, points: Sequence[tuple[float, float]], names: tuple[str, str]) -> _Plane:
        xs, ys = [x for x, _ in points], [y for _, y in points]
        return cls(Axis(Scale.around(xs), names[0]), Axis(Scale.around(ys), names[1]))

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
    every = [point for one in series for point in one.points]
    plane = _Plane.around(every, axes)
    described = said or f"{len(every):,} points: {axes[1]} against {axes[0]}."
    if len(every) > _MOST_DOTS:
        drawn = framed(plane.x, plane.y, [*_density(plane, every)])
        return figure(title, f"{described} Darker is more points.", drawn)
    chance = random.Random(seed)  # noqa: S311 - for looks
    marks = [dot for i, one in enumerate(series) for dot in _dots(plane, one, mark(i), chance)]
    legend = legend_of([one.name for one in series]) if len(series) > 1 else None
    return figure(title, described, framed(plane.x, plane.y, marks), above=legend)


def _dots(plane: _Plane, series: Series, class_: str, chance: random.Random) -> Iterator[Markup]:
    shared = Counter(series.points)
    for point in series.points:
        x, y = plane.share(point)
        if shared[point] > 1:
            x, y = x + chance.uniform(-0.012, 0.012), y + chance.uniform(-0.018, 0.018)
        yield _circle(x, y, f"{class_} dot", radius=4)


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


def pareto(
    title: str, points: Sequence[tuple[str, float, float]], axes: tuple[str, str], *, said: str = ""
) -> Markup:
    """Names by what they cost and what they are worth, and a line along those none is better than.

    Args:
        title: What is shown.
        points: A name, what it costs (x, less is better) and what it is worth (y, more is better).
        axes: What the cost is, and what the worth.
        said: What the chart shows, for those who do not see it.

    Raises:
        ValueError: A number is not finite.
    """
    plane = _Plane.around([(cost, worth) for _, cost, worth in points], axes)
    best = frontier([(cost, worth) for _, cost, worth in points])
    marks: list[Markup] = []
    for one, other in pairwise(best):
        corner = other[0], one[1]
        marks += [plane.line(one, corner), plane.line(corner, other)]
    for _, cost, worth in points:
        class_ = "m1" if (cost, worth) in best else "m6"
        marks.append(_circle(*plane.share((cost, worth)), class_, radius=5))
    marks += _labels([(name, *plane.share((cost, worth))) for name, cost, worth in points])
    rows = [[name, f"{cost:g}", f"{worth:g}"] for name, cost, worth in points]
    numbers = table(["Name", *axes], rows, caption=title, numbers=[1, 2])
    names = ", ".join(name for name, cost, worth in points if (cost, worth) in best)
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


def _circle(x: float, y: float, class_: str, *, radius: int) -> Markup:
    place = {"cx": percent(x * 100), "cy": pixels(HEIGHT * (1 - y))}
    return el("circle", r=radius, class_=class_, **place)

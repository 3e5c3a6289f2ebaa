"""Axes of a chart: a range of values, where they are, and the frame around the marks.

Places along x are in per cent and those along y in pixels, so that a chart is as wide as there is
room for, on a phone too, and its letters stay as large.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor, isfinite, log10
from sys import float_info
from typing import Final

from graders.markup import Child, Markup, el, many

HEIGHT: Final = 200
"""Pixels of a plot, without what is below it."""
_BELOW: Final = 44
_LEFT: Final = 12.0
"""Per cent of the width to the left of a plot, for the labels of its y axis."""
_COUNTED: Final = 1e5
_FEW: Final = 0.92
"""Share of the least step between ticks that will do: rather some more than half as many."""
_SAME: Final = 1e-6
"""Share of their size by which values differ that no label would tell apart."""


@dataclass(frozen=True, slots=True)
class Scale:
    """A range of values, and where in a plot each of them is.

    Attributes:
        low: The least value.
        high: The greatest, above `low`.
    """

    low: float
    high: float

    @classmethod
    def around(cls, values: Sequence[float]) -> Scale:
        """The range of some values, a little wider; [0, 1] where all are in it, or there is none.

        Raises:
            ValueError: A value is not finite.

        Example:
            >>> Scale.around([0.2, 0.9]), Scale.around([3, 3])
            (Scale(low=0.0, high=1.0), Scale(low=2.5, high=3.5))
        """
        if not all(map(isfinite, values)):
            raise ValueError("a chart shows finite numbers; leave the others out, and say so")
        low, high = min(values, default=0.0), max(values, default=1.0)
        if low >= 0 and high <= 1:
            return cls(0.0, 1.0)
        spread, size = high / 2 - low / 2, max(abs(low), abs(high))
        same = spread <= size * _SAME
        room = max(0.5, size * _SAME) if same else spread * 0.1
        return cls(max(low - room, -float_info.max), min(high + room, float_info.max))

    @classmethod
    def near(cls, values: Sequence[float]) -> Scale:
        """The range of some values, a little wider, so that what differs little is told apart.

        Example:
            >>> Scale.near([0.5, 0.5])
            Scale(low=0.0, high=1.0)
        """
        low, high = min(values, default=0.0), max(values, default=1.0)
        room = (high - low) * 0.08 or 0.5
        return cls(low - room, high + room)

    def wider(self, share: float) -> Scale:
        """The range with so much of it more at each end.

        Example:
            >>> Scale(0, 2).wider(0.25)
            Scale(low=-0.5, high=2.5)
        """
        room = (self.high / 2 - self.low / 2) * 2 * share
        return Scale(max(self.low - room, -float_info.max), min(self.high + room, float_info.max))

    def share(self, value: float) -> float:
        """Where a value is, in [0, 1]; values outside are at the edge."""
        # Halves, because the difference of two doubles may be too large for one.
        whole = self.high / 2 - self.low / 2
        return min(max((value / 2 - self.low / 2) / whole, 0.0), 1.0)

    def ticks(self, most: int = 5) -> list[float]:
        """Round values in the range.

        Example:
            >>> Scale(0, 1).ticks(), Scale(0, 37).ticks()
            ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 10.0, 20.0, 30.0])
        """
        rough = (self.high - self.low) / most
        if not float_info.min < rough < float_info.max:
            return [self.low, self.high]
        unit = 10.0 ** floor(log10(rough))
        step = next(unit * k for k in (1, 2, 5, 10) if unit * k >= rough * _FEW)
        first = -floor(-self.low / step)
        count = floor((self.high - first * step) / step + 1e-9) + 1
        return [float(f"{(first + i) * step:.15g}") for i in range(count)]


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale and what it is of.

    Attributes:
        scale: Which values are where.
        label: What they are.
        counts: Whether they are whole numbers, and no label stands between two of them.
        powers: Whether labels are ten to the power of them.
    """

    scale: Scale
    label: str = ""
    counts: bool = False
    powers: bool = False

    def at(self, value: float) -> str:
        """Where a value is along x."""
        return percent(self.scale.share(value) * 100)

    def above(self, value: float) -> str:
        """Where a value is along y; larger ones are further up."""
        return pixels(HEIGHT * (1 - self.scale.share(value)))


def framed(x: Axis, y: Axis, marks: Sequence[Markup]) -> Markup:
    """Axes, and marks between them."""
    inside: list[Markup] = []
    for value in y.scale.ticks(4):
        if y.counts and not value.is_integer():
            continue
        at, said = y.above(value), f"{value:,.4g}" if value < _COUNTED else f"{value:.1e}"
        inside += [
            el("line", x1="0%", x2="100%", y1=at, y2=at, class_="grid"),
            el("text", said, x="0%", y=at, dx="-8", dy="4", text_anchor="end"),
        ]
    inside += marks
    inside.append(el("line", x1="0%", x2="100%", y1=HEIGHT, y2=HEIGHT, class_="axis"))
    for value in x.scale.ticks():
        if x.powers and not value.is_integer():
            continue
        said = f"{10**value:.4g}" if x.powers else f"{value:.4g}"
        inside.append(el("text", said, x=x.at(value), y=HEIGHT + 18, text_anchor="middle"))
    if x.label:
        end = {"x": "100%", "y": f"{HEIGHT + 38}", "text_anchor": "end"}
        inside.append(el("text", x.label, class_="strong", **end))
    above = el("text", y.label, x="0%", y="12", class_="strong") if y.label else None
    place = {"x": f"{_LEFT:g}%", "y": "22" if y.label else "8", "width": f"{96 - _LEFT:g}%"}
    plot = el("svg", inside, height=HEIGHT + _BELOW, overflow="visible", **place)
    return many(above, plot)


def figure(
    title: str, said: str, plot: Markup, *, above: Child = None, below: Child = None
) -> Markup:
    """A drawing with its title, and what it shows for those who do not see it."""
    drawn = el(
        "svg",
        el("title", title),
        el("desc", said),
        plot,
        role="img",
        aria_label=f"{title}. {said}",
        width="100%",
        height=HEIGHT + _BELOW + 22,
    )
    return el("figure", el("figcaption", title, ". ", said), above, drawn, below)


def percent(value: float) -> str:
    """A place along x."""
    return f"{value:.2f}".rstrip("0").rstrip(".") + "%"


def pixels(value: float) -> str:
    """A place along y."""
    return f"{value:.1f}".rstrip("0").rstrip(".")

"""Charts with a line for each name: tables whose middle column is drawn.

A reader has the numbers beside the marks, whether they are seen, heard, printed or copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final

from graders.markup import Markup, el, many
from graders.report.html.axes import Scale
from graders.report.html.charts import legend_of, mark
from graders.report.html.table import scrolled, table
from graders.studies.statistics.statistic import Interval, Statistic
from graders.studies.verdict import number_within

_SHADES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Contestant:
    """What is compared with others, by one number.

    Attributes:
        name: Its name.
        value: The number, or why there is none.
        interval: Where it lies in most resamples, where that is known.
    """

    name: str
    value: Statistic
    interval: Interval | None = None


def bars(
    caption: str, values: Sequence[tuple[str, float, str]], *, most: float | None = None
) -> Markup:
    """A bar for each name.

    Args:
        caption: What the bars are.
        values: A name, a value of 0 or more, and the value in words.
        most: The value of a whole bar; None is the greatest.
    """
    whole = most or max((value for _, value, _ in values), default=0.0) or 1.0
    rows: list[list[str | Markup]] = [
        [name, _bar([value / whole]), said] for name, value, said in values
    ]
    return _drawn(caption, rows)


def stacked(
    caption: str, kinds: Sequence[str], values: Sequence[tuple[str, Sequence[float]]]
) -> Markup:
    """A bar for each name, divided into kinds, each as a share of the bar.

    Args:
        caption: What the bars are.
        kinds: What the parts are, at most six.
        values: A name, and as many values of 0 or more as there are kinds.

    Raises:
        ValueError: A name has more values or fewer.
    """
    rows: list[list[str | Markup]] = []
    for name, parts in values:
        if len(parts) != len(kinds):
            raise ValueError(f"{name!r} has {len(parts)} values for {len(kinds)} kinds")
        whole = sum(parts) or 1.0
        said = ", ".join(f"{part:,.4g} {kind}" for kind, part in zip(kinds, parts, strict=True))
        rows.append([name, _bar([part / whole for part in parts]), said])
    return many(legend_of(kinds), _drawn(caption, rows, numbers=()))


def forest(
    caption: str, contestants: Sequence[Contestant], *, digits: int = 3, scale: Scale | None = None
) -> Markup:
    """A dot and an interval for each contestant, all on one scale.

    Args:
        caption: What is compared.
        contestants: In the order in which they are to stand.
        digits: Behind the point.
        scale: The range that is drawn; None is where the numbers are.
    """
    values = [one.value.value for one in contestants if one.value.value is not None]
    ends = [end for one in contestants if one.interval
            for end in (one.interval.low, one.interval.high)]  # fmt: skip
    chosen = scale or Scale.near(values + ends)
    rows: list[list[str | Markup]] = [
        [one.name, _interval(one, chosen), _said(one, digits)] for one in contestants
    ]
    axis = [
        el("text", f"{tick:.4g}", x=f"{chosen.share(tick) * 100:.2f}%", y="12",
           text_anchor="middle")
        for tick in chosen.ticks(4)
    ]  # fmt: skip
    rows.append(["Scale", el("svg", axis, width="100%", height="18", aria_hidden="true"), ""])
    return _drawn(caption, rows)


def heat(caption: str, names: Sequence[str], values: Sequence[Sequence[float | None]]) -> Markup:
    """How each name goes with each other: a table whose shades go from -1 to 1.

    Args:
        caption: What is compared.
        names: Of lines and columns.
        values: A line for each name, in [-1, 1]; None is none.

    Raises:
        ValueError: It is not square.
    """
    if {len(line) for line in values} - {len(names)} or len(values) != len(names):
        raise ValueError(f"{len(names)} names need {len(names)} lines of as many values")
    heads = [el("th", f"{i + 1}", scope="col") for i in range(len(names))]
    lines = [
        el("tr", el("th", f"{i + 1} {name}", scope="row"), map(_heat_cell, values[i]))
        for i, name in enumerate(names)
    ]
    head = el("thead", el("tr", el("td"), heads))
    return scrolled(caption, many(head, el("tbody", lines)), "heat")


def _heat_cell(value: float | None) -> Markup:
    if value is None:
        return el("td", "none", class_="soft")
    shade = ceil(min(abs(value), 1.0) * _SHADES - 1e-9)
    return el("td", f"{value:.2f}", class_=f"{'p' if value > 0 else 'n'}{shade}" if shade else None)


def _drawn(
    caption: str, rows: Sequence[Sequence[str | Markup]], numbers: Sequence[int] = (2,)
) -> Markup:
    drawn = [[name, el("div", plot, class_="plot"), said] for name, plot, said in rows]
    return table((), drawn, caption=caption, numbers=numbers, class_="chart")


def _bar(shares: Sequence[float]) -> Markup:
    parts, start = [el("rect", width="100%", height="12", class_="track")], 0.0
    for i, share in enumerate(shares):
        if share > 0:
            width = max(share * 100, 0.4)  # something is not nothing
            parts.append(el("rect", x=f"{start:.2f}%", width=f"{width:.2f}%", height="12",
                            class_=mark(i)))  # fmt: skip
            start += share * 100
    return el("svg", parts, width="100%", height="12", aria_hidden="true")


def _interval(one: Contestant, scale: Scale) -> Markup:
    parts = [el("line", x1="0%", x2="100%", y1="8", y2="8", class_="grid")]
    if one.interval is not None:
        ends = [scale.share(one.interval.low), scale.share(one.interval.high)]
        x1, x2 = (f"{end * 100:.2f}%" for end in ends)
        parts.append(el("line", x1=x1, x2=x2, y1="8", y2="8", class_="line"))
    if one.value.value is not None:
        cx = f"{scale.share(one.value.value) * 100:.2f}%"
        parts.append(el("circle", cx=cx, cy="8", r="5", class_="m1"))
    return el("svg", parts, width="100%", height="16", aria_hidden="true")


def _said(one: Contestant, digits: int) -> str:
    if one.value.value is None:
        return f"none: {one.value.undefined}"
    return number_within(one.value.value, one.interval, digits)

"""Tables: small ones as they stand, and rows that a reader filters, sorts and opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from graders.markup import Child, Markup, cut, el, many
from graders.report.html.embedded import embedded

MOST_BYTES: Final = 700_000
"""What a table of rows may take in a page, as JSON, where the rest of the page leaves as much."""
_FIRST: Final = 25
"""Rows that are there without script; as many as the script shows at once."""
_LONGEST_CELL: Final = 200
_CUTS: Final = (4_000, 2_000, 1_000, 500, 250, 120)
"""Characters of a text below a row: the longest with which all rows fit, ..."""
_READABLE: Final = 1_000
_ENOUGH: Final = 500
"""... or, from `_READABLE` on, so many of them; or the shortest."""
_LARGE: Final = 1e6
_SENTENCE: Final = 30
"""Characters of a cell from which on it takes several lines."""

Row = Mapping[str, object]
"""Cells by the key of their column; below `more`, texts with a label: `[[label, text], ...]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of rows.

    Attributes:
        key: Where a row has its cell.
        label: What its head says.
        kind: Of a `choice` a reader picks one value; a `number` has four digits behind the point,
            a `count` none.
        ranged: Whether rows are filtered by its range; of one column at most.
    """

    key: str
    label: str
    kind: Literal["count", "number", "text", "choice"] = "text"
    ranged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RowsTable:
    """Rows for a reader to look through. The first column says which row it is.

    Attributes:
        columns: What is shown of each.
        rows: Those that are shown, in order.
        total: Of how many.
        how: How they were chosen, in words; "" where all are there.
        command: What shows all of a row: texts and keys of columns by turns, `["graders explain
            g.json rows.jsonl --row ", "row"]`; none, if there is nothing.
        note: What cannot be shown of some, in a sentence; "" for nothing.
        cut_at: Characters at which texts below rows are cut; None where none is.
    """

    columns: Sequence[Column]
    rows: Sequence[Row]
    total: int
    how: str = ""
    command: Sequence[str] = ()
    note: str = ""
    cut_at: int | None = None

    def to_json(self) -> Mapping[str, object]:
        """What the script reads, and programs."""
        columns = [
            {"key": one.key, "label": one.label, "kind": one.kind, "ranged": one.ranged}
            for one in self.columns
        ]
        return {
            "total": self.total,
            "shown": len(self.rows),
            "how": self.how,
            "note": self.note,
            "cut_at": self.cut_at,
            "columns": columns,
            "command": [*self.command] or None,
            "rows": self.rows,
        }

    def to_markup(self, caption: str) -> Markup:
        """The table with its first rows, for a section with `rows`; the script does the rest."""
        more = (
            f"The first {_FIRST} stand here; the others, and what is below each, need the script "
        )
        more += "of a report."
        return many(
            self._stated(),
            el("p", more, class_="soft small unscripted") if len(self.rows) > _FIRST else None,
            self._first(caption),
        )

    def alone(self, caption: str) -> Markup:
        """The table with its first rows and what is below them, where there is no script."""
        more = f"The first {_FIRST} stand here; the page of --report has the others."
        return many(
            self._stated(),
            el("p", more, class_="soft small") if len(self.rows) > _FIRST else None,
            self._first(caption, [_opened(row) for row in self.rows[:_FIRST]]),
        )

    def _stated(self) -> Markup:
        """Which rows these are, and what is left of them."""
        if len(self.rows) < self.total:
            how = f": {self.how}" if self.how else ""
            shown = f"{len(self.rows):,} of {self.total:,} rows{how}."
        else:
            shown = f"All {self.total:,} rows."
        cutting = f" Texts are cut at {self.cut_at:,} characters." if self.cut_at else ""
        note = f" {self.note}" if self.note else ""
        return el("p", shown, cutting, note, class_="soft small")

    def _first(self, caption: str, below: Sequence[Child] = ()) -> Markup:
        body = [
            [_shown(row.get(one.key), one.kind) for one in self.columns]
            for row in self.rows[:_FIRST]
        ]
        numbers = [i for i, one in enumerate(self.columns) if i and one.kind in {"count", "number"}]
        labels = [one.label for one in self.columns]
        lines = [_line(cells, numbers) for cells in body]
        opened = [
            el("tr", el("td", one, colspan=len(labels)), class_="more") if one else None
            for one in below or [None] * len(lines)
        ]
        both = [*zip(lines, opened, strict=True)]
        return scrolled(caption, many(_heads(labels, numbers), el("tbody", both)), "rows")


def fitted(whole: RowsTable, ranked: Sequence[Row], most_bytes: int = MOST_BYTES) -> RowsTable:
    """The same table, with texts cut until it fits, and the last of the ranked rows left out.

    Args:
        whole: The table; its rows are in the order in which they are shown.
        ranked: The same rows, those that are least needed last.
        most_bytes: What its rows may take as JSON.
    """
    kept: dict[int, Row] = {}
    length = 0
    for length in _CUTS:
        kept = _first_fitting(ranked, length, most_bytes)
        if len(kept) == len(ranked) or (length <= _READABLE and len(kept) >= _ENOUGH):
            break
    rows = [kept[id(row)] for row in whole.rows if id(row) in kept]
    texts = (text for row in ranked[: len(kept)] for _, text in _more(row))
    was_cut = any(len(text) > length for text in texts)
    return replace(whole, rows=rows, cut_at=length if was_cut else None)


def _first_fitting(ranked: Sequence[Row], length: int, most_bytes: int) -> dict[int, Row]:
    """The first rows, as many as fit, with their texts cut; by the identity of the row."""
    kept, used = dict[int, Row](), 2
    for row in ranked:
        short = _cut_row(row, length)
        used += len(embedded(short).encode()) + 1
        if used > most_bytes:
            break
        kept[id(row)] = short
    return kept


def _more(row: Row) -> Sequence[tuple[str, str]]:
    more = row.get("more", ())
    assert isinstance(more, (list, tuple)), "see Row"
    return more


def _opened(row: Row) -> Markup | None:
    """What is below a row, for a reader to open without script."""
    texts = [
        (el("h3", label), el("pre", cut(text, _READABLE), tabindex="0"))
        for label, text in _more(row)
    ]
    if not texts:
        return None
    return el("div", el("details", el("summary", "More of it"), texts), class_="more")


def _cut_row(row: Row, length: int) -> Row:
    cells = {
        key: cut(value, _LONGEST_CELL) if isinstance(value, str) else value
        for key, value in row.items()
    }
    if more := _more(row):
        cells["more"] = [[cut(label, _LONGEST_CELL), cut(text, length)] for label, text in more]
    return cells


def _shown(value: object, kind: str) -> str:
    """A cell, as the script shows it.

    Example:
        >>> _shown(None, "number"), _shown(3, "count"), _shown(1, "number"), _shown("x", "text")
        ('', '3', '1.0000', 'x')
    """
    if value is None:
        return ""
    if kind != "number" or not isinstance(value, (int, float)):
        return str(value)
    return f"{value:.4f}" if abs(value) < _LARGE else f"{value:.4g}"


def table(
    head: Sequence[Child],
    rows: Sequence[Sequence[Child]],
    *,
    caption: str,
    numbers: Sequence[int] = (),
    class_: str = "",
) -> Markup:
    """A table that scrolls by itself where it is too wide. The first cell of a row is its head.

    Args:
        head: Of each column; none for a table whose columns need no names.
        rows: Cells.
        caption: What it is a table of.
        numbers: Which columns are numbers, from 0.
        class_: Of the table, for its style.
    """
    lines = [_line(row, numbers) for row in rows]
    return scrolled(caption, many(_heads(head, numbers), el("tbody", lines)), class_)


def _heads(head: Sequence[Child], numbers: Sequence[int]) -> Markup | None:
    cells = [
        el("th", cell, scope="col", class_=_style(i, numbers)) if cell else el("td")
        for i, cell in enumerate(head)
    ]
    return el("thead", el("tr", cells)) if cells else None


def _line(row: Sequence[Child], numbers: Sequence[int]) -> Markup:
    cells = (
        el("td" if i else "th", _held(cell), scope=None if i else "row", class_=_style(i, numbers))
        for i, cell in enumerate(row)
    )
    return el("tr", cells)


def _style(i: int, numbers: Sequence[int]) -> str | None:
    return "number" if i in numbers else None


def scrolled(caption: str, inside: Markup, class_: str = "") -> Markup:
    """A table in a box that scrolls sideways, also by keyboard."""
    drawn = el("table", el("caption", caption), inside, class_=class_ or None)
    return el("div", drawn, class_="scroll", role="region", aria_label=caption, tabindex="0")


def _held(cell: Child) -> Child:
    """A text in a box: so a long one is broken, and the column of a sentence does not collapse."""
    if not isinstance(cell, str):
        return cell
    return el("div", cell, class_="cell sentence" if len(cell) > _SENTENCE else "cell")

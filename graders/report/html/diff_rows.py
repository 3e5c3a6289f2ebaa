"""The samples that a change of grader moved the farthest, with both scores."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from graders.markup import cut
from graders.report.diffed import Diffed
from graders.report.html.draw import Place
from graders.report.html.items import shown_item
from graders.report.html.table import Column, Row, RowsTable, fitted
from graders.studies.change.pairs import Moved

MOST: Final = 500
"""Samples that are kept for a page."""
_KEPT: Final = 4_000
_MOST_BYTES: Final = 600_000
Items = Mapping[Place, Mapping[str, object]]
_NONE: Final[Items] = {}
_FLIPS: Final = {
    (False, True): "now passing",
    (True, False): "no longer passing",
    (True, True): "passes",
    (False, False): "does not pass",
}


def diff_rows(diffed: Diffed, command: Sequence[str] = (), items: Items = _NONE) -> RowsTable:
    """The samples that are shown, the farthest first.

    Args:
        diffed: The change.
        command: What shows all of one, as `RowsTable` has it.
        items: Of the samples, by row and place, where they are known.
    """
    moved = diffed.diff.worst
    rows = [_with_item(_row(one), items.get((one.row, one.sample_index))) for one in moved]
    drift = diffed.diff.drift
    changed = round(drift.changed * drift.rows) if drift is not None else 0
    whole = RowsTable(
        columns=[*_columns(moved, items)],
        rows=rows,
        total=max(changed, len(rows)),
        how="those whose score moved the farthest",
        command=command,
    )
    return fitted(whole, rows, _MOST_BYTES)


def _columns(moved: Sequence[Moved], items: Items) -> Iterator[Column]:
    yield Column(key="row", label="Row", kind="count")
    yield Column(key="sample", label="Sample", kind="count")
    yield Column(key="old", label="Old", kind="number")
    yield Column(key="new", label="New", kind="number")
    yield Column(key="change", label="Change", kind="number", ranged=True)
    if any(one.passes is not None for one in moved):
        yield Column(key="passing", label="Passing", kind="choice")
    if items:
        yield Column(key="item", label="Item")
    if any(one.text is not None for one in moved):
        yield Column(key="output", label="Output")


def _with_item(row: Row, item: Mapping[str, object] | None) -> Row:
    """A row with its item in front of what is below it, and in a cell."""
    if item is None:
        return row
    line, text = shown_item(item)
    more = row["more"]
    assert isinstance(more, list), "see _row"
    return {**row, "item": line, "more": [["item", text], *more]}


def _row(one: Moved) -> Row:
    members = "\n".join(
        f"{cut(name, 80)}: {_score(old)} → {_score(new)}"
        for name, (old, new) in one.members.items()
    )
    texts = [("output", one.text), ("reference", one.reference), ("members", members or None)]
    return {
        "row": one.row,
        "sample": one.sample_index,
        "old": one.old,
        "new": one.new,
        "change": one.new - one.old,
        "passing": None if one.passes is None else _FLIPS[one.passes],
        "output": None if one.text is None else cut(one.text, _KEPT),
        "more": [[label, cut(text, _KEPT)] for label, text in texts if text is not None],
    }


def _score(score: float | None) -> str:
    return "failed" if score is None else f"{score:.6g}"

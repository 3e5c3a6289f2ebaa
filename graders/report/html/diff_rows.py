"""The samples that newly fail, and those that a change of grader moved the farthest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from graders.markup import cut
from graders.report.diffed import Diffed
from graders.report.html.draw import Place
from graders.report.html.items import shown_item
from graders.report.html.table import Column, Row, RowsTable, fitted
from graders.studies.change.pairs import Broken, Moved

MOST: Final = 500
"""Samples that are kept for a page."""
_MOST_BROKEN: Final = 100
_KEPT: Final = 4_000
_MOST_BYTES: Final = 600_000
BROKEN: Final = "newly failing"
CROSSED: Final = "crossed the threshold"
MOVED: Final = "moved"
Items = Mapping[Place, Mapping[str, object]]
_NONE: Final[Items] = {}
_FLIPS: Final = {
    (False, True): "now passing",
    (True, False): "no longer passing",
    (True, True): "passes",
    (False, False): "does not pass",
}


def diff_rows(diffed: Diffed, command: Sequence[str] = (), items: Items = _NONE) -> RowsTable:
    """The samples that are shown: some that newly fail, then the farthest first.

    Args:
        diffed: The change.
        command: What shows all of one, as `RowsTable` has it.
        items: Of the samples, by row and place, where they are known.
    """
    moved = diffed.diff.worst
    broken = diffed.diff.broken[:_MOST_BROKEN]
    rows = [_with_item(one, _broken_row(one), items) for one in broken]
    rows += [_with_item(one, _row(one), items) for one in moved]
    drift = diffed.diff.drift
    changed = round(drift.changed * drift.rows) if drift is not None else 0
    whole = RowsTable(
        columns=[*_columns(rows)],
        rows=rows,
        total=max(changed + diffed.diff.failed("new"), len(rows)),
        how=f"{'some that newly fail, and ' if broken else ''}those whose score moved the farthest",
        command=command,
    )
    return fitted(whole, rows, _MOST_BYTES)


def shows(rows: RowsTable) -> Mapping[str, str]:
    """By the code of a verdict, the rows that it is about, as `overview` has it."""
    there = {row["outcome"] for row in rows.rows}
    named = {"new-failures": BROKEN, "flips": CROSSED}
    found = {code: f"outcome={what}" for code, what in named.items() if what in there}
    # Of all that moved there is no one outcome: a key of no column takes every filter away.
    return {**found, "changed": "moved"} if there - {BROKEN} else found


def _columns(rows: Sequence[Row]) -> Iterator[Column]:
    yield Column(key="row", label="Row", kind="count")
    yield Column(key="sample", label="Sample", kind="count")
    yield Column(key="old", label="Old", kind="number")
    yield Column(key="new", label="New", kind="number")
    yield Column(key="change", label="Change", kind="number", ranged=True)
    if any(row["outcome"] != MOVED for row in rows):
        yield Column(key="outcome", label="Outcome", kind="choice")
    if any(row["passing"] is not None for row in rows):
        yield Column(key="passing", label="Passing", kind="choice")
    if any("item" in row for row in rows):
        yield Column(key="item", label="Item")
    if any(row["output"] is not None for row in rows):
        yield Column(key="output", label="Output")


def _with_item(one: Broken | Moved, row: Row, items: Items) -> Row:
    """A row with its item in front of what is below it, and in a cell."""
    item = items.get((one.row, one.sample_index))
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
        "outcome": CROSSED if one.passes is not None and len({*one.passes}) > 1 else MOVED,
        "passing": None if one.passes is None else _FLIPS[one.passes],
        "output": None if one.text is None else cut(one.text, _KEPT),
        "more": [[label, cut(text, _KEPT)] for label, text in texts if text is not None],
    }


def _broken_row(one: Broken) -> Row:
    texts = [(one.kind, one.message), ("output", one.text), ("reference", one.reference)]
    return {
        "row": one.row,
        "sample": one.sample_index,
        "old": one.old,
        "new": None,
        "change": None,
        "outcome": BROKEN,
        "passing": None,
        "output": None if one.text is None else cut(one.text, _KEPT),
        "more": [[label, cut(text, _KEPT)] for label, text in texts if text is not None],
    }


def _score(score: float | None) -> str:
    return "failed" if score is None else f"{score:.6g}"

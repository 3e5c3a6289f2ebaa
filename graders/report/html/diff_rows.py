"""The samples that a change of grader moved the farthest, with both scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from graders.markup import cut
from graders.report.diffed import Diffed
from graders.report.html.table import Column, Row, RowsTable, fitted
from graders.studies.change.pairs import Moved

MOST: Final = 500
"""Samples that are kept for a page."""
_KEPT: Final = 4_000
_MOST_BYTES: Final = 600_000
_FLIPS: Final = {
    (False, True): "now passing",
    (True, False): "no longer passing",
    (True, True): "passes",
    (False, False): "does not pass",
}


def diff_rows(diffed: Diffed, command: Sequence[str] = ()) -> RowsTable:
    """The samples that are shown, the farthest first.

    Args:
        diffed: The change.
        command: What shows all of one, as `RowsTable` has it.
    """
    moved = diffed.diff.worst
    rows = [_row(one) for one in moved]
    drift = diffed.diff.drift
    changed = round(drift.changed * drift.rows) if drift is not None else 0
    whole = RowsTable(
        columns=[*_columns(moved)],
        rows=rows,
        total=max(changed, len(rows)),
        how="those whose score moved the farthest",
        command=command,
    )
    return fitted(whole, rows, _MOST_BYTES)


def _columns(moved: Sequence[Moved]) -> Iterator[Column]:
    yield Column(key="row", label="Row", kind="count")
    yield Column(key="sample", label="Sample", kind="count")
    yield Column(key="old", label="Old", kind="number")
    yield Column(key="new", label="New", kind="number")
    yield Column(key="change", label="Change", kind="number", ranged=True)
    if any(one.passes is not None for one in moved):
        yield Column(key="passing", label="Passing", kind="choice")
    if any(one.text is not None for one in moved):
        yield Column(key="output", label="Output")


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

"""The rows that were probed: what the best attack on each got, and what it is held against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import inf
from typing import Final

from graders.markup import cut
from graders.report.html.items import shown_item
from graders.report.html.table import Column, Row, RowsTable, fitted
from graders.report.text import count
from graders.rows import output_texts
from graders.testing.probe.bars import Bar, bar_of
from graders.testing.probe.figures import crashes
from graders.testing.probe.trials import Attempt, Probed

_KEPT: Final = 4_000
_HONEST: Final = 8
"""Honest samples below a row, the best first."""
_REFERENCES: Final = 2

CHEATED: Final = "cheated"
BROKEN: Final = "broken"
HELD: Final = "held"


def probe_rows(probed: Sequence[Probed], most_bytes: int) -> RowsTable:
    """The rows as a table, in the order of the file.

    Args:
        probed: All of them; where there is no room, those on which attacks win the most are there.
        most_bytes: What they may take as JSON.
    """
    rows = [(_row(one), bar_of(one)) for one in probed]
    whole = RowsTable(
        columns=[*_columns()],
        rows=[row for row, _ in rows],
        total=len(rows),
        how="those on which attacks win by the most, then those that break the grader",
    )
    ranked = [row for row, _ in sorted(rows, key=lambda pair: _rank(*pair))]
    return fitted(whole, ranked, most_bytes)


def _columns() -> Iterator[Column]:
    yield Column(key="row", label="Row", kind="count")
    yield Column(key="outcome", label="Outcome", kind="choice")
    yield Column(key="attack", label="Best attack", kind="choice")
    yield Column(key="score", label="Its score", kind="number", ranged=True)
    yield Column(key="median", label="Honest median", kind="number")
    yield Column(key="best", label="Honest best", kind="number")
    yield Column(key="right", label="Reference's score", kind="number")
    yield Column(key="item", label="Item")
    yield Column(key="reference", label="Reference")
    yield Column(key="text", label="Attack's text")


def _row(probed: Probed) -> Row:
    bar, target = bar_of(probed), probed.target
    best, broken = _best(probed, bar), [one for one in probed.attempts if crashes(one, bar)]
    won = best is not None and _wins(best, bar)
    line, item = shown_item(target.item)
    return {
        "row": target.line,
        "outcome": CHEATED if won else BROKEN if broken else HELD,
        "attack": None if best is None else best.way.name,
        "score": None if best is None else best.score,
        "median": bar.median,
        "best": bar.best,
        "right": bar.reference,
        "item": line,
        "reference": cut(target.reference, _KEPT),
        "text": None if best is None else cut(best.sent, _KEPT),
        "more": [[label, cut(text, _KEPT)] for label, text in _texts(probed, item, best, broken)],
    }


def _texts(
    probed: Probed, item: str, best: Attempt | None, broken: Sequence[Attempt]
) -> Iterator[tuple[str, str]]:
    yield "item", item
    for reference in probed.target.references[:_REFERENCES]:
        yield "reference", reference
    if (more := len(probed.target.references) - _REFERENCES) > 0:
        yield "and more references", f"{more:,}"
    if best is not None:
        yield f"{best.way.name}, which is {best.way.does}", best.sent
    if broken:
        failure = broken[0].failure
        assert failure is not None, "it breaks the grader"
        yield f"what {broken[0].way.name} breaks", f"{failure.kind.value}: {failure.message}"
        yield f"text of {broken[0].way.name}", broken[0].sent
    yield from _honest(probed)
    yield "scores of all attacks", "\n".join(_scores(probed.attempts))


def _honest(probed: Probed) -> Iterator[tuple[str, str]]:
    texts = output_texts(probed.target.honest)
    graded = [
        (grade.score, text)
        for grade, text in zip(probed.honest, texts, strict=True)
        if isinstance(text, str)
    ]
    ranked = sorted(graded, key=lambda one: -inf if one[0] is None else one[0], reverse=True)
    for score, text in ranked[:_HONEST]:
        yield f"honest, {'failed' if score is None else f'{score:.6g}'}", text
    if (more := len(ranked) - _HONEST) > 0:
        yield "and more", count(more, "honest sample")


def _scores(attempts: Sequence[Attempt]) -> Iterator[str]:
    """A line for each attack, the best first."""
    for one in sorted(attempts, key=lambda one: inf if one.score is None else -one.score):
        yield f"{one.way.name}: {'failed' if one.score is None else f'{one.score:.6g}'}"


def _best(probed: Probed, bar: Bar) -> Attempt | None:
    """The attack that a model would find: the highest score, first of all among those that win.

    Of equal ones it is one without the answer.
    """
    scored = [one for one in probed.attempts if one.score is not None]
    return max(scored, key=lambda one: (_wins(one, bar), one.score or 0.0, one.lacks), default=None)


def _wins(one: Attempt, bar: Bar) -> bool:
    return one.score is not None and bar.wins(one.score, lacks=one.lacks)


def _rank(row: Row, bar: Bar) -> tuple[int, float]:
    """What is needed most comes first: won by how much, broken, held."""
    order = (CHEATED, BROKEN, HELD).index(str(row["outcome"]))
    against = bar.median if bar.median is not None else bar.reference
    score = row["score"]
    return order, (against or 0.0) - score if isinstance(score, float) else inf

"""The rows of a comparison on which its best contestant and people differ most."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from graders.markup import cut
from graders.report.compared import Compared
from graders.report.html.items import shown_item
from graders.report.html.table import Column, Row, RowsTable, fitted
from graders.studies.choice.compare import Standing
from graders.studies.statistics.correlation import midranks
from graders.studies.statistics.statistic import Floats

_MOST: Final = 60
_MOST_BYTES: Final = 170_000
_KEPT: Final = 4_000
_COLUMNS: Final = 5
"""Contestants that have a column; all of them stand below their row."""

_REFERENCES: Final = 2


def compare_rows(compared: Compared) -> RowsTable:
    """The rows that are shown, the farthest apart first."""
    found = compared.found
    best = found.standings[0]
    labels = np.array([compared.rows.labels[i] for i in found.kept])
    apart = np.abs(_ranked(best.scores) - _ranked(labels))
    order = np.argsort(-apart, kind="stable").tolist()[:_MOST]
    rows = [_row(compared, at, float(apart[at])) for at in order]
    whole = RowsTable(
        columns=[*_columns(found.standings[:_COLUMNS])],
        rows=rows,
        total=len(found.kept),
        how=f"those on which {cut(best.name, 80)} and people differ most, by rank",
    )
    return fitted(whole, rows, _MOST_BYTES)


def _ranked(values: Floats) -> Floats:
    """Where each value is among all, in (0, 1]."""
    ranks: Floats = midranks(values) / len(values)
    return ranks


def _columns(shown: tuple[Standing, ...]) -> Iterator[Column]:
    yield Column(key="row", label="Row", kind="count")
    yield Column(key="sample", label="Sample", kind="count")
    yield Column(key="apart", label="Ranks apart", kind="number", ranged=True)
    yield Column(key="human", label="People", kind="number")
    yield Column(key="label", label="Label", kind="choice")
    yield Column(key="item", label="Item")
    yield Column(key="output", label="Output")
    for one in shown:
        yield Column(key=f"score {one.name}", label=cut(one.name, 40), kind="number")


def _row(compared: Compared, at: int, apart: float) -> Row:
    found, rows = compared.found, compared.rows
    place = found.kept[at]
    scores = {one.name: float(one.scores[at]) for one in found.standings}
    label, text = rows.labels[place], rows.texts[place]
    line, item = shown_item(rows.rows[place].item)
    references = rows.references[place]
    more = len(references) - _REFERENCES
    listed = "\n".join(f"{cut(name, 80)}: {score:.6g}" for name, score in scores.items())
    return {
        "row": rows.rows[place].row,
        "sample": rows.rows[place].sample_index,
        "apart": apart,
        "human": label,
        "label": "good" if label >= found.labels.good_from else "not good",
        "item": line,
        "output": cut(text, _KEPT),
        **{f"score {one.name}": scores[one.name] for one in found.standings[:_COLUMNS]},
        "more": [
            ["item", item],
            ["output", cut(text, _KEPT)],
            *(["reference", cut(one, _KEPT)] for one in references[:_REFERENCES]),
            *([["and more references", f"{more:,}"]] if more > 0 else []),
            ["scores", listed],
        ],
    }

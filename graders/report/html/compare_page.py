"""The page of a comparison: `graders compare --report`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from graders.markup import Markup, el, many
from graders.report.compared import Compared
from graders.report.compared_json import to_json
from graders.report.fitted import to_json as fit_json
from graders.report.html import compare_parts as parts
from graders.report.html.compare_rows import compare_rows
from graders.report.html.fit_part import fit_part
from graders.report.html.numbers import said
from graders.report.html.page import Page, Section, overview
from graders.report.html.spending_part import spending_section, spent
from graders.report.html.table import RowsTable
from graders.report.text import count
from graders.studies.choice.caveats import NAMES
from graders.studies.choice.fit import Fit
from graders.studies.shapes import POINTS, drawn_places
from graders.testing.fitted_config import Export

_DOTS: Final = 3_000
"""Points of all contestants together, so that the page stays small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareFindings:
    """What a comparison came to.

    Attributes:
        compared: The comparison.
        fit: A reward that was fitted; None where none was asked for.
        export: Its config; None where no run can have it.
        why: Why there is none.
        made: What made it, by name.
    """

    compared: Compared
    fit: Fit | None = None
    export: Export | None = None
    why: str = ""
    made: Mapping[str, str] = field(default_factory=dict)


def compare_page(found: CompareFindings) -> Page:
    """The page of a comparison, and its data."""
    compared = found.compared
    rows, points = compare_rows(compared), _points(compared)
    fitted: dict[str, object] = {}
    if found.fit is not None:
        fitted = {"fit": {**fit_json(found.fit, found.export), "no_config": found.why or None}}
    labels = compared.found.labels
    lead = f"{count(labels.rows, 'row')} of {count(labels.items, 'item')}, {compared.reference}"
    lead += f" against {compared.human} of {labels.low:g} to {labels.high:g}"
    data = to_json(compared, points=points)
    return Page(
        kind="graders compare",
        title=compared.file,
        lead=lead,
        sections=[*_sections(found, rows, points)],
        facts=found.made,
        data={
            "report": "compare",
            "title": compared.file,
            "lead": lead,
            **{"comparison" if key == "rows" else key: one for key, one in data.items()},
            **fitted,
            "made": found.made,
            "rows": rows.to_json(),
        },
    )


def _points(compared: Compared) -> int:
    """How many rows are points, of each contestant."""
    return min(POINTS, _DOTS // min(len(compared.found.standings), parts.MOST_DRAWN))


def _sections(found: CompareFindings, rows: RowsTable, points: int) -> Iterator[Section]:
    compared, comparison = found.compared, found.compared.found
    places = drawn_places(len(comparison.kept), most=points, seed=comparison.seed)
    head = many(overview(compared.verdicts, dict(_figures(compared))), _how(compared))
    yield Section(id="overview", title="Overview", body=head)
    for place, title, part in (
        ("agreement", "Agreement", parts.agreement(comparison)),
        ("measures", "All measures", parts.measures(comparison)),
        ("offers", "Cost and attacks", parts.offers(compared)),
        ("warnings", "Gradient and length", parts.warnings(comparison)),
        ("people", "Against people", parts.against_people(compared, places)),
    ):
        yield Section(id=place, title=title, body=parts.whole(part))
    if found.fit is not None:
        body = parts.whole(fit_part(found.fit, found.export, found.why))
        yield Section(id="fit", title="Fitted reward", body=body)
    yield from spending_section(compared.ledger)
    if parts.is_left_out(compared):
        yield Section(id="left-out", title="Left out", body=parts.whole(parts.left_out(compared)))
    yield Section(
        id="rows",
        title="Rows",
        body=rows.to_markup("Rows on which the best one and people differ"),
        rows="rows",
    )


def _figures(compared: Compared) -> Iterator[tuple[str, tuple[str, str]]]:
    found = compared.found
    labels = found.labels
    if found.best is not None:
        value = f"{NAMES[found.by]} {said(found.best.of(found.by), found.best.intervals[found.by])}"
        yield "Agrees most", (parts.name_of(found.best), value)
    yield "Compared", (f"{len(found.standings):,}", "metrics and graders")
    left = found.rows - len(found.kept)
    yield "Rows", (f"{len(found.kept):,}", f"{left:,} left out" if left else "")
    yield "Items", (f"{labels.items:,}", "")
    chosen = f"from {labels.good_from:g} on, {labels.chosen}"
    yield "Good", (f"{labels.good:,}", chosen)
    yield from spent(compared.ledger)


def _how(compared: Compared) -> Markup | None:
    """What gives the one to use in a run."""
    if compared.use is None:
        return None
    column = compared.columns[compared.use.name]
    return el("p", f"In a run: {column.how}", class_="soft small mono")

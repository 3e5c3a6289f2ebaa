"""The page of results by another formula: `graders study --formula --report`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from graders.markup import Markup, cut, el, many
from graders.report.html.charts import histogram
from graders.report.html.page import Page, Section, facts, fitting, lines_left_out, overview
from graders.report.html.run_rows import RunRows
from graders.report.html.table import RowsTable, table
from graders.report.rescored import Comparison, Totals
from graders.report.text import count
from graders.studies.verdict import Verdict, percent

_LONGEST: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RescoredFindings:
    """What a formula makes of results.

    Attributes:
        name: Of the results.
        formula: The one that stands in for theirs.
        comparison: Before and after.
        rows: As they are now.
        made: What made it, by name.
    """

    name: str
    formula: str
    comparison: Comparison
    rows: RunRows
    made: Mapping[str, str] = field(default_factory=dict)


def rescored_page(found: RescoredFindings) -> Page:
    """The page of a rescoring, and its data."""
    for totals in (found.comparison.before, found.comparison.after):
        totals.histogram.settle()
    return fitting(partial(_page, found))


def _page(found: RescoredFindings, most_bytes: int) -> Page:
    rows, verdicts = found.rows.table(most_bytes), [*_verdicts(found.comparison)]
    return Page(
        kind="graders study --formula",
        title=found.name,
        lead=f"{count(found.comparison.samples, 'sample')}, rescored",
        sections=[*_sections(found, rows, verdicts)],
        facts=found.made,
        data={
            "report": "rescored",
            "title": found.name,
            "formula": found.formula,
            "verdicts": [one.to_json() for one in verdicts],
            **found.comparison.to_json(),
            "histograms": {
                "before": _bars(found.comparison.before),
                "after": _bars(found.comparison.after),
            },
            "made": found.made,
            "rows": rows.to_json(),
        },
    )


def _verdicts(found: Comparison) -> Iterator[Verdict]:
    share = found.changed / found.samples
    said = f"{percent(share)} of scores changed ({found.changed:,} of {found.samples:,})."
    yield Verdict(code="changed", tone="note", text=said, value=share)
    if (value := found.ranks.value) is not None:
        said = f"Old and new scores order samples alike at a rank correlation of {value:.3f}"
        said += f" (Spearman's, over {found.ranks.rows:,})."
        yield Verdict(code="ranks", tone="note", text=said, value=value)
    if found.now_failed:
        said = f"{count(found.now_failed, 'sample')} failed that had a score."
        yield Verdict(code="now-failed", tone="bad", text=said, value=float(found.now_failed))
    if found.now_graded:
        said = f"{count(found.now_graded, 'sample')} had failed and now have a score."
        yield Verdict(code="now-graded", tone="good", text=said, value=float(found.now_graded))
    if found.bad_lines:
        was = "was" if found.bad_lines == 1 else "were"
        said = f"{count(found.bad_lines, 'line')} could not be read and {was} left out."
        yield Verdict(code="bad-lines", tone="warning", text=said, value=float(found.bad_lines))


def _sections(
    found: RescoredFindings, rows: RowsTable, verdicts: list[Verdict]
) -> Iterator[Section]:
    comparison = found.comparison
    body = many(
        overview(verdicts, {}, shows={"now-failed": "outcome=failed"}),
        facts({"Formula": found.formula}),
        _totals(comparison),
    )
    yield Section(id="overview", title="Overview", body=body)
    charts = [
        histogram(f"Samples by reward, {when}", totals.histogram.edges, totals.histogram.counts)
        for when, totals in (("before", comparison.before), ("now", comparison.after))
        if totals.histogram.edges is not None
    ]
    if charts:
        yield Section(id="rewards", title="Rewards", body=many(charts))
    if comparison.after.failures:
        yield Section(id="failures", title="Failures", body=_failures(comparison.after))
    if comparison.bad_lines:
        body = lines_left_out(comparison.first_bad_lines, comparison.bad_lines)
        yield Section(id="bad-lines", title="Lines left out", body=body)
    if rows.rows:
        body = rows.to_markup("Rows as they are now")
        yield Section(id="rows", title="Rows", body=body, rows="rows")


def _totals(found: Comparison) -> Markup:
    both = (found.before, found.after)
    lines = [
        ["Mean reward", *(_number(one.graded.value) for one in both)],
        ["With failures as 0", *(_number(one.mean_with_failures_as_zero) for one in both)],
        ["Pass rate", *(_number(one.pass_rate) for one in both)],
        ["Graded", *(f"{one.graded.count:,}" for one in both)],
        ["Failed", *(f"{one.failed:,}" for one in both)],
    ]
    return table(["", "Before", "Now"], lines, caption="Before and now", numbers=[1, 2])


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"


def _failures(found: Totals) -> Markup:
    parts: list[Markup] = []
    for kind, tally in found.failures.items():
        show = el("a", "Show them in the table", href="#rows", data_show=f"failure={kind}")
        parts += [
            el("h3", f"{kind}: {count(tally.count, 'sample')}"),
            el("p", f"The first is in row {tally.row}, sample {tally.sample_index}. ", show),
            el("pre", cut(tally.message, _LONGEST), tabindex="0"),
        ]
    return many(parts)


def _bars(found: Totals) -> Mapping[str, object]:
    return {"range": found.histogram.edges, "counts": found.histogram.counts}

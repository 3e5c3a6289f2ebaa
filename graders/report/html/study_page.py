"""The page of a study: `graders study --report`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from graders.markup import Markup, cut, many
from graders.report.html import study_parts as parts
from graders.report.html.page import Page, Section, fitting, lines_left_out, overview
from graders.report.html.people_part import agreement
from graders.report.html.run_rows import RunRows
from graders.report.html.table import RowsTable
from graders.report.studied import rests_on
from graders.report.studied_json import all_verdicts, to_json
from graders.report.text import count
from graders.studies.teach.between import Between
from graders.studies.teach.teaching import Study
from graders.studies.verdict import Verdict, percent, percent_within

_LONGEST: Final = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyFindings:
    """What a study came to.

    Attributes:
        name: Of what was studied.
        lead: In words.
        study: Of the results.
        moved: Of these and earlier ones; None without any.
        rows: Their rows.
        bad_lines: How many lines are no results.
        first_bad_lines: The first of them.
        made: What made it, by name.
        settings: The same for programs.
    """

    name: str
    lead: str = ""
    study: Study
    moved: Between | None = None
    rows: RunRows = field(default_factory=RunRows)
    bad_lines: int = 0
    first_bad_lines: Sequence[str] = ()
    made: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)


def study_page(found: StudyFindings) -> Page:
    """The page of a study, and its data."""
    return fitting(partial(_page, found))


def _page(found: StudyFindings, most_bytes: int) -> Page:
    rows = found.rows.table(most_bytes)
    verdicts = all_verdicts(found.study, found.moved)
    rests = rests_on(found.study)
    return Page(
        kind="graders study",
        title=found.name,
        lead=f"{found.lead}; {rests}" if rests else found.lead,
        sections=[*_sections(found, rows, verdicts)],
        facts=found.made,
        data={
            "report": "study",
            "title": found.name,
            "lead": found.lead,
            **to_json(found.study, found.moved),
            "bad_lines": found.bad_lines,
            "first_bad_lines": [cut(line, _LONGEST) for line in found.first_bad_lines],
            "made": {**found.made, **found.settings},
            "rows": rows.to_json(),
        },
    )


def _sections(
    found: StudyFindings, rows: RowsTable, verdicts: Sequence[Verdict]
) -> Iterator[Section]:
    study = found.study
    failed = any(one.count for one in study.failures) and rows.rows
    shows = {"failures": "outcome=failed"} if failed else {}
    head = overview(verdicts, dict(_figures(study)), shows=shows)
    yield Section(id="overview", title="Overview", body=head)
    for place, title, part in _parts(study, found.moved):
        yield Section(id=place, title=title, body=many([*part]))
    if found.bad_lines:
        body = lines_left_out(found.first_bad_lines, found.bad_lines)
        yield Section(id="bad-lines", title="Lines left out", body=body)
    if rows.rows:
        caption = "Rows that were studied"
        body, alone = rows.to_markup(caption), rows.alone(caption)
        yield Section(id="rows", title="Rows", body=body, rows="rows", alone=alone)


def _parts(study: Study, moved: Between | None) -> Iterator[tuple[str, str, Iterator[Markup]]]:
    """Sections of numbers: a place, a title, and what stands there."""
    if study.distribution is not None:
        yield "rewards", "Rewards", parts.rewards(study)
    if study.signal is not None:
        yield "groups", "Groups", parts.groups(study, study.signal)
    if study.threshold is not None:
        yield "passing", "Passing", parts.passing(study)
    if study.length is not None or study.form is not None:
        yield "form", "Length and form", parts.form(study)
    if study.members is not None:
        yield "members", "Members", parts.members(study.members)
    if study.human is not None:
        yield "people", "People", agreement(study.human, study.settings.seed)
    if study.noise or study.again is not None:
        yield "noise", "Noise", parts.noise(study)
    if moved is not None:
        yield "drift", "Drift", parts.moved(moved)
    if len(study.failures) > 1:
        yield "failures", "Failures", parts.failures(study)


def _figures(study: Study) -> Iterator[tuple[str, tuple[str, str]]]:
    samples = study.samples
    if study.distribution is not None:
        yield "Mean reward", (f"{study.distribution.mean:.4g}", f"over {study.rewarded:,}")
    signal = study.signal
    if signal is not None and signal.zero_variance.value is not None:
        within = percent_within(signal.zero_variance.value, signal.zero_variance_interval)
        share, _, interval = within.partition(" [")
        yield "Items that teach nothing", (share, f"[{interval}" if interval else "")
    if signal is not None and signal.effective_batch.value is not None:
        yield "Effective batch", (percent(signal.effective_batch.value), "of the samples")
    if study.passing and study.passing[0].value.value is not None:
        yield "pass@1", (percent(study.passing[0].value.value), "")
    items = count(len(samples.names), "item")
    yield "Samples", (f"{len(samples):,}", f"of {items}")
    if study.failures:
        yield "Failed", (percent(study.failures[0].share), f"{study.failures[0].count:,}")

"""The page of a run: `graders run --report`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from graders.ledger import Ledger
from graders.markup import Child, Markup, cut, el, many
from graders.report import spending
from graders.report.html.chart_tables import bars
from graders.report.html.charts import histogram
from graders.report.html.embedded import embedded
from graders.report.html.page import Page, Section, fitting, lines_left_out, overview
from graders.report.html.run_rows import RunRows
from graders.report.html.spending_part import spending_section, spent
from graders.report.html.table import RowsTable, table
from graders.report.studied import rests_on, short_verdicts
from graders.report.studied_json import to_json as study_json
from graders.report.summary import Summary
from graders.report.text import count, groups_of
from graders.report.totals import Histogram
from graders.studies.teach.observed_columns import short_name
from graders.studies.teach.teaching import Study
from graders.studies.verdict import Tone, Verdict, percent

_MANY_FAILED: Final = 0.05
"""Share of samples without a score from which on a run is not to be built on."""
_LONGEST: Final = 4_000
_LONGEST_NAME: Final = 200
_LARGE: Final = 1e6
_MOST_CONFIG: Final = 80_000
"""Bytes of a config's JSON; one that is longer is known by its hash alone."""
_MOST_LINES: Final = 50
"""Members and warnings that are listed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFindings:
    """What a run came to.

    Attributes:
        name: The grader's.
        lead: What was run, in words.
        summary: Its numbers.
        rows: Its rows and groups.
        seconds: Wall time it took; 0.0 where nobody knows.
        study: Whether it will teach; None where no item has two samples.
        command: What shows all of a row, as `RowsTable` has it.
        ended: What ended it early; "" at its end.
        ledger: What models were asked; None where none is.
        made: What made it, by name: command, signature, versions.
        settings: The same for programs.
        config: What was run, without secrets.
    """

    name: str
    lead: str
    summary: Summary
    rows: RunRows
    seconds: float
    study: Study | None = None
    command: tuple[str, ...] = ()
    ended: str = ""
    ledger: Ledger | None = None
    made: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, object] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)


def run_page(found: RunFindings) -> Page:
    """The page of a run, and its data."""
    found.summary.histogram.settle()
    found.rows.groups.means.settle()
    return fitting(partial(_page, found))


def _page(found: RunFindings, most_bytes: int) -> Page:
    rows = found.rows.table(most_bytes, found.command)
    verdicts = [*run_verdicts(found)]
    return Page(
        kind="graders run",
        title=found.name,
        lead=found.lead,
        sections=[*_sections(found, rows, verdicts)],
        facts=found.made,
        data=_data(found, rows, verdicts),
    )


def run_verdicts(found: RunFindings) -> Iterator[Verdict]:
    """What a run says in words, the worst first."""
    order = ("bad", "warning", "note", "good")
    yield from sorted(_verdicts(found), key=lambda one: order.index(one.tone))


def _verdicts(found: RunFindings) -> Iterator[Verdict]:
    summary = found.summary
    if found.ended:
        said = f"The run ended early: {cut(found.ended, _LONGEST)}"
        yield Verdict(code="ended-early", tone="bad", text=said)
    if summary.failed:
        share = summary.failed / summary.samples
        tone: Tone = "bad" if share > _MANY_FAILED else "warning"
        said = f"{percent(share)} of the samples have no score ({summary.failed:,} of "
        said += f"{summary.samples:,}). They are in no mean but the one with failures as 0."
        yield Verdict(code="failures", tone=tone, text=said, value=share)
    elif summary.samples:
        said = f"Every sample has a score ({summary.samples:,})."
        yield Verdict(code="failures", tone="good", text=said, value=0.0)
    if summary.bad_lines:
        was = "was" if summary.bad_lines == 1 else "were"
        said = f"{count(summary.bad_lines, 'line')} could not be read and {was} left out."
        yield Verdict(code="bad-lines", tone="warning", text=said, value=float(summary.bad_lines))
    if summary.warnings:
        number = sum(tally.count for tally in summary.warnings.values())
        said = f"{count(number, 'warning')}: scores that may mean nothing."
        yield Verdict(code="warnings", tone="warning", text=said, value=float(number))
    low, high = summary.histogram.low, summary.histogram.high
    if low is not None and low == high and summary.graded.count > 1:
        said = f"Every reward is {low:g}: a model that is trained on them learns nothing."
        yield Verdict(code="one-reward", tone="bad", text=said, value=low)
    if found.study is not None:
        yield from _taught(found.study)


def _taught(study: Study) -> Iterator[Verdict]:
    """What the terminal says of whether it will teach; failures are said already."""
    yield from (one for one in short_verdicts(study) if one.code != "failures")
    if rests := rests_on(study):
        yield Verdict(code="rests-on", tone="note", text=f"What it will teach is said {rests}.")


def _sections(found: RunFindings, rows: RowsTable, verdicts: list[Verdict]) -> Iterator[Section]:
    summary = found.summary
    shows = {"failures": "outcome=failed"} if summary.failed else {}
    body = overview(verdicts, dict(_figures(found)), shows=shows)
    yield Section(id="overview", title="Overview", body=body)
    if summary.histogram.edges is not None:
        yield Section(id="rewards", title="Rewards", body=_rewards(summary.histogram))
    if summary.members:
        yield Section(id="members", title="Members", body=_members(summary))
    if summary.groups < summary.samples and found.rows.groups.means.edges is not None:
        yield Section(id="groups", title="Groups", body=_groups(found))
    if summary.failures or summary.bad_lines:
        yield Section(id="failures", title="Failures", body=_failures(summary))
    if summary.warnings:
        yield Section(id="warnings", title="Warnings", body=_warnings(summary))
    yield from spending_section(found.ledger)
    if rows.rows:
        caption = "Rows of the run"
        body, alone = rows.to_markup(caption), rows.alone(caption)
        yield Section(id="rows", title="Rows", body=body, rows="rows", alone=alone)


def _figures(found: RunFindings) -> Iterator[tuple[str, tuple[str, str]]]:
    summary = found.summary
    graded = f"over {summary.graded.count:,} graded"
    yield "Mean reward", (_number(summary.graded.value), graded)
    if summary.failed:
        mean = summary.rewards_with_failures_as_zero.value
        yield "With failures as 0", (_number(mean), f"over {summary.samples:,}")
    if summary.with_threshold:
        share = summary.passed / summary.with_threshold
        yield "Pass rate", (percent(share), f"{summary.passed:,} of {summary.with_threshold:,}")
    yield "Samples", (f"{summary.samples:,}", groups_of(summary))
    yield "Failed", (f"{summary.failed:,}", "")
    if found.seconds > 0:
        rate = summary.samples / found.seconds
        yield "Time", (f"{found.seconds:.1f} s", f"{rate:,.0f} samples/s")
    yield from spent(found.ledger)


def _number(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:.4f}" if abs(value) < _LARGE else f"{value:.4g}"


def _rewards(seen: Histogram) -> Markup:
    assert seen.edges is not None, "settled, and there are scores"
    said = f"Seen from {seen.low:g} to {seen.high:g}."
    return histogram("Samples by reward", seen.edges, seen.counts, x="reward", said=said)


def _members(summary: Summary) -> Markup:
    lines = []
    for key, mean in [*summary.members.items()][:_MOST_LINES]:
        failed = summary.member_failures[key]
        said = _number(mean.value) + (f", {failed:,} failed" if failed else "")
        lines.append((cut(key, _LONGEST_NAME), max(mean.value or 0.0, 0.0), said))
    most = max(1.0, *(value for _, value, _ in lines))
    more = len(summary.members) - len(lines)
    rest = el("p", f"And {more:,} more.", class_="soft small") if more else None
    return many(bars("Mean score of each member", lines, most=most), rest)


def _groups(found: RunFindings) -> Markup:
    groups = found.rows.groups
    assert groups.means.edges is not None, "settled, and there are scores"
    said = f"{count(groups.count, 'group')}; those without a score are left out."
    if groups.share < 1.0:
        said = f"About {percent(groups.share)} of the groups, drawn by their names: {said}"
    chart = histogram(
        "Groups by mean reward",
        groups.means.edges,
        groups.means.counts,
        x="mean reward",
        said=said,
    )
    lines = [
        [str(one.name), str(one.row), f"{one.samples:,}",
         *map(_number, (one.scores.value, one.low, one.high))]
        for one in groups.lowest
    ]  # fmt: skip
    head = ["Group", "First row", "Samples", "Mean", "Lowest", "Highest"]
    caption = "The groups with the lowest means"
    return many(chart, table(head, lines, caption=caption, numbers=[1, 2, 3, 4, 5]))


def _failures(summary: Summary) -> Markup:
    parts: list[Markup] = []
    for kind, tally in summary.failures.items():
        show = el("a", "Show them in the table", href="#rows", data_show=f"failure={kind}")
        first = f"The first is in row {tally.row}, sample {tally.sample_index}. "
        parts += [
            el("h3", f"{kind}: {count(tally.count, 'sample')}"),
            el("p", first, show, class_="soft small"),
            el("pre", cut(tally.message, _LONGEST), tabindex="0"),
        ]
    if summary.bad_lines:
        parts += [
            el("h3", f"{count(summary.bad_lines, 'line')} left out: no rows"),
            lines_left_out(summary.first_bad_lines, summary.bad_lines),
        ]
    return many(parts)


def _warnings(summary: Summary) -> Markup:
    lines: list[list[Child]] = [
        [el("div", cut(warning, _LONGEST), class_="text"), f"{tally.count:,}",
         f"row {tally.row}, sample {tally.sample_index}"]
        for warning, tally in [*summary.warnings.items()][:_MOST_LINES]
    ]  # fmt: skip
    caption = "Scores that may mean nothing"
    return table(["Warning", "Times", "First in"], lines, caption=caption, numbers=[1])


def _data(found: RunFindings, rows: RowsTable, verdicts: list[Verdict]) -> dict[str, object]:
    groups = found.rows.groups
    return {
        "report": "run",
        "title": cut(found.name, _LONGEST_NAME),
        "lead": found.lead,
        "verdicts": [one.to_json() for one in verdicts],
        "summary": _summary(found.summary),
        "signal": None if found.study is None else study_json(found.study),
        "seconds": round(found.seconds, 3),
        "groups": {
            "count": groups.count,
            "share": groups.share,
            "with_several_scores": groups.several,
            "all_scores_the_same": groups.flat,
            "means": {"range": groups.means.edges, "counts": groups.means.counts},
            "lowest": [
                {"group": one.name, "row": one.row, "samples": one.samples,
                 "mean": one.scores.value, "low": one.low, "high": one.high}
                for one in groups.lowest
            ],
        },
        "spending": spending.to_json(found.ledger) if found.ledger else None,
        "made": {**found.made, **found.settings, "config_masked": _config(found.config)},
        "rows": rows.to_json(),
    }  # fmt: skip


def _summary(summary: Summary) -> Mapping[str, object]:
    """The summary for programs, with names that a page has room for."""
    named = {short_name(key): one for key, one in summary.members.items()}
    failed = {short_name(key): number for key, number in summary.member_failures.items()}
    return replace(summary, members=named, member_failures=failed).to_json()


def _config(config: Mapping[str, object]) -> Mapping[str, object] | None:
    """The config, where a page has room for it."""
    return config if len(embedded(config).encode()) <= _MOST_CONFIG else None

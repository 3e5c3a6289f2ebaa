"""The page of a change of grader: `graders diff --report`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from graders.ledger import Ledger
from graders.markup import Child, Markup, cut, el, many
from graders.report import diffed as lines
from graders.report import spending
from graders.report.diffed import Diffed
from graders.report.diffed_json import to_json
from graders.report.html.charts import histogram
from graders.report.html.diff_rows import Items, diff_rows, shows
from graders.report.html.page import Page, Section, lines_left_out, overview
from graders.report.html.points import Series, scatter
from graders.report.html.spending_part import spending_section, spent
from graders.report.html.table import RowsTable, table
from graders.report.text import count
from graders.studies.change.diff import Diff
from graders.studies.shapes import change_bars, drawn_places
from graders.studies.verdict import Verdict, number_within, percent, percent_within

_POINTS: Final = 2_000
_LONGEST: Final = 4_000
_LONGEST_NAME: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class DiffFindings:
    """What a diff came to.

    Attributes:
        title: What was compared, in short.
        diffed: The change, with as many of the samples that moved as are to be shown.
        command: What shows all of a row, as `RowsTable` has it.
        items: Of the samples that moved, by row and place, where they are known.
        stopped: What ended it early; "" at its end.
        ledger: What models were asked; None where none was.
        made: What made it, by name.
    """

    title: str
    diffed: Diffed
    command: tuple[str, ...] = ()
    items: Items = field(default_factory=dict)
    stopped: str = ""
    ledger: Ledger | None = None
    made: Mapping[str, str] = field(default_factory=dict)


def diff_page(found: DiffFindings) -> Page:
    """The page of a change, and its data."""
    diffed = found.diffed
    rows = diff_rows(diffed, found.command, found.items)
    scores = diffed.scores
    points = [scores[i] for i in drawn_places(len(scores), most=_POINTS)]
    verdicts = [_held(diffed), *diffed.verdicts]
    shown = {key: one for key, one in to_json(diffed).items() if key != "worst"}  # they are rows
    return Page(
        kind="graders diff",
        title=found.title,
        lead=lines.counted(diffed),
        sections=[*_sections(found, rows, points, verdicts)],
        facts={"old": diffed.old, "new": diffed.new, **found.made},
        data={
            "report": "diff",
            "title": found.title,
            "lead": lines.counted(diffed),
            **shown,
            "verdicts": [one.to_json() for one in verdicts],
            "stopped": found.stopped or None,
            "points": points,
            **(spending.to_json(found.ledger) if found.ledger else {}),
            "made": found.made,
            "rows": rows.to_json(),
        },
    )


def _sections(
    found: DiffFindings,
    rows: RowsTable,
    points: Sequence[tuple[float, float]],
    verdicts: Sequence[Verdict],
) -> Iterator[Section]:
    diffed, diff = found.diffed, found.diffed.diff
    stopped = el("p", f"It ended early: {cut(found.stopped, _LONGEST)}") if found.stopped else None
    figures = dict([*_figures(diffed), *spent(found.ledger)])
    head = many(
        stopped, overview(verdicts, figures, shows=shows(rows)), _table(diff), _bounds(diffed)
    )
    yield Section(id="overview", title="Overview", body=head)
    if diffed.scores:
        yield Section(id="scores", title="Scores", body=_scores(diffed, points))
    if diff.members or diff.only_old or diff.only_new:
        yield Section(id="members", title="Members", body=_members(diff))
    if any(diff.failures.values()):
        yield Section(id="failures", title="Failures", body=_failures(diff))
    if diffed.only_old or diffed.only_new or diffed.bad_lines:
        yield Section(id="left-out", title="Left out", body=_left_out(diffed))
    yield from spending_section(found.ledger)
    if rows.rows:
        body = rows.to_markup("Samples that newly fail, or whose score moved")
        yield Section(id="rows", title="Samples that moved", body=body, rows="rows")


def _held(diffed: Diffed) -> Verdict:
    """Whether a bound is broken: what decides the exit code, so it stands first."""
    broken = [check.name for check in diffed.checks if check.broken]
    if not broken and not diffed.whole:
        text = "no bound is broken, but not all of it could be compared"
        return Verdict(code="bounds", tone="bad", text=text, value=0.0)
    if not broken:
        return Verdict(code="bounds", tone="good", text="no bound is broken", value=0.0)
    are = "is" if len(broken) == 1 else "are"
    said = f"{count(len(broken), 'bound')} of {len(diffed.checks)} {are} broken: "
    text = f"{said}{', '.join(broken)}"
    return Verdict(code="bounds", tone="bad", text=text, value=float(len(broken)))


def _figures(diffed: Diffed) -> Iterator[tuple[str, tuple[str, str]]]:
    diff = diffed.diff
    old, new = lines.number(diff.old_mean), lines.number(diff.new_mean)
    yield "Mean score", (new, f"was {old}")
    if diff.drift is not None:
        change = number_within(diff.drift.mean_change, diff.drift.mean_change_interval, 3)
        yield "Changed", (percent(diff.drift.changed), f"mean change {change}")
    if diff.passing.flips.value is not None:
        passing = f"{diff.passing.now_passing:,} now pass, {diff.passing.now_failing:,} no longer"
        yield "Flips", (percent(diff.passing.flips.value), passing)
    yield "Samples", (f"{diff.samples:,}", f"{diff.pairs:,} with both scores")
    yield "Newly failing", (f"{diff.failed('new'):,}", f"{diff.failed('mended'):,} mended")


def _table(diff: Diff) -> Markup:
    intervals = {
        "pass rate": (diff.passing.change.value, diff.passing.change_interval),
        "groups with one score": (diff.teaching.change.value, diff.teaching.change_interval),
    }
    if diff.drift is not None:
        intervals["mean score"] = (diff.drift.mean_change, diff.drift.mean_change_interval)
    rows: list[list[Child]] = []
    for name, old, new in lines.table(diff):
        change, interval = intervals.get(name, (None, None))
        rows.append([name, old, new, "" if change is None else number_within(change, interval, 3)])
    head = ["", "Old", "New", "Change"]
    return table(head, rows, caption="Before and after", numbers=[1, 2, 3])


def _bounds(diffed: Diffed) -> Markup:
    rows: list[list[Child]] = []
    for check in diffed.checks:
        state, _, said = lines.bound_line(check).partition(": ")
        tone = "bad" if check.broken else "note" if check.value is None else "good"
        rows.append([el("span", state, class_=f"tone tone-{tone}"), said])
    return table((), rows, caption="Bounds")


def _scores(diffed: Diffed, points: Sequence[tuple[float, float]]) -> Markup:
    every = len(diffed.scores)
    drawn = f"{len(points):,} of {every:,} samples, drawn with seed 0"
    said = f"{drawn if len(points) < every else f'All {every:,} samples'}: on the diagonal, a "
    said += "score is as it was; above it, it rose."
    ends = [end(score for pair in points for score in pair) for end in (min, max)]
    series = [
        Series(name="samples", points=points),
        Series(name="as it was", points=[(end, end) for end in ends], joined=True),
    ]
    chart = scatter("Old and new scores", series, ("old score", "new score"), said=said)
    bars = change_bars(diffed.scores)
    if bars is None:
        return many(chart, el("p", "No score changed."))
    edges, counts = bars
    title, x = "Samples by how far their score moved", "new minus old"
    moved = histogram(title, (edges[0], edges[-1]), counts, x=x)
    return many(el("div", chart, moved, class_="pair"), _moves(diffed.diff))


def _moves(diff: Diff) -> Markup | None:
    """How far the order of samples moved, and flips."""
    if diff.drift is None:
        return None
    drift, passing, kept = diff.drift, diff.passing, diff.drift.pairs_kept.value
    rows: list[list[Child]] = [
        ["Spearman's rho", lines.number(drift.spearman.value)],
        ["Kendall's tau", lines.number(drift.kendall.value)],
        ["Pairs within groups", f"{drift.pairs:,}"],
        [
            "Of them, kept in order",
            "none" if kept is None else percent_within(kept, drift.pairs_kept_interval),
        ],
        ["Turned round", f"{drift.pairs_turned:,}"],
        ["Tied", f"{drift.pairs_tied:,}"],
        ["Mean distance", lines.number(drift.mean_distance)],
        ["Farthest", lines.number(drift.farthest)],
        ["Greatest difference of the distributions", lines.number(drift.distribution)],
    ]
    if passing.flips.value is not None:
        flips = percent_within(passing.flips.value, passing.flips_interval)
        rows.append(["Across the threshold", flips])
        p = passing.p.value
        rows.append(["Sign test of its direction, p", "none" if p is None else f"{p:.2g}"])
        rows.append(["Now passing", f"{passing.now_passing:,}"])
        rows.append(["No longer passing", f"{passing.now_failing:,}"])
    rows.append(["Groups that now have one score", f"{diff.teaching.now_equal:,}"])
    rows.append(["Groups that now differ", f"{diff.teaching.now_different:,}"])
    return table((), rows, caption="How far it moved", numbers=[1], class_="numbers")


def _members(diff: Diff) -> Markup:
    rows: list[list[Child]] = [
        [cut(one.name, _LONGEST_NAME), lines.number(one.old), lines.number(one.new),
         percent(one.changed), f"{one.samples:,}"]
        for one in diff.members
    ]  # fmt: skip
    head = ["Member", "Old mean", "New mean", "Changed", "Samples"]
    only = [
        el("p", f"Only in the {side} one: {cut(', '.join(names), _LONGEST)}")
        for side, names in (("old", diff.only_old), ("new", diff.only_new))
        if names
    ]
    listed = table(head, rows, caption="Members of both", numbers=range(1, 5)) if rows else None
    return many(listed, only)


def _failures(diff: Diff) -> Markup:
    parts: list[Markup] = []
    for what, kinds in diff.failures.items():
        for kind, one in kinds.items():
            place = f"The first is in row {one.row}, sample {one.sample_index}."
            parts += [
                el("h3", f"{kind}: {count(one.count, 'sample')} {lines.FAILED[what]}"),
                el("p", place, class_="soft small"),
                el("pre", cut(one.message, _LONGEST), tabindex="0"),
            ]
    return many(parts)


def _left_out(diffed: Diffed) -> Markup:
    said = [el("p", line.strip()) for line in lines.only_lines(diffed) if line]
    if not diffed.bad_lines:
        return many(said)
    heading = el("h3", f"{count(len(diffed.bad_lines), 'line')} left out")
    return many(said, heading, lines_left_out(diffed.bad_lines, len(diffed.bad_lines)))

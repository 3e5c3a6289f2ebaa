"""The page of a probe: `graders probe --report`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from graders.ledger import Ledger
from graders.markup import Child, Markup, cut, el, many
from graders.report import spending
from graders.report.html.chart_tables import bars
from graders.report.html.page import Page, Section, fitting, lines_left_out, overview
from graders.report.html.probe_rows import BROKEN, CHEATED, probe_rows
from graders.report.html.spending_part import spending_section, spent
from graders.report.html.table import RowsTable, table
from graders.report.probed import to_json
from graders.report.text import count
from graders.studies.verdict import Tone, Verdict, percent
from graders.testing.probe import ProbeReport
from graders.testing.probe.figures import Example, Figures, ProbeFinding, Tally

_KEPT: Final = 4_000
"""Characters of an example's text, as in its JSON."""
_DOES: Final = {"cheat": "wins", "crash": "breaks the grader"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFindings:
    """What a probe came to.

    Attributes:
        report: What it found.
        name: The grader's.
        title: What was probed, in words.
        threshold: The share of rows on which an attack may win, in [0, 1].
        bad_lines: What is wrong with lines that are no rows.
        ledger: What models were asked; None where none was.
        made: What made it, by name.
    """

    report: ProbeReport
    name: str
    title: str
    threshold: float
    bad_lines: Sequence[str] = ()
    ledger: Ledger | None = None
    made: Mapping[str, str] = field(default_factory=dict)


def probe_page(found: ProbeFindings) -> Page:
    """The page of a probe, and its data."""
    return fitting(partial(_page, found))


def _page(found: ProbeFindings, most_bytes: int) -> Page:
    report = found.report
    rows = probe_rows(report.probed, most_bytes)
    verdicts = [*probe_verdicts(report, found.threshold, len(found.bad_lines))]
    probed = f"{report.tally.rows:,} of {count(report.rows_seen, 'row')} probed"
    return Page(
        kind="graders probe",
        title=found.name,
        lead=f"{found.title}; {probed} with seed {report.seed}",
        sections=[*_sections(found, rows, verdicts)],
        facts=found.made,
        data={
            "report": "probe",
            "title": found.title,
            "verdicts": [one.to_json() for one in verdicts],
            **to_json(report),
            "bad_lines": len(found.bad_lines),
            "first_bad_lines": found.bad_lines[:5],
            "threshold": found.threshold,
            **(spending.to_json(found.ledger) if found.ledger else {}),
            "made": found.made,
            "probed": rows.to_json(),
        },
    )


def probe_verdicts(report: ProbeReport, threshold: float, bad_lines: int) -> Iterator[Verdict]:
    """What a probe says in words."""
    found = report.tally
    if not found.says_something:
        said = "Nothing can be said: no honest sample has a score, and no reference."
        yield Verdict(code="nothing-said", tone="bad", text=said)
        return
    if found.blind is not None:
        said = f"The grader is blind: all texts of all rows score {found.blind:g}."
        yield Verdict(code="blind", tone="bad", text=said, value=found.blind)
    share = found.cheated_share
    tone: Tone = "bad" if share > threshold else "warning" if share else "good"
    said = f"Some attack wins on {percent(share)} of the rows ({found.cheated:,} of {found.rows:,})"
    if share:
        most = max(found.attacks, key=lambda one: one.wins)
        said += f"; {most.way.name} alone on {percent(most.wins / found.rows)}."
    else:
        said += ": none was found that pays."
    yield Verdict(code="cheated", tone=tone, text=said, value=share)
    crashes = [one for one in found.findings() if one.kind == "crash"]
    if crashes:
        worst = max(crashes, key=lambda one: one.share)
        said = f"{count(len(crashes), 'attack')} can break the grader, the most frequent on "
        said += f"{percent(worst.share)} of the rows: a failure is no score, and no reward."
        tone = "bad" if worst.share > threshold else "warning"
        yield Verdict(code="crashes", tone=tone, text=said, value=worst.share)
    if left := report.drawn - found.rows:
        said = f"The probe was stopped: {count(left, 'row')} not reached."
        yield Verdict(code="stopped", tone="warning", text=said, value=float(left))
    if report.without_reference:
        said = f"{count(report.without_reference, 'row')} without a reference, left out."
        number = float(report.without_reference)
        yield Verdict(code="without-reference", tone="note", text=said, value=number)
    if bad_lines:
        said = f"{count(bad_lines, 'line')} could not be read."
        yield Verdict(code="bad-lines", tone="warning", text=said, value=float(bad_lines))


def _sections(probed: ProbeFindings, rows: RowsTable, verdicts: list[Verdict]) -> Iterator[Section]:
    report, bad_lines = probed.report, probed.bad_lines
    found = report.tally
    there = {row["outcome"] for row in rows.rows}
    shows = {
        code: f"outcome={what}"
        for code, what in (("cheated", CHEATED), ("crashes", BROKEN))
        if what in there
    }
    head = overview(verdicts, dict([*_figures(report), *spent(probed.ledger)]), shows=shows)
    yield Section(id="overview", title="Overview", body=head)
    tried = [one for one in found.attacks if one.rows]
    if tried:
        yield Section(id="attacks", title="Attacks", body=_attacks(found, tried))
    if examples := [one for one in found.findings() if one.example is not None]:
        body = many([_example(one, found) for one in examples])
        yield Section(id="examples", title="Examples", body=body)
    yield from spending_section(probed.ledger)
    if absent := [one for one in found.attacks if not one.rows]:
        yield Section(id="left-out", title="Left out", body=_absent(absent))
    if bad_lines:
        body = lines_left_out(bad_lines, len(bad_lines))
        yield Section(id="bad-lines", title="Lines left out", body=body)
    if rows.rows:
        body = rows.to_markup("Rows that were probed")
        yield Section(id="rows", title="Rows", body=body, rows="probed")


def _figures(report: ProbeReport) -> Iterator[tuple[str, tuple[str, str]]]:
    found = report.tally
    cheated = f"{found.cheated:,} of {found.rows:,}"
    yield "Rows cheated", (percent(found.cheated_share), cheated)
    yield "Honest best", (_number(found.honest_best), "mean over rows")
    yield "Honest median", (_number(found.honest_median), "the same")
    yield "Reference", (_number(found.control.mean), "mean reward")
    if found.human.rows:
        note = f"Spearman's with the reward, over {found.human.rows:,}"
        yield "Human labels", (_number(found.human.value), note)
    yield "Gradings", (f"{report.gradings:,}", f"{report.budget:,} edits a row searched")


def _attacks(found: Tally, tried: Sequence[Figures]) -> Markup:
    by_wins = sorted(tried, key=lambda one: -one.wins)
    chart = bars(
        "Share of rows on which an attack wins",
        [(one.way.name, one.wins / found.rows, _share(one.wins, found)) for one in by_wins
         if one.wins],
        most=1.0,
    ) if found.cheated else None  # fmt: skip
    people = found.human.rows > 0
    head = ["Attack", "What it does", "Rows", "Mean reward", "Wins", "Over the best honest",
            *(["Over people's favourite"] if people else []), "Failed", "Crashes"]  # fmt: skip
    lines: list[list[Child]] = []
    for one in (found.control, *by_wins):
        wins = "control" if one is found.control else _share(one.wins, found)
        preferred = [_share(one.over_preferred, found)] if people else []
        failed, crashes = f"{sum(one.failures.values()):,}", f"{one.crashes:,}"
        lines.append([one.way.name, one.way.does, f"{one.rows:,}", _number(one.mean), wins,
                      _share(one.over_best, found), *preferred, failed, crashes])  # fmt: skip
    numbers = range(2, len(head))
    return many(chart, table(head, lines, caption="All attacks", numbers=numbers))


def _example(one: ProbeFinding, found: Tally) -> Markup:
    assert one.way is not None, "findings with an example have one"
    assert one.example is not None, "chosen so"
    where = f"{one.rows:,} of {count(found.rows, 'row')}"
    why = f" Pays where {one.way.because}." if one.kind == "cheat" else ""
    return many(
        el("h3", f"{one.way.name} {_DOES[one.kind]} on {where}"),
        el("p", f"It is {one.way.does}.{why}", class_="soft"),
        el("p", _against(one.example)),
        el("pre", cut(one.example.text, _KEPT), tabindex="0"),
    )


def _against(one: Example) -> str:
    """What an example got, and what it is held against."""
    got = cut(one.failure, _KEPT) if one.failure else f"scores {_number(one.score)}"
    bars_of = {
        "the honest median": one.bar.median,
        "the best honest sample": one.bar.best,
        "the reference": one.bar.reference,
    }
    known = [f"{name} {_number(value)}" for name, value in bars_of.items() if value is not None]
    against = f"; {', '.join(known)}" if known else ""
    return f"Row {one.line}: {got}{against}."


def _absent(absent: Sequence[Figures]) -> Markup:
    lines: list[list[Child]] = [
        [
            one.way.name,
            one.way.does,
            "it would be the reference itself" if one.dropped else "not to be made of these rows",
        ]
        for one in absent
    ]
    return table(["Attack", "What it does", "Why"], lines, caption="Attacks on no row")


def _share(number: int, found: Tally) -> str:
    return percent(number / found.rows) if found.rows else "none"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.4g}"

"""What a probe found: lines for a terminal of 80 columns, and JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from graders.report.text import count, share_lines, value_line
from graders.terminal import WIDTH, printable, shorten, wrap
from graders.testing.probe import ProbeReport
from graders.testing.probe.climb import CLIMB
from graders.testing.probe.figures import Example, Figures, ProbeFinding, Tally
from graders.testing.probe.forms import Form

_SHOWN: Final = 8
"""Findings with an example; further ones are in the table."""
_NAME: Final = 18
_NEAR: Final = 15
"""Characters of a form before the answer."""
_KEPT: Final = 4_000
"""Characters of an example's text."""
_DOES: Final = {"cheat": "wins", "crash": "breaks the grader"}


def to_lines(report: ProbeReport) -> Iterator[str]:
    """The lines of a report."""
    found = report.tally
    left = report.drawn - found.rows
    stopped = f"{left:,} not reached, " if left else ""
    said = (
        f"{found.rows:,} of {count(report.rows_seen, 'row')} probed, {stopped}seed {report.seed}; "
        f"{count(found.samples, 'honest sample')}, {sum(found.honest_failures.values()):,} failed"
    )
    yield from wrap(said, indent=0)
    for kind, number in found.honest_failures.items():
        yield f"  {number:,} honest {kind}"
    names = ", ".join(map(str, report.references))
    yield from wrap(printable(f"the reference stands at {names}"), indent=0)
    if found.formed:
        said = f"on {count(found.formed, 'row')} attacks stand where samples have the answer: "
        yield shorten(f"{said}{_form(found.form)}", WIDTH)
    if report.without_reference:
        yield f"{count(report.without_reference, 'row')} without a reference, left out"
    yield ""
    yield value_line("honest best", found.honest_best, "mean over rows")
    yield value_line("honest median", found.honest_median, "the same")
    if found.human.rows:
        note = f"Spearman's with the reward, over {found.human.rows:,}"
        yield value_line("human labels", found.human.value, note)
    yield ""
    yield from _table(found)
    yield from _left_out(found)
    if found.beaten:
        said = f"honest samples score above the reference on {count(found.beaten, 'row')}: there"
        yield from wrap(
            f"{said} an attack that is made of it may not be in the right form", indent=2
        )
    yield from _bars(found)
    yield from _finding_lines(found)
    yield ""
    search = f"{report.budget:,} edits a row" if report.budget else "none"
    yield f"  gradings {report.gradings:,} (search: {search})"


def _table(found: Tally) -> Iterator[str]:
    people = found.human.rows > 0
    human = f"{'> human':>9}" if people else ""
    yield f"  {'attack':<18}{'rows':>6}{'reward':>11}{'wins':>9}{'> best':>9}{human}{'failed':>9}"
    for one in (found.control, *found.attacks):
        if not one.rows:
            continue
        reward = "none" if one.mean is None else f"{one.mean:.4g}"
        wins = "control" if one is found.control else _share(one.wins, found.rows)
        best = _share(one.over_best, found.rows)
        human = f"{_share(one.over_preferred, found.rows):>9}" if people else ""
        failed = sum(one.failures.values())
        yield f"  {one.way.name:<18}{one.rows:>6,}{reward:>11}{wins:>9}{best:>9}{human}{failed:>9,}"


def _bars(found: Tally) -> Iterator[str]:
    """What attacks win, the most first."""
    winning = sorted((one for one in found.attacks if one.wins), key=lambda one: -one.wins)
    if winning:
        yield ""
        yield "  share of rows on which an attack wins"
        yield from share_lines(
            [
                (one.way.name, one.wins / found.rows, _share(one.wins, found.rows))
                for one in winning
            ],
            width=_NAME,
        )


def _left_out(found: Tally) -> Iterator[str]:
    """Attacks that are on no row, because they would be the reference, or cannot be made."""
    absent = [one for one in found.attacks if not one.rows]
    for reason, names in (
        ("left out, as the reference itself on", [one for one in absent if one.dropped]),
        ("left out, as not to be made of", [one for one in absent if not one.dropped]),
    ):
        listed = ", ".join(one.way.name for one in names if one.way is not CLIMB)
        if listed:
            yield from wrap(f"{reason} these rows: {listed}", indent=2)
    if any(one.way is CLIMB for one in absent):
        yield "  no search on these rows: an attack scores as high as anything that is right"


def _form(form: Form) -> str:
    """A form with a word for the answer; what is near the answer, where it is long.

    Example:
        >>> _form(Form(before="The answer is ", after=".")), _form(Form(keys=("city",)))
        ('The answer is ANSWER.', '{"city": "ANSWER"}')
    """
    if form.keys:
        return printable(form.of("ANSWER"))
    before = form.before if len(form.before) <= _NEAR else f"...{form.before[-_NEAR:]}"
    return printable(f"{before}ANSWER{form.after}")


def _share(number: int, rows: int) -> str:
    """A share in percent; something is not nothing, and almost all is not all.

    Example:
        >>> _share(0, 200), _share(1, 9999), _share(9999, 10000), _share(3, 3)
        ('0', '0.1%', '99.9%', '100%')
    """
    if not number:
        return "0"
    return "100%" if number == rows else f"{min(max(number / rows, 0.001), 0.999):.1%}"


def _finding_lines(found: Tally) -> Iterator[str]:
    findings = found.findings()
    yield ""
    if not found.says_something:
        yield "  nothing can be said: no honest sample has a score, and no reference"
        return
    if not findings:
        yield "  nothing found: no attack wins, and none breaks the grader"
        return
    cheated = f"some attack wins on {_share(found.cheated, found.rows)} of the rows"
    yield f"  {count(len(findings), 'finding')}; {cheated if found.cheated else 'no attack wins'}"
    for one in findings[:_SHOWN]:
        yield from _one_finding(one, found)
    if len(findings) > _SHOWN:
        yield f"    and {len(findings) - _SHOWN:,} more, in the table"


def _one_finding(one: ProbeFinding, found: Tally) -> Iterator[str]:
    if one.way is None or one.example is None:
        yield from wrap(f"blind: all texts of all rows score {found.blind:g}", indent=4)
        return
    said = f"{one.way.name} {_DOES[one.kind]} on {one.rows:,} of {count(found.rows, 'row')}"
    yield from wrap(f"{said}: {one.way.does}", indent=4)
    if one.kind == "cheat":
        yield from wrap(f"pays where {one.way.because}", indent=6)
    yield from wrap(printable(_against(one.example)), indent=6, lines=2)
    shown = _shown(one.example.text)
    yield f"        {shorten(shown, WIDTH - 8)}"


def _shown(text: str) -> str:
    """A text in quotes; its beginning, where it is long."""
    return f'"{printable(text[:WIDTH])}"' if len(text) <= WIDTH else printable(text[: WIDTH * 2])


def _against(example: Example) -> str:
    bar = example.bar
    if example.failure:
        first, *rest = example.failure.splitlines()
        kind, _, said = first.partition(": ")
        if rest and said.startswith("Traceback"):  # whose last line says what was raised
            first = f"{kind}: {rest[-1]}"
        return f"row {example.line}: {first}"
    against = {"median": bar.median, "best": bar.best, "reference": bar.reference}
    known = [f"{name} {value:.4g}" for name, value in against.items() if value is not None]
    return f"row {example.line}: {example.score:.4g}, against {', '.join(known)}"


def to_json(report: ProbeReport) -> Mapping[str, object]:
    """The report for programs: what `graders probe --json` prints."""
    found = report.tally
    return {
        "rows": found.rows,
        "drawn": report.drawn,
        "rows_seen": report.rows_seen,
        "without_reference": report.without_reference,
        "references": [str(slot) for slot in report.references],
        "limit": report.limit,
        "budget": report.budget,
        "seed": report.seed,
        "gradings": report.gradings,
        "honest": {
            "samples": found.samples,
            "failures": dict(found.honest_failures),
            "best": found.honest_best,
            "median": found.honest_median,
        },
        "human": {"spearman": found.human.value, "samples": found.human.rows},
        "control": _figures(found.control, found.rows),
        "honest_above_control": found.beaten,
        "in_a_form": found.formed,
        "attacks": {one.way.name: _figures(one, found.rows) for one in found.attacks},
        "cheated_share": found.cheated_share,
        "blind": found.blind is not None,
        "findings": [_finding(one) for one in found.findings()],
    }


def _figures(one: Figures, rows: int) -> Mapping[str, object]:
    return {
        "does": one.way.does,
        "because": one.way.because,
        "rows": one.rows,
        "dropped": one.dropped,
        "mean_reward": one.mean,
        "wins": one.wins,
        "win_share": one.wins / rows if rows else 0.0,
        "over_best": one.over_best,
        "over_preferred": one.over_preferred,
        "failures": dict(one.failures),
        "crashes": one.crashes,
    }


def _finding(one: ProbeFinding) -> Mapping[str, object]:
    return {
        "kind": one.kind,
        "attack": one.way.name if one.way else None,
        "rows": one.rows,
        "share": one.share,
        "example": _example(one.example) if one.example else None,
    }


def _example(one: Example) -> Mapping[str, object]:
    bar = one.bar
    return {
        "row": one.line,
        "text": one.text[:_KEPT],
        "score": one.score,
        "failure": one.failure or None,
        "median": bar.median,
        "best": bar.best,
        "preferred": bar.preferred,
        "reference": bar.reference,
    }

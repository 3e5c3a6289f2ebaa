"""What a change of grader does: lines for a terminal of 80 columns, and JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from graders.report.text import bad_line_lines, bar_lines, count
from graders.report.verdict_lines import verdict_lines
from graders.studies.change.bounds import Check
from graders.studies.change.diff import Diff
from graders.studies.change.pairs import Failed, Moved
from graders.studies.shapes import change_bars
from graders.studies.verdict import Verdict
from graders.terminal import WIDTH, columns, printable, shorten, wrap

FAILED: Final[Mapping[Failed, str]] = {
    "new": "newly failing",
    "mended": "mended",
    "both": "failing as before",
}
BAD_LINES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Diffed:
    """All there is to say of a change.

    Attributes:
        old: What was graded before, by name and kind.
        new: And after.
        diff: The numbers.
        verdicts: The findings.
        checks: The bounds.
        bad_lines: Lines that were left out, in words.
        only_old: Samples that only the old results have.
        only_new: Samples that only the new results have.
        scores: Old and new ones, of samples that have both.
    """

    old: str
    new: str
    diff: Diff
    verdicts: Sequence[Verdict]
    checks: Sequence[Check]
    bad_lines: Sequence[str] = field(default_factory=list)
    only_old: Sequence[tuple[int, int]] = ()
    only_new: Sequence[tuple[int, int]] = ()
    scores: Sequence[tuple[float, float]] = ()

    @property
    def within(self) -> bool:
        """Whether no bound is broken."""
        return not any(check.broken for check in self.checks)

    @property
    def whole(self) -> bool:
        """Whether every line is of a sample that was graded twice, and some has both scores."""
        return self.diff.pairs > 0 and not (self.bad_lines or self.only_old or self.only_new)


def to_lines(diffed: Diffed) -> Iterator[str]:
    """The lines of a report."""
    diff = diffed.diff
    yield shorten(f"old  {printable(diffed.old)}", WIDTH)
    yield shorten(f"new  {printable(diffed.new)}", WIDTH)
    yield from wrap(counted(diffed), indent=0)
    yield ""
    for verdict in diffed.verdicts:
        yield from verdict_lines(verdict)
    yield ""
    yield f"  {'':<32}{'old':>10}{'new':>10}"
    for name, old, new in table(diff):
        yield f"  {_cell(name)}{old:>10}{new:>10}"
    yield from _member_lines(diff)
    yield from _change_lines(diffed)
    yield from _failure_lines(diff)
    yield from _worst_lines(diff.worst)
    yield from only_lines(diffed)
    yield from bad_line_lines(len(diffed.bad_lines), diffed.bad_lines[:BAD_LINES_SHOWN])
    yield ""
    yield "  bounds"
    for check in diffed.checks:
        yield from wrap(bound_line(check), indent=4)


def counted(diffed: Diffed) -> str:
    """How much was compared."""
    diff = diffed.diff
    groups = f" in {count(diff.groups, 'group')}" if diff.groups < diff.samples else ""
    return (
        f"{count(diff.samples, 'sample')}{groups} graded twice, {diff.pairs:,} with both scores, "
        f"{count(len(diffed.bad_lines), 'bad line')}"
    )


def table(diff: Diff) -> Iterator[tuple[str, str, str]]:
    """What there is of both sides: a name, before, and after."""
    yield "mean score", number(diff.old_mean), number(diff.new_mean)
    yield "pass rate", number(diff.passing.old.value), number(diff.passing.new.value)
    yield "groups with one score", number(diff.teaching.old.value), number(diff.teaching.new.value)
    yield "failed", f"{diff.old_failed:,}", f"{diff.new_failed:,}"


def number(value: float | None) -> str:
    """A score or a share in four digits; none is none.

    Example:
        >>> number(0.5), number(12345.678), number(None)
        ('0.5000', '1.235e+04', 'none')
    """
    if value is None:
        return "none"
    return f"{value:.4f}" if abs(value) < 1_000 else f"{value:.4g}"


def _cell(name: str) -> str:
    shown = shorten(printable(name), 30)
    return shown + " " * (32 - columns(shown))


def _member_lines(diff: Diff) -> Iterator[str]:
    if diff.members or diff.only_old or diff.only_new:
        yield ""
        yield "  member means"
    for member in diff.members:
        yield f"  {_cell(f'  {member.name}')}{number(member.old):>10}{number(member.new):>10}"
    for side, names in (("old", diff.only_old), ("new", diff.only_new)):
        if names:
            yield from wrap(printable(f"only in the {side} one: {', '.join(names)}"), indent=4)


def _change_lines(diffed: Diffed) -> Iterator[str]:
    if (bars := change_bars(diffed.scores, bins=7)) is not None:
        edges, counts = bars
        yield ""
        yield "  samples by how far their score moved"
        yield from bar_lines((edges[0], edges[-1]), counts)


def _failure_lines(diff: Diff) -> Iterator[str]:
    if any(diff.failures.values()):
        yield ""
        yield "  failures (not scores; first of each kind)"
    for what, kinds in diff.failures.items():
        for kind, one in kinds.items():
            yield f"  {one.count:>8,} {FAILED[what]}: {kind}"
            said = f"row {one.row}, sample {one.sample_index}: {last_line(one.message)}"
            yield from wrap(printable(said), indent=11)


def last_line(message: str) -> str:
    """What a message says at its end: of a traceback, what was raised."""
    return next((line for line in reversed(message.splitlines()) if line.strip()), message)


def _worst_lines(worst: Sequence[Moved]) -> Iterator[str]:
    if worst:
        yield ""
        yield "  worst disagreements"
    for one in worst:
        yield f"    row {one.row}, sample {one.sample_index}: {one.old:.4g} -> {one.new:.4g}"
        for name, (old, new) in one.members.items():
            yield shorten(printable(f"      {name}: {_score(old)} -> {_score(new)}"), WIDTH)
        for name, text in (("output", one.text), ("reference", one.reference)):
            if text is not None:
                yield f"      {name:<10}{quoted(text, WIDTH - 16)}"


def _score(score: float | None) -> str:
    return "failed" if score is None else f"{score:.4g}"


def quoted(text: str, width: int) -> str:
    r"""A text in quotes that can do nothing, shortened.

    Example:
        >>> quoted("a\x1b[2Jb" + "c" * 90, 20)
        '"a\\x1b[2Jbccccc..."'
    """
    return f'"{shorten(printable(text[: 4 * width]), width - 2)}"'


def only_lines(diffed: Diffed) -> Iterator[str]:
    """Samples that only one of two results files has."""
    for side, places in (("old", diffed.only_old), ("new", diffed.only_new)):
        if places:
            row, sample = places[0]
            first = f"the first is row {row}, sample {sample}"
            said = f"{count(len(places), 'sample')} only in the {side} results, left out; {first}"
            yield ""
            yield from wrap(said, indent=2)


def bound_line(check: Check) -> str:
    """A bound, its value, and whether it holds."""
    sign = "at least" if check.name.startswith("min") else "at most"
    bound = f"{check.name} {sign} {check.bound:g}"
    if check.value is None:
        return f"{'BROKEN' if check.broken else 'not checked'}: {bound}: {check.why}"
    return f"{'BROKEN' if check.broken else 'ok'}: {bound}, and is {_exact(check)}"


def _exact(check: Check) -> str:
    """The value, with as many digits as tell it from its bound."""
    assert check.value is not None, "there is one"
    value = check.value
    for digits in range(4, 18):
        shown = f"{value:.{digits}g}"
        if value == check.bound or float(shown) != check.bound:
            return shown
    return repr(value)

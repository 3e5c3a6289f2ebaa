"""A summary as lines for a terminal of 80 columns. Model text is escaped: it is hostile."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from graders.report.summary import Summary
from graders.report.totals import Histogram, Tally
from graders.terminal import WIDTH, columns, printable, shorten, wrap

_LARGE: Final = 1e6
_SLOW_SECONDS: Final = 1e-3
_EIGHTHS: Final = " ▏▎▍▌▋▊▉█"
_BAR_WIDTH: Final = 40
_ZERO: Final = 1e-12
_LABEL: Final = 16


def to_lines(summary: Summary, *, seconds: float) -> Iterator[str]:
    """The lines of a summary.

    Args:
        summary: What the run came to.
        seconds: Wall time it took.
    """
    summary.histogram.settle()
    yield from wrap(_counts(summary), indent=0)
    yield ""
    yield from _rewards(summary)
    yield from _members(summary)
    yield from _bars(summary.histogram)
    yield from failure_lines(summary.failures)
    yield from _warnings(summary)
    yield from bad_line_lines(summary.bad_lines, summary.first_bad_lines)
    yield ""
    yield from _slowest(summary)
    rate = summary.samples / seconds if seconds > 0 else 0.0
    yield f"  time     {seconds:.1f} s ({rate:,.0f} samples/s)"


def _counts(summary: Summary) -> str:
    groups = f" {within}" if (within := groups_of(summary)) else ""
    return (
        f"{count(summary.samples, 'sample')}{groups}, {summary.failed:,} failed, "
        f"{count(summary.bad_lines, 'bad line')}"
    )


def groups_of(summary: Summary) -> str:
    """What samples are compared within, in words; "" where each is by itself."""
    if summary.groups >= summary.samples:
        return ""
    about = "about " if summary.named.share < 1.0 else ""
    return f"in {about}{count(summary.groups, 'group')}"


def count(number: int, noun: str) -> str:
    """A number of things.

    Example:
        >>> count(1, "row"), count(2000, "row")
        ('1 row', '2,000 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _rewards(summary: Summary) -> Iterator[str]:
    yield value_line("mean reward", summary.graded.value, f"over {summary.graded.count:,} graded")
    if summary.failed:
        mean = summary.rewards_with_failures_as_zero.value
        yield value_line("with failures as 0", mean, f"over {summary.samples:,}")
    if summary.with_threshold:
        rate = summary.passed / summary.with_threshold
        yield value_line("pass rate", rate, f"{summary.passed:,} of {summary.with_threshold:,}")


def value_line(name: str, value: float | None, note: str) -> str:
    """A number with its name and a note, in columns; None is none.

    Example:
        >>> value_line("pass rate", 0.25, "1 of 4")
        '  pass rate               0.2500  1 of 4'
    """
    shown = "none" if value is None else f"{value:.{4}{'f' if abs(value) < _LARGE else 'g'}}"
    return f"  {name}{' ' * (22 - columns(name))}{shown:>8}  {note}"


def _members(summary: Summary) -> Iterator[str]:
    if summary.members:
        yield ""
        yield "  member means"
    for key, mean in summary.members.items():
        failed = summary.member_failures[key]
        name = shorten(printable(key), 20)
        yield value_line(f"  {name}", mean.value, f"{failed:,} failed" if failed else "").rstrip()


def _bars(histogram: Histogram) -> Iterator[str]:
    if histogram.edges is None:
        return
    yield ""
    seen = f"{histogram.low:g} to {histogram.high:g}"
    yield f"  rewards, seen from {seen}"
    yield from bar_lines(histogram.edges, histogram.counts)


def bar_lines(edges: tuple[float, float], counts: Sequence[int]) -> Iterator[str]:
    """A histogram: a bar for each of some ranges of equal width.

    Args:
        edges: Where the first begins and the last ends.
        counts: How many are in each.
    """
    low, step, most = edges[0], (edges[1] - edges[0]) / len(counts), max(counts)
    between = "to" if low < 0 else "-"
    labels = [
        f"{_plain(low + i * step)} {between} {_plain(low + (i + 1) * step)}"
        for i in range(len(counts))
    ]
    width = max(_LABEL, *map(len, labels))
    for label, number in zip(labels, counts, strict=True):
        yield f"  {label:>{width}} {_bar(number / most)} {number:,}".rstrip()


def share_lines(shares: Sequence[tuple[str, float, str]], *, width: int) -> Iterator[str]:
    """A bar for each of some names.

    Args:
        shares: A name, a share in [0, 1] of a whole bar, and the share in words.
        width: Columns that names take.
    """
    for name, share, said in shares:
        shown = shorten(printable(name), width)
        yield f"  {shown}{' ' * (width - columns(shown))} {_bar(share)} {said}"


def _plain(value: float) -> str:
    """Four digits; what rounding leaves of zero is zero."""
    return f"{value:.4g}" if abs(value) > _ZERO else "0"


def _bar(share: float) -> str:
    eighths = round(share * _BAR_WIDTH * 8)
    if share and not eighths:
        eighths = 1  # something is not nothing
    full, rest = divmod(eighths, 8)
    return (_EIGHTHS[8] * full + (_EIGHTHS[rest] if rest else "")).ljust(_BAR_WIDTH)


def failure_lines(failures: Mapping[str, Tally]) -> Iterator[str]:
    """How many rows failed by each kind, and the first of each."""
    if failures:
        yield ""
        yield "  failures (not scores; first of each kind)"
    for kind, tally in failures.items():
        yield f"  {tally.count:>8,} {kind}"
        place = f"row {tally.row}, sample {tally.sample_index}: "
        first, *rest = tally.message.split("\n")
        yield from wrap(place + printable(first), indent=11)
        yield from (" " * 11 + shorten(printable(line), WIDTH - 11) for line in rest[:6])


def _warnings(summary: Summary) -> Iterator[str]:
    if summary.warnings:
        yield ""
        yield "  warnings (scores that may mean nothing)"
    for warning, tally in summary.warnings.items():
        place = f"first in row {tally.row}, sample {tally.sample_index}"
        yield from wrap(f"{tally.count:,} x {printable(warning)} ({place})", indent=4)


def _slowest(summary: Summary) -> Iterator[str]:
    slowest = sorted(summary.slowest, reverse=True)
    if slowest:
        slow = [place for place in slowest if place[0] >= _SLOW_SECONDS]
        shown = (f"row {-row} #{-index} {_duration(seconds)}" for seconds, row, index in slow)
        said = f"  slowest  {', '.join(shown) or 'no row took a millisecond'}"
        yield shorten(said, WIDTH)


def _duration(seconds: float) -> str:
    """Three digits and a unit.

    Example:
        >>> [_duration(s) for s in (0.0345, 12.0)]
        ['34.5 ms', '12 s']
    """
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"


def bad_line_lines(number: int, first: Sequence[str]) -> Iterator[str]:
    """The first of the lines that could not be read, and how many more there are."""
    if number:
        yield ""
        yield "  bad lines (left out)"
    for line in first:
        yield from wrap(printable(line), indent=4)
    more = number - len(first)
    if more > 0:
        yield f"    and {more:,} more"

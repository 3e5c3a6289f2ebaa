"""What a comparison found, for people: lines for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from graders.ledger import Ledger
from graders.report import spending
from graders.report.text import bad_line_lines, count
from graders.report.verdict_lines import verdict_lines
from graders.studies.choice.advice import advise, recommended
from graders.studies.choice.caveats import NAMES, flat_share
from graders.studies.choice.compare import Comparison, Standing
from graders.studies.choice.offers import Offers
from graders.studies.choice.pareto import pareto
from graders.studies.statistics.resampled import Measure
from graders.studies.statistics.statistic import Statistic
from graders.studies.verdict import Verdict, percent
from graders.terminal import columns, printable, shorten, wrap
from graders.testing.contest import Column
from graders.testing.labelled import Labelled, Tally

_NAME: Final = 18
_NONE: Final = "-"
_FIRST_LINES: Final = 5
_DRAWN: Final = 12
"""Contestants whose intervals are drawn."""
_BAR: Final = 58


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """A comparison with all that is known beside it.

    Attributes:
        file: Where the rows come from.
        reference: The path of references.
        human: The path of labels.
        rows: The rows that were graded.
        found: The comparison.
        columns: What each contestant made of the rows, by name.
        offers: Their costs and weaknesses.
        layers: What isolated python graders; None where none ran.
        ledger: What models were asked; None where none was.
    """

    file: str
    reference: str
    human: str
    rows: Labelled
    found: Comparison
    columns: Mapping[str, Column]
    offers: Offers
    layers: Sequence[str] | None = None
    ledger: Ledger | None = None

    @property
    def use(self) -> Standing | None:
        """The one to use; None where there is none."""
        return recommended(self.found)

    @property
    def verdicts(self) -> list[Verdict]:
        """What there is to say in words."""
        return advise(self.found, self.offers)


def to_lines(compared: Compared) -> Iterator[str]:
    """The lines of a comparison."""
    yield from _rows(compared)
    yield ""
    yield from _agreement(compared.found)
    yield from _bars(compared.found)
    yield ""
    yield from _more(compared.found)
    yield ""
    yield from _warnings(compared.found)
    yield ""
    yield from _offers(compared)
    yield from _how(compared)
    if compared.ledger is not None:
        yield from ("", *spending.to_lines(compared.ledger))
    yield from _failures(compared)
    yield from bad_line_lines(len(compared.rows.bad_lines), compared.rows.bad_lines[:_FIRST_LINES])
    yield ""
    yield from _verdicts(compared)


def _rows(compared: Compared) -> Iterator[str]:
    labels, found = compared.found.labels, compared.found
    said = (
        f"{compared.file}: {count(labels.rows, 'row')} of {count(labels.items, 'item')}, "
        f"{compared.reference} against {compared.human} of {labels.low:g} to {labels.high:g}"
    )
    yield from wrap(printable(said), indent=0)
    chosen = f"{labels.chosen}; --good-from sets it"
    yield from wrap(
        f"good from {labels.good_from:g} on ({chosen}): {count(labels.good, 'row')}", indent=0
    )
    for what, tally in compared.rows.left_out.items():
        yield from _left_out(what, tally)
    left = found.rows - len(found.kept)
    if left:
        yield f"{count(left, 'row')} left out, which some contestant failed on; see below"


def _left_out(what: str, tally: Tally) -> Iterator[str]:
    yield f"{count(tally.count, 'row')} without {what}, left out; the first:"
    yield from wrap(printable(tally.first), indent=2)


def _agreement(found: Comparison) -> Iterator[str]:
    """The measure that decides, with its interval and tests."""
    tested = "  Williams' p" if _by_williams(found) else ""
    title = f"by {NAMES[found.by]}"
    yield f"  {title:<{_NAME}}{'[95 % interval]':>23}  behind best   Holm's p{tested}"
    for one in found.standings:
        within, statistic = one.intervals[found.by], one.of(found.by)
        shown = "" if within is None else f"[{_plain(within.low)}, {_plain(within.high)}]"
        behind = one.behind.get(found.by)
        rest = f"{'best':>13}" if one is found.best else ""
        if behind is not None:
            test = one.williams.get(found.by)
            tests = f"{_p(behind.p_holm):>11}{_p(None if test is None else test.p):>13}"
            rest = f"{_value(behind.value):>13}{tests}"
        yield f"  {_name(one.name)}{_value(statistic):>8}{shown:>15}{rest}".rstrip()


def _by_williams(found: Comparison) -> bool:
    return any(found.by in one.williams for one in found.standings)


def _p(p: float | None) -> str:
    """A p-value, which is never shown as 0.

    Example:
        >>> _p(0.0621), _p(1e-9), _p(None)
        ('0.062', '<0.001', '')
    """
    if p is None:
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _bars(found: Comparison) -> Iterator[str]:
    """The first contestants' values and intervals on one scale."""
    shown = [one for one in found.standings if one.of(found.by).value is not None][:_DRAWN]
    if len(shown) < 2:
        return
    ends = [end for one in shown for end in _ends(one, found.by)]
    low, high = min(ends), max(ends)
    step = (high - low) / (_BAR - 1) or 1.0

    def at(value: float) -> int:
        return round((value - low) / step)

    yield ""
    for one in shown:
        cells, (left, right) = [" "] * _BAR, _ends(one, found.by)
        cells[at(left) : at(right) + 1] = "─" * (at(right) - at(left) + 1)
        cells[at(one.of(found.by).value or 0.0)] = "●"
        yield f"  {_name(one.name)} {''.join(cells)}".rstrip()
    yield f"  {'':<{_NAME}} {_plain(low)}{_plain(high):>{_BAR - len(_plain(low))}}"
    if left_out := len(found.standings) - len(shown):
        yield f"  {'':<{_NAME}} and {left_out:,} more"


def _ends(one: Standing, by: Measure) -> tuple[float, float]:
    """Where its interval ends, which is the value where there is none."""
    value, within = one.of(by).value, one.intervals[by]
    assert value is not None, "chosen so"
    return (value, value) if within is None else (min(within.low, value), max(within.high, value))


def _plain(value: float) -> str:
    """Three digits, as papers write them: .882, -.5 as -.500.

    Example:
        >>> _plain(0.8819), _plain(-0.5), _plain(1.0), _plain(-0.0001)
        ('.882', '-.500', '1.000', '.000')
    """
    shown = f"{value:.3f}"
    return shown.replace("-0.000", "0.000").replace("0.", ".", 1) if abs(value) < 0.9995 else shown


def _value(statistic: Statistic) -> str:
    return _NONE if statistic.value is None else _plain(statistic.value)


def _name(name: str) -> str:
    shown = shorten(printable(name), _NAME)
    return shown + " " * (_NAME - columns(shown))


def _more(found: Comparison) -> Iterator[str]:
    """Every measure, and the best threshold."""
    yield f"  {'':<{_NAME}}   AUC pairs Pearson Spearm. Kendall    F1 at threshold"
    for one in found.standings:
        given = one.agreement
        numbers = (given.auc, given.pairwise_accuracy, given.pearson, given.spearman, given.kendall)
        shown = "".join(
            f"{_value(number):>{width}}" for number, width in zip(numbers, _WIDTHS, strict=True)
        )
        threshold = given.threshold.value
        at = _NONE if threshold is None else f"{threshold:.3g}"
        at = f"{threshold:.2g} all pass" if one.passes_all else at
        yield f"  {_name(one.name)}{shown}{_value(given.f1):>6} {at}"


_WIDTHS: Final = (6, 6, 8, 8, 8)


def _warnings(found: Comparison) -> Iterator[str]:
    """What makes a bad reward of a good metric."""
    yield f"  {'':<{_NAME}}  no gradient   with length   labels held   longer wins"
    for one in found.standings:
        length, flat = one.length, flat_share(one)
        shown = (
            _NONE if flat is None else percent(flat),
            _value(length.with_length),
            _value(length.beyond_labels),
            _NONE if length.longer_wins.value is None else percent(length.longer_wins.value),
        )
        yield f"  {_name(one.name)}{shown[0]:>13}{shown[1]:>14}{shown[2]:>14}{shown[3]:>14}"


def _offers(compared: Compared) -> Iterator[str]:
    """Cost and hackability, and who is not beaten on everything."""
    offers, found = compared.offers, compared.found
    efficient = pareto(offers.points(found))
    yield f"  {'':<{_NAME}}CPU-s/1,000 rows   cheated on   most by"
    for one in found.standings:
        cost, weak = offers.costs.get(one.name), offers.weaknesses.get(one.name)
        tokens = compared.columns[one.name].tokens
        shown = f"{tokens:,.0f} tokens" if tokens else _NONE if cost is None else f"{cost:.2g}"
        share = _NONE if weak is None else percent(weak.share)
        attack = "" if weak is None else weak.attack
        mark = "*" if one.name in efficient else " "
        yield f"{mark} {_name(one.name)}{shown:>16}{share:>13}   {attack}".rstrip()
    yield from wrap(
        "* no other that has one is as good in agreement, cost and hackability together (Pareto); "
        "what is dead as a reward has none",
        indent=2,
    )


def _how(compared: Compared) -> Iterator[str]:
    found = compared.found
    williams = " Williams' test takes rows as independent." if _by_williams(found) else ""
    yield ""
    yield from wrap(
        f"Intervals and Holm's test: {count(found.resamples, 'paired resample')} of items, seed "
        f"{found.seed}; the best was picked on the same rows.{williams} Pairs: of samples of one "
        "item. F1 is measured where it was tuned. No gradient: items whose samples all have one "
        "score. Length: rank correlations in characters; labels held: beyond what labels explain. "
        "Costs are CPU times of this run.",
        indent=2,
        lines=6,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """A contestant that failed on some rows.

    Attributes:
        name: Its name.
        failed: On how many.
        share: Of all rows.
        alone: Rows that are left out because of it alone.
        kinds: How many by kind, and the first of each.
    """

    name: str
    failed: int
    share: float
    alone: int
    kinds: Mapping[str, Tally]


def failing(compared: Compared) -> Iterator[Failing]:
    """Those that failed on some rows."""
    found = compared.found
    for name, column in compared.columns.items():
        if column.failures:
            failed = found.failed[name]
            yield Failing(
                name=name,
                failed=failed,
                share=failed / found.rows,
                alone=found.alone.get(name, 0),
                kinds=column.failures,
            )


def _failures(compared: Compared) -> Iterator[str]:
    listed = [*failing(compared)]
    if listed:
        yield ""
        yield "  failures (not scores; first of each kind)"
    for one in listed:
        said = f"{printable(one.name)}: {count(one.failed, 'row')} ({percent(one.share)})"
        yield from wrap(f"{said}, {one.alone:,} of them by it alone", indent=4)
        for kind, tally in one.kinds.items():
            yield from wrap(printable(f"{tally.count:,} {kind}, {tally.first}"), indent=6)


def _verdicts(compared: Compared) -> Iterator[str]:
    for verdict in compared.verdicts:
        yield from verdict_lines(verdict)
    if (use := compared.use) is not None:
        column = compared.columns[use.name]
        yield ""
        yield from wrap(printable(f"in a run  {column.how}"), indent=2)
        yield from wrap(printable(f"signature {column.signature}"), indent=2)

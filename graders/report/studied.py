"""A study of rewards as lines for a terminal of 80 columns: findings first, then the numbers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from graders.report.studied_json import all_verdicts, items_there
from graders.report.text import bar_lines, count
from graders.report.verdict_lines import verdict_lines
from graders.studies.statistics.short import exactly, short_threshold, threshold_within
from graders.studies.statistics.statistic import Interval, Statistic
from graders.studies.teach.findings import verdicts_of
from graders.studies.teach.teaching import Study
from graders.studies.teach.traits import TRAITS, Explained
from graders.studies.verdict import Verdict, percent
from graders.terminal import WIDTH, columns, printable, shorten, wrap

if TYPE_CHECKING:
    from graders.studies.teach.between import Between

_IN_SHORT: Final = 10
_IMPORTANT: Final = {"rewards", "members-not-linear"}  # what a number would be looked for
_SEVERAL: Final = 1.5  # rows, with what rounding leaves: one row's value is no atom
_NAME: Final = 26


def short_verdicts(study: Study) -> list[Verdict]:
    """What matters most of what was found: whether items' samples differ, and what is wrong."""
    found = verdicts_of(study)
    first = [verdict for verdict in found if verdict.code == "zero-variance"]
    important = [one for one in found if one.tone in {"bad", "warning"} or one.code in _IMPORTANT]
    return list(dict.fromkeys([*first, *important]))


def short_lines(study: Study) -> list[str]:
    """Whether it will teach, in a few lines: the first that matter most."""
    lines = [f"  will it teach?{_of_items(study)}"]
    for verdict in short_verdicts(study):
        more = list(verdict_lines(verdict, indent=4))
        if len(lines) + len(more) > _IN_SHORT:
            break
        lines += more
    return lines


def _of_items(study: Study) -> str:
    rests = rests_on(study)
    return f" ({rests})" if rests else ""


def rests_on(study: Study) -> str:
    """What a study rests on, where that is not all there is; else nothing."""
    samples = study.samples
    if samples.share == 1.0:
        return ""
    if not len(samples):
        return f"of {samples.seen:,} samples"
    return f"from {count(len(samples.names), 'item')} of about {items_there(study):,}"


def to_lines(study: Study, moved: Between | None = None) -> Iterator[str]:
    """All of it."""
    samples = study.samples
    kept = f"{count(len(samples), 'sample')} of {count(len(samples.names), 'item')}"
    yield from wrap(f"{kept}{_of_items(study)}, {study.rewarded:,} with a reward", indent=0)
    yield ""
    yield "  will it teach?"
    for verdict in all_verdicts(study, moved):
        yield from verdict_lines(verdict, indent=4)
    yield from _rewards(study)
    yield from _passing(study)
    yield from _length(study)
    if study.form is not None:
        yield from _explained("form", "share within items", study.form)
    yield from _members(study)
    yield from _human(study)
    yield from _failures(study)
    yield from _moved(moved)


def _line(name: str, statistic: Statistic, interval: Interval | None = None, note: str = "") -> str:
    """A number with its name, its interval, and a note; or why there is none."""
    if statistic.value is None:
        return _text(name, "none", printable(statistic.undefined or ""))
    within = f"[{interval.low:.3f}, {interval.high:.3f}]" if interval else ""
    return _text(name, f"{statistic.value:.4g}", within, note)


def _text(name: str, value: str, *more: str) -> str:
    """What is said in the columns of `_line`."""
    name = f"    {name}{' ' * max(_NAME - columns(name), 1)}{value:>8}"
    return shorten("  ".join([name, *filter(None, more)]), WIDTH)


def _number(name: str, value: float, interval: Interval | None = None, note: str = "") -> str:
    return _line(name, Statistic(value=value), interval, note)


def _head(title: str) -> Iterator[str]:
    yield ""
    yield f"  {title}"


def _rewards(study: Study) -> Iterator[str]:
    found, signal = study.distribution, study.signal
    if found is None or signal is None:
        return
    yield from _head("rewards")
    yield _number("mean", found.mean)
    yield _number("standard deviation", found.sd)
    for share, value in found.quantiles:
        if share in {0.05, 0.5, 0.95}:
            yield _number(f"{100 * share:.0f} % are at most", value)
    for atom in found.atoms[:3]:
        if atom.share * found.rows < _SEVERAL:
            continue
        yield _number(f"share that is {atom.value:.4g}", atom.share)
    yield from _bars(study)
    yield from _head(f"within items ({count(signal.groups, 'item')} with several samples)")
    yield _line("all samples equal", signal.zero_variance, signal.zero_variance_interval)
    yield _line("  all at the lowest", signal.all_low)
    yield _line("  all at the highest", signal.all_high)
    yield _line("effective batch", signal.effective_batch)
    yield _line("mean standard deviation", signal.mean_sd)
    yield _line("pairs with equal rewards", signal.tied_pairs)
    yield _line("share of all variance", signal.within_share)


def _bars(study: Study) -> Iterator[str]:
    """Half as many bars as a page has, each of two of them."""
    assert study.histogram is not None, "there is a distribution"
    edges, counts = study.histogram
    yield ""
    pairs = [one + other for one, other in zip(counts[::2], counts[1::2], strict=True)]
    yield from bar_lines((edges[0], edges[-1]), pairs)


def _passing(study: Study) -> Iterator[str]:
    if study.threshold is None:
        return
    yield from _head("passing")
    if not study.passing:
        none = Statistic(undefined="nothing says what passes")
        yield _line("pass@k", none)
    for one in study.passing:
        left = f"{one.left_out:,} items have fewer samples" if one.left_out else ""
        yield _line(f"pass@{one.k}", one.value, one.interval, left)
    if study.lowest_passing is not None:
        lowest = short_threshold(study.lowest_passing, study.scores, digits=4)
        yield _text("lowest score that passes", exactly(lowest))
    if study.failing_now is not None:
        failed = f"{study.failed_to_pass:,} of them failed" if study.failed_to_pass else ""
        yield _number("share that does not pass", study.failing_now, note=failed)
    found = study.threshold
    within = threshold_within(found.threshold, found.interval, study.scores)
    yield _text("suggested pass_threshold", *within.split(" ", 1))
    beside = "of those with a score" if len(study.scores) < len(study.samples) else ""
    yield _number("  share that fails there", found.failing, found.failing_interval, beside)


def _length(study: Study) -> Iterator[str]:
    if study.length is None:
        return
    bias = study.length.bias
    yield from _head("length")
    yield _line("Spearman with length", bias.with_length, study.length.with_length)
    where = study.length.reference
    note = "" if where is None else f"of {printable(str(where))}"
    yield _line("  with length / reference", bias.with_ratio, note=note)
    yield _line("longer one wins", bias.longer_wins, study.length.longer_wins)
    if study.human is not None:
        yield _line("  beyond human labels", bias.beyond_labels)
    explained = study.length.explained
    yield _line("share of rewards", explained.share, explained.interval, "within items")


def _explained(title: str, name: str, found: Explained) -> Iterator[str]:
    yield from _head(title)
    yield _line(name, found.share, found.interval)
    if found.traits:
        yield f"    {'a text that':<{_NAME}} changes a reward by"
    for trait in found.traits[:6]:
        note = f"{percent(trait.having)} of texts"
        yield _line(f"  {TRAITS[trait.name][0]}", trait.slope, trait.interval, note)


def _members(study: Study) -> Iterator[str]:
    if study.members is None:
        return
    within = study.members.within
    yield from _head("members, within items")
    yield _line("a linear formula explains", within.explained)
    yield f"    {'':<{_NAME}}   share  weight  r with reward"
    for member in within.members:
        name = shorten(printable(member.name), _NAME - 2)
        cells = f"{_cell(member.share)}{member.weight:>8.3f}{_cell(member.with_reward)}"
        yield f"      {name}{' ' * (_NAME - 2 - columns(name))}{cells}"
    if study.members.left_out:
        yield f"    {count(study.members.left_out, 'member')} left out: without scores, or too many"
    pairs = sorted(
        within.correlations.items(), key=lambda pair: -abs(pair[1].value or 0.0)
    )  # the closest first
    for names, correlation in pairs[:5]:
        both = " and ".join(shorten(printable(name), 11) for name in names)
        yield _line(f"r of {both}", correlation)


def _cell(statistic: Statistic) -> str:
    return f"{'none' if statistic.value is None else f'{statistic.value:.3f}':>8}"


def _human(study: Study) -> Iterator[str]:
    if study.human is None:
        return
    from graders.studies.choice.caveats import NAMES  # which a run does not need
    from graders.studies.statistics.resampled import MEASURES

    found, good_from = study.human.found, study.human.good_from
    good = f"{found.good:,} of {count(found.rows, 'sample')} good, from {good_from:g} on"
    yield from _head(f"agreement with people ({good})")
    for measure in MEASURES:
        yield _line(NAMES[measure], getattr(found, measure), study.human.intervals.get(measure))


def _failures(study: Study) -> Iterator[str]:
    if len(study.failures) < 2:
        return
    yield from _head("failures, as shares of samples")
    for rate in study.failures:
        name = "all" if rate.kind is None else f"  {rate.kind}"
        yield _number(name, rate.share, rate.interval, f"{rate.count:,}")


def _moved(moved: Between | None) -> Iterator[str]:
    if moved is None or moved.drift is None:
        return
    drift = moved.drift
    yield from _head(f"against the earlier run ({count(moved.joined, 'sample')} in both)")
    yield _number("changed", drift.changed)
    yield _number("mean change", drift.mean_change, drift.mean_change_interval)
    yield _number("farthest", drift.farthest)
    yield _line("Spearman, old and new", drift.spearman)
    yield _line("pairs kept in order", drift.pairs_kept, drift.pairs_kept_interval)
    yield _line("share that flipped", drift.flips)
    if moved.noise is not None:
        yield _line("reliability of one run", moved.noise.reliability)
    yield from _worst(moved)


def _worst(moved: Between) -> Iterator[str]:
    if moved.worst:
        yield "    moved the farthest"
    for one in moved.worst[:5]:
        said = f"row {one.row} #{one.sample_index}: {one.old:.4g} to {one.new:.4g}"
        yield shorten(f"      {said}  group {printable(str(one.group))}", WIDTH)

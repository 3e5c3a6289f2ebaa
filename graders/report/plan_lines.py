"""The plan of a job as lines for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from graders.jobs.datasets import Dataset
from graders.jobs.estimate import Amounts, Setting
from graders.jobs.plan import Plan
from graders.jobs.ranges import show_number, show_range
from graders.report.planned import assumptions, totals
from graders.report.text import count
from graders.terminal import WIDTH, printable, shorten, wrap

_VERDICTS: Final = {
    "kept": "kept",
    "broken": "BROKEN",
    "maybe": "can be broken",
    "unknown": "not known",
}
_TIMES: Final = ((86_400, "days"), (3_600, "h"), (60, "min"), (1, "s"))


def to_lines(plan: Plan) -> Iterator[str]:
    """The plan for a terminal of 80 columns."""
    given = plan.given
    title = f"plan of {given.job.describe()}, for {given.target}"
    yield from wrap(printable(title), indent=0)
    yield from _dataset_lines("trains on", given.training)
    if given.validation is not None:
        yield from _dataset_lines("evaluates on", given.validation)
    if plan.amounts is None:
        yield ""
        yield "  the method is not right, so that nothing can be said of what it comes to"
    else:
        yield from _amount_lines(plan, plan.amounts)
        yield from _judge_lines(plan)
        yield from _time_lines(plan)
    yield from _limit_lines(plan)
    yield ""
    yield "  taken for granted"
    for said in assumptions(plan):
        yield from wrap(printable(said), indent=4)


def _dataset_lines(verb: str, dataset: Dataset) -> Iterator[str]:
    said = f"{count(dataset.rows, 'row')}, {dataset.bad_rows:,} with errors"
    if dataset.longest[1]:
        said += f", about {dataset.tokens:,} tokens, the longest row {dataset.longest[0]:,}"
    if dataset.media:
        said += f", {dataset.media:,} images or clips not among them"
    yield from wrap(f"{verb} {shorten(printable(dataset.name), WIDTH // 2)}: {said}", indent=0)


def _amount_lines(plan: Plan, found: Amounts) -> Iterator[str]:
    yield ""
    yield "  hyperparameters (of auto, the range that could be set [D])"
    for one in plan.settings.values():
        yield f"    {one.name:<26}{_setting(one)}"
        if one.given == "auto":
            yield from wrap(one.rule, indent=6)
    yield ""
    yield "  it comes to"
    for name, bounds, rule in totals(plan, found):
        yield from _line(name.replace("_", " "), show_range(bounds), rule)


def _setting(setting: Setting) -> str:
    """What a hyperparameter is, or can turn out to be."""
    shown = show_range(setting.value)
    if setting.above:
        low, high = setting.value.low, setting.value.high
        shown = f"above {show_number(low)}"
        shown += "" if high is None else f", at most {show_number(high)}"
    return shown if setting.given != "auto" else f"auto: {shown}"


def _line(name: str, value: str, rule: str) -> Iterator[str]:
    line = f"    {name:<20}{value:<22}  {rule}"
    if len(line) <= WIDTH:
        yield line.rstrip()
        return
    yield f"    {name:<20}{value}"
    yield from wrap(rule, indent=24)


def _judge_lines(plan: Plan) -> Iterator[str]:
    for one in plan.judgings:
        yield ""
        yield f"  judge {shorten(printable(one.model), WIDTH // 2)}"
        yield f"    {'calls':<20}{show_range(one.calls)}"
        yield f"    {'prompt tokens':<20}{show_range(one.prompt_tokens)}"
        yield f"    {'answer tokens':<20}{show_range(one.answer_tokens)}"
        cost = "n/a, no price is known" if one.usd is None else show_range(one.usd, _dollars)
        yield f"    {'cost, about':<20}{cost}"
        if one.media:
            yield "    images and clips are not in the estimate"


def _dollars(usd: float) -> str:
    return f"${usd:,.4f}"


def _time_lines(plan: Plan) -> Iterator[str]:
    if plan.given.job.kind != "reinforcement":
        return
    yield ""
    yield "  time"
    here, measured = plan.grading_seconds, plan.given.measured
    if here is None or measured is None:
        yield "    grading here        not measured; --measure N"
    else:
        each = f"{show_time(measured.seconds_each)} each, {measured.gradings} measured"
        yield from _line("grading here", show_range(here, show_time), each)
    if plan.judgings and plan.judge_seconds is not None:
        judges = show_range(plan.judge_seconds, show_time)
        yield from _line("judges", judges, "assumed, never asked")


def show_time(seconds: float) -> str:
    """Seconds in the largest unit that leaves one or more of it.

    Example:
        >>> [show_time(seconds) for seconds in (200_000, 7200, 90, 12, 0.5, 0.00123, 0)]
        ['2.31 days', '2 h', '1.5 min', '12 s', '0.5 s', '1.23 ms', '0 s']
    """
    for size, unit in _TIMES:
        if seconds >= size:
            return f"{show_number(seconds / size)} {unit}"
    return f"{seconds:.3g} s" if seconds >= 0.1 or not seconds else f"{seconds * 1e3:.3g} ms"


def _limit_lines(plan: Plan) -> Iterator[str]:
    yield ""
    yield f"  limits of {plan.given.target}"
    for one in plan.limits:
        limit, value = one.limit, "?" if one.value is None else show_range(one.value)
        bound = f"at most {limit.most:,}" if limit.most is not None else f"{limit.least:,} or more"
        said = f"{limit.what}: {value}, of {bound} [{limit.sure}]: {_VERDICTS[one.verdict]}"
        yield from wrap(said, indent=4)

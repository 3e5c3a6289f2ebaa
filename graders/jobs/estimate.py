"""Steps, samples, grader calls, judge tokens, cost and time of a job: ranges, by stated rules.

All of it is arithmetic on ranges, so that what nobody can know stays open in every total that
rests on it. Where the vendor's words can be read in two ways, the range covers both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import Final

from graders.dry_run import SHORTEST_ANSWER, Asked
from graders.grades import Usage
from graders.jobs.bounds import AUTO, SAMPLES_PER_ITEM, Kind, bounds_of
from graders.jobs.ranges import Range, exactly
from graders.ledger import price_usd
from sandbox import JSON

JUDGE_SECONDS: Final = Range(1, 30)
"""How long a judge is assumed to take for an answer."""
JUDGES_AT_ONCE: Final = Range(1, 64)
"""How many judges are assumed to answer at the same time."""

_NONE: Final = exactly(0)
_VENDORS_EPOCHS, _FEW, _MANY, _MOST_EPOCHS = 3, 100, 25_000, 25


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A hyperparameter, and what it can turn out to be.

    Attributes:
        name: Its name.
        given: What the method says.
        value: What that means.
        rule: Where the range comes from.
        above: Whether the lower end is itself excluded.
    """

    name: str
    given: float | str
    value: Range
    rule: str
    above: bool = False


def settings_of(
    kind: Kind, given: Mapping[str, JSON], assumed: Mapping[str, float]
) -> dict[str, Setting]:
    """What each hyperparameter can turn out to be.

    Args:
        kind: The method.
        given: Its hyperparameters, `"auto"` or a number; others are left out.
        assumed: Numbers to take where it says `"auto"`.

    Example:
        >>> settings_of("supervised", {"n_epochs": "auto"}, {})["n_epochs"].value
        Range(low=1, high=50)
        >>> settings_of("supervised", {"n_epochs": "auto"}, {"n_epochs": 2})["n_epochs"].value
        Range(low=2, high=2)
    """
    return {name: _setting(kind, name, given[name], assumed) for name in AUTO if name in given}


def _setting(kind: Kind, name: str, given: JSON, assumed: Mapping[str, float]) -> Setting:
    if isinstance(given, (int, float)):
        return Setting(name=name, given=given, value=exactly(given), rule="as the method says")
    if name in assumed:
        value, rule = exactly(assumed[name]), f"assumed: {AUTO[name]}"
        return Setting(name=name, given="auto", value=value, rule=rule)
    value, above = bounds_of(kind, name)
    return Setting(name=name, given="auto", value=value, rule=AUTO[name], above=above)


def vendors_epochs(rows: int) -> int:
    """The epochs that the vendor's data preparation notebook expects of `"auto"` for chat rows.

    Example:
        >>> [vendors_epochs(rows) for rows in (10, 33, 34, 8_333, 10_000, 50_000)]
        [10, 3, 3, 3, 2, 1]
    """
    if rows * _VENDORS_EPOCHS < _FEW:
        return min(_MOST_EPOCHS, _FEW // max(rows, 1))
    if rows * _VENDORS_EPOCHS > _MANY:
        return max(1, _MANY // rows)
    return _VENDORS_EPOCHS


def steps(rows: int, epochs: Range, batch: Range) -> Range:
    """Training steps; the last rows of an epoch, fewer than a batch, may make one or not.

    Example:
        >>> steps(100, exactly(2), exactly(8))
        Range(low=24, high=26)
        >>> steps(100, Range(1, 50), Range(1, 256))
        Range(low=1, high=5000)
    """
    if not rows:
        return exactly(0)
    low = epochs.low * (max(1, rows // batch.high) if batch.high is not None else 1)
    high = None if epochs.high is None else epochs.high * ceil(rows / batch.low)
    return Range(low, high)


def evaluations(taken: Range, interval: Range) -> Range:
    """How often a job evaluates: every `interval` steps, and perhaps once before or at the end.

    Example:
        >>> evaluations(exactly(20), exactly(5))
        Range(low=4, high=5)
        >>> evaluations(exactly(20), Range(1, None))
        Range(low=0, high=21)
    """
    if taken.high == 0:
        return exactly(0)
    low = 0 if interval.high is None else taken.low // interval.high
    high = None if taken.high is None else ceil(taken.high / interval.low) + 1
    return Range(low, high)


def evaluation_samples(times: Range, taken: Range, samples: Range, rows: int) -> Range:
    """Samples drawn to evaluate, in all.

    `eval_samples` is "samples to use during evaluation" at one vendor and "to generate per
    training step" at the other: in all for an evaluation, for each of its rows, or for each step.

    Args:
        times: Evaluations.
        taken: Training steps.
        samples: The hyperparameter eval_samples.
        rows: Rows to evaluate on.
    """
    if not rows or times.high == 0:
        return exactly(0)
    low = times.low * samples.low
    if samples.high is None or times.high is None or taken.high is None:
        return Range(low, None)
    return Range(low, samples.high * max(times.high * rows, taken.high))


@dataclass(frozen=True, slots=True, kw_only=True)
class Amounts:
    """What a job comes to.

    Attributes:
        steps: Training steps.
        training_tokens: Tokens that are read in all epochs.
        samples_per_item: Samples for each row and epoch; 0 where none are drawn, as the rest.
        training_samples: Samples drawn to train on.
        evaluations: Evaluations.
        evaluation_samples: Samples drawn for them.
    """

    steps: Range
    training_tokens: Range
    samples_per_item: Range = _NONE
    training_samples: Range = _NONE
    evaluations: Range = _NONE
    evaluation_samples: Range = _NONE

    @property
    def gradings(self) -> Range:
        """How often the grader is called: once for each sample."""
        return self.training_samples + self.evaluation_samples


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What is known of the rows.

    Attributes:
        rows: To train on.
        tokens: Of all of them, once.
        validation_rows: To evaluate on.
    """

    rows: int
    tokens: int
    validation_rows: int = 0


def amounts(
    kind: Kind, settings: Mapping[str, Setting], counts: Counts, samples_per_item: int | None = None
) -> Amounts:
    """What a job comes to, as ranges.

    Args:
        kind: The method.
        settings: Its hyperparameters.
        counts: Of its rows.
        samples_per_item: What is assumed where the service hides it.
    """
    rows, validation_rows = counts.rows, counts.validation_rows
    epochs = settings["n_epochs"].value
    taken = steps(rows, epochs, settings["batch_size"].value)
    read = exactly(counts.tokens) * epochs
    if kind != "reinforcement":
        return Amounts(steps=taken, training_tokens=read)
    each = SAMPLES_PER_ITEM if samples_per_item is None else exactly(samples_per_item)
    interval = settings["eval_interval"].value
    times = evaluations(taken, interval) if validation_rows else exactly(0)
    return Amounts(
        steps=taken,
        training_tokens=read,
        samples_per_item=each,
        training_samples=exactly(rows) * epochs * each,
        evaluations=times,
        evaluation_samples=evaluation_samples(
            times, taken, settings["eval_samples"].value, validation_rows
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """What one model would be asked in a job.

    Attributes:
        model: Its name.
        calls: Requests.
        prompt_tokens: Of all of them.
        answer_tokens: Of all answers.
        usd: About what they cost; None where the price is not known.
        media: Whether images or clips are in them, which are in no estimate.
    """

    model: str
    calls: Range
    prompt_tokens: Range
    answer_tokens: Range
    usd: Range | None
    media: bool = False

    @property
    def seconds(self) -> Range:
        """How long they take, by what is assumed of one answer and of how many come at once."""
        at_once = JUDGES_AT_ONCE
        low = self.calls.low * JUDGE_SECONDS.low / (at_once.high or 1)
        if self.calls.high is None or JUDGE_SECONDS.high is None:
            return Range(low, None)
        return Range(low, self.calls.high * JUDGE_SECONDS.high / at_once.low)


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What gradings of some rows would ask one model.

    Attributes:
        rows: How many were tried.
        judges: Requests of a grading: a hosted service asks each judge once.
        short: What they ask at least.
        long: What they ask at most.
    """

    rows: int
    judges: int
    short: Asked
    long: Asked


def judging(model: str, gradings: Range, probe: Probe) -> Judging:
    """Scale what a few gradings would ask to all of a job.

    A prompt that did not render is not asked; of other outputs it may be, so that the high end
    has all of them.

    Args:
        model: The judge.
        gradings: Of the job.
        probe: What was tried.
    """
    short, long = probe.short, probe.long
    share = min(short.calls, long.calls) / (probe.rows * probe.judges)
    calls = gradings * Range(probe.judges * share, probe.judges)
    calls = Range(ceil(calls.low), None if calls.high is None else ceil(calls.high))
    prompts, answers = Range(0, None), Range(SHORTEST_ANSWER, None)
    if short.calls and long.calls:
        prompts = Range(short.prompt_tokens / short.calls, long.prompt_tokens / long.calls)
        answers = Range(short.answer_tokens[0] / short.calls, long.answer_tokens[1] / long.calls)
    return Judging(
        model=model,
        calls=calls,
        prompt_tokens=calls * prompts,
        answer_tokens=calls * answers,
        usd=_usd(model, calls, prompts, answers),
        media=bool(long.images or long.audio),
    )


def _usd(model: str, calls: Range, prompts: Range, answers: Range) -> Range | None:
    """Calls at the price of the cheapest and of the dearest of them."""
    low = _price(model, prompts.low, answers.low)
    if low is None:
        return None
    if prompts.high is None or answers.high is None:
        return calls * Range(float(low), None)
    high = _price(model, prompts.high, answers.high)
    return None if high is None else calls * Range(float(low), max(float(low), float(high)))


def _price(model: str, prompt: float, answer: float) -> Decimal | None:
    usage = Usage(prompt_tokens=ceil(prompt), completion_tokens=ceil(answer))
    return price_usd(model, usage)

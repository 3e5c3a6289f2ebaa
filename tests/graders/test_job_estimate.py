"""What a job comes to: ranges that hold what can be, open where nobody knows, and laws of them."""

from decimal import Decimal
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.dry_run import Asked
from graders.grades import Usage
from graders.jobs.bounds import AUTO, HYPERPARAMETERS, KINDS, bounds_of
from graders.jobs.estimate import (
    Counts,
    Probe,
    amounts,
    evaluation_samples,
    evaluations,
    judging,
    settings_of,
    steps,
    vendors_epochs,
)
from graders.jobs.ranges import Range, exactly, show_range
from graders.ledger import price_usd

rows = st.integers(0, 60_000)
numbers = st.integers(0, 10_000)


@st.composite
def ranges(draw, least=0, most=10_000, *, closed=False):
    low = draw(st.integers(least, most))
    high = draw(st.integers(low, most))
    return Range(low, high if closed or draw(st.booleans()) else None)


@st.composite
def hyperparameters(draw, kind):
    """Each of a method: auto, or a whole number in its bounds."""
    chosen = {}
    for name in (one for one in AUTO if one in HYPERPARAMETERS[kind].model_fields):
        bounds, above = bounds_of(kind, name)
        low = int(bounds.low) + above
        top = 200 if bounds.high is None else int(bounds.high)
        chosen[name] = draw(st.just("auto") | st.integers(low, top))
    return chosen


def holds(outer, inner):
    """Whether a range lies in another."""
    if inner.high is None or outer.high is None:
        return outer.high is None and outer.low <= inner.low
    return outer.low <= inner.low and inner.high <= outer.high


@pytest.mark.parametrize(("low", "high"), [(-1, 2), (3, 2), (float("nan"), 1), (0, float("nan"))])
def test_what_is_no_range_is_refused(low, high):
    """From 0 on, and not upside down."""
    with pytest.raises(ValueError, match="is no range of numbers from 0 on"):
        Range(low, high)


@given(a=ranges(), b=ranges(), x=numbers, y=numbers)
def test_sums_and_products_hold_those_of_their_numbers(a, b, x, y):
    """Whatever two ranges turn out to be, so do their sum and product."""
    x, y = (
        max(one.low, min(n, n if one.high is None else one.high)) for one, n in ((a, x), (b, y))
    )

    assert holds(a + b, exactly(x + y))
    assert holds(a * b, exactly(x * y))


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_every_amount_is_a_range_and_grows_with_the_rows(kind, data):
    """The low end is never above the high one, and more rows never take less."""
    settings = settings_of(kind, data.draw(hyperparameters(kind)), {})
    counts = [
        Counts(rows=n, tokens=10 * n, validation_rows=m)
        for n, m in zip(
            sorted((data.draw(rows), data.draw(rows))),
            sorted((data.draw(st.integers(0, 1000)), data.draw(st.integers(0, 1000)))),
            strict=True,
        )
    ]
    fewer, more = (amounts(kind, settings, one) for one in counts)

    for name in ("steps", "training_tokens", "training_samples", "evaluations", "gradings"):
        small, large = getattr(fewer, name), getattr(more, name)
        assert small.high is None or small.low <= small.high
        assert small.low <= large.low
        assert large.high is None or (small.high is not None and small.high <= large.high)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_what_is_assumed_lies_in_what_was_possible(kind, data):
    """A number in place of auto narrows each amount, and leads out of none."""
    given_ones = data.draw(hyperparameters(kind))
    assumed = {
        name: data.draw(st.integers(1, 2)) for name, one in given_ones.items() if one == "auto"
    }
    each = data.draw(st.none() | st.integers(2, 64))
    counts = Counts(rows=data.draw(rows), tokens=1_000, validation_rows=data.draw(rows))
    wide = amounts(kind, settings_of(kind, given_ones, {}), counts)
    narrow = amounts(kind, settings_of(kind, given_ones, assumed), counts, each)

    for name in ("steps", "training_tokens", "training_samples", "evaluations", "gradings"):
        assert holds(getattr(wide, name), getattr(narrow, name))


@pytest.mark.parametrize("kind", KINDS)
def test_every_hyperparameter_with_a_number_has_its_auto_explained(kind):
    """A new one would fail here until it is."""
    names = set(HYPERPARAMETERS[kind].model_fields) - {"reasoning_effort"}

    assert set(settings_of(kind, dict.fromkeys(names, "auto"), {})) == names


@pytest.mark.parametrize(
    ("kind", "name", "shown", "above"),
    [
        ("supervised", "n_epochs", "1 to 50", False),
        ("supervised", "batch_size", "1 to 256", False),
        ("supervised", "learning_rate_multiplier", "unknown", True),
        ("dpo", "beta", "0 to 2", True),
        ("reinforcement", "compute_multiplier", "1e-05 to 10", True),
        ("reinforcement", "eval_interval", "at least 1", False),
        ("reinforcement", "eval_samples", "at least 1", False),
    ],
)
def test_auto_is_what_could_be_set(kind, name, shown, above):
    """The bounds are those that the method is checked against, and the rule is said."""
    setting = settings_of(kind, {name: "auto"}, {})[name]

    assert (show_range(setting.value), setting.above) == (shown, above)
    assert setting.rule.startswith("the service decides")


@pytest.mark.parametrize(
    ("count", "epochs", "batch", "expected"),
    [
        (0, Range(1, 50), Range(1, 256), exactly(0)),
        (100, exactly(1), exactly(10), exactly(10)),
        (100, exactly(3), exactly(16), Range(18, 21)),
        (3, exactly(2), exactly(256), exactly(2)),
        (100, Range(1, 50), exactly(10), Range(10, 500)),
    ],
)
def test_steps(count, epochs, batch, expected):
    """By hand: 100 rows in batches of 16 are 6 steps and 4 rows, which make one more or not."""
    assert steps(count, epochs, batch) == expected


@pytest.mark.parametrize(
    ("taken", "interval", "expected"),
    [
        (exactly(20), exactly(5), Range(4, 5)),
        (exactly(21), exactly(5), Range(4, 6)),
        (exactly(3), exactly(5), Range(0, 2)),
        (exactly(0), exactly(5), exactly(0)),
        (Range(10, None), exactly(5), Range(2, None)),
    ],
)
def test_evaluations(taken, interval, expected):
    """Every so many steps, and perhaps once more."""
    assert evaluations(taken, interval) == expected


def test_evaluation_samples_cover_both_vendors_words():
    """10 in all for each of 4 evaluations, or for each of 3 rows, or for each of 200 steps."""
    assert evaluation_samples(exactly(4), exactly(20), exactly(10), 3) == Range(40, 200)
    assert evaluation_samples(exactly(4), exactly(20), exactly(10), 50) == Range(40, 2_000)
    assert evaluation_samples(exactly(4), exactly(20), exactly(10), 0) == exactly(0)
    assert evaluation_samples(exactly(4), exactly(20), Range(1, None), 3) == Range(4, None)
    assert evaluation_samples(exactly(0), exactly(0), Range(1, None), 3) == exactly(0)


def test_a_reinforcement_job_by_hand():
    """100 rows, 2 epochs, 4 samples each, evaluated every 5 steps on 10 rows twice."""
    chosen = {"n_epochs": 2, "batch_size": 10, "eval_interval": 5, "eval_samples": 2}
    settings = settings_of("reinforcement", chosen, {})

    found = amounts("reinforcement", settings, Counts(rows=100, tokens=900, validation_rows=10), 4)

    assert (found.steps, found.training_tokens) == (exactly(20), exactly(1_800))
    assert found.training_samples == exactly(800)
    assert (found.evaluations, found.evaluation_samples) == (Range(4, 5), Range(8, 100))
    assert found.gradings == Range(808, 900)


def test_hidden_samples_stay_open():
    """Without an assumption there is no upper end to samples, and so to nothing behind them."""
    settings = settings_of(
        "reinforcement",
        {"n_epochs": 2, "batch_size": 10, "eval_interval": 5, "eval_samples": 2},
        {},
    )
    found = amounts("reinforcement", settings, Counts(rows=100, tokens=900))

    assert found.training_samples == found.gradings == Range(400, None)


@pytest.mark.parametrize(
    ("count", "epochs"),
    [(1, 25), (4, 25), (10, 10), (50, 3), (8_333, 3), (8_334, 2), (25_001, 1), (0, 25)],
)
def test_the_vendors_notebook_on_epochs(count, epochs):
    """Three, more for less than 100 examples in all, and less for more than 25,000."""
    assert vendors_epochs(count) == epochs


def asked(calls, prompt, shortest, longest):
    """What some gradings would ask: `prompt` tokens in each call."""
    return Asked(
        calls=calls,
        prompt_chars=4 * prompt * calls,
        shortest_answers=shortest * calls,
        longest_answers=longest * calls,
    )


def test_judging_scales_a_few_gradings_to_all():
    """Two calls a grading, 100 to 1,100 tokens of prompt, 10 to 500 of answer."""
    short, long = asked(8, 100, 10, 500), asked(8, 1_100, 10, 500)

    probe = Probe(rows=4, judges=2, short=short, long=long)
    found = judging("gpt-4.1-mini-2025-04-14", Range(1_000, 3_000), probe)

    assert found.calls == Range(2_000, 6_000)
    assert found.prompt_tokens == Range(200_000, 6_600_000)
    assert found.answer_tokens == Range(20_000, 3_000_000)
    assert found.seconds == Range(2_000 / 64, 6_000 * 30)
    low, high = (
        price_usd(found.model, Usage(prompt_tokens=p, completion_tokens=c))
        for p, c in ((100, 10), (1_100, 500))
    )
    assert isclose(found.usd.low, low * 2_000)
    assert isclose(found.usd.high, high * 6_000)
    assert low > Decimal(0)


def test_a_model_without_a_price_has_no_cost():
    """Never 0."""
    one = asked(1, 10, 10, 10)
    probe = Probe(rows=1, judges=1, short=one, long=one)

    assert judging("mine", exactly(5), probe).usd is None
    assert judging("mine", Range(5, None), probe).calls == Range(5, None)
    assert judging("mine", Range(5, None), probe).seconds == Range(5 / 64, None)


def test_prompts_that_did_not_render_leave_the_calls_open_below():
    """Of other outputs they may render, and then all are asked, at a length nobody knows."""
    some, none = asked(2, 100, 10, 10), Asked()
    half = Probe(rows=4, judges=1, short=some, long=some)
    nothing = Probe(rows=4, judges=1, short=none, long=none)

    assert judging("mine", exactly(8), half).calls == Range(4, 8)
    found = judging("gpt-4.1-mini-2025-04-14", exactly(8), nothing)
    assert (found.calls, found.prompt_tokens, found.usd.high) == (Range(0, 8), Range(0, None), None)

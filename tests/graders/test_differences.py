"""Comparisons: paired, adjusted for their number, and honest where there is no difference."""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from graders.studies.statistics.agreement import agreement
from graders.studies.statistics.bootstrap import bootstrap
from graders.studies.statistics.differences import behind_best, holm, two_sided_p
from graders.studies.statistics.resampled import prepare
from graders.studies.statistics.statistic import Statistic
from graders.studies.statistics.williams import student_t_two_sided, williams


def compared(scores, labels, items, measure="auc", resamples=400):
    values = {name: getattr(agreement(x, labels, items), measure) for name, x in scores.items()}
    drawn = bootstrap(prepare(scores, labels, items), resamples=resamples)
    return {d.metric: d for d in behind_best(measure, values, drawn)}


def test_a_metric_behind_the_best_is_told_from_one_that_is_not():
    """Pairing sees a small difference of scores that are alike; noise is not a finding."""
    draws = np.random.default_rng(2)
    truth = draws.normal(size=2_000)
    shared = truth + draws.normal(size=2_000)
    scores = {
        "best": shared,
        "slightly worse": shared + 0.3 * draws.normal(size=2_000),
        "same": shared + 1e-9 * draws.normal(size=2_000),
        "flat": np.full(2_000, 0.5),
    }
    found = compared(scores, (truth > 0).astype(float), np.arange(2_000) // 4)
    best = found["flat"].best

    assert best in {"best", "same"}
    assert found["slightly worse"].p_holm < 0.05
    assert found["slightly worse"].interval.low > 0
    assert found["flat"].value.value == pytest.approx(found["flat"].interval.high, abs=0.05)
    (same,) = {"best", "same"} - {best}
    assert found[same].value.value < 1e-6


def test_equal_metrics_differ_by_nothing():
    """A p-value of 1, not of 0 for a difference that is never above 0."""
    scores = {"a": [0.1, 0.4, 0.2, 0.3], "b": [0.1, 0.4, 0.2, 0.3]}
    (found,) = compared(scores, [0, 1, 0, 1], [0, 0, 1, 1]).values()

    assert (found.metric, found.value.value, found.p, found.p_holm) == ("b", 0.0, 1.0, 1.0)


def test_a_metric_without_a_value_is_named_with_the_reason():
    """And counts as no comparison."""
    scores = {"flat": [0.5] * 4, "a": [0.1, 0.4, 0.2, 0.3], "b": [0.4, 0.1, 0.3, 0.2]}
    found = compared(scores, [0, 1, 0, 1], [0, 0, 1, 1], "spearman")

    assert found["flat"].value.undefined == "scores do not vary: all 4 are 0.5"
    assert (found["flat"].p, found["flat"].interval) == (None, None)
    assert found["b"].p == found["b"].p_holm
    drawn = bootstrap(prepare(scores, [0, 1, 0, 1], [0, 0, 1, 1]), resamples=10)
    assert behind_best("auc", {"a": Statistic(undefined="one class")}, drawn) == []


@pytest.mark.long
def test_p_values_are_right_where_there_is_no_difference():
    """Of 100 data sets with equally good metrics, about one in twenty is below 0.05.

    Binomial: 13 of 100 or more have a chance of 0.2 % at 5 %.
    """
    below = 0
    for seed in range(100):
        draws = np.random.default_rng(seed)
        truth = draws.normal(size=300)
        scores = {name: truth + draws.normal(size=300) for name in "ab"}
        found = compared(scores, truth, np.arange(300), "pearson", resamples=199)
        below += next(iter(found.values())).p < 0.05

    assert below < 13


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_by_the_definition(ps):
    """The largest of the steps up to one's own, at most 1."""
    order = sorted(range(len(ps)), key=ps.__getitem__)
    adjusted = holm(ps)

    for place, i in enumerate(order):
        steps = [(len(ps) - j) * ps[order[j]] for j in range(place + 1)]
        assert adjusted[i] == pytest.approx(min(1.0, max(steps)))


def test_p_values_of_resamples():
    """Undefined resamples are none."""
    assert two_sided_p(np.array([np.nan])) is None
    assert two_sided_p(np.array([np.nan, 1.0, 2.0, 3.0])) == 0.5
    with pytest.raises(ValueError, match=r"a p-value is in \[0, 1\], got 1.5"):
        holm([0.1, 1.5])


@pytest.mark.parametrize(
    ("first", "second", "between", "rows", "t", "p"),
    [
        # The manual of R's psych (1.7.8), r.test: 0.1000759 to eight digits.
        (0.693458895410494, 0.695966022434845, 0.988475791500198, 5105, None, 0.1000759),
        (0.20, 0.45, 0.80, 100, -4.56, 1e-5),  # the manual of R's bruceR, cor_diff
        (0.5447, 0.8, 0.0729, 70, -2.8114, 0.0065),  # output of R's cocor
        (0.8066, 0.2383, 0.2255, 177, 9.3823, 0.0),  # output of R's cocor
        (-0.1741, 0.2015, 0.3734, 646, -9.0340, 0.0),  # output of R's cocor
    ],
)
def test_williams_test_gives_the_published_values(first, second, between, rows, t, p):
    """Inputs of four digits give three of t."""
    found = williams(first, second, between, rows=rows)

    assert found.df == rows - 3
    if t is not None:
        assert found.t == pytest.approx(t, rel=2e-3)
    assert found.p == pytest.approx(p, abs=1e-7 if t is None else 5e-5, rel=0)


@pytest.mark.needs("scipy")
@given(t=st.floats(-60, 60), df=st.integers(1, 10**6))
def test_students_t_is_scipys(t, df):
    """To ten digits of the p-value, however small; for the least t, scipy itself has but eight."""
    from scipy import stats

    assume(t == 0 or abs(t) > 1e-3)
    expected = 2 * stats.t.sf(abs(t), df)
    assert student_t_two_sided(t, df) == pytest.approx(expected, rel=1e-10, abs=1e-300)


@pytest.mark.parametrize("t", [1e-8, 2e-8, 1e-6, 1e-3])
def test_a_small_t_of_one_degree_is_an_angle(t):
    """Student's distribution of one degree of freedom is Cauchy's."""
    assert student_t_two_sided(t, 1) == pytest.approx(1 - 2 / math.pi * math.atan(t), rel=1e-14)


def test_williams_test_at_its_edges():
    """Scores that are the same have no difference; where labels are their sum, it is certain."""
    assert (williams(0.5, 0.5, 1.0, rows=50).t, williams(0.5, 0.5, 1.0, rows=50).p) == (0.0, 1.0)
    assert williams(0.5, -0.5, 0.5, rows=50).p == 0.0
    assert williams(1.0, -1.0, -1.0, rows=50) is None


@pytest.mark.parametrize(
    ("arguments", "rows", "message"),
    [
        ((1.2, 0.5, 0.5), 50, r"a correlation is in \[-1, 1\], got 1.2"),
        ((0.9, -0.9, 0.9), 50, "no rows have the correlations 0.9, -0.9 and 0.9"),
        ((0.5, 0.5, 0.5), 3, "there are 3 rows"),
    ],
)
def test_what_are_no_correlations_of_rows_is_refused(arguments, rows, message):
    """Three correlations have to fit each other."""
    with pytest.raises(ValueError, match=message):
        williams(*arguments, rows=rows)

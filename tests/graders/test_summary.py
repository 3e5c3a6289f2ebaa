"""Means that are exact, and histograms in constant memory."""

import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.report.totals import Histogram, Mean

# --- means


@given(st.lists(st.floats(-1e12, 1e12)))
def test_a_mean_is_exact(values):
    """It agrees with the correctly rounded sum, however the values cancel."""
    mean = Mean()
    for value in values:
        mean.add(value)

    assert mean.value == (math.fsum(values) / len(values) if values else None)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0.1] * 10, 0.1),
        ([1.0, 1e100, 1.0, -1e100], 0.5),
        ([1e308, 1e308], 1e308),
        ([1e308] * 3 + [-1e308] * 3, 0.0),
        ([sys.float_info.max], sys.float_info.max),
        ([5e-324], 5e-324),
    ],
)
def test_a_mean_of_extremes(values, expected):
    """Rewards may be any double; their mean is one too."""
    mean = Mean()
    for value in values:
        mean.add(value)

    assert mean.value == pytest.approx(expected, rel=1e-15, abs=0)


# --- histograms


@pytest.mark.parametrize(
    ("scores", "edges", "counts"),
    [
        ([], None, [0] * 10),
        ([0.0, 1.0], (0, 1), [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
        ([0.05, 0.1, 0.2, 0.3, 0.4, 0.5], (0, 1), [1, 1, 1, 1, 1, 1, 0, 0, 0, 0]),
        ([0.6, 0.7, 0.8, 0.9, 0.999], (0, 1), [0, 0, 0, 0, 0, 0, 1, 1, 1, 2]),
        ([0.5, 0.5, 0.5], (0, 1), [0, 0, 0, 0, 0, 3, 0, 0, 0, 0]),
        ([1.5], (0, 2), [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]),
        ([-0.5, 0.5], (-1, 1), [0, 0, 1, 0, 0, 0, 0, 1, 0, 0]),
        ([1, 5, 10], (0, 10), [0, 1, 0, 0, 0, 1, 0, 0, 0, 1]),
        ([-3.0, -1.0], (-3, 1), [1, 0, 0, 0, 0, 1, 0, 0, 0, 0]),
        ([-1e308, 1e308], (-1e308, 1e308), [1, 0, 0, 0, 0, 0, 0, 0, 0, 1]),
    ],
)
def test_histogram(scores, edges, counts):
    """Ten bars over [0, 1], or over whole numbers around wider scores; the last is closed."""
    histogram = Histogram()
    for score in scores:
        histogram.add(score)
    histogram.settle()

    assert histogram.edges == edges
    assert histogram.counts == counts


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=50))
def test_a_histogram_counts_every_score(scores):
    """None is lost, whatever its size, and what was seen is told."""
    histogram = Histogram()
    for score in scores:
        histogram.add(score)
    histogram.settle()

    assert sum(histogram.counts) == len(scores)
    assert (histogram.low, histogram.high) == (min(scores), max(scores))


def test_a_score_that_comes_late_is_in_the_outermost_bar():
    """The range is settled by the first thousand; the extremes are told apart."""
    histogram = Histogram()
    for score in [0.5] * 1_024 + [7.0, -7.0, 0.5]:
        histogram.add(score)

    assert histogram.edges == (0, 1)
    assert histogram.counts == [1, 0, 0, 0, 0, 1_025, 0, 0, 0, 1]
    assert (histogram.low, histogram.high) == (-7.0, 7.0)

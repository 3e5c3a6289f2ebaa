"""A threshold in a few digits parts the same scores as the long one."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.studies.statistics.short import exactly, short_threshold, threshold_within
from graders.studies.statistics.statistic import Interval

SCORES = st.lists(
    st.one_of(
        st.floats(-1e6, 1e6, allow_subnormal=False),
        st.integers(0, 40).map(lambda n: 0.999 + n / 40_000),
        st.sampled_from([0.0, 0.1 + 0.2, 0.3, 1 / 3, 2 / 3, -2 / 3, 1.0, 1e-9, 1e300]),
    ),
    min_size=1,
    max_size=12,
)


@given(SCORES, st.integers(1, 5))
def test_the_same_scores_pass(scores, digits):
    """Whatever the threshold, and however many digits are asked for at least."""
    x = np.array(scores)
    for threshold in scores:
        shown = short_threshold(threshold, x, digits=digits)

        assert shown <= threshold
        assert ((x >= shown) == (x >= threshold)).all()
        assert float(exactly(shown)) == shown
        assert len(exactly(shown)) <= len(exactly(threshold)) + len("e+06")


@given(SCORES, st.data())
def test_what_is_shown_is_in_the_order_of_what_it_stands_for(scores, data):
    """So that a threshold lies within its interval, whose ends may be between scores."""
    bounds = st.floats(min(scores), max(scores), allow_subnormal=False)
    low, middle, high = sorted(data.draw(st.lists(bounds, min_size=3, max_size=3)))
    interval = Interval(low=low, high=high, level=0.95, resamples=100)
    said = threshold_within(middle, interval, np.array(scores))
    value, ends = said.removesuffix("]").split(" [")
    least, most = map(float, ends.split(", "))

    assert least <= float(value) <= most


@pytest.mark.parametrize(
    ("threshold", "scores", "shown"),
    [
        (0.9995, [0.999, 0.9998], "0.9995"),
        (0.99985, [0.9998, 0.9999], "0.99985"),
        (0.9914, [0.9912, 0.9916], "0.9914"),
        (1235.0, [1231.0, 1234.0, 1239.0], "1235"),
        (0.714, [0.344, 0.9], "0.7"),
        (-2 / 3, [-1.0, 0.0], "-0.7"),
        (0.3, [0.29, 0.1 + 0.2], "0.3"),
        (0.1 + 0.2, [0.3], "0.30000000000000004"),
        (0.25, [0.25], "0.2"),  # the lowest: below it there is none to tell it from
    ],
)
def test_no_digit_is_there_that_parts_nothing(threshold, scores, shown):
    """And none is missing that does."""
    assert threshold_within(threshold, None, np.array([*scores, threshold])) == shown

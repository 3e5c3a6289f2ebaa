"""Repeats and drift: the published example, the definition, and scipy's tests."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.studies.statistics.drift import Thresholds, drift, sign_test
from graders.studies.teach.noise import noise

# Shrout and Fleiss 1979, table 2: six targets, four judges. ICC(1,1) .17 and ICC(1,4) .44.
RATINGS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
scores = st.sampled_from([0.0, 0.25, 0.5, 1.0])
pairs = st.lists(st.tuples(scores, scores), min_size=2, max_size=40)


def test_the_example_of_shrout_and_fleiss():
    """Tables 2 to 4 of the paper: mean squares 11.24 and 6.26."""
    found = noise(np.ravel(RATINGS), np.repeat(range(6), 4), threshold=5)

    assert round(found.reliability.value, 2) == 0.17
    assert round(found.mean_reliability.value, 2) == 0.44
    assert round(found.sd.value**2, 2) == 6.26
    assert (found.rows, found.single, found.repeats.value) == (6, 0, 4.0)
    assert (found.unstable.value, found.widest.value, found.flips.value) == (1.0, 7.0, 5 / 6)


def test_noise_of_known_size_is_found():
    """Rows vary by 1, repeats by 0.5: reliability is 1 / 1.25; repeats differ in number."""
    draws = np.random.default_rng(8)
    rows = np.repeat(np.arange(4_000), draws.integers(1, 5, 4_000))
    truth = draws.normal(size=4_000)
    found = noise(truth[rows] + 0.5 * draws.normal(size=len(rows)), rows)

    assert found.reliability.value == pytest.approx(0.8, abs=0.02)
    assert found.sd.value == pytest.approx(0.5, abs=0.02)
    assert found.single == (np.bincount(rows) == 1).sum()
    assert found.flips.undefined == "there is no threshold"


@pytest.mark.parametrize(
    ("scores", "rows", "said"),
    [
        ([0.1, 0.2], ["a", "b"], ("no row was graded twice",) * 2),
        ([0.1, 0.2], ["a", "a"], ("one row has no other to differ from",) * 2),
        ([0.1] * 4, ["a", "a", "b", "b"], ("all scores are equal",) * 2),
        ([0.1, 0.2, 0.2, 0.1], ["a", "a", "b", "b"], (-1.0, "all rows have the same mean")),
        ([0.1, 0.1, 0.2, 0.2], ["a", "a", "b", "b"], (1.0, 1.0)),
    ],
)
def test_reliability_at_its_edges(scores, rows, said):
    """A number, or why there is none."""
    found = noise(scores, rows)

    for statistic, expected in zip((found.reliability, found.mean_reliability), said, strict=True):
        if isinstance(expected, str):
            assert statistic.undefined == expected
        else:
            assert statistic.value == pytest.approx(expected)


@given(pairs)
def test_drift_by_the_definition(rows):
    """Row by row."""
    old, new = map(np.array, zip(*rows, strict=True))
    found = drift(old, new, range(len(rows)), thresholds=Thresholds(old=0.5, new=0.3), worst=3)
    flips = [(a >= 0.5, b >= 0.3) for a, b in rows]

    assert found.changed == pytest.approx(np.mean(old != new))
    assert found.mean_change == pytest.approx(np.mean(new - old))
    assert found.mean_distance == pytest.approx(np.mean(np.abs(new - old)))
    assert found.now_passing == flips.count((False, True))
    assert found.now_failing == flips.count((True, False))
    assert found.flips.value == pytest.approx(np.mean([a != b for a, b in flips]))
    moved = sorted(range(len(rows)), key=lambda i: (-abs(new[i] - old[i]), i))
    assert list(found.worst) == [i for i in moved if old[i] != new[i]][:3]


@pytest.mark.needs("scipy")
@given(pairs, st.integers(0, 400), st.integers(0, 400))
def test_tests_are_those_of_scipy(rows, ups, downs):
    """Flips by the binomial; distributions by Kolmogorov and Smirnov."""
    from scipy import stats

    old, new = map(np.array, zip(*rows, strict=True))

    assert drift(old, new, range(len(rows))).distribution == pytest.approx(
        stats.ks_2samp(old, new, method="asymp").statistic
    )
    if ups + downs:
        expected = stats.binomtest(ups, ups + downs).pvalue
        assert sign_test(ups, downs) == pytest.approx(expected, rel=1e-12)
        many = stats.binomtest(50_000 + ups, 100_000 + ups + downs).pvalue
        assert sign_test(50_000 + ups, 50_000 + downs) == pytest.approx(many, rel=1e-9)


def test_drift_of_many_rows():
    """A shift of 0.01 in noise of 0.1 is seen over 2,000 items; no flips are no evidence."""
    draws = np.random.default_rng(6)
    old = draws.random(6_000)
    new = old + 0.01 + 0.1 * draws.normal(size=6_000)
    found = drift(old, new, np.arange(6_000) // 3)
    flipped = drift([0] * 5_000, [1] * 5_000, range(5_000), thresholds=Thresholds(old=1, new=1))

    assert 0 < found.mean_change_interval.low < 0.01 < found.mean_change_interval.high
    assert found.spearman.value > 0.9
    assert found.flips.undefined == found.flips_p.undefined == "there is no threshold"
    assert flipped.flips_p.value == 0.0
    assert flipped.spearman.undefined == "old scores do not vary: all 5,000 are 0"
    assert (sign_test(0, 0), sign_test(3, 4)) == (1.0, 1.0)


def test_what_are_no_grades_of_the_same_rows_is_refused():
    """Both sides have every row."""
    with pytest.raises(ValueError, match="old has 1, new has 2"):
        drift([1], [1, 2], ["a"])
    with pytest.raises(ValueError, match="there are 2 rows and 1 items"):
        noise([1, 2], ["a"])

"""Correlations: scipy's numbers, ties and repeats included; no variance is a reason."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.studies.statistics.correlation import kendall, midranks, pearson, spearman

CORRELATIONS = {"pearsonr": pearson, "spearmanr": spearman, "kendalltau": kendall}
values = st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(-8, 8).map(lambda x: round(x, 6))
rows = st.lists(st.tuples(values, values, st.integers(1, 3)), min_size=3, max_size=60).filter(
    lambda rows: all(len(set(side)) > 1 for side in list(zip(*rows, strict=True))[:2])
)


@pytest.mark.needs("scipy")
@pytest.mark.parametrize("name", CORRELATIONS)
@given(rows=rows)
def test_correlations_are_those_of_scipy(name, rows):
    """To 1e-12; and a weight counts a row so often as if it stood there so often."""
    from scipy import stats

    x, y, weights = map(np.array, zip(*rows, strict=True))
    ours, oracle = CORRELATIONS[name], getattr(stats, name)

    assert ours(x, y).value == pytest.approx(oracle(x, y).statistic, abs=1e-12)
    repeated = oracle(np.repeat(x, weights), np.repeat(y, weights)).statistic
    assert ours(x, y, weights).value == pytest.approx(repeated, abs=1e-12)


@pytest.mark.needs("scipy")
def test_kendall_of_many_rows_is_scipys():
    """Sizes that are no powers of two, many ties and none."""
    from scipy import stats

    draws = np.random.default_rng(5)
    for n, atoms in ((2, 9), (1_000, 7), (4_097, 10**9), (30_000, 300)):
        x = draws.integers(0, atoms, n).astype(float)
        y = x + draws.integers(0, atoms, n)
        assert kendall(x, y).value == pytest.approx(stats.kendalltau(x, y).statistic, abs=1e-12)


@given(rows)
def test_kendall_counts_pairs(rows):
    """The definition, pair by pair."""
    x, y, _ = map(np.array, zip(*rows, strict=True))
    dx, dy = np.sign(x[:, None] - x), np.sign(y[:, None] - y)

    tau = (dx * dy).sum() / np.sqrt((dx**2).sum() * (dy**2).sum())
    assert kendall(x, y).value == pytest.approx(tau, abs=1e-12)


@pytest.mark.parametrize("correlation", CORRELATIONS.values())
@pytest.mark.parametrize(
    ("x", "y", "weights", "reason"),
    [
        ([0.1] * 3, [1, 2, 3], None, "scores do not vary: all 3 are 0.1"),
        ([1, 2, 3], [0.1] * 3, None, "labels do not vary: all 3 are 0.1"),
        ([1], [2], None, "scores do not vary: there is one, 1"),
        ([1, 2, 2], [1, 2, 3], [0, 1, 1], "scores do not vary: all 2 are 2"),
    ],
)
def test_without_variance_there_is_a_reason_and_no_number(correlation, x, y, weights, reason):
    """Not NaN, not 0; though the mean of three 0.1 is not 0.1."""
    found = correlation(x, y, weights)

    assert (found.value, found.undefined) == (None, reason)


@pytest.mark.parametrize("correlation", CORRELATIONS.values())
@pytest.mark.parametrize(
    ("x", "y", "weights", "message"),
    [
        ([1, 2], [1], None, "one value a row is needed of each: scores has 2, labels has 1"),
        ([], [], None, "scores: there are no rows"),
        ([1, 2], [1, float("nan")], None, "labels: the value at 1 is nan; leave failed rows out"),
        ([[1, 2]], [1, 2], None, r"scores: one value a row is needed, not an array of \(1, 2\)"),
        ([1, 2], [1, 2], [1], "each row has a weight: there are 2 rows and 1 weights"),
        ([1, 2], [1, 2], [1, -1], "weights count rows, and the least of them is -1"),
        ([1, 2], [1, 2], [0, 0], "weights count rows, and all are 0"),
    ],
)
def test_what_is_no_pair_of_columns_is_refused(correlation, x, y, weights, message):
    """A failed row has no score, and is to be left out by who knows of it."""
    with pytest.raises(ValueError, match=message):
        correlation(x, y, weights)


@pytest.mark.parametrize("scale", [1e-200, 1e200, 1e308])
def test_extreme_scales_change_nothing(scale):
    """No square is lost or infinite."""
    x, y = np.array([0.1, 0.9, 0.4, 0.2]), np.array([0.0, 1.0, 1.0, 0.5])

    for correlation in CORRELATIONS.values():
        assert correlation(x * scale, y).value == pytest.approx(correlation(x, y).value, abs=1e-12)


def test_midranks_by_hand():
    """Two rows of weight 2 and 1 share ranks 2 to 4."""
    assert midranks(np.array([7.0, 3.0, 7.0]), [2, 1, 1]).tolist() == [3.0, 1.0, 3.0]

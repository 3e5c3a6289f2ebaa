"""Rank correlation of many rows: the definition, ties included, in bounded memory."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.studies.statistics.ranks import RankCorrelation


def ranks_by_counting(values):
    """The definition: how many are smaller, and half of those that are equal."""
    return [sum(x < y for x in values) + (sum(x == y for x in values) + 1) / 2 for y in values]


def spearman(xs, ys):
    """Pearson's correlation of the ranks, term by term."""
    (rx, ry), mean = map(ranks_by_counting, (xs, ys)), (len(xs) + 1) / 2
    dx, dy = [r - mean for r in rx], [r - mean for r in ry]
    spread = math.fsum(d * d for d in dx) * math.fsum(d * d for d in dy)
    return math.fsum(a * b for a, b in zip(dx, dy, strict=True)) / math.sqrt(spread)


scores = st.sampled_from([0.0, -0.0, 0.5, 1.0]) | st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(scores, scores), max_size=40), st.integers(1, 40))
def test_rank_correlation(pairs, size):
    """Equal scores share their ranks, for any batches; without an order there is no number."""
    ranks = RankCorrelation()
    for start in range(0, len(pairs), size):
        batch = pairs[start : start + size]
        ranks.add([x for x, _ in batch], [y for _, y in batch])

    assert ranks.rows == len(pairs)
    if any(len(set(side)) < 2 for side in zip(*pairs, strict=True)) or not pairs:
        assert ranks.value is None
    else:
        assert ranks.value == pytest.approx(spearman(*zip(*pairs, strict=True)), abs=1e-12)


@pytest.mark.parametrize(
    ("xs", "ys", "value"),
    [
        ([1.0, 2.0, 3.0], [-5.0, 0.0, 1e300], 1.0),
        ([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], -1.0),
        ([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 1.0, 4.0, 3.0, 5.0], 0.8),  # 1 - 6 * 4 / 120
        ([1.0, 1.0, 2.0, 2.0], [1.0, 2.0, 1.0, 2.0], 0.0),
        ([1.0, 1.0], [1.0, 2.0], None),
        ([1.0], [1.0], None),
    ],
)
def test_rank_correlations_done_by_hand(xs, ys, value):
    """Of few scores, where a person can check it."""
    ranks = RankCorrelation()
    ranks.add(xs, ys)

    assert ranks.value == (value if value is None else pytest.approx(value))


def test_of_many_rows_a_random_part_is_ranked():
    """Memory has a bound; what is kept does not depend on batches."""
    n, kept = 30_000, 1_000
    xs = [float(i % 16) for i in range(n)]  # 16 samples a group: a stride would see one of them
    ys = [x + (i * 7919 % 32) for i, x in enumerate(xs)]
    parts = []
    for size in (64, 5_000, n):
        ranks = RankCorrelation(kept)
        for start in range(0, n, size):
            ranks.add(xs[start : start + size], ys[start : start + size])
        assert kept * 0.4 < ranks.rows <= kept
        parts.append((ranks.rows, ranks.value))
    whole = RankCorrelation()
    whole.add(xs, ys)

    assert len(set(parts)) == 1
    assert parts[0][1] == pytest.approx(whole.value, abs=0.1)


def test_pairs_have_two_scores():
    """A caller's mistake is said at once."""
    with pytest.raises(ValueError, match="a pair has two scores, and there are 1 and 2"):
        RankCorrelation().add([1.0], [1.0, 2.0])

"""The order of an item's samples: counted by sorting as pair by pair, and fast in a large item."""

from time import process_time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from graders.studies.statistics.order import kept_order, ordered_pairs


def pair_by_pair(values, other):
    """Signs of the differences of each two rows, of both columns, where the second has one."""
    first, second = np.triu_indices(len(values), 1)
    signs = np.sign(values[first] - values[second]), np.sign(other[first] - other[second])
    return (sign[signs[1] != 0] for sign in signs)


@st.composite
def columns(draw):
    """Rows of small and large items, mixed, with many ties or with few."""
    sizes = draw(st.lists(st.sampled_from([1, 2, 5, 63, 64, 65, 100]), min_size=1, max_size=4))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    items = random.permutation(np.repeat(np.arange(len(sizes)), sizes))
    ties = [draw(st.sampled_from([1, 2, 5, 10**6])) for _ in range(3)]
    x, z, y = (random.integers(-many, many, len(items)) / 7 for many in ties)
    return np.stack([x, z], axis=1), y, items


@given(columns())
def test_large_items_are_counted_as_small_ones(rows):
    """To the last bit, of one column or of several."""
    x, y, items = rows
    alike, pairs = ordered_pairs(x, y, items)

    for item in range(items.max() + 1):
        of_item = items == item
        for column in range(2):
            scored, ranked = pair_by_pair(x[of_item, column], y[of_item])
            assert pairs[item] == len(ranked)
            assert alike[item, column] == ((1 + scored * ranked) / 2).sum()
    alone, same = ordered_pairs(x[:, 0], y, items)
    assert (alone == alike[:, 0]).all()
    assert (same == pairs).all()


@given(columns())
def test_what_became_of_an_order_is_told_pair_by_pair(rows):
    """The same, the opposite, or, of the rest, a tie."""
    (new, _), old, items = rows[0].T, rows[1], rows[2]
    found = kept_order(old, new, items, apart=0)

    for item in range(items.max() + 1):
        scored, ranked = pair_by_pair(new[items == item], old[items == item])
        expected = [len(ranked), (scored == ranked).sum(), (scored == -ranked).sum()]
        assert [column[item] for column in found] == expected


def test_what_rounding_leaves_is_a_tie():
    """On either side: an order that is none is not lost."""
    found = kept_order(
        np.array([0.3, 0.1 + 0.2, 1.0]), np.array([0.3, 0.3, 0.3]), np.zeros(3, int), apart=1e-12
    )
    back = kept_order(
        np.array([0.1, 0.2, 0.9]), np.array([0.3, 0.1 + 0.2, 1.0]), np.zeros(3, int), apart=1e-12
    )

    assert [one.tolist() for one in found] == [[2.0], [0.0], [0.0]]
    assert [one.tolist() for one in back] == [[3.0], [2.0], [0.0]]


def test_one_large_item_is_not_quadratic():
    """Pair by pair it took 4 seconds; by sorting it takes some hundredths."""
    rows, random = 20_000, np.random.default_rng(0)
    x, y = random.integers(0, 5, rows) / 4, random.random(rows)
    start = process_time()
    _, pairs = ordered_pairs(x, y, np.zeros(rows, int))

    assert pairs.tolist() == [rows * (rows - 1) / 2]
    assert process_time() - start < 1.0

"""What grouped rewards teach: by hand, by the definition, and on published estimators."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.studies.statistics.signal import by_item, group_signal
from graders.studies.teach.passing import pass_at_k, suggest_threshold

rewards = st.sampled_from([0.0, 0.1, 0.3, 1.0])
tables = st.lists(st.tuples(rewards, st.sampled_from("abcdef")), min_size=1, max_size=40)


@given(tables)
def test_groups_by_the_definition(table):
    """Each number, item by item."""
    groups = {}
    for reward, item in table:
        groups.setdefault(item, []).append(reward)
    several = [group for group in groups.values() if len(group) > 1]
    found = group_signal([r for r, _ in table], [i for _, i in table], resamples=20)
    every = by_item([r for r, _ in table], [i for _, i in table])

    assert every.sizes.tolist() == [len(group) for group in groups.values()]
    assert every.variances == pytest.approx([np.var(group) for group in groups.values()])
    assert (found.groups, found.single) == (len(several), len(groups) - len(several))
    if not several:
        assert found.zero_variance.undefined == "no item has two samples"
        assert found.within_share.undefined == "no item has two samples"
        return
    flat = [group for group in several if len(set(group)) == 1]
    pairs = [a == b for group in several for a, b in combinations(group, 2)]
    pooled = [reward for group in several for reward in group]
    least, most = (pick(r for r, _ in table) for pick in (min, max))
    assert found.zero_variance.value == pytest.approx(len(flat) / len(several))
    assert found.all_low.value == pytest.approx(sum(g[0] == least for g in flat) / len(several))
    assert found.all_high.value == pytest.approx(sum(g[0] == most for g in flat) / len(several))
    assert found.effective_batch.value == pytest.approx(1 - sum(map(len, flat)) / len(pooled))
    assert found.mean_sd.value == pytest.approx(np.mean([np.std(group) for group in several]))
    assert found.tied_pairs.value == pytest.approx(np.mean(pairs))
    if len(set(pooled)) == 1:
        assert found.within_share.undefined.startswith("all rewards of items with several")
    else:
        within = sum(len(group) * np.var(group) for group in several) / len(pooled)
        assert found.within_share.value == pytest.approx(within / np.var(pooled))


def test_rounding_is_no_variance():
    """0.1 + 0.2 and 0.3 are one reward."""
    found = group_signal([0.1 + 0.2, 0.3, 0.3, 1.0], ["a", "a", "b", "b"])

    assert found.zero_variance.value == 0.5
    assert found.all_low.value == 0.5
    assert found.tied_pairs.value == 0.5
    assert found.zero_variance_interval.low == 0.0
    assert found.zero_variance_interval.high == 1.0


@given(st.integers(1, 6), st.integers(0, 6), st.integers(1, 7))
def test_pass_at_k_is_the_share_of_draws_with_a_pass(n, c, k):
    """All ways to draw k of n samples, counted."""
    passed = [i < min(c, n) for i in range(n)]
    found = pass_at_k(passed, ["a"] * n, k, resamples=5)

    if k > n:
        assert (found.value.undefined, found.left_out) == (f"no item has {k} samples", 1)
        assert found.interval is None
    else:
        draws = [any(draw) for draw in combinations(passed, k)]
        assert found.value.value == pytest.approx(np.mean(draws), abs=1e-12)


def test_pass_at_k_of_the_paper_s_code():
    """Chen et al. 2021, figure 3: 1 - prod(1 - k / arange(n - c + 1, n + 1)), for large n."""
    n, k = 200, 100
    passed, items, expected = [], [], []
    for item, c in enumerate((0, 1, 5, 37, 100, 150, 200)):
        passed += [i < c for i in range(n)]
        items += [item] * n
        chance = 1.0 if n - c < k else 1 - np.prod(1 - k / np.arange(n - c + 1, n + 1))
        expected.append(chance)
    found = pass_at_k(passed, items, k)

    assert found.value.value == pytest.approx(np.mean(expected), abs=1e-12)
    assert found.interval.low < found.value.value < found.interval.high


@given(tables, st.sampled_from([(0.25, 0.5), (0.0, 0.1), (0.9, 0.9)]))
def test_no_threshold_is_nearer_to_the_middle_of_the_band(table, band):
    """Every score tried; the interval is of scores."""
    scores = np.array([r for r, _ in table])
    found = suggest_threshold(scores, [i for _, i in table], band=band, resamples=20)
    away = {t: abs((scores < t).mean() - sum(band) / 2) for t in scores}

    assert found.failing == pytest.approx((scores < found.threshold).mean())
    assert away[found.threshold] == pytest.approx(min(away.values()))
    assert found.in_band == (band[0] <= found.failing <= band[1])
    if len({item for _, item in table}) > 1:
        assert found.interval.low <= found.interval.high
    else:
        assert found.interval is found.failing_interval is None


def test_a_threshold_comes_with_its_uncertainty():
    """Of uniform scores the middle of the band is 0.375, and more items know it better."""
    widths = []
    for items in (50, 5_000):
        scores = np.random.default_rng(1).random(items * 2)
        found = suggest_threshold(scores, np.arange(items * 2) // 2)
        assert found.interval.low < 0.375 < found.interval.high
        assert found.failing_interval.low < 0.375 < found.failing_interval.high
        assert found.in_band
        widths.append(found.interval.high - found.interval.low)

    assert widths[1] < widths[0] / 5
    assert not suggest_threshold([0.0] * 60 + [1.0] * 40, range(100)).in_band


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: pass_at_k([True], ["a"], 0), "k counts samples and must be at least 1, got 0"),
        (lambda: pass_at_k([True], ["a", "b"], 1), "there are 1 rows and 2 items"),
        (lambda: suggest_threshold([1], ["a"], band=(0.5, 0.2)), "got 0.5 and 0.2"),
        (lambda: group_signal([], []), "rewards: there are no rows"),
        (
            lambda: group_signal([1] * 4, [1, 1, 2, 2], resamples=-1),
            "resamples are counted from 1, got -1",
        ),
    ],
)
def test_what_has_no_groups_is_refused(call, message):
    """With the value."""
    with pytest.raises(ValueError, match=message):
        call()

"""The bootstrap: each resample is the rows repeated as drawn, and draws are items."""

import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.studies.statistics.agreement import agreement, auc, pairwise_accuracy
from graders.studies.statistics.bootstrap import (
    bootstrap,
    interval,
    item_draws,
    ratio_interval,
    share_interval,
)
from graders.studies.statistics.correlation import kendall, pearson, spearman
from graders.studies.statistics.resampled import MEASURES, prepare, resampled

# Three digits: Pearson's sums are about the mean of all rows, so that of a resample with a
# thousandth of their spread 9 digits are left.
score = st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1).map(lambda x: round(x, 3))
LABELS = [[0.0, 1.0], [0.0, 0.4, 0.6, 1.0]]
tables = st.sampled_from(LABELS).flatmap(
    lambda labels: st.lists(
        st.tuples(score, score, st.sampled_from(labels), st.sampled_from("abcde")),
        min_size=1,
        max_size=30,
    )
)


def repeated(counts, codes, *columns):
    """Rows as a resample has them, an item that was drawn twice being two items."""
    copies = [(i, copy) for i, count in enumerate(counts) for copy in range(int(count))]
    rows = [(row, copy) for i, copy in copies for row in np.flatnonzero(codes == i)]
    items = [f"{codes[row]} {copy}" for row, copy in rows]
    return [column[[row for row, _ in rows]] for column in columns], items


@given(tables, st.integers(0, 9))
def test_a_resample_is_its_rows_repeated(table, seed):
    """Every measure, as its own function gives it; undefined where that is."""
    one, two, labels = (np.array(side) for side in list(zip(*table, strict=True))[:3])
    items = [row[3] for row in table]
    codes = np.array([list(dict.fromkeys(items)).index(item) for item in items])
    prepared = prepare({"one": one, "two": two}, labels, items)
    (counts,) = item_draws(prepared.items, 4, seed=seed, rows=len(table))
    found = resampled(prepared, counts)

    assert counts.sum(axis=0).tolist() == [prepared.items] * 4
    for number, drawn in enumerate(counts.T):
        (x1, x2, y), drawn_items = repeated(drawn, codes, one, two, labels)
        for metric, x in enumerate((x1, x2)):
            expected = {
                "auc": auc(x, y >= 0.5),
                "pairwise_accuracy": pairwise_accuracy(x, y, drawn_items),
                "pearson": pearson(x, y),
                "spearman": spearman(x, y),
                "kendall": kendall(x, y),
            }
            for name, statistic in expected.items():
                value = np.nan if statistic.value is None else statistic.value
                assert found[name][number, metric] == pytest.approx(value, abs=1e-9, nan_ok=True)


@given(tables)
def test_items_drawn_once_each_are_the_rows_themselves(table):
    """So an interval is one around the number it stands beside, F1 included."""
    one, two, labels = (np.array(side) for side in list(zip(*table, strict=True))[:3])
    items = [row[3] for row in table]
    prepared = prepare({"one": one, "two": two}, labels, items)
    found = resampled(prepared, np.ones((prepared.items, 1)))

    for metric, x in enumerate((one, two)):
        point = agreement(x, labels, items)
        for name in MEASURES:
            value = getattr(point, name).value
            value = np.nan if value is None else value
            assert found[name][0, metric] == pytest.approx(value, abs=1e-9, nan_ok=True)


def test_items_may_be_any_values():
    """Pairs, say, of a file and a line."""
    by_pair = prepare({"a": [1, 2, 3]}, [0, 1, 1], [("x", 1), ("y", 1), ("x", 1)])

    assert (by_pair.items, by_pair.rows, by_pair.row_items.tolist()) == (2, 3, [0, 0, 1])


def answers(items=400, samples=5, seed=3):
    """Scores that say more and less of what is good, and samples of an item that are alike."""
    draws = np.random.default_rng(seed)
    truth = np.repeat(draws.normal(size=items), samples) + draws.normal(size=items * samples)
    scores = {
        name: truth + noise * draws.normal(size=len(truth))
        for name, noise in (("near", 0.5), ("far", 2.0), ("none", 1e6))
    }
    return scores, (truth > 0).astype(float), np.repeat(np.arange(items), samples)


def test_the_same_seed_gives_the_same_draws_of_any_metrics():
    """A metric more, and the intervals of the others stay."""
    scores, labels, items = answers(60)
    far = prepare({"far": scores["far"]}, labels, items)
    all_three = bootstrap(prepare(scores, labels, items), resamples=200, seed=4)
    alone = bootstrap(far, resamples=200, seed=4)
    other = bootstrap(far, resamples=200, seed=5)

    for name in MEASURES:
        assert alone.of(name, "far") == pytest.approx(all_three.of(name, "far"), abs=1e-12)
        assert (alone.of(name, "far") != other.of(name, "far")).any()


def test_a_metric_may_have_any_name():
    """Even that of a column."""
    found = prepare({"labels": [1, 2], "scores": [2, 1]}, [0, 1], ["a", "b"])

    assert found.metrics == ("labels", "scores")


def test_blocks_change_nothing():
    """Many rows come in blocks of few resamples, with the draws of one block."""
    (whole,) = item_draws(50, 40, seed=1, rows=50)
    parts = [*item_draws(50, 40, seed=1, rows=1 << 15)]

    assert len(parts) == 5
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


@pytest.mark.long
def test_intervals_cover_the_truth_when_samples_of_an_item_are_alike():
    """Of 60 data sets, about 95 % of the intervals hold the correlation of all; rows alone do not.

    Binomial: 50 of 60 or fewer have a chance below 0.1 % at 95 %.
    """
    truth, by_items, by_rows = np.sqrt(0.5), 0, 0
    for seed in range(60):
        draws = np.random.default_rng(seed)
        shared = np.repeat(draws.normal(size=(2, 80)), 10, axis=1)
        y, noise = shared + 0.1 * draws.normal(size=shared.shape)
        x, items = y + noise, np.repeat(np.arange(80), 10)
        for counting, clusters in (("items", items), ("rows", np.arange(800))):
            found = bootstrap(prepare({"x": x}, y, clusters), resamples=200, seed=seed)
            around = interval(found.of("pearson", "x"))
            covered = around.low <= truth <= around.high
            by_items += covered and counting == "items"
            by_rows += covered and counting == "rows"

    assert by_items > 50
    assert by_rows < 40


def test_one_item_has_no_interval():
    """Drawn again and again it is itself, and would look certain."""
    drawn = bootstrap(prepare({"a": [0.1, 0.9]}, [0, 1], ["q", "q"]), resamples=20)

    assert interval(drawn.of("auc", "a")) is None
    assert ratio_interval(np.array([1.0, 0.0]), np.array([1.0, 0.0]), resamples=20) is None


@pytest.mark.needs("scipy")
@pytest.mark.parametrize("items", [2, 10, 300])
@pytest.mark.parametrize("share", [0, 1])
def test_a_share_of_none_or_of_all_has_the_exact_interval(items, share):
    """That of scipy, where resamples would be certain; some items do not belong."""
    from scipy import stats

    rows = np.append(np.full(items, 4.0), [0.0, 0.0])
    found = share_interval(rows * share, rows, resamples=20)
    exact = stats.binomtest(items * share, items).proportion_ci(0.95, "exact")

    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-12)


def test_a_share_in_between_is_resampled():
    """So is one that is the same in each item; one item has no interval."""
    rows = np.full(4, 4.0)

    assert share_interval(rows * 0.5, rows, resamples=20).low == 0.5
    some = np.array([0.0, 4.0, 2.0, 4.0])
    assert share_interval(some, rows) == ratio_interval(some, rows)
    assert share_interval(rows[:1], rows[:1]) is None
    assert share_interval(rows, rows, resamples=0) is None


def test_a_rare_share_is_covered():
    """Of ten items most samples have none; of resamples alone less than half cover it."""
    rng, one = np.random.default_rng(0), np.ones(10)
    drawn = [(rng.random(10) < 0.05).astype(float) for _ in range(200)]
    exact, plain = (
        sum(found.low <= 0.05 <= found.high for found in (of(x, one, resamples=100) for x in drawn))
        for of in (share_interval, ratio_interval)
    )

    assert exact > 190
    assert plain < 110


@pytest.mark.needs("scipy")
def test_the_interval_of_a_mean_is_scipys():
    """One row an item is the plain bootstrap."""
    from scipy import stats

    values = np.random.default_rng(3).exponential(size=300)
    found = ratio_interval(values, np.ones(300), resamples=4_000)
    theirs = stats.bootstrap((values,), np.mean, method="percentile", random_state=1)

    assert found.low == pytest.approx(theirs.confidence_interval.low, abs=0.01)
    assert found.high == pytest.approx(theirs.confidence_interval.high, abs=0.01)


@pytest.mark.long
def test_many_metrics_are_resampled_in_seconds():
    """8,000 rows, 24 metrics, 1,000 resamples: 3.3 CPU-seconds were measured, of 10 allowed."""
    draws = np.random.default_rng(1)
    truth = draws.normal(size=8_000)
    scores = {f"m{i}": truth + 2 * draws.normal(size=8_000) for i in range(24)}
    started = time.process_time()
    found = bootstrap(prepare(scores, (truth > 0).astype(float), np.arange(8_000) // 5))

    assert time.process_time() - started < 10
    assert all(np.isfinite(values).all() for values in found.values.values())


def test_intervals_leave_out_what_has_no_value():
    """And there is none where nothing has."""
    values = np.array([np.nan, *range(101)])

    assert (interval(values).low, interval(values).high) == pytest.approx((2.5, 97.5))
    assert interval(values).resamples == 101
    assert interval(np.full(3, np.nan)) is None


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: prepare({}, [1], ["a"]), "there is no metric to resample"),
        (lambda: bootstrap(prepare({"a": [1]}, [1], ["a"]), resamples=0), "counted from 1, got 0"),
        (lambda: prepare({"a": [1, 2]}, [1], ["a"]), "labels has 1, a has 2"),
        (lambda: interval(np.ones(3), level=95), r"in \(0, 1\), got 95"),
    ],
)
def test_what_cannot_be_resampled_is_refused(call, message):
    """With the value."""
    with pytest.raises(ValueError, match=message):
        call()

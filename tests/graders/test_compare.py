"""Comparing contestants: paired rows, intervals, tests, thresholds, what is drawn."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from judged_rows import FAST, answers

from graders.studies.choice.advice import advise
from graders.studies.choice.compare import CompareOptions, Judged, compare
from graders.studies.choice.offers import Offers
from graders.studies.choice.pareto import Point, pareto
from graders.studies.choice.thresholds import threshold_interval
from graders.studies.shapes import drawn_places, spread
from graders.studies.statistics.agreement import agreement, best_threshold
from graders.studies.statistics.bootstrap import bootstrap, interval, item_draws
from graders.studies.statistics.differences import behind_best
from graders.studies.statistics.labels import label_scale
from graders.studies.statistics.resampled import MEASURES, prepare
from graders.studies.statistics.williams import williams


def test_the_best_stands_first_and_each_number_is_that_of_its_own_function():
    """Agreement, intervals, differences and Williams' test, as the modules give them."""
    columns, judged = answers()
    found = compare(columns, judged, FAST)
    drawn = bootstrap(prepare(columns, judged.labels, judged.items), resamples=200)
    values = {one.name: one.agreement.auc for one in found.standings}

    assert found.standings[0].name == found.best.name == "sharp"
    assert (found.by, found.rows, len(found.kept)) == ("auc", 240, 240)
    for one in found.standings:
        assert one.agreement == agreement(columns[one.name], judged.labels, judged.items)
        assert one.intervals == {m: interval(drawn.of(m, one.name)) for m in MEASURES}
    for difference in behind_best("auc", {n: values[n] for n in columns}, drawn):
        other = next(one for one in found.standings if one.name == difference.metric)
        assert other.behind["auc"] == difference
    blunt = next(one for one in found.standings if one.name == "blunt")
    between = float(np.corrcoef(columns["sharp"], columns["blunt"])[0, 1])
    test = williams(
        found.best.agreement.pearson.value, blunt.agreement.pearson.value, between, rows=240
    )
    assert blunt.williams["pearson"].t == pytest.approx(test.t, abs=1e-9)
    assert blunt.williams["pearson"].p == pytest.approx(test.p, abs=1e-12)
    assert found.best.williams == {"pearson": None, "spearman": None}


@pytest.mark.needs("sklearn")
def test_every_number_is_that_of_the_libraries():
    """To 1e-12, Williams' p among them."""
    from scipy import stats
    from sklearn.metrics import f1_score, roc_auc_score

    columns, judged = answers()
    found = compare(columns, judged, FAST)
    labels = np.array(judged.labels)

    for one in found.standings:
        if one.name == "flat":
            continue
        x, said = np.array(columns[one.name]), one.agreement
        passing = x >= said.threshold.value
        assert said.auc.value == pytest.approx(roc_auc_score(labels, x), abs=1e-12)
        assert said.f1.value == pytest.approx(f1_score(labels, passing), abs=1e-12)
        assert said.pearson.value == pytest.approx(stats.pearsonr(x, labels)[0], abs=1e-12)
        assert said.spearman.value == pytest.approx(stats.spearmanr(x, labels)[0], abs=1e-12)
        assert said.kendall.value == pytest.approx(stats.kendalltau(x, labels)[0], abs=1e-12)
        if (test := one.williams["spearman"]) is not None:
            assert test.p == pytest.approx(2 * stats.t.sf(abs(test.t), test.df), abs=1e-12)


def test_the_same_seed_gives_the_same_findings():
    """And another one other intervals, of the same values."""
    columns, judged = answers()
    one, same = (compare(columns, judged, FAST) for _ in range(2))
    other = compare(columns, judged, CompareOptions(resamples=200, seed=1))

    assert one.best.intervals == same.best.intervals != other.best.intervals
    assert one.best.agreement == other.best.agreement


def test_rows_that_one_fails_on_are_left_out_of_all():
    """So that all are compared on the same rows; and it is said because of whom."""
    columns, judged = answers()
    columns["blunt"][0] = columns["blunt"][5] = columns["noise"][5] = None
    columns["gone"] = [None] * 240
    found = compare(columns, judged, FAST)
    said = {verdict.code: verdict.text for verdict in advise(found, Offers())}

    assert 0 not in found.kept
    assert 5 not in found.kept
    assert len(found.kept) == 238
    assert all(one.agreement.rows == 238 for one in found.standings)
    assert found.failed == {"sharp": 0, "blunt": 2, "noise": 1, "flat": 0, "gone": 240}
    assert found.alone == {"sharp": 0, "blunt": 1, "noise": 0, "flat": 0}
    assert found.unscored == ("gone",)
    assert said["no-score"] == "gone failed on every row and is not compared."
    assert said["left-out"] == (
        "2 of 240 rows are left out, for not all have a score there: blunt failed on 0.8 %, noise "
        "failed on 0.4 %. A failure is no score."
    )


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ({}, "there is nothing to compare"),
        (
            {"a": [0.1, 1e101]},
            r"a score of a is 1e\+101, and only numbers up to 1e100 can be compared",
        ),
        ({"a": [None, None]}, "no contestant has a score on any row"),
        ({"a": [1.0, None], "b": [None, 1.0]}, r"a failed on 1 of 2; leave it out"),
        ({"a": [1.0]}, "one score a row is needed: a has 1 of 2"),
    ],
)
def test_what_cannot_be_compared(scores, message):
    """Is an error that says so."""
    judged = Judged(labels=[0, 1], items=[0, 1], lengths=[1, 1], reference_lengths=[1, 1])

    with pytest.raises(ValueError, match=message):
        compare(scores, judged)


@pytest.mark.parametrize(
    ("labels", "given_from", "good_from", "chosen", "good"),
    [
        ([0, 1, 1], None, 0.5, "the middle of 0 to 1", 2),
        ([0.2, 0.5, 0.9], None, 0.5, "the middle of 0 to 1", 2),
        ([1, 2, 4, 5], None, 3.0, "the median", 2),
        ([1, 1, 1, 5], None, 5.0, "the lowest but one", 1),
        ([3, 3], None, 3.0, "the median", 2),
        ([1, 2, 4, 5], 5.0, 5.0, "as told", 1),
        ([-1, 0, 1], None, 0.0, "the median", 2),
    ],
)
def test_from_which_label_on_a_row_is_good(labels, given_from, good_from, chosen, good):
    """Half of 0 to 1, the median of other scales, or as told."""
    found = label_scale(labels, range(len(labels)), given_from)

    assert (found.good_from, found.chosen, found.good) == (good_from, chosen, good)


def test_graded_labels_are_compared_by_ranks():
    """Unless something else is asked for."""
    judged = Judged(
        labels=[1, 2, 3, 4], items=[0, 0, 1, 1], lengths=[1, 2, 3, 4], reference_lengths=[1] * 4
    )
    scores = {"one": [0.1, 0.2, 0.3, 0.4]}

    assert compare(scores, judged, CompareOptions(resamples=20)).by == "spearman"
    assert compare(scores, judged, CompareOptions(resamples=20, by="kendall")).by == "kendall"


cells = st.tuples(st.sampled_from([0.0, 0.2, 0.5, 0.9]), st.booleans(), st.integers(0, 4))


@given(st.lists(cells, min_size=2, max_size=25), st.integers(0, 5))
def test_a_threshold_is_chosen_anew_in_each_resample(rows, seed):
    """Its interval is that of the best threshold of the rows, weighted as drawn."""
    scores, good, items = (np.array(side) for side in zip(*rows, strict=True))
    codes = np.array([list(dict.fromkeys(items.tolist())).index(item) for item in items.tolist()])
    number = int(codes.max()) + 1
    found = threshold_interval(scores, good, items, resamples=40, seed=seed)
    if number < 2 or not good.any():
        assert found is None
        return
    (counts,) = item_draws(number, 40, seed=seed, rows=len(rows))
    drawn = [best_threshold(scores, good, one[codes])[0].value for one in counts.T]
    # Where no good row is drawn, no threshold is best; it is the highest.
    chosen = np.array([scores.max() if value is None else value for value in drawn])
    expected = interval(chosen)

    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=1e-12)


points = st.lists(
    st.tuples(
        st.sampled_from([None, 0.1, 0.5, 0.9]),
        st.sampled_from([None, 0.1, 1.0, 10.0]),
        st.sampled_from([None, 0.0, 0.5, 1.0]),
    ),
    max_size=8,
)


@given(points)
def test_who_is_in_a_pareto_set_is_beaten_by_nobody_in_everything(listed):
    """And whoever is not, is beaten by somebody; what is not known is no advantage."""

    def loss(point):
        inf = math.inf
        agreement, cost, hacked = point
        return (
            -agreement,
            inf if cost is None else cost,
            inf if hacked is None else hacked,
        )

    named = [
        Point(name=str(i), agreement=a, cost=c, hackability=h) for i, (a, c, h) in enumerate(listed)
    ]
    known = {str(i): loss(point) for i, point in enumerate(listed) if point[0] is not None}
    beaten = {
        name
        for name, own in known.items()
        if any(
            all(x <= y for x, y in zip(other, own, strict=True)) and other != own
            for other in known.values()
        )
    }

    assert set(pareto(named)) == known.keys() - beaten


def test_costs_that_are_about_the_same_are_the_same():
    """A clock never says the same twice."""
    near = [
        Point(name="one", agreement=0.8, cost=1.0, hackability=0.1),
        Point(name="two", agreement=0.7, cost=0.9, hackability=0.1),
    ]

    assert pareto(near) == ("one",)


def test_who_is_far_cheaper_than_all_in_a_pareto_set_is_in_it():
    """Twenty of which each costs little less than the one before, and the last a 32nd."""
    chain = [
        Point(name=f"m{k}", agreement=0.9 - 0.001 * k, cost=10 / 1.2**k, hackability=0.5)
        for k in range(20)
    ]

    assert pareto(chain) == tuple(f"m{k}" for k in range(0, 20, 2))
    assert pareto([chain[0], chain[1], chain[19]]) == ("m0", "m19")


@given(
    st.lists(
        st.tuples(
            st.sampled_from([0.5, 0.6, 0.7]),
            st.one_of(st.none(), st.floats(0.5, 4)),
            st.sampled_from([None, 0.0, 0.5]),
        ),
        max_size=8,
    ),
    st.randoms(use_true_random=False),
)
def test_a_pareto_set_depends_on_no_order(listed, shuffled):
    """Of measured costs too; and whoever is out is dominated by one that is in, who is not."""
    named = [
        Point(name=str(i), agreement=a, cost=c, hackability=h) for i, (a, c, h) in enumerate(listed)
    ]
    front = pareto(named)
    others = shuffled.sample(named, len(named))
    inside = [point for point in named if point.name in front]

    assert set(pareto(others)) == set(front)
    assert pareto(inside) == front
    for point in named:
        assert (point.name in pareto([*inside, point])) == (point in inside)


def test_a_spread_counts_every_row_once():
    """In [0, 1] by twentieths; beyond, from the lowest to the highest."""
    found = spread([0.0, 0.05, 1.0, 1.0], [True, False, True, False])
    wide = spread([-1.0, 3.0], [True, False], bins=4)

    assert (found.good[0], found.bad[1], found.good[-1], found.bad[-1]) == (1, 1, 1, 1)
    assert sum(found.good) + sum(found.bad) == 4
    assert (wide.edges, wide.good, wide.bad) == ((-1, 0, 1, 2, 3), (1, 0, 0, 0), (0, 0, 0, 1))
    assert spread([2.0, 2.0], [True, True]).good[10:] == (2, *[0] * 9)


def test_points_are_drawn_once_each_in_order():
    """The same for the same seed."""
    drawn = drawn_places(1_000, most=30, seed=2)

    assert drawn == tuple(sorted(set(drawn))) == drawn_places(1_000, most=30, seed=2)
    assert len(drawn) == 30

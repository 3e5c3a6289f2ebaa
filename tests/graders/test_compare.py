"""Comparing contestants: paired rows, intervals, tests, thresholds, and what is said of them."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.studies.advice import advise
from graders.studies.agreement import agreement, best_threshold
from graders.studies.bootstrap import bootstrap, interval, item_draws
from graders.studies.compare import CompareOptions, Judged, compare
from graders.studies.differences import behind_best
from graders.studies.labels import label_scale
from graders.studies.offers import Offers, Weakness
from graders.studies.pareto import Point, pareto
from graders.studies.resampled import MEASURES, prepare
from graders.studies.shapes import drawn_places, spread
from graders.studies.thresholds import threshold_interval
from graders.studies.williams import williams

FAST = CompareOptions(resamples=200)


def answers(items=60, samples=4, seed=3):
    """Labels of 0 and 1, and contestants that say more and less of them."""
    draws = np.random.default_rng(seed)
    labels = draws.integers(0, 2, items * samples).astype(float)
    codes = np.repeat(np.arange(items), samples)
    scores = {
        "sharp": labels + 0.6 * draws.normal(size=len(labels)),
        "blunt": labels + 2.0 * draws.normal(size=len(labels)),
        "noise": draws.normal(size=len(labels)),
        "flat": np.zeros(len(labels)),
    }
    lengths = draws.integers(1, 100, len(labels)).astype(float)
    columns = {name: column.tolist() for name, column in scores.items()}
    judged = Judged(
        labels=labels.tolist(),
        items=codes.tolist(),
        lengths=lengths.tolist(),
        reference_lengths=[10.0] * len(labels),
    )
    return columns, judged


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


def verdicts(found, **offers):
    return {verdict.code: verdict for verdict in advise(found, Offers(**offers))}


def test_a_recommendation_has_its_number_and_its_reasons():
    """Who is best, whether another may be, what is dead, and what says nothing."""
    columns, judged = answers()
    found = compare(columns, judged, CompareOptions(resamples=400))
    said = verdicts(found)
    best = found.best

    assert said["recommendation"].text == (
        f"Use sharp: AUC {best.agreement.auc.value:.2f} [{best.intervals['auc'].low:.2f}, "
        f"{best.intervals['auc'].high:.2f}]; no other is better: each of the 3 is behind, Holm "
        "included."
    )
    assert said["recommendation"].value == best.agreement.auc.value
    assert said["dead"].text == (
        "flat is dead as a reward: 100 % [100 %, 100 %] of items give every sample the same score."
    )
    assert said["chance"].text.endswith("as far as these rows tell: flat, noise.")
    assert said["threshold-passes-all"].text.startswith(
        "The best threshold lets everything pass (0"
    ) or said["threshold-passes-all"].text.startswith("The best threshold lets everything pass (-")
    assert said["not-probed"].text.startswith("How gameable sharp is, was not tried")


def test_others_that_may_be_as_good_are_named():
    """Where Holm's test does not tell them apart."""
    columns, judged = answers()
    columns["twin"] = [x + 1e-9 * i for i, x in enumerate(columns["sharp"])]
    text = verdicts(compare(columns, judged, FAST))["recommendation"].text

    assert text.endswith("no other is better, and after Holm twin may be as good.")


def test_a_cheaper_one_that_is_about_as_good_is_named():
    """With its share of the cost; one that is nearly as dear is not."""
    columns, judged = answers()
    columns["twin"] = [round(x, 2) for x in columns["sharp"]]
    found = compare(columns, judged, FAST)
    second = found.standings[1].name
    first = found.best.name

    said = verdicts(found, costs={first: 1.0, second: 0.1, "flat": 0.01})["cheaper"]
    assert said.text.startswith(f"{second} costs 10 % of {first} and is within 0.01 of it: AUC ")
    assert said.value == pytest.approx(0.1)
    assert "cheaper" not in verdicts(found, costs={first: 1.0, second: 0.5})


def test_one_that_is_easily_cheated_comes_with_one_that_is_not():
    """If that one says enough; else it is said that there is none."""
    columns, judged = answers()
    columns["solid"] = [
        x + 0.3 * y for x, y in zip(columns["sharp"], columns["noise"], strict=True)
    ]
    found = compare(columns, judged, FAST)
    weak = {
        "sharp": Weakness(share=0.8, interval=None, rows=50, attack="filler", attack_share=0.6),
        "solid": Weakness(share=0.1, interval=None, rows=50, attack="empty", attack_share=0.1),
        "flat": Weakness(share=0.0, interval=None, rows=50),
    }
    said = verdicts(found, weaknesses=weak)

    assert found.best.name == "sharp"
    assert (said["gameable"].tone, said["gameable"].text) == (
        "bad",
        "sharp falls for some attack on 80 % of 50 rows, filler on 60 %: a model that is trained "
        "on it finds that.",
    )
    assert said["safer"].text.startswith("To train on, solid is harder to cheat: attacks win on 10")
    del weak["solid"]
    assert verdicts(found, weaknesses=weak)["none-safer"].tone == "warning"
    weak["sharp"] = weak["flat"]
    assert verdicts(found, weaknesses=weak)["gameable"].text == (
        "sharp falls for some attack on 0 % of 50 rows."
    )


def test_length_that_labels_do_not_explain_is_said():
    """Which way, and how far."""
    columns, judged = answers()
    long = [x - 0.05 * length for x, length in zip(columns["sharp"], judged.lengths, strict=True)]
    said = verdicts(compare({"long": long}, judged, FAST))["length"]

    assert said.text.startswith("long likes shorter outputs, whatever people say of them")
    assert said.value < -0.3


def test_labels_of_one_class_recommend_nothing():
    """There is no AUC, and the reason is said."""
    judged = Judged(labels=[1, 1], items=[0, 1], lengths=[1, 2], reference_lengths=[1, 1])
    found = compare({"one": [0.1, 0.2]}, judged, CompareOptions(resamples=10))
    said = verdicts(found)

    assert found.best is None
    assert said["no-agreement"].text == (
        "Nothing can be recommended: AUC does not exist, for labels have one class: all 2 rows are "
        "good."
    )
    assert said["few-items"].text.startswith("All this rests on 2 items")
    assert json.dumps([verdict.to_json() for verdict in said.values()], allow_nan=False)


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

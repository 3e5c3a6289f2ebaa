"""Fitting a reward of several members: its laws, its worth, and what is read of it."""

import json
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from graders.formula import compile_formula
from graders.report.fitted import to_json, to_lines
from graders.studies.choice.fit import Fit, FitOptions, Weight, fit
from graders.studies.choice.fit_verdicts import fit_verdicts
from graders.studies.choice.weights import FitError, hundredths_of
from graders.studies.statistics.agreement import auc
from graders.studies.statistics.statistic import Statistic

pytestmark = pytest.mark.needs("sklearn")
QUICK = FitOptions(resamples=100)


def two_halves(rows=400, seed=0):
    """Labels that two columns say half of each, and one that repeats one of them."""
    drawn = np.random.default_rng(seed)
    x = {name: drawn.random(rows) for name in ("one", "two")}
    x["coarse"] = np.round(x["one"] * 3) / 3
    y = (x["one"] + x["two"] + drawn.normal(0, 0.2, rows) > 1).astype(float)
    return x, y, np.arange(rows) // 2


COLUMNS = arrays.arrays(float, (12, 3), elements=st.floats(-2, 3, width=16))
LABELS = arrays.arrays(float, 12, elements=st.sampled_from([0.0, 0.5, 1.0]))


@given(COLUMNS, LABELS)
def test_weights_are_a_readable_convex_combination(x, y):
    """Hundredths of at least 5 that sum to 100, or none where nothing rises with the labels."""
    found = hundredths_of(x, y)

    if found is not None:
        assert found.sum() == 100
        assert all(part == 0 or part >= 5 for part in found)
        flat = np.ptp(x, axis=0) == 0
        assert not found[flat].any()


@given(st.floats(0.5, 4), st.floats(-3, 3))
def test_the_scale_of_labels_decides_nothing(times, plus):
    """Only what they tell apart does."""
    x, y, _ = two_halves()
    columns = np.stack(list(x.values()), axis=1)

    assert (hundredths_of(columns, times * y + plus) == hundredths_of(columns, y)).all()


def test_weights_are_those_of_scipys_non_negative_least_squares():
    """An oracle for what scikit-learn solves, before rounding."""
    from scipy.optimize import nnls

    x, y, _ = two_halves()
    columns = np.stack(list(x.values()), axis=1)
    exact, _ = nnls(columns - columns.mean(axis=0), y - y.mean())
    exact = np.where(exact / exact.sum() < 0.05, 0, exact)

    assert hundredths_of(columns, y) / 100 == pytest.approx(exact / exact.sum(), abs=0.015)


def test_a_fit_that_is_worth_it():
    """Two halves are better than one; what is left out is said, and why."""
    x, y, items = two_halves()
    found = fit({**x, "flat": np.full(400, 0.3), "wrong": 1 - x["one"]}, y, items, QUICK)
    said = {one.code: one for one in fit_verdicts(found)}

    assert {one.name for one in found.kept} == {"one", "two"}
    assert {one.name: one.why for one in found.weights if one.why} == {
        "coarse": "adds little to the others",
        "flat": "does not vary",
        "wrong": "falls as labels rise",
    }
    assert (found.by, found.folds, found.items, found.clamped) == ("auc", 5, 200, False)
    assert found.gain.fitted.value > 0.9 > found.gain.alone.value
    assert found.gain.interval.low > 0
    assert (said["worth"].tone, said["worth"].value) == ("good", found.gain.value.value)
    assert said["worth"].text.startswith("The fit is worth it; AUC 0.9")
    assert said["dropped"].text == (
        "Left out: coarse (adds little to the others); flat (does not vary); "
        "wrong (falls as labels rise)."
    )


def test_a_fit_that_is_not_better_says_so():
    """One column says all there is, and the other is nearly noise, which fits by chance."""
    drawn = np.random.default_rng(1)
    y = drawn.integers(0, 2, 60).astype(float)
    scores = {"says": y * 0.6 + drawn.random(60), "noise": y * 0.15 + drawn.random(60)}
    found = fit(scores, y, range(60), QUICK)
    worth = fit_verdicts(found)[0]

    assert worth.tone in {"warning", "bad"}
    assert "than says alone: take that; AUC 0." in worth.text
    assert worth.interval.low <= 0


def test_a_fit_of_one_member_is_that_member():
    """Nothing was combined, so nothing is compared."""
    labels, items = [0, 1] * 20, [i // 2 for i in range(40)]
    scores = {"says": [0.1 + 0.5 * y for y in labels], "flat": [0.5] * 40}
    worth = fit_verdicts(fit(scores, labels, items, FitOptions(resamples=20)))[0]

    assert (worth.code, worth.tone, worth.value) == ("worth", "warning", 0.0)
    assert worth.text == "The fit is says alone: nothing beside it makes the reward better."


def test_graded_labels_go_by_rank():
    """AUC needs to know from where on a label is good."""
    drawn = np.random.default_rng(2)
    y = drawn.integers(1, 6, 200).astype(float)
    scores = {name: y / 5 + drawn.normal(0, 0.3, 200) for name in ("a", "b")}
    found = fit(scores, y, np.arange(200) // 4, FitOptions(good_from=4, resamples=100))

    assert (found.by, found.gain.measure, found.good_from) == ("spearman", "spearman", 4)
    assert found.gain.value.value > 0
    assert found.clamped  # scores go below 0
    assert found.formula().startswith("min(1, max(0, 0.")


def test_no_item_is_tested_on_weights_that_saw_it():
    """Labels that are the items' own, at random: nothing is learnt of items left out."""
    drawn = np.random.default_rng(3)
    items = np.repeat(np.arange(30), 20)
    y = np.repeat(drawn.integers(0, 2, 30), 20).astype(float)
    scores = {f"m{i}": np.repeat(drawn.random(30), 20) for i in range(20)}
    found = fit(scores, y, items, QUICK)
    seen = auc(found.predict(scores), y >= 0.5).value

    assert seen > 0.75  # on what it was fitted to
    assert found.gain.fitted.value < seen - 0.1


def test_f1_on_items_left_out_is_that_of_fits_without_them():
    """Each fold at the threshold of a fit of the others; below what is chosen where measured."""
    from sklearn.metrics import f1_score
    from sklearn.model_selection import GroupKFold

    x, y, items = two_halves(rows=120)
    scores = {name: x[name] for name in ("one", "two")}
    found = fit(scores, y, items, QUICK)
    passed = np.zeros(len(y), bool)
    for seen, left_out in GroupKFold(n_splits=5).split(y, y, items):
        part = fit({n: c[seen] for n, c in scores.items()}, y[seen], items[seen], QUICK)
        rewards = part.predict({n: c[left_out] for n, c in scores.items()})
        passed[left_out] = rewards >= part.threshold.value

    assert found.unseen_f1.value == pytest.approx(f1_score(y, passed), abs=1e-12)
    assert found.unseen_f1.value < found.f1.value


def test_f1_does_not_exist_where_no_row_is_good():
    """On items left out as little as on all; and one that is not known to pass does not."""
    x, y, items = two_halves(rows=40)
    none = fit(x, y, items, FitOptions(good_from=2, resamples=10))
    few = [0.0] * 8 + [0.5, 1.0]
    one = fit({"a": few}, few, range(10), FitOptions(good_from=1, resamples=10))

    assert none.unseen_f1 == none.f1
    assert none.f1.undefined
    assert (one.f1.value, one.unseen_f1.value) == (1.0, 0.0)


THRESHOLDS = [  # rewards of good and bad rows, the shortest threshold between them
    ([0.123, 0.789], [0.012], 0.1),
    ([1.0], [0.0], 1.0),
    ([0.8349], [0.8341], 0.8349),
    ([0.835], [0.81], 0.83),
]


@pytest.mark.parametrize(("good", "bad", "threshold"), THRESHOLDS)
def test_the_threshold_is_short_and_parts_the_same_rows(good, bad, threshold):
    """It is the number with the best F1 that is easiest to read."""
    scores, labels = [*good, *bad] * 2, [*[1] * len(good), *[0] * len(bad)] * 2
    items = [0] * (len(scores) // 2) + [1] * (len(scores) // 2)
    found = fit({"a": scores}, labels, items, FitOptions(folds=2, resamples=10))

    assert (found.threshold.value, found.f1.value) == (threshold, 1.0)


@given(COLUMNS, st.lists(st.integers(0, 100), min_size=3, max_size=3).filter(any))
def test_the_formula_computes_what_is_predicted(x, shares):
    """To the last bit of what a formula rounds, scales and bounds included."""
    weights = tuple(
        Weight(name=f"m{i}", share=share / 100, scale=1 + i, low=0, high=1)
        for i, share in enumerate(shares)
    )
    none = Statistic(undefined="not asked")
    made = Fit(
        rows=12,
        items=12,
        folds=2,
        weights=weights,
        clamped=True,
        by="auc",
        gains=(),
        good_from=0.5,
        threshold=none,
        f1=none,
        unseen_f1=none,
    )
    scores = {f"m{i}": column for i, column in enumerate(x.T)}
    formula = compile_formula(made.formula(), scores)

    expected = [formula({name: float(c[i]) for name, c in scores.items()}) for i in range(12)]
    assert made.predict(scores) == pytest.approx(expected, abs=1e-12)


MESSAGES = [
    ({}, [], [], "there is no member to make a reward of"),
    ({"a": [0, 1]}, [0, 1], [1, 1], "all rows are of one item, and nothing would be left"),
    ({"a": [0, 1]}, [1, 1], [1, 2], "labels do not vary: all 2 are 1"),
    ({"a": [1, 0]}, [0, 1], [1, 2], "no member rises with the labels, so there is no reward"),
    (
        {"a": [0, 1, 0]},
        [0, 1, 0],
        [1, 2, 3],
        "without 1 of 3 rows no member rises with the labels: these are too few",
    ),
]


@pytest.mark.parametrize(("scores", "labels", "items", "message"), MESSAGES)
def test_what_cannot_be_fitted(scores, labels, items, message):
    """Says why, and gives no weights."""
    with pytest.raises(FitError, match=message):
        fit(scores, labels, items, QUICK)


def test_without_scikit_learn_it_says_what_to_install(monkeypatch):
    """It is an extra."""
    monkeypatch.setitem(sys.modules, "sklearn", None)

    with pytest.raises(FitError, match=r"scikit-learn, .*pip install 'local-graders\[fit\]'"):
        fit({"a": [0, 1, 0]}, [0, 1, 0], [1, 2, 3])


def test_what_people_and_programs_read():
    """The formula, the weights and their spread, the gains; hostile names do nothing."""
    x, y, items = two_halves()
    found = fit({"one": x["one"], "two\x1b[2J": x["two"], "coarse": x["coarse"]}, y, items, QUICK)
    lines = list(to_lines(found))
    report = json.loads(json.dumps(to_json(found)))

    assert lines[0] == "fitted to 400 rows of 200 items, tested in 5 folds of items"
    assert all("\x1b" not in line and len(line) <= 80 for line in lines)
    assert any(line.startswith("  two\\x1b[2J") for line in lines)
    assert f"  F1                      {found.unseen_f1.value:>8.3f}" in lines
    assert list(report) == [
        *("rows", "items", "folds", "formula", "clamped", "by", "weights", "gains", "good_from"),
        *("threshold", "f1", "unseen_f1", "verdicts", "config", "settings", "notes"),
    ]
    assert [one["dropped"] for one in report["weights"]] == [
        *(None, None, "adds little to the others"),
    ]
    assert list(report["gains"]) == ["auc", "pairwise_accuracy", "spearman"]
    assert to_json(found) == to_json(
        fit({"one": x["one"], "two\x1b[2J": x["two"], "coarse": x["coarse"]}, y, items, QUICK)
    )


def test_a_scaled_member_is_divided():
    """A judge from 0 to 10 stands beside a metric from 0 to 1."""
    x, y, items = two_halves()
    found = fit({"judge": x["one"] * 10, "two": x["two"]}, y, items, QUICK)

    assert "judge / 10" in found.formula()
    assert found.clamped

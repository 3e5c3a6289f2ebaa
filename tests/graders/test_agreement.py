"""Agreement with people: scikit-learn's numbers; what is undefined says why."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.studies.statistics.agreement import agreement, auc, best_threshold, pairwise_accuracy

score = st.sampled_from([0.0, 0.25, 0.5, 1.0]) | st.floats(0, 1).map(lambda x: round(x, 6))
rows = st.lists(
    st.tuples(score, st.sampled_from([0.0, 0.4, 1.0]), st.integers(0, 5), st.integers(1, 3)),
    min_size=2,
    max_size=50,
)
two_classes = rows.filter(lambda rows: {y >= 0.5 for _, y, _, _ in rows} == {True, False})


def sides(rows):
    x, y, items, weights = map(np.array, zip(*rows, strict=True))
    return x, y, items, weights


@pytest.mark.needs("sklearn")
@given(rows=two_classes)
def test_auc_is_that_of_scikit_learn(rows):
    """To 1e-12, with ties and repeats."""
    from sklearn.metrics import roc_auc_score

    x, y, _, weights = sides(rows)

    assert auc(x, y >= 0.5).value == pytest.approx(roc_auc_score(y >= 0.5, x), abs=1e-12)
    assert auc(x, y >= 0.5, weights).value == pytest.approx(
        roc_auc_score(y >= 0.5, x, sample_weight=weights), abs=1e-12
    )


@pytest.mark.needs("sklearn")
@given(rows=two_classes)
def test_no_threshold_has_a_better_f1(rows):
    """Every score tried with scikit-learn's `f1_score`; of equals, the highest."""
    from sklearn.metrics import f1_score

    x, y, _, weights = sides(rows)
    threshold, f1 = best_threshold(x, y >= 0.5, weights)
    tried = {t: f1_score(y >= 0.5, x >= t, sample_weight=weights) for t in set(x.tolist())}

    assert f1.value == pytest.approx(max(tried.values()), abs=1e-12)
    assert threshold.value == max(t for t, v in tried.items() if abs(v - f1.value) < 1e-12)


@given(rows)
def test_pairs_are_compared_within_items_only(rows):
    """The definition, pair by pair; the order of rows does not matter."""
    x, y, items, _ = sides(rows)
    right = [
        0.5 if x[i] == x[j] else float(x[i] > x[j])
        for i in range(len(x))
        for j in range(len(x))
        if items[i] == items[j] and y[i] > y[j]
    ]
    found = pairwise_accuracy(x, y, items)

    assert found == pairwise_accuracy(x[::-1], y[::-1], items[::-1])
    if right:
        assert found.value == pytest.approx(np.mean(right), abs=1e-12)
    else:
        assert found.undefined == "no item has two samples with different labels"


def test_what_is_undefined_says_why():
    """Of one good row of each of two items, only the correlation with labels is left."""
    found = agreement([0.2, 0.4], [0.6, 0.8], ["a", "b"])

    assert found.auc.undefined == "labels have one class: all 2 rows are good"
    assert found.pairwise_accuracy.undefined == "no item has two samples with different labels"
    assert (found.threshold.value, found.f1.value) == (0.2, 1.0)
    assert (found.rows, found.good) == (2, 2)
    assert found.spearman.value == found.kendall.value == 1.0

    found = agreement([0.2, 0.2], [0.1, 0.2], ["a", "a"], good_from=0.3)

    assert found.auc.undefined == "labels have one class: all 2 rows are bad"
    assert found.f1.undefined == "no row is good, so no threshold finds a good one"
    assert found.pairwise_accuracy.value == 0.5
    assert found.pearson.undefined == "scores do not vary: all 2 are 0.2"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: agreement([1], [1, 0], ["a"]), "scores has 1, labels has 2"),
        (lambda: agreement([1, 0], [1, 0], ["a"]), "there are 2 rows and 1 items"),
        (lambda: agreement([1, np.inf], [1, 0], ["a", "a"]), "the value at 1 is inf"),
        (lambda: auc([1, 0], [True, False], [0, 0]), "weights count rows, and all are 0"),
    ],
)
def test_what_is_no_table_of_rows_is_refused(call, message):
    """Before anything is computed of a part of it."""
    with pytest.raises(ValueError, match=message):
        call()

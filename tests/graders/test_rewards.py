"""Distribution, length and members of rewards: by hand, by the definition, against libraries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.studies.statistics.length import length_bias, partial_spearman
from graders.studies.teach.members import LINEAR, members_of
from graders.studies.teach.rewards import Atom, distribution

rewards = st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=40)


@given(rewards)
def test_a_distribution_by_the_definition(values):
    """Counts, and numpy's mean."""
    found = distribution(values, atom_from=0.25, most=3)
    shares = {value: values.count(value) / len(values) for value in values}
    atoms = sorted((-share, value) for value, share in shares.items() if share >= 0.25)

    assert (found.rows, found.distinct) == (len(values), len(shares))
    assert [(atom.value, atom.share) for atom in found.atoms] == [(v, -s) for s, v in atoms[:3]]
    assert (found.at_floor, found.at_ceiling) == (shares.get(0.0, 0), shares.get(1.0, 0))
    assert (found.mean, found.sd) == (pytest.approx(np.mean(values)), pytest.approx(np.std(values)))
    assert found.quantiles[3] == (0.5, np.median(values))


def test_saturation_is_at_the_ends_of_the_range():
    """A judge from 1 to 5 saturates at 5."""
    found = distribution([1, 4, 5, 5], ends=(1, 5))

    assert (found.at_floor, found.at_ceiling) == (0.25, 0.5)
    assert found.atoms[0] == Atom(value=5.0, share=0.5)


def test_length_bias_beyond_what_people_prefer():
    """A reward that is the label plus length; labels themselves do not go with length."""
    draws = np.random.default_rng(0)
    labels, lengths = draws.random((2, 3_000))
    items = np.arange(3_000) // 3
    found = length_bias(labels + lengths, lengths, np.full(3_000, 0.5), items, labels)
    fair = length_bias(labels, lengths, np.zeros(3_000), items, labels)

    assert found.with_length.value == found.with_ratio.value == pytest.approx(0.7, abs=0.05)
    assert found.longer_wins.value > 0.7
    assert found.beyond_labels.value > 0.9
    assert fair.with_length.value == pytest.approx(0, abs=0.05)
    assert fair.longer_wins.value == pytest.approx(0.5, abs=0.03)
    assert fair.empty_references == 3_000
    assert fair.with_ratio.undefined == "there is no reference, or all are empty"
    assert fair.beyond_labels.undefined == "labels leave nothing of rewards or lengths to explain"


@pytest.mark.needs("scipy")
@given(
    st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=8, max_size=40).filter(
        lambda rows: all(len(set(side)) > 1 for side in zip(*rows, strict=True))
    )
)
def test_the_partial_correlation_is_that_of_what_a_regression_leaves(rows):
    """The other definition: Pearson's r of the residuals of ranks on ranks."""
    from scipy import stats

    x, y, z = (stats.rankdata(side) for side in zip(*rows, strict=True))
    design = np.stack([np.ones(len(z)), z], axis=1)
    left = [side - design @ np.linalg.lstsq(design, side, rcond=None)[0] for side in (x, y)]
    found = partial_spearman(x, y, z, names=("x", "y", "z"))

    if found.value is None:
        assert min(np.abs(side).max() for side in left) < 1e-6
    else:
        assert found.value == pytest.approx(stats.pearsonr(*left).statistic, abs=1e-9)


def test_what_has_no_length_bias_says_why():
    """One sample an item, all of one length, no labels."""
    found = length_bias([0.1, 0.2], [5, 5], [5, 0], ["a", "b"])

    assert found.with_length.undefined == "lengths do not vary: all 2 are 5"
    assert found.with_ratio.undefined == "rewards do not vary: there is one, 0.1"
    assert found.longer_wins.undefined == "no item has two samples of different length"
    assert found.beyond_labels.undefined == "there are no labels"
    assert found.empty_references == 1


def test_shares_of_a_linear_formula_are_its_weights_times_covariances():
    """By numpy's covariance; weights are found again; a constant does not matter."""
    draws = np.random.default_rng(4)
    a = draws.random(500)
    scores = {"a": a, "b": (a + draws.random(500)) / 2, "flat": np.full(500, 0.1)}
    y = 0.7 * scores["a"] + 0.3 * scores["b"] + 0.1
    found = members_of(scores, y)
    expected = [
        w * np.cov(scores[name], y)[0, 1] / np.var(y, ddof=1)
        for name, w in zip("ab", (0.7, 0.3), strict=True)
    ]

    assert [m.weight for m in found.members] == pytest.approx([0.7, 0.3, 0.0])
    assert [m.share.value for m in found.members] == pytest.approx([*expected, 0.0])
    assert found.explained.value == pytest.approx(1.0)
    assert found.decides == "a"
    assert found.correlations["a", "b"].value == pytest.approx(np.corrcoef(a, scores["b"])[0, 1])
    assert found.correlations["a", "flat"].undefined == "flat does not vary"
    assert found.members[2].with_reward.undefined == "flat does not vary"


def test_within_items_another_member_may_decide():
    """What tells items apart teaches a group-relative method nothing."""
    items = np.repeat(np.arange(50), 4)
    scores = {"topic": np.repeat(np.arange(50) / 50, 4), "style": np.tile([0, 0.1, 0.2, 0.3], 50)}
    y = scores["topic"] + scores["style"]

    assert members_of(scores, y).decides == "topic"
    within = members_of(scores, y, items)
    assert within.decides == "style"
    assert [member.share.value for member in within.members] == pytest.approx([0, 1])


def test_a_formula_that_is_not_linear_is_explained_in_part():
    """The share says how far to trust the rest; members that say the same divide a weight."""
    draws = np.random.default_rng(7)
    a, b = draws.random((2, 2_000))
    found = members_of({"a": a, "b": b}, a * (1 + b))
    twins = members_of({"a": a, "again": a}, a)

    assert 0.9 < found.explained.value < 0.99
    assert sum(member.share.value for member in found.members) == pytest.approx(1)
    assert [member.weight for member in twins.members] == pytest.approx([0.5, 0.5])


@pytest.mark.parametrize(
    ("formula", "explained"),
    [(np.minimum, 0.75), (lambda a, b: abs(a - b), 0.0), (lambda a, b: a * b, 0.86)],
)
def test_of_what_is_far_from_linear_no_member_has_a_share(formula, explained):
    """By the integrals over two uniform members: 3/4, 0 and 6/7 of the variance."""
    a, b = np.random.default_rng(7).random((2, 4_000))
    found = members_of({"a": a, "b": b}, formula(a, b))
    shares = [member.share for member in found.members]

    assert found.explained.value == pytest.approx(explained, abs=0.02)
    if explained < LINEAR:
        assert found.decides is None
        assert {share.value for share in shares} == {None}
        assert shares[0].undefined.startswith("a linear formula explains ")
    else:
        assert [share.value for share in shares] == pytest.approx([0.5, 0.5], abs=0.05)


def test_rewards_that_do_not_vary_have_no_member_that_decides():
    """Three times 0.1 have a mean that is not 0.1."""
    found = members_of({"a": [0.1, 0.2, 0.3]}, [0.1, 0.1, 0.1])

    within = members_of({"rewards": [0.1, 0.1, 0.1, 0.5]}, [0.1, 0.1, 0.1, 0.5], [0, 0, 0, 1])

    assert found.decides is within.decides is None
    assert found.explained.undefined == "rewards do not vary"
    assert found.members[0].share.undefined == "rewards do not vary"
    assert members_of({"a": [0.1] * 3}, [0, 1, 0]).explained.value == 0.0
    assert members_of({"a": [0.1] * 3}, [0, 1, 0]).members[0].share.undefined.endswith("rewards")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: distribution([1], ends=(1, 0)), "got 1 and 0"),
        (lambda: length_bias([1], [-2], [1], ["a"]), "a length is at least 0, got -2"),
        (lambda: members_of({}, [1]), "a multi grader has members, and there are none"),
    ],
)
def test_what_are_no_rewards_is_refused(call, message):
    """With the value."""
    with pytest.raises(ValueError, match=message):
        call()

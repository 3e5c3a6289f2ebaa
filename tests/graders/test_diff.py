"""The study behind `graders diff`: pairs, failures, passes, what teaches."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.errors import Failure, FailureKind, RowError
from graders.results import Part, Result
from graders.studies.change.bounds import Bounds, check_bounds
from graders.studies.change.diff import diff
from graders.studies.change.pairs import Pair, Pairs
from graders.studies.change.verdicts import file_verdicts, verdicts
from graders.studies.statistics.drift import drift
from graders.studies.statistics.signal import group_signal

BROKEN = Failure(kind=FailureKind.OTHER, message="no")
SCORES = st.sampled_from([0.0, 0.25, 0.5, 1.0])


def result(score, *, row=1, group=1, passed=None, parts=None):
    """A result line; None is a failure."""
    members = {key: Part(score=value) for key, value in (parts or {}).items()}
    signature = f"multi|a|{next(iter(members))}=x" if members else "string_check|op:eq"
    return Result(
        row=row,
        group=group,
        sample_index=0,
        score=score,
        reward=score,
        passed=passed,
        failure=BROKEN if score is None else None,
        parts=members,
        usage=None,
        signature=signature,
        output_chars=1,
        reference_chars=None,
        detail=None,
    )


def compared(old, new, groups=None, *, threshold=None, worst=5):
    """The diff of two columns of scores."""
    pairs = Pairs(threshold=threshold, worst=worst)
    for row, (a, b) in enumerate(zip(old, new, strict=True)):
        group = row if groups is None else groups[row]
        pairs.add(Pair(result(a, row=row, group=group), result(b, row=row, group=group)))
    return diff(pairs)


@given(st.lists(st.tuples(SCORES, SCORES, st.integers(0, 3)), min_size=1, max_size=12))
def test_figures_are_those_of_the_columns(rows):
    """Taken in one by one, they come to what `drift` and `group_signal` say of all."""
    old, new, groups = (list(column) for column in zip(*rows, strict=True))
    found = compared(old, new, groups, threshold=0.5, worst=4)
    whole = drift(old, new, groups, worst=4)
    up = sum(a < 0.5 <= b for a, b, _ in rows)
    down = sum(b < 0.5 <= a for a, b, _ in rows)

    assert [one.row for one in found.worst] == list(whole.worst)
    assert (found.drift.mean_change, found.drift.spearman) == (whole.mean_change, whole.spearman)
    assert found.drift.mean_change_interval == whole.mean_change_interval
    assert (found.passing.now_passing, found.passing.now_failing) == (up, down)
    assert found.passing.flips.value == (up + down) / len(rows)
    for share, scores in ((found.teaching.old, old), (found.teaching.new, new)):
        expected = group_signal(scores, groups).zero_variance.value
        assert share.value == (None if expected is None else pytest.approx(expected))


@given(st.lists(st.tuples(st.none() | SCORES, st.none() | SCORES), max_size=12))
def test_a_failure_is_never_a_score(rows):
    """It is new, mended or as before, and every sample is that or a pair."""
    found = compared(*zip(*rows, strict=True)) if rows else compared([], [])
    ways = [found.failed(what) for what in ("new", "mended", "both")]
    both = [(a, b) for a, b in rows if a is not None and b is not None]

    assert found.pairs == len(both)
    assert found.pairs + sum(ways) == found.samples == len(rows)
    assert found.old_failed == sum(a is None for a, _ in rows)
    assert found.old_mean == (pytest.approx(np.mean([a for a, _ in both])) if both else None)
    assert (found.drift is None) == (not both)


@given(st.lists(st.tuples(SCORES, SCORES), min_size=1, max_size=12))
def test_turned_round_it_says_the_opposite(rows):
    """What now passes from here now fails from there."""
    old, new = zip(*rows, strict=True)
    there, back = compared(old, new, threshold=0.5), compared(new, old, threshold=0.5)

    assert there.drift.mean_change == pytest.approx(-back.drift.mean_change)
    assert there.passing.now_passing == back.passing.now_failing
    assert there.passing.flips == back.passing.flips
    assert there.teaching.old == back.teaching.new


def test_intervals_resample_groups():
    """Samples of a group that flip together are not so many; one group has no interval."""
    old, new = [0.0] * 12, [1.0] * 6 + [0.0] * 6
    apart = compared(old, new, threshold=0.5).passing.flips_interval
    alike = compared(old, new, [0] * 6 + [1] * 6, threshold=0.5).passing.flips_interval

    assert (alike.low, alike.high) == (0.0, 1.0)
    assert 0.0 < apart.low < 0.5 < apart.high < 1.0
    assert compared(old, new, [0] * 12, threshold=0.5).passing.flips_interval is None


def test_each_side_says_by_itself_what_passes():
    """A threshold that moved flips samples whose score did not."""
    pairs = Pairs()
    pairs.add(Pair(result(0.5, passed=True), result(0.5, passed=False)))
    pairs.add(Pair(result(0.5, passed=True), result(0.5)))
    found = diff(pairs)

    assert (found.passing.samples, found.passing.now_failing) == (1, 1)
    assert found.drift.changed == 0.0


def test_a_judges_repeats_are_no_members():
    """The signature says what parts are."""
    pairs = Pairs()
    pairs.add(Pair(result(0.5, parts={"a": 0.5, "b": None}), result(1.0, parts={"a": 1.0})))
    repeats = {"parts": {"0": Part(score=1.0)}, "signature": "score_model|m|repeats:1"}
    plain = result(1.0)
    pairs.add(
        Pair(plain, Result(**{f: getattr(plain, f) for f in plain.__struct_fields__} | repeats))
    )
    found = diff(pairs)

    assert [(one.name, one.old, one.new) for one in found.members] == [("a", 0.5, 1.0)]
    assert (found.only_old, found.only_new) == (("b",), ())
    assert found.worst[0].members == {"a": (0.5, 1.0)}


def test_a_score_too_large_is_refused():
    """With where it stands."""
    with pytest.raises(RowError, match=r"row 1, sample 0: its score -1e\+151 is too large"):
        Pairs().add(Pair(result(0.0), result(-1e151)))


BOUNDS = [  # old, new, bounds, the one that is broken
    ([0, 1], [0, 1], Bounds(), None),
    ([0, 1], [0, None], Bounds(), "max-new-failures"),
    ([0, 1], [0, None], Bounds(max_new_failures=1), None),
    ([0, 1], [0, None], Bounds(max_new_failures=None), None),
    ([0, 1, 0.9], [0, 0.9, 1], Bounds(max_mean_change=0), "min-spearman"),
    ([0, 1, 0.9], [0, 0.9, 1], Bounds(min_spearman=0.5), None),
    ([0, 1], [0.1, 1], Bounds(max_mean_change=0.05), None),
    ([0, 1], [0.12, 1], Bounds(max_mean_change=0.05), "max-mean-change"),
    ([0, 1], [0.01, 1], Bounds(max_changed=0.5), None),
    ([0, 1], [0.01, 1], Bounds(max_changed=0.49), "max-changed"),
    ([0, 1], [0.5, 0.5], Bounds(), "min-spearman"),
    ([0.5, 0.5], [0.5, 0.51], Bounds(), None),  # where there was no order, none is lost
    ([None], [None], Bounds(), None),
]
# One group of three pairs.
ORDERS = [  # old, new, kept, turned, tied, tone, what is said of it, whether the default is broken
    ([0, 1, 2], [0, 1, 3], 3, 0, 0, "good", "stays: 100 % of 3 pairs of samples", False),
    ([0, 1, 2], [0, 2, 1], 2, 1, 0, "warning", "changes: 67 % of 3 pairs of samples", True),
    ([0, 1, 2], [2, 1, 0], 0, 3, 0, "bad", "is turned round: 0 % of 3 pairs of samples", True),
    ([0, 1, 2], [1, 1, 1], 0, 0, 3, "warning", "changes: 0 % of 3 pairs of samples", True),
    ([0, 1, 1], [0, 1, 2], 2, 0, 0, "good", "stays: 100 % of 2 pairs of samples", False),
    ([0, 1, None], [0, 2, 1], 1, 0, 0, "good", "stays: 100 % of 1 pair of samples", False),
]


@pytest.mark.parametrize(("old", "new", "kept", "turned", "tied", "tone", "said", "broken"), ORDERS)
def test_the_order_within_a_group(old, new, kept, turned, tied, tone, said, broken):
    """Of pairs that differed: kept, turned round or tied. A tie of old scores is no pair."""
    found = compared(old, new, [1, 1, 1])
    order = {one.code: one for one in verdicts(found)}["group-order"]
    (check,) = (one for one in check_bounds(found, Bounds()) if one.name == "min-pairs")

    assert found.drift.pairs == kept + turned + tied
    assert (found.drift.pairs_turned, found.drift.pairs_tied) == (turned, tied)
    assert (order.tone, order.value) == (tone, kept / found.drift.pairs)
    assert order.text == (
        f"The order within groups {said} kept, {turned} turned round, {tied} tied."
    )
    assert (check.value, check.broken) == (order.value, broken)


def test_groups_that_are_all_turned_round_are_not_hidden_by_easy_and_hard_ones():
    """Spearman's rho of all samples is near 1, and no pair keeps its order."""
    groups = np.repeat(np.arange(50), 4)
    old = groups / 50 + np.tile([0, 0.01, 0.02, 0.03], 50)
    new = groups / 50 + np.tile([0.03, 0.02, 0.01, 0], 50)
    found = compared(old, new, groups)

    assert found.drift.spearman.value > 0.99
    assert (found.drift.pairs_kept.value, found.drift.pairs_turned) == (0.0, 300)
    assert found.drift.pairs_kept_interval.high < 0.1
    assert [one.name for one in check_bounds(found, Bounds()) if one.broken] == ["min-pairs"]


def test_where_groups_have_no_order_none_is_checked():
    """One sample a group, or groups with one score."""
    for groups in ([1, 2], [1, 1]):
        found = compared([0.5, 0.5], [0, 1], groups)
        (check,) = (one for one in check_bounds(found, Bounds()) if one.name == "min-pairs")
        said = {one.code: one for one in verdicts(found)}["group-order"].text

        assert (check.value, check.broken) == (None, False)
        assert check.why == "no group has two samples whose old scores differ"
        assert said == f"Whether groups keep their order is not known: {check.why}."


@pytest.mark.parametrize(("old", "new", "bounds", "name"), BOUNDS)
def test_bounds(old, new, bounds, name):
    """Each at its edge."""
    checks = check_bounds(compared(old, new), bounds)

    assert [check.name for check in checks if check.broken] == ([name] if name else [])
    assert all((check.value is None) == bool(check.why) for check in checks)


def test_verdicts_of_nothing_in_common():
    """They are said in words and have no number of their own."""
    found = verdicts(compared([0.5, None, None], [None, 0.5, None]))

    assert [(one.code, one.tone, one.text) for one in found] == [
        ("new-failures", "bad", "1 sample newly fails: no reward at all."),
        (
            "no-pairs",
            "bad",
            "There is nothing to compare: none of 3 samples has a score on both sides.",
        ),
        ("mended-failures", "good", "1 sample that failed has a score."),
        ("still-failing", "note", "1 sample fails as before."),
    ]


@pytest.mark.parametrize(
    ("old", "said"),
    [
        ([], "There is nothing to compare: no sample is the same in both files."),
        ([None], "There is nothing to compare: the only sample does not have a score on both "),
    ],
)
def test_where_there_is_nothing_to_compare_it_says_why(old, said):
    """Of no sample, or of one."""
    (found,) = (one for one in verdicts(compared(old, old)) if one.code == "no-pairs")

    assert found.text.startswith(said)


@pytest.mark.parametrize(("compared", "tone"), [(1, "bad"), (2, "warning")])
def test_files_with_little_in_common_are_said_first(compared, tone):
    """Of fewer than half of the samples nothing else can be trusted."""
    other, left_out = file_verdicts(["their runs read files that differ"], compared, 2, 0)

    assert other.text == (
        "The files may be results of different rows: their runs read files that differ."
    )
    assert (left_out.tone, left_out.value) == (tone, compared / (compared + 2))
    assert left_out.text == (
        f"Only {compared} of {compared + 2} samples can be compared: the others are in one file "
        "alone."
    )
    assert not [*file_verdicts([], compared, 0, 0), *file_verdicts([], 0, 2, 2)]


@pytest.mark.parametrize(
    ("alone", "mismatched", "said"),
    [
        (0, 98, "Only 2 of 100 samples can be compared: the others are not the same in both."),
        (
            1,
            97,
            "Only 2 of 100 samples can be compared: the others are in one file alone or not the "
            "same in both.",
        ),
    ],
)
def test_samples_that_are_not_the_same_are_left_out(alone, mismatched, said):
    """They count as those that one file has not."""
    (found,) = file_verdicts([], 2, alone, mismatched)

    assert (found.tone, found.text, found.value) == ("bad", said, 0.02)


def test_one_sample_is_told_of_in_the_singular():
    """Whether its score changed or not."""
    same, other = (verdicts(compared([0.5], [new]))[0].text for new in (0.5, 1.0))

    assert same == "No score changed: the only sample with both scores has the same."
    assert other == "100 % of 1 sample has another score; the farthest moved by 0.5."


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (range(20), "is not chance (sign test, p = 0.002)."),
        ([0] * 10 + [*range(1, 11)], "may be chance (sign test, p = 0.002)."),
        ([0] * 20, "may be chance (sign test, p = 0.002)."),
    ],
)
def test_samples_of_a_group_that_flip_together_may_be_chance(groups, said):
    """Ten of twenty pass now: each by itself, or all of one group."""
    new = [1.0] * 10 + [0.0] * 10
    found = {one.code: one for one in verdicts(compared([0.0] * 20, new, groups, threshold=0.5))}

    assert found["flips"].text.endswith(said)


@pytest.mark.parametrize(
    ("scores", "groups", "said"),
    [
        ([0, 0], [1, 1], "the only group has one score for all samples"),
        ([0, 1], [1, 1], "no group has one score for all samples"),
        ([0, 0, 0, 1], [1, 1, 2, 2], "the same 50 % of 2 groups have one score for all samples"),
    ],
)
def test_groups_that_teach_as_before(scores, groups, said):
    """Of one group, none or some."""
    found = {one.code: one for one in verdicts(compared(scores, scores, groups))}

    assert found["zero-variance"].text == f"As many groups teach as before: {said}."


def test_verdicts_of_groups():
    """One group that taught does not, and another one does."""
    found = {one.code: one for one in verdicts(compared([0, 1, 0, 0], [0, 0, 0, 1], [1, 1, 2, 2]))}

    assert found["zero-variance"].text == (
        "As many groups teach as before, but others: 50 % of 2 groups had one score for all "
        "samples, now 50 % (change 0.000 [-1.000, 1.000], which may be chance)."
    )
    assert found["mean-change"].text == (
        "The mean score stays: 0.000 [-0.500, 0.500], which may be chance."
    )
    assert found["flips"].text == (
        "Flips are not known: old and new do not both have a threshold; --pass-threshold gives one."
    )

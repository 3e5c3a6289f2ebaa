"""Samples in columns: the same from grades and from lines, in any pieces and any order."""

import asyncio
import pickle
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import compile_grader, parse_config
from graders.engine import reward_of
from graders.errors import Failure, FailureKind
from graders.grades import Grade, Graded
from graders.results import Part, Result, read_line, to_lines
from graders.rows import Row, to_sample
from graders.studies.teach.observed import Observed
from graders.studies.teach.observed_columns import KINDS
from graders.studies.teach.samples import samples_of

NAMES = st.sampled_from([1, 2, 3, 700, "q", "é\x1b[31m", "\ud800", "long " * 50, 10**30, -4])


def line(row, group, reward, *, index=0, kind=None, parts=None, passed=None, chars=None):
    return Result(
        row=row,
        group=group,
        sample_index=index,
        score=None if kind else reward,
        reward=None if kind else reward,
        passed=passed,
        failure=Failure(kind=kind, message="m") if kind else None,
        parts={key: Part(score=score) for key, score in (parts or {}).items()},
        usage=None,
        signature="s",
        output_chars=chars,
        reference_chars=None,
        detail=None,
    )


lines = st.lists(
    st.tuples(
        NAMES,
        st.floats(-2, 2),
        st.sampled_from([None, None, FailureKind.OTHER]),
        st.dictionaries(st.sampled_from(["a", "b", "c"]), st.one_of(st.none(), st.floats(0, 1))),
        st.sampled_from([None, True, False]),
    ),
    max_size=60,
).map(
    lambda rows: [
        line(number, group, reward, kind=kind, parts=parts, passed=passed, chars=number)
        for number, (group, reward, kind, parts, passed) in enumerate(rows, start=1)
    ]
)


def observed(lines, limit):
    found = Observed(limit)
    for low in range(0, len(lines), 7):
        found.add_lines(lines[low : low + 7])
    return found


def everything(found):
    """All that samples say; the order of members is that in which they came."""
    samples = samples_of(found)
    columns = {
        name: getattr(samples, name).tolist()
        for name in ("items", "rows", "indexes", "kinds", "passed")
    }
    floats = {
        name: getattr(samples, name) for name in ("rewards", "output_chars", "reference_chars")
    } | {path: column for path, column in samples.members.items() if not np.isnan(column).all()}
    shown = {name: [repr(value) for value in column] for name, column in floats.items()}
    return samples.seen, samples.share, samples.names, columns, shown


@given(lines, st.lists(st.integers(0, 60)), st.randoms(), st.sampled_from([4, 16, 1_000]))
def test_pieces_and_orders_do_not_matter(lines, cuts, random, limit):
    """However lines are cut into parts, and in whatever order these come, the samples are one's."""
    edges = [0, *sorted(min(cut, len(lines)) for cut in cuts), len(lines)]
    parts = [observed(lines[low:high], limit) for low, high in pairwise(edges)]
    random.shuffle(parts)
    merged = Observed(limit)
    for part in parts:
        merged.merge(pickle.loads(pickle.dumps(part)))

    assert everything(merged) == everything(observed(lines, limit))


@given(lines, st.sampled_from([4, 16]))
def test_items_are_kept_whole(lines, limit):
    """All samples of an item or none, never more than the limit, and all where all fit."""
    samples = samples_of(observed(lines, limit))
    wanted = [one.row for one in lines if _shown(one.group) in set(map(_shown, samples.names))]

    assert len(samples) <= limit
    assert sorted(samples.rows.tolist()) == wanted
    assert samples.seen == len(lines)
    if len(lines) <= limit:
        assert len(samples) == len(lines)
        assert samples.share == 1.0


def _shown(name):
    # A name that is long, or no line's number, is kept as a short text.
    text = str(name)
    return text if len(text) < 80 else text[:45]


def test_of_many_items_about_the_share_is_kept():
    """Half, a quarter, ...: the most that fits, of items that their names draw."""
    for name in (int, "item {}".format):
        found = Observed(1_000)
        for number in range(6_000):
            found.add_lines([line(number + 1, name(number // 2), 0.5, index=number % 2)])
        samples = samples_of(found)

        assert samples.share in {0.125, 0.25}
        assert len(samples.names) == pytest.approx(3_000 * samples.share, rel=0.2)
        assert len(samples) == 2 * len(samples.names)


def test_an_item_that_does_not_fit_is_none():
    """Part of an item would be another item."""
    samples = samples_of(observed([line(number, "one", 0.5) for number in range(1, 40)], 8))

    assert (len(samples), samples.names, samples.seen) == (0, (), 39)
    assert samples.share < 1


def test_members_beyond_the_most_are_said():
    """Memory is bounded in width, too."""
    found = observed([line(1, 1, 0.5, parts={f"m{i}": 0.5 for i in range(80)})], 10)

    assert len(found.members) == 64
    assert samples_of(found).crowded


@pytest.mark.parametrize("wrong", [{"row": 10**30}, {"chars": -2}, {"index": 2**64}])
def test_a_number_that_no_line_has_is_refused(wrong):
    """With its value, and nothing is counted."""
    found = Observed()
    with pytest.raises(OverflowError, match=r"-?\d+ is no number of a line or of characters"):
        found.add_lines([line(**{"row": 1, "group": 1, "reward": 0.5, **wrong})])

    assert (len(found), found.seen) == (0, 0)


SAME = {
    "type": "string_check",
    "name": "same",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.a }}",
}
LIKE = {**SAME, "type": "text_similarity", "evaluation_metric": "fuzzy_match"}
del LIKE["operation"]
MULTI = {
    "type": "multi",
    "name": "m",
    "graders": {"same": SAME, "like": LIKE},
    "calculate_output": "like / same",
    "pass_threshold": 0.6,
}


@pytest.mark.parametrize("config", [SAME, LIKE, {**LIKE, "pass_threshold": 0.5}, MULTI])
@pytest.mark.parametrize("failures", ["drop", "zero"])
@pytest.mark.parametrize("as_table", [True, False])
def test_a_batch_says_what_its_lines_say(config, failures, as_table):
    """Whether it is counted by columns, grade by grade, or from the lines of an earlier session."""
    rows = [
        Row(item=item, sample=to_sample(sample), row=number, sample_index=number % 2, group=group)
        for number, (item, sample, group) in enumerate(
            [
                ({"a": "abcd"}, "abcd", 1),
                ({"a": "abcd"}, "abxy", 1),
                ({}, "abcd", 2),
                ({"a": "\ud800"}, "\ud800", "q"),
                ({"a": ""}, {"choices": []}, "q"),
            ],
            start=1,
        )
    ]
    grades = asyncio.run(compile_grader(parse_config(config)).grade(rows))
    rewards = [reward_of(grade, failures) for grade in grades]
    graded = Graded(rows, grades if as_table else list(grades), rewards)
    by_batch, by_line = Observed(), Observed()
    by_batch.add(graded)
    for one in to_lines(graded, signature="s", detail="failures").results:
        by_line.add_lines([read_line(one)])

    assert everything(by_batch) == everything(by_line)
    assert by_batch.seen == 5
    assert set(by_batch.columns["kinds"]) > {0}


def test_kinds_have_numbers_that_a_byte_holds():
    """The first is that of a score."""
    assert KINDS[0] is None
    assert len(KINDS) == 1 + len(FailureKind) < 128


def test_repeats_stand_below_their_member():
    """By the keys that lead to them."""
    repeats = {str(i): Grade(name="j", score=i / 2) for i in (1, 2)}
    grade = Grade(name="m", score=0.75, parts={"j": Grade(name="j", score=0.75, parts=repeats)})
    found = Observed()
    found.add(Graded([Row(item={}, sample={}, row=1)], [grade], [0.75]))

    assert {path: list(column) for path, column in found.members.items()} == {
        ("j",): [0.75],
        ("j", "1"): [0.5],
        ("j", "2"): [1.0],
    }

"""Groups with a name are counted whole, in any order, in any parts, and in bounded memory."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.report.html.run_rows import Groups
from graders.report.named import Named
from graders.report.summary import Summary
from graders.report.text import groups_of, to_lines

NAMES = st.lists(st.text(max_size=3), max_size=40)


def seen(*parts, limit=8):
    names = Named(limit=limit)
    for part in parts:
        names.see(part)
    return names


@given(NAMES, st.randoms(use_true_random=False), st.integers(0, 40), st.integers(1, 50))
def test_names_are_the_same_in_any_order_and_parts(names, chance, at, limit):
    """So the engine, the batches and the workers do not show in a summary."""
    mixed = chance.sample(names, len(names))
    merged = seen(mixed[:at], limit=limit)
    merged.merge(seen(mixed[at:], limit=limit))

    assert merged == seen(names, limit=limit)
    assert len(merged.kept) <= limit


@given(NAMES)
def test_as_long_as_there_is_room_each_name_is_counted_once(names):
    assert seen(names, limit=40).count == len(set(names))


@pytest.mark.parametrize("number", [1_001, 4_000, 10_000])
def test_of_more_names_about_as_many_are_counted_as_there_are(number):
    names = seen([f"g{i}" for i in range(number)], limit=1_000)

    assert len(names.kept) <= 1_000
    assert names.share < 1.0
    assert names.count == pytest.approx(number, rel=0.15)


@pytest.mark.parametrize(("limit", "said"), [(9, "in 9 groups"), (8, "in about ")])
def test_a_number_that_is_estimated_is_said_to_be(limit, said):
    summary = Summary(named=seen([f"g{i}" for i in range(9)], limit=limit))
    summary.rewards_with_failures_as_zero.add(*[0.0] * 99)

    assert groups_of(summary).startswith(said)
    assert next(to_lines(summary, seconds=1.0)).startswith(f"99 samples {said}")


def test_half_a_surrogate_pair_is_a_name():
    assert seen(["\ud800", "\ud801", "\ud800"]).count == 2


def test_groups_that_are_kept_are_kept_whole():
    """Whatever else is dropped, no group is added up of some of its samples."""
    groups = Groups(_named=Named(limit=8))
    for epoch in range(3):
        for name in range(100):
            groups.add(f"g{name}", epoch * 100 + name + 1, epoch / 2)
    groups.settle()

    assert 0 < groups.count <= 8
    assert groups.share < 1.0
    assert {one.samples for one in groups.lowest} == {3}
    assert {one.scores.value for one in groups.lowest} == {0.5}

"""Batches under way together: their order, how many there are, and what ends them."""

import asyncio
import threading

import pytest
from held import JUDGE, SIZE, numbers, reply, row, run
from hypothesis import given
from hypothesis import strategies as st

from graders.clients import ModelReply, ScriptedClient
from graders.compile import Tools
from graders.engine import AHEAD, RunStoppedError, grade
from graders.errors import GradersError, RowError

# --- order and number


@given(data=st.data(), count=st.integers(0, 30))
def test_results_keep_the_order_whatever_answer_comes_first(data, count):
    """And never more than a few batches are held: read, and not yet handed on."""
    read, most = [], []

    def rows():
        for number in range(1, count + 1):
            read.append(number)
            yield row(number)

    async def work(held, batches, consuming):
        while not consuming.done():
            if held.waiting:
                most.append(len(read) - sum(map(len, batches)))
                held.let(data.draw(st.sampled_from(sorted(held.waiting))))
            held.changed.clear()
            waits = [asyncio.ensure_future(held.changed.wait()), consuming]
            if not held.waiting:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            waits[0].cancel()

    batches, bad, ended, _ = run(work, rows())

    rows_in_order = [pair for batch in batches for pair in batch]
    assert rows_in_order == [(number, float(number)) for number in range(1, count + 1)]
    assert max(most, default=0) <= AHEAD * SIZE
    assert (bad, ended) == ([], None)


def test_a_slow_row_leaves_the_judge_busy():
    """The batches behind it are asked and answered; up to the bound, and no further."""
    window = AHEAD * SIZE
    read = []

    def rows():
        for number in range(1, 3 * window):
            read.append(number)
            yield row(number)

    async def work(held, batches, consuming):
        await held.until(*range(1, window + 1))
        for number in range(2, window + 1):
            held.let(number)
        await asyncio.sleep(0)
        assert (batches, read) == ([], [*range(1, window + 1)])
        held.let(1)
        await held.until(*range(window + 1, 2 * window + 1))
        assert numbers(batches)[:AHEAD] == [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]
        consuming.cancel()

    *_, held = run(work, rows())
    assert sorted(held.cancelled) == [*range(window + 1, 2 * window + 1)]


def test_a_finished_batch_is_not_held_back():
    """The first batch is handed on as soon as it is done, whatever waits behind it."""

    async def work(held, batches, _consuming):
        await held.until(*range(1, 8))
        for number in (3, 1, 2):
            held.let(number)
        await held.until(4, 5, 6, 7)
        while not batches:
            held.changed.clear()
            await held.changed.wait()
        assert numbers(batches) == [[1, 2, 3]]
        for number in (7, 4, 5, 6):
            held.let(number)

    batches, _, ended, _ = run(work, map(row, range(1, 8)))

    assert numbers(batches) == [[1, 2, 3], [4, 5, 6], [7]]
    assert ended is None


def test_replies_arrive_while_a_read_blocks():
    """As from a pipe whose writer is slow: reading has a thread while somebody waits."""
    go_on = threading.Event()

    def rows():
        yield from map(row, (1, 2, 3))
        assert go_on.wait(timeout=60)
        yield row(4)

    async def work(held, _batches, _consuming):
        await held.until(1, 2, 3)
        for number in (1, 2, 3):
            held.let(number)
        go_on.set()
        await held.until(4)
        held.let(4)

    batches, _, ended, _ = run(work, rows())

    assert numbers(batches) == [[1, 2, 3], [4]]
    assert ended is None


def test_grade_uses_the_same_window():
    """The call without a stream asks in order too, more than one batch of it."""
    scripted = ScriptedClient(lambda request: reply(int(request.messages[0].content)))
    grades = grade(JUDGE, map(row, range(600)), tools=Tools(client=scripted))

    assert [one.score for one in grades] == [float(number) for number in range(600)]


# --- ends


def test_a_bug_ends_the_run_after_the_batches_before():
    """What is under way is cancelled and waited for; the bug comes out as it is."""

    async def work(held, _batches, _consuming):
        await held.until(*range(1, 13))
        held.let(5, ZeroDivisionError("a bug"))
        for number in (1, 2, 3):
            held.let(number)

    batches, _, ended, held = run(work, map(row, range(1, 13)))

    assert numbers(batches) == [[1, 2, 3]]
    assert isinstance(ended, ZeroDivisionError)
    assert sorted(held.cancelled) == [4, 6, 7, 8, 9, 10, 11, 12]


def test_an_error_of_ours_comes_out_of_a_multi_as_it_is():
    """A cache that breaks ends the run with its own sentence, not with a group of exceptions."""
    multi = {"type": "multi", "name": "m", "graders": {"a": JUDGE}, "calculate_output": "a"}

    async def work(held, _batches, _consuming):
        await held.until(1, 2)
        held.let(1, GradersError("the cache is broken"))

    _, _, ended, held = run(work, map(row, (1, 2)), config=multi)

    assert (type(ended), str(ended)) == (GradersError, "the cache is broken")
    assert held.cancelled == [2]


def test_a_cancelled_run_leaves_nothing_behind():
    """Each request under way is cancelled before the run is over."""

    async def work(held, _batches, consuming):
        await held.until(*range(1, 13))
        consuming.cancel()

    batches, _, ended, held = run(work, map(row, range(1, 99)))

    assert batches == []
    assert isinstance(ended, asyncio.CancelledError)
    assert sorted(held.cancelled) == [*range(1, 13)]


@pytest.mark.parametrize("error", [OSError("the disk is gone"), ZeroDivisionError("a bug")])
def test_what_was_read_before_a_reader_breaks_is_graded(error):
    """Whatever it raises, and however many batches are under way."""

    def rows():
        yield from map(row, range(1, 6))
        raise error

    async def work(held, _batches, _consuming):
        await held.until(1, 2, 3, 4, 5)
        for number in (5, 4, 3, 2, 1):
            held.let(number)

    batches, _, ended, _ = run(work, rows())

    assert numbers(batches) == [[1, 2, 3], [4, 5]]
    assert ended is error


def test_a_failure_that_stops_keeps_what_stands_before_it():
    """Rows behind it may have been asked; they are no results, and their bad lines not met."""
    lines = [row(1), row(2), RowError("f:3:1", "bad"), row(3), row(4), RowError("f:6:1", "bad")]

    async def work(held, _batches, _consuming):
        await held.until(1, 2, 3, 4)
        for number in (4, 2, 1):
            held.let(number)
        held.let(3, ModelReply(text="no JSON"))

    batches, bad, ended, _ = run(work, lines, failures="stop")

    assert numbers(batches) == [[1, 2], [3]]
    assert bad == ["f:3:1: bad"]
    assert isinstance(ended, RunStoppedError)

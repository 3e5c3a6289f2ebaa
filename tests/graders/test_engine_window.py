"""Rows under way together: their order, how many there are, and what ends them."""

import asyncio
import random
import threading

import pytest
from held import JUDGE, SIZE, numbers, reply, row, run
from hypothesis import given
from hypothesis import strategies as st

from graders.clients import ModelReply, ScriptedClient
from graders.clients.limits import Limited
from graders.compile import Tools
from graders.engine import AHEAD, RunStoppedError, grade
from graders.errors import FailureKind, GradersError, GradingError, RowError

# --- order and number


@given(seed=st.integers(), count=st.integers(0, 30))
def test_results_keep_the_order_whatever_answer_comes_first(seed, count):
    """And never more rows than the bound are held: read, and not yet handed on."""
    read, most, order = [], [], random.Random(seed)

    def rows():
        for number in range(1, count + 1):
            read.append(number)
            yield row(number)

    async def work(held, batches, consuming):
        while not consuming.done():
            if held.waiting:
                most.append(len(read) - sum(map(len, batches)))
                held.let(order.choice(sorted(held.waiting)))
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
    """The rows behind it are asked and answered; up to the bound, and no further."""
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
        assert numbers(batches) == [*range(1, window + 1)]
        consuming.cancel()

    *_, held = run(work, rows())
    assert sorted(held.cancelled) == [*range(window + 1, 2 * window + 1)]


def test_a_finished_row_is_not_held_back():
    """It is handed on as soon as those before it are, whatever waits behind it."""

    async def work(held, batches, _consuming):
        await held.until(*range(1, 8))
        for let, handed_on in [(2, []), (1, [1, 2]), (3, [1, 2, 3]), (5, [1, 2, 3])]:
            held.let(let)
            await _come_to_rest()
            assert numbers(batches) == handed_on
        for number in (7, 4, 6):
            held.let(number)

    batches, _, ended, _ = run(work, map(row, range(1, 8)))

    assert numbers(batches) == [*range(1, 8)]
    assert ended is None


async def _come_to_rest():
    """Enough turns of the loop for an answer to reach whoever reads the results."""
    for _ in range(20):
        await asyncio.sleep(0)


class Pipe:
    """Rows, and then a read that blocks until the test ends."""

    def __init__(self, *numbers):
        self.rows, self.go_on = [*map(row, numbers)], threading.Event()

    def __iter__(self):
        yield from self.rows
        assert self.go_on.wait(timeout=60)


def test_results_are_handed_on_while_a_read_blocks():
    """As from a pipe whose writer is slow."""
    pipe = Pipe(1, 2)

    async def work(held, batches, _consuming):
        await held.until(1, 2)
        held.let(1)
        held.let(2)
        await _come_to_rest()
        assert numbers(batches) == [1, 2]
        pipe.go_on.set()

    batches, _, ended, _ = run(work, pipe)

    assert numbers(batches) == [1, 2]
    assert ended is None


def test_a_read_that_blocks_holds_up_no_end():
    """Neither the run nor the event loop waits for it."""
    pipe = Pipe(1, 2)

    async def work(held, _batches, consuming):
        await held.until(1, 2)
        held.let(2)
        consuming.cancel()

    batches, _, ended, _ = run(work, pipe)  # the event loop is closed

    assert not pipe.go_on.is_set()
    pipe.go_on.set()
    assert numbers(batches) == [2]
    assert isinstance(ended, asyncio.CancelledError)


def test_a_thread_that_reads_ends_with_its_run():
    """Also where it waited for room, because the run was left early."""

    async def work(held, _batches, consuming):
        await held.until(*range(1, 13))
        consuming.cancel()

    run(work, map(row, range(1, 99)))

    left = [thread for thread in threading.enumerate() if thread.name == "reading"]
    for thread in left:
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in left)


def test_grade_uses_the_same_window():
    """The call without a stream asks in order too, more than one batch of it."""
    scripted = ScriptedClient(lambda request: reply(int(request.messages[0].content)))
    grades = grade(JUDGE, map(row, range(600)), tools=Tools(client=scripted))

    assert [one.score for one in grades] == [float(number) for number in range(600)]


# --- ends


def test_a_bug_ends_the_run_and_keeps_what_is_finished():
    """What is under way is cancelled and waited for; the bug comes out as it is, at once."""

    async def work(held, _batches, _consuming):
        await held.until(*range(1, 13))
        for number in (2, 3, 8):
            held.let(number)
        await _come_to_rest()
        held.let(5, ZeroDivisionError("a bug"))

    batches, _, ended, held = run(work, map(row, range(1, 13)))

    assert numbers(batches) == [2, 3, 8]
    assert isinstance(ended, ZeroDivisionError)
    assert sorted(held.cancelled) == [1, 4, 6, 7, 9, 10, 11, 12]


def test_an_error_of_ours_comes_out_of_a_multi_as_it_is():
    """A cache that breaks ends the run with its own sentence, not with a group of exceptions."""
    multi = {"type": "multi", "name": "m", "graders": {"a": JUDGE}, "calculate_output": "a"}

    async def work(held, _batches, _consuming):
        await held.until(1, 2)
        held.let(1, GradersError("the cache is broken"))

    _, _, ended, held = run(work, map(row, (1, 2)), config=multi)

    assert (type(ended), str(ended)) == (GradersError, "the cache is broken")
    assert held.cancelled == [2]


def test_a_cancelled_run_keeps_what_is_finished_and_leaves_nothing_behind():
    """A slow first row loses nothing that was paid; each request under way is cancelled."""

    async def work(held, batches, consuming):
        await held.until(*range(1, 13))
        for number in range(2, 12):
            held.let(number)
        await _come_to_rest()
        assert batches == []
        consuming.cancel()

    batches, _, ended, held = run(work, map(row, range(1, 99)))

    assert numbers(batches) == [*range(2, 12)]
    assert isinstance(ended, asyncio.CancelledError)
    assert sorted(held.cancelled) == [1, 12]


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

    assert numbers(batches) == [1, 2, 3, 4, 5]
    assert ended is error


def test_a_failure_that_stops_keeps_what_is_finished():
    """Before it and, because that is paid, behind it; bad lines behind it are not met."""
    lines = [row(1), row(2), RowError("f:3:1", "bad"), row(3), row(4), RowError("f:6:1", "bad")]

    async def work(held, _batches, _consuming):
        await held.until(*range(1, 7))
        for number in (6, 2, 1):
            held.let(number)
        held.let(3, ModelReply(text="no JSON"))

    batches, bad, ended, held = run(work, [*lines, row(5), row(6)], failures="stop")

    assert numbers(batches) == [1, 2, 3, 6]
    assert bad == ["f:3:1: bad"]
    assert isinstance(ended, RunStoppedError)
    assert "stopped at row 3, sample 0: model_grader_parse_error" in str(ended)
    assert sorted(held.cancelled) == [4, 5]


def test_a_failure_that_stops_asks_nobody_further():
    """A service that refuses all is not asked by more rows than it is asked at once."""
    refused = []

    class Refusing:
        async def complete(self, request):
            refused.append(request)
            for _ in range(50):  # turns of the loop, in the place of a way through a network
                await asyncio.sleep(0)
            raise GradingError(FailureKind.MODEL_SERVER, "HTTP 401", "http_401")

    async def work(_held, _batches, consuming):
        await asyncio.wait([consuming])

    def client(_):
        return Limited(Refusing(), in_flight=8)

    rows = map(row, range(1, 400))
    *_, ended, _ = run(work, rows, client=client, failures="stop", batch_size=256)

    assert str(ended) == "stopped at row 1, sample 0: model_grader_server_error: HTTP 401"
    assert 1 <= len(refused) <= 3 * 8

"""A run with a budget: all that was paid is a result, and nothing else is."""

import asyncio
import random

import pytest
from held import JUDGE, SIZE, numbers, reply, row, run
from hypothesis import given
from hypothesis import strategies as st

from graders.clients import ScriptedClient
from graders.clients.budget import Budgeted
from graders.compile import Tools, compile_grader
from graders.engine import RunOptions, RunStoppedError, grade_stream
from graders.ledger import Ledger
from graders.profile import OPENAI


def spend(tokens, count, *, in_flight=1, config=JUDGE, order=sorted, **options):
    """Grade rows of ten tokens each with a budget."""
    ledger = Ledger()

    async def work(held, _batches, consuming):
        while not consuming.done():
            for number in order(held.waiting):
                held.let(number)
            await asyncio.sleep(0)

    def client(held):
        return Budgeted(held, ledger, tokens=tokens, in_flight=in_flight)

    rows = map(row, range(1, count + 1))
    batches, _, ended, _ = run(work, rows, client=client, ledger=ledger, config=config, **options)
    return numbers(batches), ended, ledger


@pytest.mark.parametrize(
    ("tokens", "count", "kept", "first"),
    [
        (1, 9, 1, 2),
        (20, 9, 2, 3),
        (30, 9, 3, 4),
        (35, 99, 4, 5),
        (80, 9, 8, 9),
        (90, 9, 9, None),  # used up, and nothing is left to ask
        (500, 9, 9, None),
    ],
)
@pytest.mark.parametrize("failures", ["drop", "zero", "stop"])
def test_a_budget_ends_the_run_and_keeps_what_is_graded(tokens, count, kept, first, failures):
    """Rows that were not asked are no results, whatever a failure counts as."""
    found, ended, ledger = spend(tokens, count, failures=failures)
    spent = 10 * kept

    assert found == [*range(1, kept + 1)]
    assert ledger.tokens == spent
    if first is None:
        assert ended is None
    else:
        assert isinstance(ended, RunStoppedError)
        assert str(ended) == (
            f"stopped at row {first}, sample 0, the first that is not graded: the budget of "
            f"{tokens} tokens is used up ({spent} spent)"
        )


def test_requests_beside_each_other_do_not_overspend():
    """Those under way are counted by what answers took so far, and the first goes alone."""
    found, ended, ledger = spend(45, 99, in_flight=64, batch_size=99)

    assert found == [1, 2, 3, 4, 5]
    assert ledger.tokens == 50
    assert str(ended) == (
        "stopped at row 6, sample 0, the first that is not graded: the budget of 45 tokens is "
        "used up (50 spent)"
    )


@given(
    tokens=st.integers(1, 200),
    in_flight=st.integers(1, 20),
    count=st.integers(1, 30),
    seed=st.integers(),
)
def test_every_answer_that_is_paid_is_a_result(tokens, in_flight, count, seed):
    """In any order of answers; and where all take the same, the overshoot is below one answer."""
    chance = random.Random(seed)

    def order(waiting):
        return chance.sample(sorted(waiting), len(waiting))

    found, ended, ledger = spend(tokens, count, in_flight=in_flight, order=order)

    assert found == sorted(found)
    assert ledger.tokens == 10 * len(found) < tokens + 10
    assert (ended is None) == (len(found) == count)


@pytest.mark.parametrize("member_failure", ["fail", "zero"])
def test_a_row_that_was_asked_in_part_is_no_result(member_failure):
    """Not even where a failed member counts as zero."""
    other = {**JUDGE, "input": [{"role": "user", "content": "{{ item.n }}00"}]}
    multi = {
        "type": "multi",
        "name": "m",
        "graders": {"a": JUDGE, "b": other},
        "calculate_output": "a + b",
    }
    ledger = Ledger()
    scripted = ScriptedClient(lambda request: reply(int(request.messages[0].content)))
    client = Budgeted(scripted, ledger, tokens=30)
    grader = compile_grader(
        multi,
        tools=Tools(client=client),
        profile=OPENAI.override({"member_failure": member_failure}),
    )

    async def work():
        options = RunOptions(batch_size=SIZE)
        stream = grade_stream(grader, map(row, range(1, 9)), options, bad_line=print, ledger=ledger)
        async for batch in stream:
            kept.extend(graded.row for graded, _, _ in batch)

    kept = []
    with pytest.raises(RunStoppedError, match="stopped at row 2, sample 0"):
        asyncio.run(work())
    # Two rows of `a` and one of `b` were paid.
    assert (kept, ledger.tokens) == ([1], 30)

"""What may take long is computed beside the server: the same numbers, and an end to it."""

import asyncio

import pytest
from asking import EXACT, RUN, SIMILAR, asking

from graders import Row
from graders.compile import Tools, compile_grader
from graders.config.parse import parse_config
from graders.profile import OPENAI, find_profile
from graders.server.aside import HERE_BYTES, Aside
from graders.server.settings import Limits

MULTI = {
    "type": "multi",
    "name": "both",
    "graders": {"exact": EXACT, "similar": SIMILAR, "meteor": {**SIMILAR, "name": "m"}},
    "calculate_output": "exact + similar * meteor",
}
SLOW = Row(item={"answer": "ab" * 100_000}, sample={"output_text": "ba" * 100_000})
"""Seconds, as its table has 4e10 cells."""


def rows(number, letters):
    """Rows of so many letters, a third of which are wrong, and one that lacks something."""
    text = "the cat sat on the mat " * (letters // 20)
    good = [
        Row(item={"answer": text}, sample={"output_text": text[: len(text) // (1 + n % 3)]}, row=n)
        for n in range(number)
    ]
    return [*good, Row(item={}, sample={"output_text": text})]


async def graded(config, rows, *, seconds=60.0, profile=OPENAI):
    """Grade with what is long taken aside."""
    aside = Aside(profile, seconds=seconds, processes=1)
    try:
        tools = Tools(aside=aside.take)
        return await compile_grader(config, tools=tools, profile=profile).grade(rows)
    finally:
        await aside.close()


def told(grades):
    """What grades say, without their times."""
    return [(one.score, one.failure, one.passed, dict(one.detail)) for one in grades]


@pytest.mark.long
@pytest.mark.parametrize("profile", ["openai", "azure-docs"])
@pytest.mark.parametrize("config", [EXACT, SIMILAR, {**SIMILAR, "evaluation_metric": "rouge_l"}])
def test_long_rows_have_the_same_grades_there(config, profile):
    """As in the process itself, failures included."""
    profile, many = find_profile(profile), rows(7, 2 * HERE_BYTES)
    there = asyncio.run(graded(config, many, profile=profile))
    here = asyncio.run(compile_grader(config, profile=profile).grade(many))

    assert told(there) == told(list(here))


def test_members_of_a_multi_are_taken_aside_each():
    """And put together here."""
    many = rows(3, 2 * HERE_BYTES)
    there = asyncio.run(graded(MULTI, many))
    here = list(asyncio.run(compile_grader(MULTI).grade(many)))

    assert told(there) == told(here)
    assert [told(one.parts.values()) for one in there] == [told(o.parts.values()) for o in here]


def test_what_is_short_starts_no_process(monkeypatch):
    """It is done before one would be asked."""
    monkeypatch.setattr("graders.server.processes._start", None)

    assert len(asyncio.run(graded(MULTI, rows(3, 100)))) == 4


def test_what_takes_too_long_is_a_failure_and_the_next_is_not():
    """Its process is ended."""

    async def both():
        aside = Aside(OPENAI, seconds=60.0, processes=1)
        grader = compile_grader(SIMILAR, tools=Tools(aside=aside.take))
        await grader.grade(rows(1, HERE_BYTES))  # so that the time is not that of its start
        aside.seconds = 0.05
        slow = await grader.grade([SLOW])
        aside.seconds = 60.0
        next_one = await grader.grade(rows(1, HERE_BYTES))
        await aside.close()
        return slow, next_one

    (slow,), (next_one, _) = asyncio.run(both())

    assert (slow.failure.kind, slow.failure.reason) == ("other_error", "timeout")
    assert slow.failure.message == "computing took longer than 0.05 s"
    assert next_one.score == 1.0


def test_a_process_that_dies_fails_what_it_graded_and_no_more():
    """Templates that come to more than its memory end it."""
    letters = "x" * 5_000_000
    config = {**EXACT, "input": "{{ item.answer }}" * 2_000}
    grades = asyncio.run(graded(config, [Row(item={"answer": letters}, sample={})]))

    assert [one.failure.reason for one in grades] == ["worker_died"]
    assert "it may take too much memory" in grades[0].failure.message


def test_a_process_that_was_killed_while_it_waited_is_replaced():
    """No row pays for it."""

    async def twice():
        aside = Aside(OPENAI, seconds=60.0, processes=1)
        grader = compile_grader(SIMILAR, tools=Tools(aside=aside.take))
        await grader.grade(rows(1, HERE_BYTES))
        (process,) = aside.idle
        process.kill()
        await process.wait()
        again = await grader.grade(rows(1, HERE_BYTES))
        await aside.close()
        return again

    assert asyncio.run(twice())[0].score == 1.0


def test_others_are_answered_while_something_long_is_computed():
    """The long one begins first, and ends last."""
    order = []

    async def ask(client, name, body):
        answer = await client.post(RUN, json=body)
        order.append((name, answer.json()["reward"]))

    async def both():
        async with asking(limits=Limits(body_bytes=10**6)) as client:
            long = {"grader": SIMILAR, "model_sample": SLOW.sample["output_text"]}
            slow = asyncio.create_task(ask(client, "long", {**long, "item": SLOW.item}))
            await asyncio.sleep(0)
            short = {"grader": EXACT, "model_sample": "x", "item": {"answer": "x"}}
            for _ in range(20):
                await ask(client, "short", short)
            await slow

    asyncio.run(both())

    assert [name for name, _ in order] == ["short"] * 20 + ["long"]
    assert order[-1][1] == pytest.approx(1 - 1 / 200_000)


def test_a_request_that_is_ended_ends_its_process():
    """And leaves a free place behind."""

    async def cancelled():
        aside = Aside(OPENAI, seconds=60.0, processes=1)
        grader = compile_grader(SIMILAR, tools=Tools(aside=aside.take))
        await grader.grade(rows(1, HERE_BYTES))
        (process,) = aside.idle
        task = asyncio.create_task(grader.grade([SLOW]))
        await asyncio.sleep(0)  # it asks
        assert not aside.idle
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        again = await grader.grade(rows(1, HERE_BYTES))
        await aside.close()
        return process.returncode, again

    code, again = asyncio.run(cancelled())

    assert code == -9
    assert again[0].score == 1.0


def test_a_served_config_is_compiled_there_too():
    """What travels is the config itself."""
    document = parse_config({"grader": SIMILAR, "model_sample": ""})
    many = rows(2, 2 * HERE_BYTES)

    assert told(asyncio.run(graded(document, many))) == told(
        asyncio.run(compile_grader(document).grade(many))
    )

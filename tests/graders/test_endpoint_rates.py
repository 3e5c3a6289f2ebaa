"""Rate limits of endpoint graders: they are kept, and cost nobody else anything."""

import asyncio

import pytest
from endpoint_service import Clock, Service, ok, post, started

from graders.clients.endpoint import HttpEndpoint


def test_no_more_requests_a_second_than_the_rate_limit_are_sent():
    """Tries after failed ones count; another address has a rate of its own."""
    service = Service(ok(), ok(), ok("", 500), ok())
    answers, clock = post(service, *[{}] * 4, per_second=4)

    assert answers == [{"score": 0.5}] * 4
    # 0 and 0.25; at 0.5 one that fails, and waits 0.5 to be tried again at 1; the last at 1.25
    assert clock.slept == [0.25, 0.25, 0.5, 0.25]
    assert clock.time == 1001.25


def test_a_rate_is_kept_by_rows_that_are_sent_at_once():
    """Each takes the next turn, 50 of them within 4.9 seconds at 10 a second."""
    clock, service = Clock(), Service(ok())
    turns = []

    async def sleep(seconds):
        turns.append(seconds)

    endpoint = HttpEndpoint(now=clock.now, sleep=sleep)

    async def run():
        async with started(service) as url:
            posts = [endpoint.post(url, {}, {}, per_second=10) for _ in range(50)]
            return await asyncio.gather(*posts)

    assert asyncio.run(run()) == [{"score": 0.5}] * 50
    assert sorted(turns) == pytest.approx([i / 10 for i in range(1, 50)])


def test_who_waits_long_for_a_turn_holds_up_nobody_with_another_rate():
    """Of one server's requests, each may bring a rate limit of its own, for the same address."""
    clock, service = Clock(), Service(ok())

    async def sleep(_):
        await asyncio.Event().wait()

    endpoint = HttpEndpoint(now=clock.now, sleep=sleep)

    async def run():
        async with started(service) as url:
            posts = [endpoint.post(url, {}, {}, per_second=1e-9) for _ in range(100)]
            waiting = [asyncio.create_task(one) for one in posts]
            await waiting.pop(0)  # the first has no other before it
            for per_second in (None, 10, 1e-8):
                assert await endpoint.post(url, {}, {}, per_second=per_second) == {"score": 0.5}
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    asyncio.run(run())
    assert len(service.got) == 4


def test_turns_that_have_come_are_forgotten():
    """A server may be sent any number of addresses."""
    clock, service = Clock(), Service(ok())
    endpoint = HttpEndpoint(now=clock.now)

    async def run():
        async with started(service) as url:
            for i in range(1_001):
                await endpoint.post(f"{url}?{i}", {}, {}, per_second=10)
                clock.time += 1

    asyncio.run(run())
    assert len(endpoint._next_turns) == 1  # noqa: SLF001 - memory has no other sign

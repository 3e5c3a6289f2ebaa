"""Bounds on what is asked of a service: at once, and by the minute."""

import asyncio
import math
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.clients import Message, ModelReply, ModelRequest, ScriptedClient
from graders.clients.limits import Limited
from graders.grades import Usage


class Clock:
    """Time that passes only while someone sleeps; sleepers wake in the order of their time."""

    def __init__(self):
        self.now = 0.0
        self.sleepers, self.count = [], count()

    def read(self):
        return self.now

    async def sleep(self, seconds):
        woken = asyncio.get_running_loop().create_future()
        self.sleepers.append((self.now + seconds, next(self.count), woken))
        await woken

    async def run(self, *works):
        """Do some work to its end; time goes on when nothing else does."""
        tasks = [asyncio.ensure_future(work) for work in works]
        while not all(task.done() for task in tasks):
            for _ in range(5):
                await asyncio.sleep(0)
            if self.sleepers:
                first = min(self.sleepers)
                self.sleepers.remove(first)
                self.now = max(self.now, first[0])
                first[2].set_result(None)
        return [task.result() for task in tasks]


class Service:
    """Notes when each request starts, and answers after some seconds with so many tokens."""

    def __init__(self, clock, seconds=0.0, tokens=None):
        self.clock, self.seconds, self.tokens = clock, seconds, tokens
        self.starts, self.at_once, self.most_at_once = [], 0, 0

    async def complete(self, request):
        self.starts.append(self.clock.now)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        if self.seconds:
            await self.clock.sleep(self.seconds)
        self.at_once -= 1
        return ModelReply(text=request.model, usage=self.tokens and Usage(total_tokens=self.tokens))


def request(text="", model="m"):
    return ModelRequest(model=model, messages=(Message("user", text),), schema=None, sampling={})


def starts(many, *, text="", seconds=0.0, tokens=None, **limits):
    """When each of so many requests, all made at once, starts."""
    clock = Clock()
    service = Service(clock, seconds, tokens)
    client = Limited(service, clock=clock.read, sleep=clock.sleep, **limits)
    asyncio.run(clock.run(*(client.complete(request(text)) for _ in range(many))))
    return service.starts


@pytest.mark.parametrize(
    ("limits", "wanted"),
    [
        ({}, [0, 0, 0, 0]),
        ({"requests_per_minute": 60}, [0, 1, 2, 3]),
        ({"requests_per_minute": 0.5}, [0, 120, 240, 360]),
        ({"in_flight": 1, "seconds": 7}, [0, 7, 14, 21]),
        ({"in_flight": 2, "seconds": 7}, [0, 0, 7, 7]),
        ({"in_flight": 1, "seconds": 7, "requests_per_minute": 6}, [0, 10, 20, 30]),
        ({"in_flight": 1, "seconds": 7, "requests_per_minute": 60}, [0, 7, 14, 21]),
        # 40 characters are taken for 10 tokens: ten seconds of 60 a minute.
        ({"text": "x" * 40, "tokens_per_minute": 60}, [0, 10, 20, 30]),
        ({"text": "x" * 40, "tokens_per_minute": 60, "requests_per_minute": 3}, [0, 20, 40, 60]),
        ({"text": "x" * 40, "tokens_per_minute": 60, "requests_per_minute": 60}, [0, 10, 20, 30]),
        # The reply says 25: the fifteen more are made up for.
        (
            {"text": "x" * 40, "tokens_per_minute": 60, "tokens": 25, "in_flight": 1},
            [0, 25, 50, 75],
        ),
        ({"text": "x" * 40, "tokens_per_minute": 60, "tokens": 4, "in_flight": 1}, [0, 4, 8, 12]),
        ({"tokens_per_minute": 60, "tokens": 30, "in_flight": 1}, [0, 30, 60, 90]),
    ],
)
def test_when_requests_start(limits, wanted):
    """Evenly spaced, by whichever limit is the tightest."""
    assert starts(4, **limits) == pytest.approx(wanted)


@given(
    many=st.integers(1, 30),
    requests=st.floats(0.5, 600),
    tokens=st.none() | st.floats(1, 6000),
    size=st.integers(0, 400),
    in_flight=st.integers(1, 40),
    seconds=st.floats(0, 30),
)
def test_no_minute_holds_more_requests_than_its_number(
    many, requests, tokens, size, in_flight, seconds
):
    """Wherever the minute begins, whatever else holds requests up."""
    begun = starts(
        many,
        text="x" * size,
        seconds=seconds,
        requests_per_minute=requests,
        tokens_per_minute=tokens,
        in_flight=in_flight,
    )

    for start in begun:
        assert sum(start <= other < start + 60 - 1e-6 for other in begun) <= math.ceil(requests)


@given(many=st.integers(0, 30), in_flight=st.integers(1, 8))
def test_no_more_than_the_bound_are_in_flight_and_all_are_answered(many, in_flight):
    """The bound is reached where there is enough to do, and each gets its own reply."""
    clock = Clock()
    service = Service(clock, seconds=1)
    client = Limited(service, in_flight=in_flight, clock=clock.read, sleep=clock.sleep)
    asked = [request(model=str(i)) for i in range(many)]
    replies = asyncio.run(clock.run(*map(client.complete, asked)))

    assert [reply.text for reply in replies] == [each.model for each in asked]
    assert service.most_at_once == min(many, in_flight)


def test_one_client_serves_several_event_loops():
    """A bound that waited in one loop does not stand in the next one's way."""
    clock = Clock()
    client = Limited(Service(clock, seconds=1), in_flight=1, clock=clock.read, sleep=clock.sleep)
    for _ in range(3):
        asyncio.run(clock.run(*(client.complete(request()) for _ in range(4))))

    assert clock.now == 12


def test_a_request_that_fails_gives_its_place_back():
    """Else the bound would shrink with every failure."""

    async def ask():
        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await client.complete(request())

    client = Limited(ScriptedClient(lambda _: 1 // 0), in_flight=1)
    asyncio.run(asyncio.wait_for(ask(), 5))


@pytest.mark.parametrize("limit", ["in_flight", "requests_per_minute", "tokens_per_minute"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_a_limit_that_lets_nothing_through_is_refused(limit, value):
    """It would look like a service that hangs."""
    with pytest.raises(ValueError, match=f"{limit} is .* and lets nothing through; give more"):
        Limited(Service(Clock()), **{limit: value})

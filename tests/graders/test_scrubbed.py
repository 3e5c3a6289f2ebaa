"""What a client raises again and again costs the same each time."""

import asyncio
import traceback

import pytest

from graders.clients import Message, ModelRequest
from graders.clients.scrubbed import ClientError, Scrubbed
from graders.errors import FailureKind, GradingError

REQUEST = ModelRequest(model="m", messages=(Message("user", "x"),), schema=None, sampling={})


class Again:
    """Raises one error, and has how many frames it had before each time."""

    def __init__(self, error):
        self.error, self.frames = error, []

    async def complete(self, request):
        del request
        self.frames.append(len([*traceback.walk_tb(self.error.__traceback__)]))
        raise self.error


@pytest.mark.parametrize(
    ("error", "raised", "said"),
    [
        (RuntimeError("away"), ClientError, "the client Again failed at test_scrubbed.py:"),
        (ConnectionError("away"), GradingError, "ConnectionError: away"),
        (GradingError(FailureKind.OTHER, "no"), GradingError, "no"),
        (ClientError("a-key-of-some-length"), ClientError, "***"),
    ],
    ids=lambda one: repr(one)[:20],
)
def test_an_error_that_is_raised_again_does_not_grow(error, raised, said):
    """Its frames would be looked through and kept, those of all calls before with them."""
    client = Again(error)
    scrubbed = Scrubbed(client, ["a-key-of-some-length"])
    told = set()
    for _ in range(20):
        with pytest.raises(raised) as caught:
            asyncio.run(scrubbed.complete(REQUEST))
        told.add(str(caught.value))

    assert client.frames == [0] * 20
    assert len(told) == 1
    assert said in told.pop()

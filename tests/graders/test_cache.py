"""The cache of answers: asked once, kept for ever, shared by processes, clear when it is broken."""

import asyncio
import dataclasses
import sqlite3
import subprocess
import sys

import pytest

from graders.clients import Message, ModelReply, ModelRequest, ScriptedClient
from graders.clients.cache import Cached, CacheError
from graders.clients.kept import to_kept
from graders.errors import FailureKind, GradingError
from graders.grades import Usage
from graders.strict_json import encode

ONE = ModelRequest(model="m", messages=(Message("user", "hi"),), schema=None, sampling={})
TWO = dataclasses.replace(ONE, repeat=1)
REPLY = ModelReply(
    text="4 \ud800",
    model="m-2024",
    usage=Usage(prompt_tokens=3, completion_tokens=1, total_tokens=4),
    attempts=2,
)


class Gated:
    """A client that answers when it is let, and counts."""

    def __init__(self, reply=REPLY):
        self.reply, self.asked, self.gate = reply, 0, asyncio.Event()

    async def complete(self, _request):
        self.asked += 1
        await self.gate.wait()
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@pytest.fixture
def path(tmp_path):
    return tmp_path / "answers.sqlite"


def cached(client, path, identity="http://a/v1"):
    return Cached(client, path, identity=identity)


def ask(client, *requests):
    async def work():
        return [await client.complete(request) for request in requests]

    return asyncio.run(work())


def test_an_answer_is_kept_whole(path):
    """Across runs; its tokens stay with it, and that nothing was sent is said."""
    scripted = ScriptedClient(lambda _: REPLY)
    (first,) = ask(cached(scripted, path), ONE)
    (again,) = ask(cached(ScriptedClient(None), path), ONE)

    assert first is REPLY
    assert again == dataclasses.replace(REPLY, cached=True, attempts=0)
    assert scripted.asked == [ONE]


@pytest.mark.parametrize(
    "of_no_use",
    [
        dataclasses.replace(REPLY, refusal="no"),
        dataclasses.replace(REPLY, truncated=True),
        dataclasses.replace(REPLY, text=""),
        dataclasses.replace(REPLY, text=" \n"),
    ],
)
def test_an_answer_that_no_judge_can_use_is_asked_for_again(path, of_no_use):
    """Refused, cut off or empty, it would fail the row for ever; also where a file holds one."""
    assert ask(cached(ScriptedClient(lambda _: of_no_use), path), ONE) == [of_no_use]
    assert rows(path, "SELECT count(*) FROM replies") == [(0,)]

    ask(cached(ScriptedClient(lambda _: REPLY), path), ONE)
    damage(path, encode(to_kept(of_no_use)))
    asked = ScriptedClient(lambda _: REPLY)
    again = ask(cached(asked, path), ONE, ONE)

    assert asked.asked == [ONE]
    assert [reply.cached for reply in again] == [False, True]


def test_other_requests_and_other_servers_are_asked(path):
    """The repeat index, the model and the server's address are part of what is kept."""
    scripted = ScriptedClient(lambda _: REPLY)
    other = dataclasses.replace(ONE, model="n")
    ask(cached(scripted, path), ONE, TWO, other, ONE)
    ask(cached(scripted, path, "http://b/v1"), ONE)

    assert scripted.asked == [ONE, TWO, other, ONE]


def test_equal_requests_in_flight_are_asked_once(path):
    """Those that wait get the same answer; a different request does not wait."""

    async def work():
        gated = Gated()
        client = cached(gated, path)
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(client.complete(r)) for r in (ONE, ONE, TWO, ONE)]
            await asyncio.sleep(0)  # each task runs until it waits
            gated.gate.set()
        return gated.asked, [(task.result().text, task.result().cached) for task in tasks]

    asked, replies = asyncio.run(work())

    assert asked == 2
    assert {text for text, _ in replies} == {REPLY.text}
    assert [cached for _, cached in replies] == [False, True, False, True]


def test_a_failure_is_shared_and_not_kept(path):
    """Whoever waits for the same answer fails the same way, and the next one asks again."""
    error = GradingError(FailureKind.MODEL_SERVER, "down")

    async def work():
        gated = Gated(error)
        client = cached(gated, path)
        tasks = [asyncio.create_task(client.complete(ONE)) for _ in range(3)]
        await asyncio.sleep(0)
        gated.gate.set()
        failed = await asyncio.gather(*tasks, return_exceptions=True)
        gated.reply = REPLY
        return failed, gated.asked, await client.complete(ONE), gated.asked

    failed, before, reply, after = asyncio.run(work())

    assert failed == [error] * 3
    assert (before, after) == (1, 2)
    assert reply is REPLY


def test_who_waits_takes_over_when_the_asker_is_stopped(path):
    """Cancelling one row does not cost another its answer, and asks no more than it must."""

    async def work():
        gated = Gated()
        client = cached(gated, path)
        first, second, third = (asyncio.create_task(client.complete(ONE)) for _ in range(3))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait([first])
        gated.gate.set()
        return first.cancelled(), await second, await third, gated.asked

    stopped, second, third, asked = asyncio.run(work())

    assert stopped
    assert sorted([second.cached, third.cached]) == [False, True]
    assert asked == 2


def test_it_can_be_used_in_a_thread_of_its_own(path):
    """As `grade` does where a loop is running, and under one loop after another."""
    client = cached(ScriptedClient(lambda _: REPLY), path)

    async def work():
        return await asyncio.to_thread(ask, client, ONE)

    assert [asyncio.run(work())[0].cached for _ in range(2)] == [False, True]


_CHILD = """
import asyncio, sys
from graders.clients import ModelReply, ModelRequest, ScriptedClient
from graders.clients.cache import Cached

async def work():
    sys.stdin.read(1)
    client = Cached(ScriptedClient(lambda r: ModelReply(text=r.model)), sys.argv[1], identity="")
    for i in range(300):
        request = ModelRequest(model=str(i), messages=(), schema=None, sampling={})
        assert (await client.complete(request)).text == str(i)

asyncio.run(work())
"""


def test_processes_share_a_file(path):
    """Started at once on a file that is not there yet, none is refused and none is lost."""
    command = [sys.executable, "-c", _CHILD, str(path)]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(4)]
    for child in children:
        child.stdin.write(b"\n")
        child.stdin.flush()
    codes = [child.wait() for child in children]
    for child in children:
        child.stdin.close()

    assert codes == [0, 0, 0, 0]
    assert rows(path, "SELECT count(*) FROM replies") == [(300,)]


def rows(path, query):
    connection = sqlite3.connect(path)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def test_nothing_of_the_request_is_in_the_file(path):
    """Prompts may be secret, and the server's address may hold a password."""
    client = cached(ScriptedClient(lambda _: REPLY), path, "http://me:SECRET@a/v1")
    ask(client, dataclasses.replace(ONE, messages=(Message("user", "PROMPT"),)))
    client.close()
    held = b"".join(file.read_bytes() for file in path.parent.iterdir())

    assert b"m-2024" in held
    assert b"SECRET" not in held
    assert b"PROMPT" not in held


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda p: p.write_text("a text of more than sixteen bytes, " * 30), "not a database"),
        (lambda p: rows(p, "CREATE TABLE t (x)"), "it is another database"),
        (lambda p: rows(p, "PRAGMA user_version = 7"), "it is another database"),
        (lambda p: p.mkdir(), "unable to open database file"),
    ],
)
def test_another_file_is_refused_and_left_alone(path, make, problem):
    """The error has the file, what it is, and what to do."""
    make(path)
    before = path.is_file() and path.read_bytes()

    with pytest.raises(CacheError) as caught:
        cached(ScriptedClient(None), path)
    assert str(caught.value).startswith(f"{path}: not usable as a cache of answers: ")
    assert problem in str(caught.value)
    assert str(caught.value).endswith("; name another file, or move this one away")
    assert (path.is_file() and path.read_bytes()) == before


def test_a_later_form_is_refused(path):
    """A file of a version to come is not misread."""
    cached(ScriptedClient(None), path).close()
    rows(path, "PRAGMA user_version = 2")

    with pytest.raises(CacheError, match="it is a cache of form 2"):
        cached(ScriptedClient(None), path)


@pytest.mark.parametrize(
    ("reply", "problem"),
    [
        ("x", "not JSON: "),
        ("[]", "not a reply: no object with a text"),
        ("{}", "not a reply: no object with a text"),
        ('{"text": 1}', "not a reply: Expected `str`, got `int` - at `$.text`"),
    ],
)
def test_a_damaged_answer_ends_the_run(path, reply, problem):
    """It is no failure of the row: the next row would meet the same file."""
    client = cached(ScriptedClient(lambda _: REPLY), path)
    ask(client, ONE)
    damage(path, reply)

    with pytest.raises(CacheError) as caught:
        ask(client, ONE)
    assert problem in str(caught.value)


def damage(path, reply):
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE replies SET reply = ?", (reply,))
    connection.close()


def test_a_file_damaged_under_a_run_ends_it(path):
    """What SQLite says is passed on."""
    client = cached(ScriptedClient(lambda _: REPLY), path)
    ask(client, ONE)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("DROP TABLE replies")
    connection.close()

    with pytest.raises(CacheError, match="no such table: replies"):
        ask(client, ONE)

"""Whatever a config holds, checking it holds nobody up, and comes to an end."""

import asyncio
import time

import pytest
from asking import EXACT, RUN, VALIDATE, asking
from serving import serving
from stand_ins import breaks, exits

from graders.compile import Tools
from graders.config.parse import parse_config
from graders.errors import ConfigError
from graders.server.settings import Limits

PYTHON = {"type": "python", "name": "code", "source": "def grade(sample, item): return 1.0"}
HARD = {**PYTHON, "source": "def f():\n pass\n" * 6_000 + PYTHON["source"]}
"""Seconds: Python's compiler compares each function with each other one."""
REQUEST = {"grader": EXACT, "model_sample": "x", "item": {"answer": "x"}}


CUSTOM = {"type": "custom", "item_schema": {"type": "object"}}


class Nobody:
    """A sandbox that runs nothing."""

    def run(self, calls):
        raise AssertionError(calls)


@pytest.mark.long
def test_others_are_answered_while_a_source_is_checked():
    """Python's compiler lets no thread run beside it, so that it must be a process."""
    order = []

    async def ask(client, name, path, body):
        answer = await client.post(path, json=body)
        order.append((name, answer.status_code))

    async def both():
        async with asking() as client:
            await client.post(VALIDATE, json={"grader": PYTHON})  # its process has started
            hard = asyncio.create_task(ask(client, "hard", VALIDATE, {"grader": HARD}))
            await asyncio.sleep(0)
            for _ in range(20):
                await ask(client, "easy", RUN, REQUEST)
            await hard

    asyncio.run(both())

    assert order == [("easy", 200)] * 20 + [("hard", 200)]


@pytest.mark.long
def test_a_source_that_is_too_hard_to_check_is_refused():
    """Nothing says that it is wrong, but nobody waits for it; an easy one is checked in time."""
    harder = {**PYTHON, "source": "def f():\n pass\n" * 15_000 + PYTHON["source"]}
    method = {"type": "reinforcement", "reinforcement": {"grader": harder}}
    bodies = [
        (VALIDATE, {"grader": harder}),
        (RUN, {**REQUEST, "grader": harder}),
        ("/grade", {"grader": harder, "rows": []}),
        ("/v1/evals", {"testing_criteria": [harder], "data_source_config": CUSTOM}),
        ("/v1/fine_tuning/jobs", {"model": "o4-mini", "training_file": "f", "method": method}),
    ]

    async def ask(bodies, limits):
        async with asking(tools=Tools(sandbox=Nobody()), limits=limits) as client:
            return await asyncio.gather(*(client.post(path, json=body) for path, body in bodies))

    (easy,) = asyncio.run(ask([(VALIDATE, {"grader": PYTHON})], Limits()))
    answers = asyncio.run(ask(bodies, Limits(check_seconds=0.5)))

    assert easy.status_code == 200
    for answer in answers:
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (400, "source-effort")
        assert error["message"] == "the source takes longer than 0.5 s to check"
        assert error["param"] in {"grader", "method", None}


def test_a_source_that_takes_all_memory_to_check_is_refused(monkeypatch):
    """The process that checked it is gone, and the next source gets another."""
    monkeypatch.setattr("graders.server.checking.check_document", exits)

    async def twice():
        async with asking() as client:
            first = await client.post(VALIDATE, json={"grader": PYTHON})
            monkeypatch.undo()
            return first.json(), (await client.post(VALIDATE, json={"grader": PYTHON})).status_code

    answer, next_status = asyncio.run(twice())

    assert answer["error"]["message"] == "the source takes too much memory to check"
    assert next_status == 200


def test_a_bug_in_a_check_is_no_fault_of_the_source(monkeypatch):
    """It is the server's: a 500, and its log has the traceback."""
    monkeypatch.setattr("graders.server.checking.check_document", breaks)
    with serving() as server:
        answer = server.client.post(VALIDATE, json={"grader": PYTHON})
        logged = server.complaint()

    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "server-error")
    assert "in breaks" in logged
    assert "ZeroDivisionError: a bug" in logged


WRONG = {**EXACT, "operation": "e"}
MANY = {
    "unknown keys": {**EXACT, **{f"inpot{i}": 1 for i in range(40_000)}},
    "unknown keys of a wrong grader": {**WRONG, **{f"inpot{i}": 1 for i in range(40_000)}},
    "keys, none of which is a field": {
        "type": "string_check",
        **{f"inpot{i}": 1 for i in range(40_000)},
    },
    "wrong members in a list": {
        "type": "multi",
        "name": "m",
        "graders": [{**WRONG, "name": f"m{i}"} for i in range(5_000)],
        "calculate_output": "m1",
    },
    "labels": {
        "type": "label_model",
        "name": "judge",
        "model": "gpt-4.1-2025-04-14",
        "input": [{"role": "user", "content": ""}],
        "labels": [*map(str, range(100_000))],
        "passing_labels": [*map(str, range(100_000))],
    },
}


@pytest.mark.parametrize("config", MANY.values(), ids=MANY)
def test_what_a_config_has_very_many_of_takes_a_moment(config):
    """The labels had taken more than a minute. Of very many mistakes some are named."""
    started = time.process_time()
    try:
        findings = parse_config(config).findings
    except ConfigError as error:
        findings = error.findings

    assert time.process_time() - started < 10
    assert len(findings) <= 2_001

"""Lines and branches of a grader, taken in the sandbox, against coverage.py as the oracle."""

import asyncio
import json
from contextlib import suppress

import pytest

from graders.testing.coverage import Covering, to_json
from sandbox import Call, open_sandbox

PLAIN = """
import math

LIMIT = 3


def grade(sample, item):
    total = 0.0
    total += math.sqrt(
        len(sample),
    )
    return total
"""
IF = '''
"""A module."""


def grade(sample, item):
    """A function."""
    if sample == "a":
        score = 1.0
    elif sample == "b":
        score = 0.5
    else:
        score = 0.0
    if (
        item
        and score
    ):
        return score
    if sample == "d":
        score = 0.1
'''
LOOPS = """
def grade(sample, item):
    for letter in sample:
        if letter == "b":
            break
        if letter == "c":
            continue
    else:
        item = 1
    left = len(sample)
    while left > 0:
        left -= 1
        if left == 2:
            break
    else:
        item = 2
    while True:
        left += 1
        if left > 5:
            break
    for _ in range(left):
        left += 1
"""
TRIES = """
def grade(sample, item):
    try:
        value = float(sample)
    except ValueError:
        value = 0.0
    except (TypeError, OverflowError) as error:
        value = len(str(error))
    except KeyError:
        value = 2.0
    else:
        value += 1
    finally:
        item = 3
    try:
        if value > 1:
            raise KeyError(value)
    except KeyError:
        pass
    try:
        int(sample)
    except:
        return 0
    return value
"""
MATCHES = """
def grade(sample, item):
    match sample:
        case "a":
            score = 1
        case ["b", x] | {"b": x}:
            score = x
        case str() if len(sample) > 2:
            score = 3
        case _:
            score = 4
    match score:
        case 1:
            return 1
        case 3:
            score += 1
    return score
"""
FUNCTIONS = """
import functools
from contextlib import contextmanager


def doubled(function):
    @functools.wraps(function)
    def inner(*args):
        return 2 * function(*args)

    return inner


@contextmanager
def managed():
    yield 1


class Scorer:
    weight: float = 2.0
    bonus: float

    def __init__(self, sample):
        self.sample = sample

    @property
    def score(self):
        return len(self.sample)

    @staticmethod
    def unused():
        return 1


@functools.partial(
    functools.partial,
)
@doubled
def grade(sample, item):
    with managed() as one:
        if one:
            total = Scorer(sample).score
    with managed():
        total += sum(n for n in range(total) if n % 2)
    key = lambda text: len(text)
    squares = [n * n for n in range(3)]
    return total
"""
ASYNC = """
import asyncio


async def numbers(n):
    for i in range(n):
        yield i


async def count(n):
    total = 0
    async for i in numbers(n):
        if i == 3:
            total += 1
        await asyncio.sleep(0)
    return total


def generator(n):
    global LAST
    while n:
        LAST = n
        yield n
        n -= 1


def grade(sample, item):
    found = list(generator(len(sample)))
    del found
    assert sample is not None, "no"
    return asyncio.run(count(len(sample)))
"""
RAISES = """
def check(text):
    if not text:
        raise ValueError("empty")
    return text


def grade(sample, item):
    if sample == "x":
        check("")
    text = check(sample)
    if text == "a":
        pass
    return len(text)
"""
FUTURE = '''
"""Documented."""

from __future__ import annotations

score: float


def grade(sample: str, item: dict[str, int]) -> float:
    nonsense: int
    return 1.0
'''
CALLS = [["a", "b"], ["bbb"], ["xyz", ""], ["12"], ["abcd", "1"], ["a", "b", "d", "cc", "12345"]]
SOURCES = {
    "plain": PLAIN,
    "if": IF,
    "loops": LOOPS,
    "tries": TRIES,
    "matches": MATCHES,
    "functions": FUNCTIONS,
    "async": ASYNC,
    "raises": RAISES,
    "future": FUTURE,
}


@pytest.fixture(scope="module")
def box():
    """A sandbox for all of them."""
    box = open_sandbox()
    yield box
    box.close()


def oracle(tmp_path, source, samples):
    """What coverage.py says; the sources are this file's own, and harmless."""
    import coverage

    path = tmp_path / "covered.py"
    path.write_text(source, encoding="utf-8")
    code = compile(source, str(path), "exec")
    tool = coverage.Coverage(branch=True, data_file=None, config_file=False, include=[str(path)])
    with tool.collect():
        for sample in samples:
            names = {"__name__": "covered"}
            exec(code, names)
            with suppress(ValueError, KeyError):
                names["grade"](sample, {})
    tool.json_report(outfile=str(tmp_path / "report.json"))
    (report,) = json.loads((tmp_path / "report.json").read_text())["files"].values()
    return {
        key: sorted(report[key])
        for key in ("executed_lines", "missing_lines", "executed_branches", "missing_branches")
    } | {"percent_covered": round(report["summary"]["percent_covered"], 2)}


@pytest.mark.needs("coverage")
@pytest.mark.parametrize("samples", CALLS, ids="+".join)
@pytest.mark.parametrize("name", SOURCES)
def test_lines_and_branches_are_those_of_coverage_py(box, tmp_path, name, samples):
    """Statement for statement, arc for arc, and the same percentage."""
    covering = Covering(box)
    calls = [Call(SOURCES[name], "grade", [one, {}]) for one in samples]
    asyncio.run(covering.run(calls))
    found = to_json(covering.coverage(SOURCES[name]))

    assert {**found, **{k: sorted(found[k]) for k in list(found)[:4]}} == oracle(
        tmp_path, SOURCES[name], samples
    )

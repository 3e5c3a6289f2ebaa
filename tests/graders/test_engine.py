"""Runs: order, batches, policies, what is kept when they end early, and memory."""

import asyncio
import subprocess
import sys
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.engine import RunOptions, RunStoppedError, as_row, grade, grade_stream, run_sync
from graders.errors import ConfigError, Failure, FailureKind, RowError
from graders.grades import Boundary, Grade
from graders.rows import Row, to_sample

EXACT = {
    "type": "string_check",
    "name": "exact",
    "operation": "eq",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
}


@dataclass
class Scripted:
    """Scores a row by its number; fails the rows in `failing`, and breaks at `broken`."""

    failing: frozenset[int] = frozenset()
    broken: int = 0
    asked: list[int] = field(default_factory=list)
    name = signature = "scripted"
    waits = "never"

    async def grade(self, rows):
        self.asked.append(len(rows))
        return [self._judge(row) for row in rows]

    def _judge(self, row):
        if row.row == self.broken:
            raise ZeroDivisionError("a bug")
        if row.row in self.failing:
            return Grade(
                name="s", failure=Failure(kind=FailureKind.OTHER, message=f"row {row.row} is odd")
            )
        return Grade(name="s", score=float(row.row))


class Source:
    """Rows 1 to `count`, with errors at the numbers in `bad`; knows how far it was read."""

    def __init__(self, count, bad=(), damaged=None):
        self.count, self.bad, self.damaged, self.read = count, bad, damaged, 0

    def __iter__(self):
        for number in range(1, self.count + 1):
            self.read = number
            if number == self.damaged:
                raise OSError("the disk is gone")
            if number in self.bad:
                yield RowError(f"f:{number}:1", "bad")
            else:
                yield Row(item={}, sample={}, row=number)


def run(grader, rows, **options):
    """Batches of (row, score, reward), the bad lines, and what ended the run."""
    batches, bad, ended = [], [], None

    async def work():
        stream = grade_stream(grader, rows, RunOptions(**options), bad_line=bad.append)
        async for batch in stream:
            graded = [(row.row, grade.score, reward) for row, grade, reward in batch]
            batches.append(graded)

    try:
        asyncio.run(work())
    except Exception as error:  # noqa: BLE001 - the tests look at it
        ended = error
    return batches, [error.place for error in bad], ended


def numbers(batches):
    return [[row for row, _, _ in batch] for batch in batches]


# --- batches


@pytest.mark.parametrize(
    ("count", "size", "limit", "expected"),
    [
        (0, 2, None, []),
        (1, 2, None, [[1]]),
        (4, 2, None, [[1, 2], [3, 4]]),
        (5, 2, None, [[1, 2], [3, 4], [5]]),
        (5, 1, None, [[1], [2], [3], [4], [5]]),
        (5, 9, None, [[1, 2, 3, 4, 5]]),
        (5, 2, 3, [[1, 2], [3]]),
        (5, 2, 4, [[1, 2], [3, 4]]),
        (5, 2, 9, [[1, 2], [3, 4], [5]]),
    ],
)
def test_batches_keep_the_order(count, size, limit, expected):
    """Rows are graded in batches of the size, the last one shorter, up to the limit."""
    batches, bad, ended = run(Scripted(), Source(count), batch_size=size, limit=limit)

    assert numbers(batches) == expected
    assert (bad, ended) == ([], None)


@given(
    kinds=st.lists(st.sampled_from(["good", "bad", "failing"]), max_size=30),
    size=st.integers(1, 8),
    limit=st.none() | st.integers(1, 30),
)
def test_every_row_is_graded_once_and_in_order(kinds, size, limit):
    """For any mix of rows, bad lines and failures, and any batch size."""
    where = {kind: [n for n, k in enumerate(kinds, 1) if k == kind] for kind in {*kinds}}
    bad, failing = where.get("bad", []), where.get("failing", [])
    batches, met, ended = run(
        Scripted(frozenset(failing)), Source(len(kinds), bad), batch_size=size, limit=limit
    )
    rows = [row for batch in batches for row in batch]

    good = [n for n in range(1, len(kinds) + 1) if n not in bad][:limit]
    assert [row for row, _, _ in rows] == good
    assert [score for _, score, _ in rows] == [None if n in failing else float(n) for n in good]
    assert met == [f"f:{n}:1" for n in bad][: len(met)]
    assert ended is None
    assert all(batches)


def test_no_row_is_read_before_its_batch():
    """Rows are a stream: a batch is graded and handed on before the next is read."""
    source = Source(1_000)
    read = []

    async def work():
        stream = grade_stream(Scripted(), source, RunOptions(batch_size=3), bad_line=print)
        async for batch in stream:
            read.append((batch.rows[-1].row, source.read))
            if len(read) == 4:
                break
        await stream.aclose()

    asyncio.run(work())

    assert read == [(3, 3), (6, 6), (9, 9), (12, 12)]


def test_a_limit_reads_no_further():
    """Rows that will not be graded are not waited for: the source may be endless."""
    source = Source(10)
    run(Scripted(), source, batch_size=2, limit=4)

    assert source.read == 4


# --- policies


@pytest.mark.parametrize(("policy", "reward"), [("drop", None), ("zero", 0.0)])
def test_what_a_failure_is_to_a_trainer(policy, reward):
    """No reward, or 0.0; the failure stays a failure either way."""
    batches, _, ended = run(Scripted(frozenset({2})), Source(3), failures=policy)

    assert batches == [[(1, 1.0, 1.0), (2, None, reward), (3, 3.0, 3.0)]]
    assert ended is None


@pytest.mark.parametrize(
    ("failing", "expected"),
    [
        ({1}, [[1]]),
        ({2, 3}, [[1, 2]]),
        ({3}, [[1, 2], [3]]),
        ({4}, [[1, 2], [3, 4]]),
        ({5}, [[1, 2], [3, 4], [5]]),
    ],
)
def test_a_failure_can_stop_the_run(failing, expected):
    """What was graded is kept, up to and including the failed row."""
    batches, _, ended = run(Scripted(frozenset(failing)), Source(5), failures="stop", batch_size=2)

    first = min(failing)
    assert numbers(batches) == expected
    assert isinstance(ended, RunStoppedError)
    assert str(ended) == (f"stopped at row {first}, sample 0: other_error: row {first} is odd")


@pytest.mark.parametrize("strict", [False, True])
@pytest.mark.parametrize(
    ("bad", "before"),
    [({1}, []), ({2}, [[1]]), ({3}, [[1, 2]]), ({4}, [[1, 2], [3]]), ({5, 6}, [[1, 2], [3, 4]])],
)
def test_a_bad_line_ends_only_a_strict_run(strict, bad, before):
    """Strict: the rows before it are graded, then the run ends. Else it is counted."""
    batches, met, ended = run(Scripted(), Source(6, bad), strict=strict, batch_size=2)

    if strict:
        assert numbers(batches) == before
        assert isinstance(ended, RowError)
        assert ended.place == f"f:{min(bad)}:1"
        assert met == []
    else:
        assert [n for batch in numbers(batches) for n in batch] == [
            n for n in range(1, 7) if n not in bad
        ]
        assert met == [f"f:{n}:1" for n in sorted(bad)]
        assert ended is None


@pytest.mark.parametrize(("at", "before"), [(1, []), (3, [[1, 2]]), (4, [[1, 2], [3]])])
def test_a_file_that_breaks_off(at, before):
    """What could be read is graded, then the error is raised."""
    batches, _, ended = run(Scripted(), Source(5, damaged=at), batch_size=2)

    assert numbers(batches) == before
    assert isinstance(ended, OSError)


def test_a_bug_in_a_grader_stops_the_run():
    """It is not a failure of its row: it comes out as it is, after the batches before."""
    batches, _, ended = run(Scripted(broken=4), Source(9), batch_size=2)

    assert numbers(batches) == [[1, 2]]
    assert isinstance(ended, ZeroDivisionError)
    assert ended.__traceback__ is not None


def test_a_grader_that_loses_rows_is_broken():
    """Grades are never matched to the wrong rows."""

    class Forgetful(Scripted):
        async def grade(self, rows):
            return (await super().grade(rows))[1:]

    _, _, ended = run(Forgetful(), Source(3))

    assert isinstance(ended, ValueError)


# --- grade


def test_grade_in_a_plain_call():
    """A grade per row, in order, failures among them."""
    rows = [{"item": {"answer": str(i % 2)}, "sample": "1"} for i in range(600)]
    rows[7] = {"item": {}, "sample": "1"}
    grades = grade(EXACT, iter(rows))

    assert [g.score for g in grades] == [None if i == 7 else float(i % 2) for i in range(600)]
    assert grades[7].failure.kind == FailureKind.INVALID_VARIABLE
    assert grade(EXACT, []) == []


def test_grade_inside_a_running_loop():
    """A notebook has a loop running; grade has its own."""

    async def cell():
        return grade(EXACT, [Row(item={"answer": "4"}, sample=to_sample("4"))])

    assert [g.score for g in asyncio.run(cell())] == [1.0]


def test_errors_come_out_of_a_running_loop():
    """The thread between does not hide what was raised."""

    async def broken():
        raise ZeroDivisionError("a bug")

    async def cell():
        run_sync(broken)

    with pytest.raises(ZeroDivisionError, match="a bug"):
        asyncio.run(cell())


def test_grade_checks_the_config_first():
    """A config that does not compile is found before a row is asked for."""
    source = Source(3)

    with pytest.raises(ConfigError, match="this slot has no closing"):
        grade({**EXACT, "input": "{{ item.a"}, source)
    assert source.read == 0


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("text", "'text'"),
        (None, "None"),
        ({}, "{}"),
        ({"item": {}}, "{'item': {}}"),
        ({"item": [], "sample": "x"}, "{'item': [], 'sample': 'x'}"),
        ({"item": {}, "sample": 4}, "{'item': {}, 'sample': 4}"),
        ({"item": {}, "samples": ["x"]}, "{'item': {}, 'samples': ['x']}"),
        ({"item": {"a": "y" * 99}}, "{'item': {'a': '" + "y" * 64),
    ],
)
def test_what_is_not_a_row_is_refused(value, shown):
    """By its place in the list, and cut where it is long."""
    problem = 'is not a Row or {"item": {...}, "sample": text or object}'

    with pytest.raises(RowError) as caught:
        grade(EXACT, [{"item": {"answer": "4"}, "sample": "4"}, value])
    assert str(caught.value) == f"rows[1]: {shown} {problem}"


def test_dicts_become_rows():
    """Their number is their place; a Row is taken as it is."""
    row = Row(item={}, sample={}, row=9, sample_index=2, group="g")

    assert as_row(row, 1) is row
    assert as_row({"item": {"a": 1}, "sample": "x", "more": 2}, 3) == Row(
        item={"a": 1}, sample=to_sample("x"), row=3
    )


# --- memory

_CHILD = """
import asyncio, resource, sys, types
from graders.compile import compile_grader
from graders.engine import RunOptions, grade_stream
from graders.report.summary import Summary
from graders.rows import Row, to_sample

def rows(count):
    for i in range(count):
        yield Row(item={"answer": str(i), "pad": "x" * 1000}, sample=to_sample(str(i)), row=i)

async def work():
    grader, summary = compile_grader(%r), Summary()
    stream = grade_stream(grader, rows(int(sys.argv[1])), RunOptions(), bad_line=print)
    async for batch in stream:
        summary.add(batch)
    assert summary.graded.count == int(sys.argv[1])

asyncio.run(work())
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_rows():
    """Ten times the rows, of a kilobyte each, take the same memory."""
    pytest.importorskip("resource")

    def peak_bytes(count):
        command = [sys.executable, "-c", _CHILD % EXACT, str(count)]
        out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        return int(out) * (1 if sys.platform == "darwin" else 1024)

    assert peak_bytes(50_000) - peak_bytes(5_000) < 15 * 1024**2


@pytest.mark.parametrize("size", [1, 3, 50])
def test_bad_lines_behind_a_stop_are_not_met(size):
    """How far a batch reads ahead is nobody's business."""
    source = Source(12, bad={2, 6, 7, 8})
    _, bad, ended = run(Scripted({5}), source, failures="stop", batch_size=size)

    assert bad == ["f:2:1"]
    assert isinstance(ended, RunStoppedError)


@pytest.mark.parametrize("waits", ["never", "batches", "rows"])
def test_no_grader_is_asked_for_no_rows(waits):
    """The end of a shard, or lines that are none, are nobody's to grade."""
    grader = Scripted()
    grader.waits = waits
    bad = RowError("rows.jsonl:1:1", "not JSON")
    stream = [bad, Boundary(0, 0), Row(item={}, sample={}, row=2), Boundary(1), Boundary(2)]
    found = []

    async def work():
        options = RunOptions(batch_size=1)
        return [one async for one in grade_stream(grader, stream, options, bad_line=found.append)]

    graded = asyncio.run(work())
    assert (grader.asked, found, sum(map(len, graded))) == ([1], [bad], 1)
    assert [one.boundary.shard for one in graded if one.boundary is not None] == [0, 1, 2]

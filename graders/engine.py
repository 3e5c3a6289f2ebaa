"""Running a grader over a stream of rows: batches, order, policies. What was graded is kept."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar

from graders.clients.budget import OVER_BUDGET
from graders.compile import Tools, compile_grader
from graders.config.parse import ConfigSource, Document
from graders.errors import GradersError, RowError
from graders.grades import Grade, Grader
from graders.ledger import Ledger
from graders.profile import OPENAI, Profile
from graders.results import DetailPolicy
from graders.rows import Row, to_sample

T = TypeVar("T")
AHEAD: Final = 4
"""Batches under way at a time, where rows wait for a model or a sandbox."""
_TURNS: Final = 16
"""Of the event loop, that a batch is given to be done before it counts as waiting."""

FailurePolicy = Literal["drop", "zero", "stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run treats its rows.

    Attributes:
        failures: What a failed row is to a trainer: no reward (drop), 0.0 (zero), or the end of
            the run (stop).
        detail: Which results keep rendered inputs and replies.
        strict: A bad line ends the run.
        limit: Grade at most so many samples.
        batch_size: Samples graded together. It changes speed and memory, never a number.
    """

    failures: FailurePolicy = "drop"
    detail: DetailPolicy = "failures"
    strict: bool = False
    limit: int | None = None
    batch_size: int = 256


class RunStoppedError(GradersError):
    """A run ended early because its options say so; what was graded before is kept."""


Graded = tuple[Row, Grade, float | None]
"""A row, its grade, and the reward the options make of it."""


async def grade_stream(
    grader: Grader,
    rows: Iterable[Row | RowError],
    options: RunOptions,
    *,
    bad_line: Callable[[RowError], None],
    ledger: Ledger | None = None,
) -> AsyncGenerator[list[Graded], None]:
    """Yield batches of graded rows, in input order.

    Memory holds one batch, or a few where rows wait for a model or a sandbox, so a dataset may be
    larger than memory. How many rows run at once is up to the grader's client or sandbox, which
    know what they can bear.

    Args:
        grader: What judges.
        rows: Rows, and the errors of lines that are none.
        options: Policies and sizes.
        bad_line: Called with each bad line, when it is met.
        ledger: What the grader's client spends. When it stops, no further row is read; rows that
            were not asked are no results.

    Raises:
        RowError: A bad line, if `options.strict`.
        RunStoppedError: A failed row, if `options.failures` is "stop", and its batch has been
            yielded, up to and including the row; or a budget is used up, and every row that was
            graded has been yielded.
    """
    ledger = ledger or Ledger()
    not_asked: Row | None = None
    batches = _until_stopped(_batches(rows, options), ledger)
    async with aclosing(_in_order(grader, batches)) as finished:
        async for batch, grades in finished:
            graded = [
                (row, grade, reward_of(grade, options.failures))
                for row, grade in zip(batch.rows, grades, strict=True)
            ]
            if ledger.stopped:
                missing = next((row for row, grade, _ in graded if _over_budget(grade)), None)
                not_asked = not_asked or missing
            stop = _first_failed(grades) if options.failures == "stop" else None
            for position, error in batch.bad_lines:
                if stop is None or position <= stop:  # those behind the end were not met
                    bad_line(error)
            end = len(graded) if stop is None else stop + 1
            kept = graded[:end] if not_asked is None else [*_asked(graded[:end])]
            if kept:
                yield kept
            if stop is not None:
                raise _stopped(*graded[stop][:2])
            if batch.damage is not None and not_asked is None:
                raise batch.damage
    if not_asked is not None:
        raise RunStoppedError(f"{_at(not_asked)}, the first that is not graded: {ledger.stopped}")


async def _in_order(
    grader: Grader, batches: Iterator[_Batch]
) -> AsyncGenerator[tuple[_Batch, list[Grade]], None]:
    """Grade batches and yield them in order, up to `AHEAD` of them under way.

    One slow row then leaves nobody idle. A batch that waits for nobody is done, and handed on,
    before the next one is read.
    """
    under_way: deque[tuple[_Batch, asyncio.Task[list[Grade]]]] = deque()
    more = True
    try:
        while more or under_way:
            while more and len(under_way) < AHEAD and not (under_way and under_way[0][1].done()):
                # A read may block, as from a pipe, and must not hold up replies.
                next_ = asyncio.to_thread(next, batches, None) if under_way else None
                batch = await next_ if next_ else next(batches, None)
                if batch is None:
                    more = False
                else:
                    task = asyncio.create_task(grader.grade(batch.rows))
                    under_way.append((batch, task))
                    await _computed(task)
            if under_way:
                batch, task = under_way[0]
                grades = await task
                under_way.popleft()
                yield batch, grades
    finally:
        for _, task in under_way:
            task.cancel()
        await asyncio.gather(*(task for _, task in under_way), return_exceptions=True)


async def _computed(task: asyncio.Task[list[Grade]]) -> None:
    """Let what waits for nobody come to its end: members and rows are tasks, a few levels deep."""
    for _ in range(_TURNS):
        if task.done():
            return
        await asyncio.sleep(0)


@dataclass(slots=True)
class _Batch:
    """Rows to be graded together, and what was met between them.

    Attributes:
        rows: The rows.
        bad_lines: Lines that are no rows, each with the number of rows before it.
        damage: What ended the reading after these rows.
    """

    rows: list[Row] = field(default_factory=list)
    bad_lines: list[tuple[int, RowError]] = field(default_factory=list)
    damage: Exception | None = None


def _batches(rows: Iterable[Row | RowError], options: RunOptions) -> Iterator[_Batch]:
    batch, left = _Batch(), options.limit
    try:
        for row in rows:
            if isinstance(row, Row):
                batch.rows.append(row)
                left = None if left is None else left - 1
                if left == 0:
                    break
            elif options.strict:
                batch.damage = row
                break
            else:
                batch.bad_lines.append((len(batch.rows), row))
            if len(batch.rows) + len(batch.bad_lines) >= options.batch_size:
                yield batch
                batch = _Batch()
    except Exception as error:  # noqa: BLE001 - raised again, after what stands before it
        batch.damage = error
    if batch.rows or batch.bad_lines or batch.damage:
        yield batch


def _until_stopped(batches: Iterator[_Batch], ledger: Ledger) -> Iterator[_Batch]:
    for batch in batches:
        yield batch
        if ledger.stopped:
            return


def _over_budget(grade: Grade) -> bool:
    """Whether a grade, or a part of it, was not asked for."""
    if grade.failure is not None and grade.failure.reason == OVER_BUDGET:
        return True
    return any(_over_budget(part) for part in grade.parts.values())


def _asked(graded: Iterable[Graded]) -> Iterator[Graded]:
    return (one for one in graded if not _over_budget(one[1]))


def _first_failed(grades: Sequence[Grade]) -> int | None:
    failed = (i for i, grade in enumerate(grades) if grade.failure and not _over_budget(grade))
    return next(failed, None)


def reward_of(grade: Grade, failures: FailurePolicy) -> float | None:
    """What a trainer gets for a grade: its score, and for a failure what the policy says."""
    return 0.0 if grade.score is None and failures == "zero" else grade.score


def _stopped(row: Row, grade: Grade) -> RunStoppedError:
    assert grade.failure is not None, "only failures stop a run"
    kind, message = grade.failure.kind, grade.failure.message
    return RunStoppedError(f"{_at(row)}: {kind}: {message}")


def _at(row: Row) -> str:
    return f"stopped at row {row.row}, sample {row.sample_index}"


def grade(
    config: ConfigSource | Document,
    rows: Iterable[Row | dict[str, object]],
    *,
    tools: Tools | None = None,
    profile: Profile = OPENAI,
) -> list[Grade]:
    """Grade rows and wait for the grades, also where an event loop is running (a notebook).

    Args:
        config: A config, dict, path or SDK object.
        rows: `Row`s, or dicts `{"item": {...}, "sample": text or object}`.
        tools: What the graders need from outside: a sandbox, a model client.
        profile: Settings that decide numbers.

    Returns:
        A grade per row, in order; failures are among them.

    Raises:
        ConfigError: The config cannot be compiled.
        RowError: A dict is not a row.

    Example:
        >>> config = {"type": "string_check", "name": "exact", "operation": "eq",
        ...           "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}
        >>> grade(config, [{"item": {"answer": "4"}, "sample": "4"}])[0].score
        1.0
    """
    grader = compile_grader(config, tools=tools, profile=profile)
    checked = [as_row(row, position) for position, row in enumerate(rows, start=1)]
    return run_sync(lambda: _grade_all(grader, checked))


async def _grade_all(grader: Grader, rows: Sequence[Row]) -> list[Grade]:
    size = RunOptions().batch_size
    starts = range(0, len(rows), size)
    batches = (_Batch(rows=[*rows[start : start + size]]) for start in starts)
    return [grade async for _, grades in _in_order(grader, batches) for grade in grades]


def run_sync(work: Callable[[], Coroutine[None, None, T]]) -> T:
    """Run a coroutine to its end, in a thread of its own where a loop is already running."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work())
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(lambda: asyncio.run(work())).result()


def as_row(value: Row | dict[str, object], position: int) -> Row:
    """A row from what a caller has.

    Raises:
        RowError: It is not a row.
    """
    match value:
        case Row():
            return value
        case {"item": dict(item), "sample": str() | dict() as sample}:
            return Row(item=item, sample=to_sample(sample), row=position)
    problem = 'is not a Row or {"item": {...}, "sample": text or object}'
    raise RowError(f"rows[{position - 1}]", f"{value!r:.80} {problem}")

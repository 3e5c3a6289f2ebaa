"""Running a grader over a stream of rows: order, policies. What was graded is kept."""

from __future__ import annotations

import asyncio
from collections.abc import (
    AsyncGenerator,
    Callable,
    Coroutine,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol, TypeVar, overload

from graders.batches import Batch, batches
from graders.clients import asked_for
from graders.clients.budget import OVER_BUDGET
from graders.compile import Tools, compile_grader
from graders.config.parse import ConfigSource, Document
from graders.errors import GradersError, RowError
from graders.grade_table import Grades
from graders.grades import Boundary, Grade, Graded, Grader
from graders.ledger import Ledger
from graders.profile import OPENAI, Profile
from graders.results import DetailPolicy
from graders.rows import Row, to_sample
from graders.window import in_order

T = TypeVar("T")
F = TypeVar("F", bound="Frame")
AHEAD: Final = 4
"""Batches under way at a time, or their rows, where graders wait for a model or a sandbox."""

FailurePolicy = Literal["drop", "zero", "stop"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run treats its rows.

    Attributes:
        failures: What a failed row is to a trainer: no reward (drop), 0.0 (zero), or the end of
            the run (stop).
        detail: Which results keep rendered inputs and replies; a warning is kept by any.
        strict: A bad line ends the run.
        limit: Grade at most so many samples.
        batch_size: Samples graded together; graders that wait for a model or a service take each
            by itself, and up to four times as many at once. It changes speed and memory, never a
            number.
    """

    failures: FailurePolicy = "drop"
    detail: DetailPolicy = "failures"
    strict: bool = False
    limit: int | None = None
    batch_size: int = 256


class RunStoppedError(GradersError):
    """A run ended early because its options say so; what was graded before is kept."""


async def grade_stream(
    grader: Grader,
    rows: Iterable[Row | RowError | Boundary],
    options: RunOptions,
    *,
    bad_line: Callable[[RowError], None],
    ledger: Ledger | None = None,
) -> AsyncGenerator[Graded, None]:
    """Yield batches of graded rows, in input order.

    A grader that waits for a model or a service has up to four `batch_size` rows under way, and
    each is yielded as soon as those before it are. One that waits for a sandbox has up to four
    batches, and one that computes a single one. So memory is bounded, whatever the dataset's
    size. How many rows run at once is up to the client or sandbox, which know what they can bear.

    A run that is stopped or cancelled yields every row that is finished before the reason is
    raised, those behind a slow row too: their answers are paid.

    Args:
        grader: What judges.
        rows: Rows, and the errors of lines that are none; read in a thread where it waits. No
            batch goes over a boundary, and the one before it carries it, rows or none.
        options: Policies and sizes.
        bad_line: Called with each bad line, before the batch that it stands in is yielded.
        ledger: What the grader's client spends. When it stops, no further row is asked; rows that
            were not asked are no results.

    Raises:
        RowError: A bad line, if `options.strict`.
        RunStoppedError: A failed row, if `options.failures` is "stop"; a batch is yielded up to
            and including it. Or a budget is used up.
    """
    kept = _Kept(options, ledger or Ledger(), bad_line, by_row=grader.waits == "rows")
    async with aclosing(_graded(grader, rows, options, kept.ledger)) as stream:
        async for finished in stream:
            for graded in kept.of(finished):
                yield graded
            if kept.stop is not None:
                if kept.by_row:  # what is finished behind it was paid; else this raises it
                    for graded in kept.of(await stream.athrow(kept.stop)):
                        yield graded
                raise kept.stop
    if kept.not_asked is not None:
        at, why = _at(kept.not_asked), kept.ledger.stopped
        raise RunStoppedError(f"{at}, the first that is not graded: {why}")


def _graded(
    grader: Grader, rows: Iterable[Row | RowError | Boundary], options: RunOptions, ledger: Ledger
) -> AsyncGenerator[list[tuple[Batch, Sequence[Grade]]], None]:
    """Grade batches in the way that is right for the grader."""
    size = options.batch_size
    by_row = grader.waits == "rows"
    cut = batches(rows, 1 if by_row else size, limit=options.limit, strict=options.strict)
    if grader.waits == "never":
        return _one_by_one(grader, cut)

    async def work(batch: Batch) -> Sequence[Grade]:
        if not batch.rows:
            return []
        if by_row:
            asked_for.set(f"{batch.rows[0].row}:{batch.rows[0].sample_index}")
        return await grader.grade(batch.rows)

    return in_order(
        cut,
        work,
        ahead=AHEAD * size if by_row else AHEAD,
        stopped=lambda: bool(ledger.stopped),
    )


async def _one_by_one(
    grader: Grader, cut: Iterable[Batch]
) -> AsyncGenerator[list[tuple[Batch, Sequence[Grade]]], None]:
    """Batches of a grader that computes: each is handed on before the next one is read."""
    for batch in cut:
        yield [(batch, await grader.grade(batch.rows) if batch.rows else [])]


@dataclass(slots=True)
class _Kept:
    """Which of the graded rows are results, and why there are no more.

    Attributes:
        options: The run's policies.
        ledger: What the grader's client spends.
        bad_line: Called with each bad line before the end.
        by_row: Whether rows behind the one that stops the run are results.
        not_asked: The first row that a budget left out.
        stop: The failure that ends the run.
    """

    options: RunOptions
    ledger: Ledger
    bad_line: Callable[[RowError], None]
    by_row: bool
    not_asked: Row | None = None
    stop: RunStoppedError | None = None

    def of(self, finished: Iterable[tuple[Batch, Sequence[Grade]]]) -> Iterator[Graded]:
        """The results among finished batches, together as far as no boundary parts them."""
        together: list[tuple[Row, Grade]] = []
        for batch, grades in finished:
            if type(grades) is Grades and self._all_kept(batch, grades):
                if together:
                    yield self._rewarded(together)
                    together = []
                yield from self._as_it_is(batch, grades)
                continue
            together += self._results(batch, grades)
            if batch.boundary is not None:
                yield self._rewarded(together, batch.boundary)
                together = []
        if together:
            yield self._rewarded(together)

    def _all_kept(self, batch: Batch, grades: Grades) -> bool:
        """Whether each grade is a result, without a look at each."""
        ends = self.options.failures == "stop" and grades.failures
        over = self.stop is not None or self.ledger.stopped
        return not ends and not over and len(grades) == len(batch.rows)

    def _as_it_is(self, batch: Batch, grades: Grades) -> Iterator[Graded]:
        for _, error in batch.bad_lines:
            self.bad_line(error)
        rewards = grades.scores
        if self.options.failures == "zero" and grades.failures:
            rewards = [0.0 if score is None else score for score in rewards]
        if batch.rows or batch.boundary is not None:
            yield Graded(batch.rows, grades, rewards, batch.boundary)

    def _results(self, batch: Batch, grades: Sequence[Grade]) -> list[tuple[Row, Grade]]:
        if self.stop is not None and not self.by_row:
            return []
        graded = list(zip(batch.rows, grades, strict=True))
        if self.stop is None:
            graded = self._until_stopped(batch, graded)
        if self.ledger.stopped and self.not_asked is None:
            self.not_asked = next((row for row, grade in graded if _over_budget(grade)), None)
        if self.not_asked is not None:
            return [one for one in graded if not _over_budget(one[1])]
        return graded

    def _until_stopped(
        self, batch: Batch, graded: list[tuple[Row, Grade]]
    ) -> list[tuple[Row, Grade]]:
        stop = _first_failed(graded) if self.options.failures == "stop" else None
        for position, error in batch.bad_lines:
            if stop is None or position <= stop:  # those behind the end were not met
                self.bad_line(error)
        if stop is None:
            return graded
        self.stop = stopped(*graded[stop])
        return graded[: stop + 1]

    def _rewarded(
        self, graded: Sequence[tuple[Row, Grade]], boundary: Boundary | None = None
    ) -> Graded:
        grades = [grade for _, grade in graded]
        rewards = [reward_of(grade, self.options.failures) for grade in grades]
        return Graded([row for row, _ in graded], grades, rewards, boundary)


def _over_budget(grade: Grade) -> bool:
    """Whether a grade, or a part of it, was not asked for."""
    if grade.failure is not None and grade.failure.reason == OVER_BUDGET:
        return True
    return any(_over_budget(part) for part in grade.parts.values())


def _first_failed(graded: Sequence[tuple[Row, Grade]]) -> int | None:
    failed = (i for i, (_, one) in enumerate(graded) if one.failure and not _over_budget(one))
    return next(failed, None)


def reward_of(grade: Grade, failures: FailurePolicy) -> float | None:
    """What a trainer gets for a grade: its score, and for a failure what the policy says."""
    return 0.0 if grade.score is None and failures == "zero" else grade.score


def stopped(row: Row, grade: Grade) -> RunStoppedError:
    """What ends a run at a failed row, where the options say so."""
    assert grade.failure is not None, "only failures stop a run"
    kind, message = grade.failure.kind, grade.failure.message
    return RunStoppedError(f"{_at(row)}: {kind}: {message}")


def _at(row: Row) -> str:
    return f"stopped at row {row.row}, sample {row.sample_index}"


class Frame(Protocol):
    """A frame of pandas, polars or pyarrow, a dataset, or what else gives Arrow columns."""

    @property
    def shape(self) -> tuple[int, int]: ...


@overload
def grade(
    config: ConfigSource | Document,
    rows: Iterable[Row | dict[str, object]],
    *,
    tools: Tools | None = None,
    profile: Profile = OPENAI,
) -> list[Grade]: ...


@overload
def grade(
    config: ConfigSource | Document,
    rows: F,
    *,
    tools: Tools | None = None,
    profile: Profile = OPENAI,
    columns: Mapping[str, str] | None = None,
) -> F: ...


def grade(
    config: ConfigSource | Document,
    rows: Any,
    *,
    tools: Tools | None = None,
    profile: Profile = OPENAI,
    columns: Mapping[str, str] | None = None,
) -> Any:
    """Grade rows and wait for the grades, also where an event loop is running (a notebook).

    A row of a frame is read as a line of a file is: `item` and `sample` are columns, or it is flat,
    or `columns` says what is what. The frame of its grades has the columns score, reward (the same,
    as no failure is given one), passed, failure_kind, failure_reason, failure_message, and
    `parts.NAME` with each member's score. It has a row for each of the frame's, and the index of a
    pandas frame. What has no grade is null.

    Args:
        config: A config, dict, path or SDK object.
        rows: `Row`s, or dicts `{"item": {...}, "sample": text or object}`; or a frame: of pandas,
            polars or pyarrow, a dataset of `datasets`, or an object with `__arrow_c_stream__`.
        tools: What the graders need from outside: a sandbox, a model client.
        profile: Settings that decide numbers.
        columns: What a frame's columns are: `{"item.answer": "gold", "sample": "completion"}`.

    Returns:
        A grade per row, in order; failures are among them. For a frame, a frame of its kind: a
        `Dataset` for an iterable one, a pyarrow table for what is none of them.

    Raises:
        ConfigError: The config cannot be compiled, or `columns` makes no sense.
        FormatError: A column of a frame has no form in JSON.
        RowError: A dict, or a row of a frame, is not a row.
        TypeError: It is a frame that is not loaded, or no frame.

    Example:
        >>> config = {"type": "string_check", "name": "exact", "operation": "eq",
        ...           "input": "{{ sample.output_text }}", "reference": "{{ item.answer }}"}
        >>> grade(config, [{"item": {"answer": "4"}, "sample": "4"}])[0].score
        1.0
    """
    grader = compile_grader(config, tools=tools, profile=profile)

    def judge(checked: Sequence[Row]) -> list[Grade]:
        return run_sync(lambda: _grade_all(grader, checked))

    if not isinstance(rows, (list, tuple)):
        from graders.frames import form_of_frame, grade_frame

        if (form := form_of_frame(rows)) is not None:
            return grade_frame(form, rows, columns, judge)
    if columns is not None:
        raise TypeError("columns are of a frame, and these rows are none")
    return judge([as_row(row, position) for position, row in enumerate(rows, start=1)])


async def _grade_all(grader: Grader, rows: Sequence[Row]) -> list[Grade]:
    stream = _graded(grader, rows, RunOptions(), Ledger())
    return [grade async for finished in stream for _, grades in finished for grade in grades]


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

"""What grading a row gives: a score, or the reason there is none."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Final, Literal, Protocol, TypeVar, get_args

import msgspec

from graders.errors import Failure
from graders.rows import Row, RowColumns, row_columns
from sandbox import JSON

T = TypeVar("T")

_NO_PARTS: Mapping[str, Grade] = {}
_NO_DETAIL: Mapping[str, JSON] = {}
_NO_RESOURCES: Mapping[str, float | str] = {}


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens that judging one row took, in the hosted words."""

    prompt_tokens: int = 0
    total_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
        )


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """One grader's judgement of one row.

    Exactly one of `score` and `failure` is set, and a score is a finite number: NaN and
    infinity never get past here, so no report has to look for them.

    Attributes:
        name: The grader's name in its config.
        score: The reward, in the grader's own range (usually [0, 1]).
        failure: Why there is no score.
        passed: Whether it counts as a pass; None where the config does not say when it would.
        parts: Grades of members by key; empty unless the grader is made of others.
        detail: What the judgement rests on (rendered inputs, model reply), for people.
        seconds: Wall time it took.
        usage: Tokens per model that was asked, those of its parts included.
        resources: What it took besides time: `cpu_seconds`, `peak_bytes`, the sandbox' `layers`;
            how many `attempts` a judge's answer took, and whether it was `cached`.
    """

    name: str
    score: float | None = None
    failure: Failure | None = None
    passed: bool | None = None
    parts: Mapping[str, Grade] = _NO_PARTS
    detail: Mapping[str, JSON] = _NO_DETAIL
    seconds: float = 0.0
    usage: Mapping[str, Usage] | None = None
    resources: Mapping[str, float | str] = _NO_RESOURCES

    def __post_init__(self) -> None:
        if (self.score is None) == (self.failure is None):
            raise ValueError(f"grade {self.name!r} needs a score or a failure, and not both")
        if self.score is not None and not isfinite(self.score):
            raise ValueError(f"grade {self.name!r} has score {self.score}; scores are finite")

    def _repr_html_(self) -> str:
        """The grade as a notebook shows it."""
        from graders.grade_html import grade_html  # which knows grades

        return grade_html(self)


class Judged(Protocol):
    """What a result says: a grade, or its line, or a part of either."""

    @property
    def score(self) -> float | None: ...
    @property
    def failure(self) -> Failure | None: ...
    @property
    def passed(self) -> bool | None: ...
    @property
    def parts(self) -> Mapping[str, Judged]: ...
    @property
    def detail(self) -> Mapping[str, JSON] | None: ...


@dataclass(frozen=True, slots=True)
class Boundary:
    """A place between rows where a batch must end: the end of a shard.

    Attributes:
        shard: Its number.
        rows: How many of its rows stand before; None where nobody counts.
    """

    shard: int
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Graded:
    """Rows, their grades, and the rewards the options make of them.

    Attributes:
        rows: In the order of the input.
        grades: A grade for each.
        rewards: A reward for each; None for a failure, unless the policy says otherwise.
        boundary: What follows the last of them, if anything.
    """

    rows: Sequence[Row]
    grades: Sequence[Grade]
    rewards: Sequence[float | None]
    boundary: Boundary | None = None
    _columns: list[RowColumns] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def columns(self) -> RowColumns:
        """Of the rows; made when first asked for, because several ask."""
        if not self._columns:
            self._columns.append(row_columns(self.rows))
        return self._columns[0]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Row, Grade, float | None]]:
        return zip(self.rows, self.grades, self.rewards, strict=True)


Waits = Literal["never", "batches", "rows"]
"""What a grader waits for: for nobody, because it computes; for a sandbox or a server that takes
many rows together; or, row by row, for an answer that may be slow and paid for."""
_WAITS: Final = get_args(Waits)


class Grader(Protocol):
    """Turns rows into grades.

    The contract: as many grades as rows, in the same order. A row that cannot be graded
    gets a `Failure`; an exception out of `grade` means the grader is broken, not the row.

    Attributes:
        name: What its grades are called.
        signature: The settings that determine its numbers, for the record.
        waits: What it waits for, which decides how rows are handed to it, and no number.
    """

    @property
    def name(self) -> str: ...

    @property
    def signature(self) -> str: ...

    @property
    def waits(self) -> Waits: ...

    async def grade(self, rows: Sequence[Row]) -> Sequence[Grade]: ...


async def grade_each(
    things: Sequence[T], judge: Callable[[T], Coroutine[None, None, Grade]]
) -> list[Grade]:
    """Grade what each waits for someone, all at once and in order; who answers sets bounds."""
    if len(things) == 1:
        return [await judge(things[0])]  # without a task, which would cost more than it does
    return await together(judge(thing) for thing in things)


async def together(work: Iterable[Coroutine[None, None, T]]) -> list[T]:
    """Do several things at once; the results in order. An error stops the others and comes out."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(one) for one in work]
    except BaseExceptionGroup as several:
        # As it is: whoever calls looks for a ledger's or a cache's error, not for a group.
        raise several.exceptions[0] from None
    return [task.result() for task in tasks]


def waits_most(members: Iterable[Grader]) -> Waits:
    """What a grader made of others waits for: of its members' ways, the one by smallest pieces."""
    return max((member.waits for member in members), key=_WAITS.index, default="never")


def total_usage(parts: Mapping[str, Grade]) -> dict[str, Usage] | None:
    """Tokens per model over the parts of a grade, failed ones included: they were paid for.

    None where nobody was asked. The models stand in the order in which members name them.
    """
    total: dict[str, Usage] = {}
    for part in parts.values():
        for model, used in (part.usage or {}).items():
            total[model] = total[model] + used if model in total else used
    return total or None


def finite_number(value: JSON) -> float | None:
    """A number as a float, or None for what is no finite number; true is none.

    Example:
        >>> finite_number(1), finite_number(True), finite_number(10**400)
        (1.0, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if isfinite(number) else None


def signed(signature: str, threshold: float | None) -> str:
    """A grader's signature with the threshold that decides `passed`, where it has one.

    Example:
        >>> signed("python", 0.5), signed("python", 2 / 3)
        ('python|pass:0.5', 'python|pass:0.6666666666666666')
    """
    if threshold is None:
        return signature
    # All digits: two thresholds never share a signature, and it can be read back.
    return f"{signature}|pass:{repr(float(threshold)).removesuffix('.0')}"


def passes(score: float | None, threshold: float | None) -> bool | None:
    """Whether a score (None for a failure) passes; None where there is no threshold.

    Example:
        >>> passes(0.5, 0.5), passes(None, 0.5), passes(0.5, None)
        (True, False, None)
    """
    if threshold is None:
        return None
    return score is not None and score >= threshold

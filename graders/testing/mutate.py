"""Which small changes to a grader do its cases notice?

The grader as it is must pass its cases first; that run tells which case runs which lines. A mutant
whose line no case runs is not run at all. The others are held against the cases that run the line,
in the sandbox, first one and then the rest, until one notices.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from graders.compile import Tools, compile_grader
from graders.config.graders import (
    EndpointConfig,
    LabelModelConfig,
    Location,
    PythonConfig,
    ScoreModelConfig,
    walk,
)
from graders.config.parse import Document
from graders.errors import ConfigError, FailureKind, GradersError
from graders.grades import Grade, Grader, Waits
from graders.rows import Row
from graders.testing.cases import Case, Cases
from graders.testing.check import Checked, check_case, rows_of
from graders.testing.coverage import Coverage, Covering, to_coverage
from graders.testing.judging import judge_of
from graders.testing.meaning import Meaning
from graders.testing.mutants import Mutant, means_something
from sandbox import Sandbox

LEAST_SECONDS: Final = 2.0
"""What a case of a mutant may take at least, however fast it was before."""

_TIMES_AS_SLOW: Final = 10
_AT_ONCE: Final = 4
_TOGETHER: Final = 16
"""Cases that are graded at once. No more, so that endless loops of many cases end soon."""


class Fate(StrEnum):
    """What became of a mutant. `NOT_COVERED` survived without a run: no case runs its line."""

    NOTICED = "noticed"
    TIMED_OUT = "timed_out"
    SURVIVED = "survived"
    NOT_COVERED = "not_covered"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A mutant, and what became of it.

    Attributes:
        mutant: It.
        fate: Whether the cases notice it.
        case: The name of the case that does, or "".
        problem: What is wrong there, in a sentence, or "".
    """

    mutant: Mutant
    fate: Fate
    case: str = ""
    problem: str = ""

    @property
    def survived(self) -> bool:
        """Whether no case notices it."""
        return self.fate in {Fate.SURVIVED, Fate.NOT_COVERED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The grader as it is, under its cases.

    Attributes:
        problems: What is not as its cases expect, by their names; empty where all is.
        seconds: The longest that a case took.
        lines: For each case, the lines that it runs of each source; None where that is not known.
        coverage: What all of them run of each source; None where that cannot be known.
    """

    problems: Mapping[str, tuple[str, ...]]
    seconds: float
    lines: Sequence[Mapping[str, frozenset[int] | None]]
    coverage: Mapping[str, Coverage | None]

    @property
    def deadline_seconds(self) -> float:
        """How long a case of a mutant may take."""
        return max(LEAST_SECONDS, _TIMES_AS_SLOW * self.seconds)

    def reached_by(self, source: str, line: int) -> list[int]:
        """The cases that may run a line, by index."""
        ran = [lines[source] for lines in self.lines]
        return [i for i, lines in enumerate(ran) if lines is None or line in lines]


@dataclass(slots=True)
class _Known:
    """A grader whose grades are known already, in the order in which they are asked for."""

    grades: deque[Grade]
    name: str = "known"
    signature: str = "known"
    waits: Waits = field(default="never")

    async def grade(self, rows: Sequence[Row]) -> list[Grade]:
        return [self.grades.popleft() for _ in rows]


async def run_baseline(cases: Cases, sandbox: Sandbox | None) -> Baseline:
    """Hold the grader as it is against its cases, and note what they run of it.

    Raises:
        ConfigError: It does not compile, or needs what no case can give.
    """
    sources = {*_sources(cases.document).values()}
    every = defaultdict[str, set[int]](set)
    checked, lines = [], []
    for i in range(len(cases.file.cases)):
        covering = Covering(sandbox) if sandbox else None
        checked += await _Compiled(cases, cases.document, covering).check([i])
        lines.append({source: covering.lines(source) for source in sources} if covering else {})
        for source, marks in covering.marks.items() if covering else ():
            every[source] |= marks
    return Baseline(
        problems={cases.name(i): one.problems for i, one in enumerate(checked) if one.problems},
        seconds=max(grade.seconds for one in checked for grade in one.grades),
        lines=lines,
        coverage={source: to_coverage(source, every[source]) for source in sorted(sources)},
    )


async def run_mutants(
    cases: Cases,
    mutants: Sequence[Mutant],
    baseline: Baseline,
    sandbox: Sandbox | None,
    progress: Callable[[], None] = lambda: None,
) -> list[Judged]:
    """Hold each mutant against the cases; those that are no other program are left out.

    Args:
        cases: Which the grader as it is passes.
        mutants: To be judged; the answer is in their order.
        baseline: What became of the grader as it is.
        sandbox: One whose calls may take the baseline's deadline.
        progress: Called after each mutant.

    Raises:
        GradersError: The sandbox broke.
    """
    meanings = dict[str, Meaning]()
    sources, every = _sources(cases.document), list(range(len(cases.file.cases)))
    judged: list[Judged | None] = [None] * len(mutants)
    waiting = iter(range(len(mutants)))

    async def work() -> None:
        for i in waiting:
            mutant = mutants[i]
            if means_something(mutant, meanings):
                able = every
                if mutant.line is not None:
                    able = baseline.reached_by(sources[mutant.location], mutant.line)
                judged[i] = await _judge(cases, mutant, able, sandbox)
            progress()

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(work())
    except* GradersError as errors:
        raise errors.exceptions[0] from None
    return [one for one in judged if one is not None]


def _sources(document: Document) -> Mapping[Location, str]:
    parts = walk(document.grader)
    return {where: part.source for where, part in parts if isinstance(part, PythonConfig)}


async def _judge(
    cases: Cases, mutant: Mutant, able: Sequence[int], sandbox: Sandbox | None
) -> Judged | None:
    """What becomes of a mutant; None where it does not compile, so that there is none."""
    if not able:
        return Judged(mutant=mutant, fate=Fate.NOT_COVERED)
    document = Document(kind="grader", value=mutant.of(cases.document.grader))
    try:
        compiled = _Compiled(cases, document, sandbox)
    except ConfigError:
        return None
    for some in (able[:1], *_parts(able[1:])):
        for i, one in zip(some, await compiled.check(some), strict=True):
            if one.problems:
                _refuse_broken(one, mutant)
                fate = Fate.TIMED_OUT if any(map(_timed_out, one.grades)) else Fate.NOTICED
                case, problem = cases.name(i), one.problems[0]
                return Judged(mutant=mutant, fate=fate, case=case, problem=problem)
    return Judged(mutant=mutant, fate=Fate.SURVIVED)


def _parts(indexes: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(indexes), _TOGETHER):
        yield indexes[start : start + _TOGETHER]


class _Compiled:
    """A grader that can be held against cases: compiled once, or where it asks a judge, by case.

    Raises:
        ConfigError: It does not compile.
    """

    def __init__(self, cases: Cases, document: Document, sandbox: Sandbox | None) -> None:
        self._cases, self._document, self._sandbox = cases, document, sandbox
        asking = (ScoreModelConfig, LabelModelConfig, EndpointConfig)
        asks = any(isinstance(part, asking) for _, part in walk(document.grader))
        self._shared = None if asks else self._compile(Tools(sandbox=sandbox))

    async def check(self, indexes: Sequence[int]) -> list[Checked]:
        """Hold it against some of the cases."""
        chosen = [self._cases.file.cases[i] for i in indexes]
        if self._shared is None:
            return [await check_case(self._asking(case), case) for case in chosen]
        rows = [row for case in chosen for row in rows_of(case)]
        known = _Known(deque(await self._shared.grade(rows)))  # one call of the sandbox for all
        return [await check_case(known, case) for case in chosen]

    def _asking(self, case: Case) -> Grader:
        judge = judge_of(case, self._cases.recording)
        return self._compile(Tools(sandbox=self._sandbox, client=judge, endpoint=judge))

    def _compile(self, tools: Tools) -> Grader:
        return compile_grader(self._document, tools=tools, profile=self._cases.profile)


def _timed_out(grade: Grade) -> bool:
    failure = grade.failure
    mine = failure is not None and failure.reason == "timed_out"
    return mine or any(map(_timed_out, grade.parts.values()))


def _refuse_broken(checked: Checked, mutant: Mutant) -> None:
    """Refuse to count what the sandbox did wrong as noticed."""
    for grade in checked.grades:
        failure = grade.failure
        if failure is not None and failure.kind == FailureKind.PYTHON_SERVER:
            place = f"line {mutant.line}" if mutant.line is not None else mutant.mutator
            raise GradersError(f"{place}: the sandbox broke under a mutant: {failure.message}")

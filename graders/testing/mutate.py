"""Which small changes to a grader do its cases notice?

The grader as it is must pass its cases first; that run tells which case runs which lines. A mutant
whose line no case runs is not run at all. The others are held against the cases that run the line,
in the sandbox, one by one until one notices: several mutants at once, and never two cases of one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from graders.clients import ModelReply, ModelRequest
from graders.compile import Tools, compile_grader
from graders.config.graders import Location, PythonConfig, walk
from graders.config.parse import Document
from graders.errors import ConfigError, FailureKind, GradersError
from graders.grades import Grade
from graders.testing.cases import Case, Cases
from graders.testing.check import Checked, check_case
from graders.testing.coverage import Coverage, Covering, union
from graders.testing.judging import CaseJudge, judge_of
from graders.testing.meaning import Meaning
from graders.testing.mutants import Mutant, means_something
from sandbox import JSON, Sandbox

LEAST_SECONDS: Final = 2.0
"""What a case of a mutant may take at least, however fast it was before."""

_TIMES_AS_SLOW: Final = 10
_AT_ONCE: Final = 4
"""Mutants; each has a case under way, so that the sandbox' workers never wait."""


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
        cases: For each case, what it runs of each source; None where that is not known.
    """

    problems: Mapping[str, tuple[str, ...]]
    seconds: float
    cases: Sequence[Mapping[str, Coverage | None]]

    @property
    def deadline_seconds(self) -> float:
        """How long a case of a mutant may take."""
        return max(LEAST_SECONDS, _TIMES_AS_SLOW * self.seconds)

    def reached_by(self, source: str, line: int) -> list[int]:
        """The cases that may run a line, by index."""
        ran = [one[source] for one in self.cases]
        return [i for i, one in enumerate(ran) if one is None or line in one.executed]

    def coverage(self, source: str) -> Coverage | None:
        """What all cases run of a source; None where that is not known of one."""
        return union([one[source] for one in self.cases])


async def run_baseline(cases: Cases, sandbox: Sandbox | None) -> Baseline:
    """Hold the grader as it is against its cases, and note what they run of it.

    Raises:
        ConfigError: It does not compile.
    """
    sources = sorted({*_sources(cases.document).values()})
    checked: list[Checked] = []
    covered: list[Mapping[str, Coverage | None]] = []
    for case in cases.file.cases:
        covering = Covering(sandbox) if sandbox else None
        checked.append(await _Held(cases, cases.document, covering).against(case))
        covered.append({s: covering.coverage(s) for s in sources} if covering else {})
    return Baseline(
        problems={cases.name(i): one.problems for i, one in enumerate(checked) if one.problems},
        seconds=max(grade.seconds for one in checked for grade in one.grades),
        cases=covered,
    )


async def run_mutants(
    cases: Cases,
    mutants: Sequence[Mutant],
    baseline: Baseline,
    sandbox: Sandbox | None,
    done: Callable[[int, Judged | None], None] = lambda _index, _judged: None,
) -> list[Judged]:
    """Hold each mutant against the cases; those that are no other program are left out.

    Args:
        cases: Which the grader as it is passes.
        mutants: To be judged; the answer is in their order.
        baseline: What became of the grader as it is.
        sandbox: One whose calls may take the baseline's deadline.
        done: Called after each mutant with its index and what became of it, so that nothing is lost
            where this is stopped; None is one that is left out.

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
            done(i, judged[i])

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
        held = _Held(cases, document, sandbox)
    except ConfigError:
        return None
    for i in able:  # and no two at once: they would need a warm process each
        one = await held.against(cases.file.cases[i])
        if one.problems:
            _refuse_broken(one, mutant)
            fate = Fate.TIMED_OUT if any(map(_timed_out, one.grades)) else Fate.NOTICED
            case, problem = cases.name(i), one.problems[0]
            return Judged(mutant=mutant, fate=fate, case=case, problem=problem)
    return Judged(mutant=mutant, fate=Fate.SURVIVED)


@dataclass(slots=True)
class _Judge:
    """A judge that speaks for one case after the other, so that a grader is compiled once."""

    now: CaseJudge = field(default_factory=CaseJudge)

    async def complete(self, request: ModelRequest) -> ModelReply:
        return await self.now.complete(request)

    async def post(
        self,
        url: str,
        headers: Mapping[str, str],
        body: JSON,
        *,
        per_second: float | None = None,
    ) -> JSON:
        return await self.now.post(url, headers, body, per_second=per_second)


class _Held:
    """A grader that can be held against cases, one at a time.

    Raises:
        ConfigError: It does not compile.
    """

    def __init__(self, cases: Cases, document: Document, sandbox: Sandbox | None) -> None:
        self._recorded, self._judge = cases.recorded, _Judge()
        tools = Tools(sandbox=sandbox, client=self._judge, endpoint=self._judge)
        self._grader = compile_grader(document, tools=tools, profile=cases.profile)

    async def against(self, case: Case) -> Checked:
        """What comes of a case."""
        self._judge.now = judge_of(case, self._recorded)
        return await check_case(self._grader, case)


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

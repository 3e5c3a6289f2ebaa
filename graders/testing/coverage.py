"""Line and branch coverage of python graders, taken inside the sandbox.

`Covering` is a sandbox around another: it runs each call's source with marks in it (`instrument`)
and takes what they tell out of standard error. Outcomes are the grader's own, tracebacks included.
What a hostile grader can do is lie about its own coverage.

The numbers are those of coverage.py, with these differences: conditional expressions and decisions
on one line have branches too, and a call that is killed has told what it ran.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Final, Literal, NamedTuple

from graders.testing import instrument
from sandbox import JSON, Call, Outcome, Sandbox
from sandbox.endings import CUT
from sandbox.inside.calling import FILE, RUNNER_FILE

_MARK: Final = re.compile(re.escape(instrument.MARK) + r"(\d{1,7})\n")
_PASS: Final = Path(instrument.__file__).read_text("utf-8")


class Branch(NamedTuple):
    """One outcome of a decision.

    Attributes:
        line: Where it is decided.
        to: Where control goes; below 0, out of what begins at that line.
        outcome: Whether the condition holds, the loop goes round, the pattern matches.
    """

    line: int
    to: int
    outcome: Literal["true", "false"]

    def __str__(self) -> str:
        return f"{self.line}->{self.to if self.to > 0 else 'exit'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What ran of a source, in order of lines."""

    executed: tuple[int, ...]
    missing: tuple[int, ...]
    executed_branches: tuple[Branch, ...]
    missing_branches: tuple[Branch, ...]

    @property
    def percent(self) -> float:
        """Of the lines and the branches, how many ran; 100 of nothing."""
        ran = len(self.executed) + len(self.executed_branches)
        every = ran + len(self.missing) + len(self.missing_branches)
        return 100.0 * ran / every if every else 100.0


@dataclass(slots=True)
class Covering:
    """A sandbox that notes what its calls run of their sources.

    Attributes:
        sandbox: Who runs them.
        marks: What was seen so far, by source.
        lost: Sources of which marks were lost in what they print on standard error.
    """

    sandbox: Sandbox
    marks: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    lost: set[str] = field(default_factory=set)

    @property
    def layers(self) -> frozenset[str]:
        return self.sandbox.layers

    @property
    def batch(self) -> int:
        return self.sandbox.batch

    async def run(self, calls: Sequence[Call]) -> list[Outcome]:
        marked = [replace(call, source=with_marks(call.source, call.entry)) for call in calls]
        outcomes = await self.sandbox.run(marked)
        return [self._noted(call.source, one) for call, one in zip(calls, outcomes, strict=True)]

    async def aclose(self) -> None:
        await self.sandbox.aclose()

    def _noted(self, source: str, outcome: Outcome) -> Outcome:
        if outcome.stderr.endswith(CUT):
            self.lost.add(source)
        self.marks[source].update(int(mark) for mark in _MARK.findall(outcome.stderr))
        return replace(outcome, stderr=_MARK.sub("", outcome.stderr))

    def coverage(self, source: str) -> Coverage | None:
        """What ran of a source; None where it cannot be marked, or marks of it were lost."""
        return None if source in self.lost else to_coverage(source, self.marks[source])


async def coverage_of(source: str, calls: Iterable[Call], sandbox: Sandbox) -> Coverage | None:
    """What calls run of a source; None where it cannot be marked, or marks of it were lost."""
    covering = Covering(sandbox)
    await covering.run([call for call in calls if call.source == source])
    return covering.coverage(source)


@lru_cache(maxsize=64)
def with_marks(source: str, entry: str = "grade") -> str:
    """The source that runs another with marks in it; the same where none can be put there."""
    if _marks(source) is None:
        return source
    load = f"exec(compile({_PASS!r}, {RUNNER_FILE!r}, 'exec'), own)"
    start = f"own['run'](globals(), {source!r}, {FILE!r}, {entry!r})"
    return f"(lambda own: ({load}, {start}))({{}})"  # and no name of ours in the grader's module


@lru_cache(maxsize=64)
def _marks(source: str) -> instrument.Marks | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes in someone else's strings
            return instrument.Marks(ast.parse(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def to_coverage(source: str, seen: Iterable[int]) -> Coverage | None:
    """What the marks that were seen say of a source; marks that there are not say nothing.

    None where no marks can be put: it does not parse, or is nested too deeply.
    """
    marks = _marks(source)
    if marks is None:
        return None
    pending, ran = list(seen), set[int]()
    while pending:
        mark = pending.pop()
        if mark not in ran and mark < len(marks.spots):
            ran.add(mark)
            pending += marks.implied.get(mark, ())
    every, done = (
        [marks.spots[mark] for mark in which] for which in (range(len(marks.spots)), sorted(ran))
    )
    lines, executed = _lines(every), _lines(done)
    branches, taken = _branches(every), _branches(done)
    return Coverage(
        executed=tuple(sorted(executed)),
        missing=tuple(sorted(lines - executed)),
        executed_branches=tuple(sorted(taken)),
        missing_branches=tuple(sorted(branches - taken)),
    )


def union(several: Sequence[Coverage | None]) -> Coverage | None:
    """What several runs of one source ran together; None where that is not known of one."""
    known = [one for one in several if one is not None]
    if not known or len(known) < len(several):
        return None
    executed = {line for one in known for line in one.executed}
    taken = {branch for one in known for branch in one.executed_branches}
    lines, branches = {*known[0].missing}, {*known[0].missing_branches}
    return Coverage(
        executed=tuple(sorted(executed)),
        missing=tuple(sorted(lines - executed)),
        executed_branches=tuple(sorted(taken)),
        missing_branches=tuple(sorted(branches - taken)),
    )


def _lines(spots: Iterable[tuple[str, int, int]]) -> set[int]:
    return {line for kind, line, _ in spots if kind == "line"}


def _branches(spots: Iterable[tuple[str, int, int]]) -> set[Branch]:
    return {Branch(line, to, kind) for kind, line, to in spots if kind in {"true", "false"}}  # type: ignore[arg-type]


def to_lines(coverage: Coverage | None, name: str) -> Iterator[str]:
    r"""What ran of a source, for people.

    Example:
        >>> it = Coverage(executed=(1, 2), missing=(3, 4, 7), executed_branches=(),
        ...     missing_branches=(Branch(2, 3, "true"), Branch(2, -1, "false")))
        >>> print(*to_lines(it, "grade.py"), sep="\n")
        grade.py: 29% covered, 2 of 5 lines and 0 of 2 branches
          lines 3-4, 7 never ran
          line 2 was never true (2->3)
          line 2 was never false (2->exit)
    """
    if coverage is None:
        yield f"{name}: not known what ran: it is nested too deeply, or prints too much on stderr"
        return
    lines = len(coverage.executed) + len(coverage.missing)
    branches = len(coverage.executed_branches) + len(coverage.missing_branches)
    yield (
        f"{name}: {coverage.percent:.0f}% covered, {len(coverage.executed)} of {lines} lines and "
        f"{len(coverage.executed_branches)} of {branches} branches"
    )
    if coverage.missing:
        plural = "s" if len(coverage.missing) > 1 else ""
        yield f"  line{plural} {to_ranges(coverage.missing)} never ran"
    for branch in coverage.missing_branches:
        if branch.line not in coverage.missing:
            yield f"  line {branch.line} was never {branch.outcome} ({branch})"


def to_ranges(numbers: Sequence[int]) -> str:
    """Rising numbers in few words.

    Example:
        >>> to_ranges([1, 2, 3, 7])
        '1-3, 7'
    """
    ends: list[list[int]] = []
    for number in numbers:
        if ends and ends[-1][1] == number - 1:
            ends[-1][1] = number
        else:
            ends.append([number, number])
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in ends)


def to_json(coverage: Coverage) -> JSON:
    """The same as data, with the keys of coverage.py's report."""
    return {
        "executed_lines": list(coverage.executed),
        "missing_lines": list(coverage.missing),
        "executed_branches": [[one.line, one.to] for one in coverage.executed_branches],
        "missing_branches": [[one.line, one.to] for one in coverage.missing_branches],
        "percent_covered": round(coverage.percent, 2),
    }

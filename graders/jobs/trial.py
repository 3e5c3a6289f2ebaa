"""Trying a job's grader on a few rows: what it would ask of judges, and how long it takes.

No judge and no endpoint is asked: something in their place answers at once, so that the time is
that of everything else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from graders.compile import Tools, compile_grader
from graders.config.parse import Document
from graders.dry_run import CHARS_PER_TOKEN, DryRun, count_calls, counting_profile
from graders.engine import RunOptions, run_sync
from graders.errors import Failure
from graders.grades import Grade
from graders.jobs.datasets import Dataset
from graders.jobs.job import Job
from graders.profile import Profile
from graders.rows import Row, to_sample
from sandbox import JSON, Sandbox

LONGEST_OUTPUT: Final = 4_096
"""Tokens that an output of the model that is trained is assumed to have at most."""

_LONG_SECONDS: Final = 5.0
"""What is slower than this is not graded a second time."""

_NOT_AN_ANSWER: Final = frozenset({"messages", "tools"})


@dataclass(frozen=True, slots=True)
class Tried:
    """What gradings would ask.

    Attributes:
        rows: How many were tried.
        short: What they ask at least: of outputs that are empty, or of those that were given.
        long: What they ask at most.
    """

    rows: int
    short: DryRun
    long: DryRun


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """How long gradings took on this machine.

    Attributes:
        gradings: How many were timed.
        seconds: Wall time of all of them together.
        slowest: Seconds of the slowest one.
        failed: How many gave no score.
        failure: Why the first of them gave none.
    """

    gradings: int
    seconds: float
    slowest: float
    failed: int
    failure: Failure | None

    @property
    def seconds_each(self) -> float:
        """Wall time by grading, as many at once as this machine takes."""
        return self.seconds / self.gradings


def try_prompts(
    document: Document, kept: Sequence[tuple[int, Mapping[str, JSON]]], profile: Profile
) -> Tried:
    """Count what gradings of training rows ask, of an empty output and of the longest.

    Raises:
        ConfigError: A judge does not compile.
    """
    outputs = ("", "x" * (LONGEST_OUTPUT * CHARS_PER_TOKEN))
    short, long = (
        count_calls(document, _with_output(kept, output), RunOptions(), profile, repeats=False)
        for output in outputs
    )
    return Tried(len(kept), short, long)


def try_samples(document: Document, rows: Sequence[Row], profile: Profile) -> Tried:
    """Count what gradings of rows with real outputs ask.

    Raises:
        ConfigError: A judge does not compile.
    """
    counted = count_calls(document, rows, RunOptions(), profile, repeats=False)
    return Tried(len(rows), counted, counted)


def try_job(job: Job, training: Dataset, samples: Sequence[Row], profile: Profile) -> Tried | None:
    """Count what gradings ask: of samples, or else of training rows.

    Args:
        job: The job.
        training: Its rows.
        samples: Rows with outputs of a model, where there are some.
        profile: Settings of metrics.

    Returns:
        None where nothing is to be graded, or nothing can be.

    Raises:
        ConfigError: A judge does not compile.
    """
    document = job.gradable
    if document is None:
        return None
    if samples:
        return try_samples(document, samples, profile)
    return try_prompts(document, training.kept.rows, profile) if training.kept.rows else None


def _with_output(kept: Sequence[tuple[int, Mapping[str, JSON]]], output: str) -> Sequence[Row]:
    sample = to_sample(output)
    return [Row(item=item, sample=sample, row=line, group=line) for line, item in kept]


def stand_ins(kept: Sequence[tuple[int, Mapping[str, JSON]]]) -> list[Row]:
    """Training rows with an output to time the grader on: the longest text beside the messages.

    Example:
        >>> (row,) = stand_ins([(1, {"messages": [], "id": "7", "answer": "Nairobi"})])
        >>> row.sample["output_text"]
        'Nairobi'
        >>> stand_ins([(1, {"messages": [], "id": 7})])[0].sample["output_text"]
        ''
    """
    return [_with_output([one], _longest_text(one[1]))[0] for one in kept]


def _longest_text(item: Mapping[str, JSON]) -> str:
    texts = [value for key, value in item.items() if key not in _NOT_AN_ANSWER]
    return max((text for text in texts if isinstance(text, str)), key=len, default="")


class _Unasked:
    """Stands where an endpoint would be asked."""

    async def post(
        self,
        url: str,  # noqa: ARG002 - the protocol's
        headers: Mapping[str, str],  # noqa: ARG002
        body: JSON,  # noqa: ARG002
        *,
        per_second: float | None = None,  # noqa: ARG002
    ) -> JSON:
        return {"score": 1.0}  # as a judge in a dry run


def measure(
    document: Document,
    rows: Sequence[Row],
    sandbox: Sandbox | None,
    profile: Profile,
    *,
    most_seconds: float = 30.0,
) -> Measured:
    """Grade rows and take the time; once more where it was short, for then it holds the start.

    Args:
        document: The grader.
        rows: At least one. The first is graded alone.
        sandbox: Where python graders run; None where there are none.
        profile: Settings of metrics.
        most_seconds: What the first may take; of a slower grader, no more are waited for.

    Raises:
        ConfigError: The grader does not compile.
    """
    unasked = DryRun()
    tools = Tools(sandbox=sandbox, client=unasked, endpoint=_Unasked())
    silent = counting_profile(profile, unasked)
    grader = compile_grader(document, tools=tools, profile=silent)

    async def timed(some: Sequence[Row]) -> tuple[float, Sequence[Grade]]:
        started = perf_counter()
        grades = await grader.grade(some)
        return perf_counter() - started, grades

    async def settled() -> tuple[float, Sequence[Grade]]:
        alone = await timed(rows[:1])
        if alone[0] > most_seconds:
            return alone
        first = await timed(rows)
        return first if first[0] > _LONG_SECONDS else await timed(rows)

    seconds, grades = run_sync(settled)
    failures = [grade.failure for grade in grades if grade.failure is not None]
    return Measured(
        gradings=len(grades),
        seconds=seconds,
        slowest=max(grade.seconds for grade in grades),
        failed=len(failures),
        failure=next(iter(failures), None),
    )

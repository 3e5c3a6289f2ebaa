"""Another formula over the stored parts of results, without grading again.

A row becomes what a multi with this formula would have made of it: its members' scores are there.
A failed member fails it, or counts as 0.0, as it did in the run; where the formula has no value
is a failure of this row; and a row that had failed by the old formula alone gets its score. So
with the results' own formula and threshold nothing changes, and with another one the lines are
those of a run with it. (But for `detail`, kept as it is: a run keeps that of other rows, if it
keeps that of failures.)

A formula reads the outer parts. What is inside a part, as the repeats of a judge, has been made
one score there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Final, Literal, NamedTuple

import msgspec

from graders.errors import ConfigError, Failure, Finding, RowError
from graders.formula import Formula, compile_formula
from graders.grades import passes
from graders.results import Result
from graders.studies.signatures import read_signature

FailurePolicy = Literal["drop", "zero"]

_BATCH: Final = 256
_SHOWN: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescoring:
    """What is to be computed.

    Attributes:
        formula: As `calculate_output` of a multi whose members are the results' parts.
        threshold: A score from here on passes. None is the results' own threshold; they have none
            where `passed` is null, and those of an Evals body have none for a score.
        failures: What a failed row is to a trainer: no reward (drop), or 0.0 (zero).
    """

    formula: str
    threshold: float | None = None
    failures: FailurePolicy = "drop"


@dataclass(slots=True)
class Rescored:
    """Some lines of a results file.

    Attributes:
        pairs: Each result, and what it becomes.
        bad_lines: Lines that are no results, or hold no scores for the formula.
        notes: What else there is to say.
    """

    pairs: list[tuple[Result, Result]] = field(default_factory=list)
    bad_lines: list[RowError] = field(default_factory=list)
    notes: list[Finding] = field(default_factory=list)


def rescore(
    lines: Iterable[Result | RowError | Finding], rescoring: Rescoring
) -> Iterator[Rescored]:
    """Compute another formula from results, batch by batch and in their order.

    Args:
        lines: What `read_results` gives.
        rescoring: What is to be computed.

    Raises:
        FormulaError: The formula is none, or uses what is no part of the first result.
        ConfigError: The results were not made of members' scores.
        OSError: The results cannot be read to their end.
    """
    stream = iter(lines)
    formula: Formula | None = None
    while batch := list(islice(stream, _BATCH)):
        if formula is None:
            formula = _compiled(rescoring.formula, [x for x in batch if isinstance(x, Result)])
        yield _rescored(batch, formula, rescoring)


def _compiled(text: str, results: Sequence[Result]) -> Formula | None:
    """The formula over the parts of the first of these results; None of none."""
    if not results:
        return None
    first = next((result for result in results if result.parts), results[0])
    if not first.parts or _plan_of(first, text, None) is None:
        signature = first.signature[:_SHOWN] + ("..." if len(first.signature) > _SHOWN else "")
        raise ConfigError(
            Finding(
                code="no-members",
                severity="error",
                path="",
                message=f"no members' scores to compute from: the results are of {signature!r}",
                fix="A formula needs the results of a multi grader or of an Evals body.",
            )
        )
    return compile_formula(text, first.parts)


def _rescored(
    lines: Sequence[Result | RowError | Finding], formula: Formula | None, rescoring: Rescoring
) -> Rescored:
    done, rows = Rescored(), list[_Row]()
    for line in lines:
        if isinstance(line, Finding):
            done.notes.append(line)
        elif isinstance(line, RowError):
            done.bad_lines.append(line)
        else:
            assert formula is not None, "there is a result"
            try:
                rows.append(_row(line, formula.names, rescoring))
            except RowError as error:
                done.bad_lines.append(error)
    if formula is not None:
        outcomes = _outcomes(formula, [row.scores for row in rows if row.failure is None])
        for row in rows:
            outcome = next(outcomes) if row.failure is None else (None, row.failure)
            done.pairs.append((row.result, _after(row, *outcome, rescoring.failures)))
    return done


class _Plan(NamedTuple):
    """What is the same for all rows of one signature."""

    signature: str
    zero: bool
    threshold: float | None


class _Row(NamedTuple):
    """A result on its way: with a failure that no formula changes, or with scores for one."""

    result: Result
    plan: _Plan
    failure: Failure | None
    scores: Sequence[float]


def _row(result: Result, names: Sequence[str], rescoring: Rescoring) -> _Row:
    plan = _plan_of(result, rescoring.formula, rescoring.threshold)
    if plan is None:
        signature = result.signature[:_SHOWN]
        raise _bad(result, f"its signature is not a multi's or an Evals body's: {signature!r}")
    parts = result.parts
    failed = [key for key, part in parts.items() if part.score is None]
    if not parts or (failed and not plan.zero):
        if result.failure is None:
            what = f"its part {failed[0]!r} has no score" if failed else "it has no parts"
            raise _bad(result, f"{what}, and it has no failure")
        # The one that the multi would give it, word for word: no formula had a say in it.
        return _Row(result, plan, result.failure, ())
    for key in failed:
        if parts[key].failure is None:
            raise _bad(result, f"its part {key!r} has neither a score nor a failure")
    try:
        return _Row(result, plan, None, [parts[name].score or 0.0 for name in names])
    except KeyError as error:
        keys = ", ".join(map(repr, parts))
        raise _bad(result, f"it has no part {error.args[0]!r}, but {keys}") from None


def _plan_of(result: Result, formula: str, threshold: float | None) -> _Plan | None:
    first_key = next(iter(result.parts), "")
    return _plan((result.signature, first_key, result.passed is not None), formula, threshold)


@lru_cache(maxsize=64)
def _plan(old: tuple[str, str, bool], formula: str, threshold: float | None) -> _Plan | None:
    signature, first_key, has_threshold = old
    read = read_signature(signature, first_key, has_threshold=has_threshold)
    if read is None:
        return None
    chosen = read.threshold if threshold is None else threshold
    return _Plan(read.sign(formula, chosen), read.member_failure == "zero", chosen)


def _bad(result: Result, problem: str) -> RowError:
    return RowError(f"row {result.row}, sample {result.sample_index}", problem)


def _outcomes(
    formula: Formula, scores: Sequence[Sequence[float]]
) -> Iterator[tuple[float | None, Failure | None]]:
    """The score or the failure of each row, computed by columns."""
    if not scores:
        return
    columns = zip(*scores, strict=True)
    named: dict[str, Sequence[float]] = dict(zip(formula.names, columns, strict=True))
    # Of a formula without names any column will do: it says how many rows there are.
    values, failures = formula.columns(named or {"": [0.0] * len(scores)})
    for i, value in enumerate(values.tolist()):
        failure = failures.get(i)
        yield (value, None) if failure is None else (None, failure)


def _after(
    row: _Row, score: float | None, failure: Failure | None, failures: FailurePolicy
) -> Result:
    nothing = 0.0 if failures == "zero" else None
    return msgspec.structs.replace(
        row.result,
        score=score,
        reward=nothing if score is None else score,
        passed=passes(score, row.plan.threshold),
        failure=failure,
        signature=row.plan.signature,
    )

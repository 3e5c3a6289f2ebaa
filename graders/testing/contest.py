"""What metrics and graders make of rows that a person judged: scores, failures, cost.

Metrics that share tokens and counts are computed in one pass, so what each costs is measured by
itself, on some of the rows. A failure is no score, here as everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from time import process_time
from typing import Final

from graders.engine import RunOptions, grade_stream
from graders.errors import RowError
from graders.grades import Grade, Grader
from graders.ledger import Ledger
from graders.rows import Row
from graders.testing.contestants import Contestant, Pack
from graders.testing.labelled import Labelled, Tally
from metrics import Settings, TooMuchWork, metric, similarities
from metrics.embed import EmbeddingError

_CHUNK: Final = 512
_TIMED_ROWS: Final = 500
"""Rows on which a metric is timed by itself, after the pass that it shares with others."""


@dataclass(slots=True, kw_only=True)
class Column:
    """What one contestant made of the rows.

    Attributes:
        signature: What determines its numbers.
        how: What gives it in a run.
        scores: One a row; None where it failed.
        failures: How many rows failed, by kind, and the first of each.
        cpu_seconds: Of 1,000 rows, sandboxes included; 0 of metrics, which `metric_cost` times.
        tokens: That were paid for 1,000 rows; 0 where no model was asked.
        usd: About what these cost; None where that is not known.
    """

    signature: str
    how: str
    scores: list[float | None]
    failures: dict[str, Tally] = field(default_factory=dict)
    cpu_seconds: float = 0.0
    tokens: float = 0.0
    usd: float | None = 0.0


def score_metrics(chosen: Sequence[Pack], rows: Labelled, profile: Settings) -> dict[str, Column]:
    """Score every row with every metric, best of several references; by the metric's name.

    Raises:
        ImportError: A metric needs an extra that is not installed.
    """
    counts = [len(several) for several in rows.references]
    ends = [0, *accumulate(counts)]
    texts = [text for text, count in zip(rows.texts, counts, strict=True) for _ in range(count)]
    references = [one for several in rows.references for one in several]
    several = len(texts) > len(counts)
    found: dict[str, Column] = {}
    for pack in chosen:
        scored = _pack_scores(pack, texts, references)
        for name, one in pack.members.items():
            values, failed = scored[name]
            column = Column(
                signature=one.signature(profile) + ("|best_of:references" if several else ""),
                how=one.how + (", with references" if several else ""),
                scores=_best(values, ends) if several else values,
            )
            _enter(column, failed, rows, ends)
            found[one.name] = column
    return found


def _best(values: Sequence[float | None], ends: Sequence[int]) -> list[float | None]:
    """The best score of each row; none where one of its references could not be compared."""
    best: list[float | None] = []
    for start, end in pairwise(ends):
        known = [value for value in values[start:end] if value is not None]
        best.append(max(known) if len(known) == end - start else None)
    return best


def _enter(column: Column, failed: Mapping[int, str], rows: Labelled, ends: Sequence[int]) -> None:
    if not failed:
        return
    for row, (start, end) in zip(rows.rows, pairwise(ends), strict=True):
        said = next((failed[at] for at in range(start, end) if at in failed), None)
        if said is not None:
            kind, _, message = said.partition(": ")
            column.failures.setdefault(kind, Tally()).add(f"{_at(row)}: {message}")


def _at(row: Row) -> str:
    return f"row {row.row}, sample {row.sample_index}"


_Scores = tuple[list[float | None], dict[int, str]]


def _pack_scores(pack: Pack, texts: Sequence[str], references: Sequence[str]) -> dict[str, _Scores]:
    """Each member's scores of all pairs, and why some have none."""
    found: dict[str, _Scores] = {name: ([], {}) for name in pack.members}
    for start in range(0, len(texts), _CHUNK):
        pairs = texts[start : start + _CHUNK], references[start : start + _CHUNK]
        try:
            scores = similarities(pack.members, *pairs, pack.settings)
        except (TooMuchWork, EmbeddingError):
            for name, (values, failed) in found.items():
                _one_by_one(name, pack.settings, pairs, values, failed)
            continue
        for name, (values, _) in found.items():
            values.extend(scores[name])
    return found


def _one_by_one(
    name: str,
    settings: Settings,
    pairs: tuple[Sequence[str], Sequence[str]],
    values: list[float | None],
    failed: dict[int, str],
) -> None:
    """One metric's scores of pairs of which some metric cannot compare one."""
    one = metric(name, settings)
    for text, reference in zip(*pairs, strict=True):
        try:
            values.append(one.pair(text, reference))
        except (TooMuchWork, EmbeddingError) as error:
            reason = "too_much_work" if isinstance(error, TooMuchWork) else "embedding"
            failed[len(values)] = f"{reason}: {error}"
            values.append(None)


def metric_cost(contestant: Contestant, rows: Labelled, profile: Settings) -> float | None:
    """CPU-seconds of a metric by itself on 1,000 rows, all references of each included.

    Measured on rows all over the file that it has seen before, so that what it keeps of words is
    there, as it is in a run. None where it cannot compare one of them.
    """
    step = max(1, len(rows.rows) // _TIMED_ROWS)
    drawn = range(0, len(rows.rows), step)
    pairs = [(rows.texts[at], one) for at in drawn for one in rows.references[at]]
    texts, references = [text for text, _ in pairs], [one for _, one in pairs]
    one = metric(contestant.metric, contestant.settings(profile))
    started = process_time()
    try:
        one.batch(texts, references)
    except (TooMuchWork, EmbeddingError):
        return None
    return (process_time() - started) / len(drawn) * 1_000


async def grade_column(grader: Grader, rows: Labelled, ledger: Ledger) -> Column:
    """Score every row with a grader.

    Raises:
        RunStoppedError: A budget of tokens or dollars is used up.
    """
    scores: dict[int, float | None] = {}
    failures: dict[str, Tally] = {}
    tokens, usd = ledger.tokens, ledger.usd
    sandboxed, started = 0.0, process_time()
    stream = grade_stream(grader, rows.rows, RunOptions(), bad_line=_none, ledger=ledger)
    async for graded in stream:
        for row, grade in zip(graded.rows, graded.grades, strict=True):
            scores[id(row)] = grade.score
            sandboxed += _cpu_of(grade)
            if grade.failure is not None:
                said = f"{_at(row)}: {grade.failure.message}"
                failures.setdefault(grade.failure.kind.value, Tally()).add(said)
    each = 1_000 / len(rows.rows)
    known = usd is not None and ledger.usd is not None
    return Column(
        signature=grader.signature,
        how="as its file says",
        scores=[scores[id(row)] for row in rows.rows],
        failures=failures,
        cpu_seconds=(process_time() - started + sandboxed) * each,
        tokens=1_000 * (ledger.tokens - tokens) / len(rows.rows),
        usd=float((ledger.usd or 0) - (usd or 0)) * each if known else None,
    )


def _none(error: RowError) -> None:
    raise AssertionError(f"rows that were read hold no bad line: {error}")


def _cpu_of(grade: Grade) -> float:
    """What the sandbox used for a grade, those of its parts included."""
    own = grade.resources.get("cpu_seconds", 0.0)
    used = own if isinstance(own, (int, float)) else 0.0
    return used + sum(_cpu_of(part) for part in grade.parts.values())

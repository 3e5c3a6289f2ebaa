"""Several answers of one judge to one row, made one grade.

| aggregate | score_model | label_model |
| --- | --- | --- |
| `mean` | mean of the scores | share of the labels that pass |
| `median` | the middle score, or the mean of the middle two | the same, of ones and zeros |
| `majority` | the score that most answers have | whether most labels pass |

A tie of the majority goes to the lowest of the scores in it: a judge that cannot decide has not
vouched for the higher one. No result depends on the order of the answers. Scores are counted
after clamping, and labels by whether they pass, so that two labels that pass do not split a vote.

A label_model passes at a score of 1, so with `mean` or `median` only where (nearly) all agree.

One failed repeat fails the grade: a mean of the answers that did come is another estimator, and
a biased one, because judges refuse and run out of tokens on the hardest rows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from statistics import mean, median_high, median_low, pstdev
from typing import Final

from graders.config.graders import Aggregate
from graders.errors import Failure
from graders.grades import Grade, passes
from sandbox import JSON


def _median(scores: Sequence[float]) -> float:
    # statistics.median adds the middle two, and two large doubles may be too large for one.
    return mean((median_low(scores), median_high(scores)))


def _majority(scores: Sequence[float]) -> float:
    counts = Counter(scores)
    most = max(counts.values())
    return min(score for score, count in counts.items() if count == most)


# statistics.mean is exact and rounds once, so that no order of the answers can show.
_AGGREGATES: Final[Mapping[Aggregate, Callable[[Sequence[float]], float]]] = {
    "mean": mean,
    "median": _median,
    "majority": _majority,
}


def combine_repeats(
    name: str, parts: Mapping[str, Grade], aggregate: Aggregate, threshold: float | None
) -> Grade:
    """The grade that a row's repeats make, with all of them in its parts.

    Its detail has the spread of the scores; `standard_deviation` is that of these answers (the
    population's, so 0.0 where all agree), in the score's units. Time and tokens are the caller's.

    Example:
        >>> parts = {key: Grade(name="judge", score=score)
        ...          for key, score in (("1", 0.25), ("2", 0.75), ("3", 0.25))}
        >>> grade = combine_repeats("judge", parts, "majority", 0.5)
        >>> grade.score, grade.passed, grade.detail["spread"]["max"]
        (0.25, False, 0.75)
    """
    failure = _first_failure(parts)
    scores = [part.score for part in parts.values() if part.score is not None]
    score = _AGGREGATES[aggregate](scores) if failure is None else None
    return Grade(
        name=name,
        score=score,
        failure=failure,
        passed=passes(score, threshold),
        parts=parts,
        detail={} if score is None else {"aggregate": aggregate, "spread": _spread(scores)},
    )


def _first_failure(parts: Mapping[str, Grade]) -> Failure | None:
    failed = {key: part.failure for key, part in parts.items() if part.failure is not None}
    if not failed:
        return None
    key, first = next(iter(failed.items()))
    message = f"{len(failed)} of {len(parts)} repeats failed; repeat {key}: {first.message}"
    return Failure(kind=first.kind, reason=first.reason, message=message)


def _spread(scores: Sequence[float]) -> dict[str, JSON]:
    return {"min": min(scores), "max": max(scores), "standard_deviation": pstdev(scores)}

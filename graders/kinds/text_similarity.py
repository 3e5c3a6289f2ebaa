"""`text_similarity`: how alike two rendered texts are, by one of the eleven metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from graders.errors import Failure, FailureKind, GradingError
from graders.grades import Grade, passes, signed
from graders.rows import Row
from graders.template import Template
from metrics import Metric, TooMuchWork
from metrics.cosine import Cosine
from sandbox import JSON


@dataclass(frozen=True, slots=True)
class TextSimilarityGrader:
    """Compiled `text_similarity`. A row's seconds are its share of its batch."""

    name: str
    input: Template
    reference: Template
    metric: Metric
    threshold: float | None

    @property
    def signature(self) -> str:
        return signed(self.metric.signature, self.threshold)

    async def grade(self, rows: Sequence[Row]) -> list[Grade]:
        grades: list[Grade | None] = []
        pairs: list[tuple[str, str]] = []
        for row in rows:
            try:
                pairs.append((self.input.render(row), self.reference.render(row)))
                grades.append(None)
            except GradingError as error:
                grades.append(self._failed(error.failure))
        scored = iter(self._score(pairs))
        return [next(scored) if grade is None else grade for grade in grades]

    def _score(self, pairs: Sequence[tuple[str, str]]) -> list[Grade]:
        if not pairs:
            return []
        started = perf_counter()
        try:
            scores = self.metric.batch([text for text, _ in pairs], [wanted for _, wanted in pairs])
        except TooMuchWork as error:
            if len(pairs) == 1:
                failure = GradingError(FailureKind.OTHER, str(error), "too_much_work").failure
                return [self._failed(failure)]
            # One pair is too long; the others are scored all the same.
            return [grade for pair in pairs for grade in self._score([pair])]
        seconds = (perf_counter() - started) / len(pairs)
        return [
            Grade(
                name=self.name,
                score=score,
                passed=passes(score, self.threshold),
                detail=self._detail(text, wanted, score),
                seconds=seconds,
            )
            for score, (text, wanted) in zip(scores, pairs, strict=True)
        ]

    def _detail(self, text: str, wanted: str, score: float) -> dict[str, JSON]:
        detail: dict[str, JSON] = {"input": text, "reference": wanted}
        if score == 0.0 and isinstance(self.metric, Cosine):
            detail["raw_cosine"] = self.metric.raw(text, wanted)  # below 0 counts as 0
        return detail

    def _failed(self, failure: Failure) -> Grade:
        return Grade(name=self.name, failure=failure, passed=passes(None, self.threshold))

"""`text_similarity`: how alike two rendered texts are, by one of the eleven metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

from graders.clients.embedding import ServerEmbedder
from graders.errors import Failure, FailureKind, GradingError
from graders.grades import Grade, Waits, passes, signed
from graders.rows import Row
from graders.template import Rendering, Slot, Template, look_up, rendered, to_text
from metrics import Metric, Settings, TooMuchWork, best_batch, lost_tokens
from metrics.cosine import Cosine
from metrics.embed import EmbeddingError
from sandbox import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class References:
    """Where a row has several references; the one most like the text counts."""

    slot: Slot
    rendering: Rendering

    def render(self, row: Row) -> list[str]:
        """The references of a row, at least one.

        Raises:
            GradingError: There is none.
        """
        value = look_up(self.slot, row)
        values = value if isinstance(value, list) else [value]
        if not values:
            message = f"references: {self.slot} is an empty list"
            raise GradingError(FailureKind.INVALID_VARIABLE, message)
        return [to_text(entry, self.slot, self.rendering) for entry in values]


class _Texts(NamedTuple):
    text: str
    references: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TextSimilarityGrader:
    """Compiled `text_similarity`. A row's seconds are its share of its batch."""

    name: str
    input: Template
    reference: Template | References
    metric: Metric
    settings: Settings
    threshold: float | None

    @property
    def signature(self) -> str:
        several = "|best_of:references" if isinstance(self.reference, References) else ""
        signature = rendered(self.metric.signature + several, self.input.rendering)
        return signed(signature, self.threshold)

    @property
    def waits(self) -> Waits:
        asks = isinstance(self.settings.cosine, ServerEmbedder) and isinstance(self.metric, Cosine)
        return "batches" if asks else "never"

    async def grade(self, rows: Sequence[Row]) -> list[Grade]:
        grades: list[Grade | None] = []
        texts: list[_Texts] = []
        for row in rows:
            try:
                texts.append(self._render(row))
                grades.append(None)
            except GradingError as error:
                grades.append(self._failed(error.failure))
        if self.waits == "batches":
            scored = iter(await asyncio.to_thread(self._score, texts))  # it waits for a server
        else:
            scored = iter(self._score(texts))
        return [next(scored) if grade is None else grade for grade in grades]

    def _render(self, row: Row) -> _Texts:
        text, reference = self.input.render(row), self.reference.render(row)
        return _Texts(text, [reference] if isinstance(reference, str) else reference)

    def _score(self, texts: Sequence[_Texts]) -> list[Grade]:
        if not texts:
            return []
        started = perf_counter()
        try:
            scores = self._best_scores(texts)
        except GradingError as error:
            return [self._failed(error.failure) for _ in texts]
        except (TooMuchWork, EmbeddingError) as error:
            if len(texts) == 1:
                reason = "too_much_work" if isinstance(error, TooMuchWork) else "embedding"
                return [self._failed(GradingError(FailureKind.OTHER, str(error), reason).failure)]
            # One pair is too long, or its vector wrong; the others are scored all the same.
            return [grade for pair in texts for grade in self._score([pair])]
        seconds = (perf_counter() - started) / len(texts)
        return [
            Grade(
                name=self.name,
                score=score,
                passed=passes(score, self.threshold),
                detail=self._detail(pair, score, position),
                seconds=seconds,
            )
            for (score, position), pair in zip(scores, texts, strict=True)
        ]

    def _best_scores(self, texts: Sequence[_Texts]) -> list[tuple[float, int]]:
        """The best score of each text, and which of its references gave it."""
        candidates = [pair.text for pair in texts]
        if isinstance(self.reference, References):
            return best_batch(self.metric, candidates, [pair.references for pair in texts])
        only = [pair.references[0] for pair in texts]
        return [(score, 0) for score in self.metric.batch(candidates, only)]

    def _detail(self, pair: _Texts, score: float, position: int) -> dict[str, JSON]:
        wanted = pair.references[position]
        detail: dict[str, JSON] = {"input": pair.text, "reference": wanted}
        if len(pair.references) > 1:
            detail["best_reference"] = position
        if score == 0.0 and isinstance(self.metric, Cosine):
            detail["raw_cosine"] = self.metric.raw(pair.text, wanted)  # below 0 counts as 0
        # Two texts of which nothing is left are equal to rapidfuzz, and unlike to the others.
        suspect = score == 0.0 or self.settings.fuzzy_match.endswith("_dp")
        if suspect and (warning := self._lost(pair.text) or self._lost(wanted)):
            detail["warning"] = warning
        return detail

    def _lost(self, text: str) -> str | None:
        """What to say of a text that the tokenizer leaves nothing of."""
        lost = lost_tokens(self.metric.name, text, self.settings)
        if lost is None:
            return None
        own = " --set backend=own" if self.settings.backend == "fast" else ""
        return (
            f"{self.metric.name}: {lost.tokens} leaves no token of a text, so the score says "
            f"nothing; --set {lost.setting}={lost.value}{own} keeps some"
        )

    def _failed(self, failure: Failure) -> Grade:
        return Grade(name=self.name, failure=failure, passed=passes(None, self.threshold))

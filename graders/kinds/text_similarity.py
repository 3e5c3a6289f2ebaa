"""`text_similarity`: how alike two rendered texts are, by one of the eleven metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

import msgspec

from graders.clients.embedding import ServerEmbedder
from graders.config.graders import AnyConfig, TextSimilarityConfig
from graders.errors import Failure, FailureKind, GradingError
from graders.grades import Grade, Waits, passes, signed
from graders.rows import Row
from graders.template import Rendering, Slot, Template, look_up, rendered, to_text
from metrics import Metric, Settings, TooMuchWork, best_batch, lost_tokens
from metrics.cosine import Cosine, cosine
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
    """Compiled `text_similarity`. A row's seconds are its share of its batch, waiting included."""

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
        started = perf_counter()
        grades: list[Grade | None] = []
        texts: list[_Texts] = []
        for row in rows:
            try:
                texts.append(self._render(row))
                grades.append(None)
            except GradingError as error:
                grades.append(self._failed(error.failure))
        scored = iter(self._score(texts, await self._metric_of(texts), started))
        return [next(scored) if grade is None else grade for grade in grades]

    def _render(self, row: Row) -> _Texts:
        text, reference = self.input.render(row), self.reference.render(row)
        return _Texts(text, [reference] if isinstance(reference, str) else reference)

    async def _metric_of(self, texts: Sequence[_Texts]) -> Metric:
        """The metric; where a server embeds, with the vectors of these texts."""
        embedder = self.settings.cosine
        if not (isinstance(embedder, ServerEmbedder) and isinstance(self.metric, Cosine)):
            return self.metric
        compared = ((pair.text, wanted) for pair in texts for wanted in pair.references)
        # Blank texts are never embedded, nor what is compared with one.
        whole = [pair for pair in compared if all(text.strip() for text in pair)]
        return cosine(await embedder.vectors(text for pair in whole for text in pair))

    def _score(self, texts: Sequence[_Texts], metric: Metric, started: float) -> list[Grade]:
        if not texts:
            return []
        try:
            scores = self._best_scores(texts, metric)
        except (GradingError, TooMuchWork, EmbeddingError) as error:
            if len(texts) == 1:
                return [self._failed(_failure(error))]
            # One pair is too long, or has no vector; the others are scored all the same.
            alone = [self._score([pair], metric, perf_counter()) for pair in texts]
            return [grade for grades in alone for grade in grades]
        seconds = (perf_counter() - started) / len(texts)
        return [
            Grade(
                name=self.name,
                score=score,
                passed=passes(score, self.threshold),
                detail=self._detail(pair, score, position, metric),
                seconds=seconds,
            )
            for (score, position), pair in zip(scores, texts, strict=True)
        ]

    def _best_scores(self, texts: Sequence[_Texts], metric: Metric) -> list[tuple[float, int]]:
        """The best score of each text, and which of its references gave it."""
        candidates = [pair.text for pair in texts]
        if isinstance(self.reference, References):
            return best_batch(metric, candidates, [pair.references for pair in texts])
        only = [pair.references[0] for pair in texts]
        return [(score, 0) for score in metric.batch(candidates, only)]

    def _detail(self, pair: _Texts, score: float, position: int, metric: Metric) -> dict[str, JSON]:
        wanted = pair.references[position]
        detail: dict[str, JSON] = {"input": pair.text, "reference": wanted}
        if len(pair.references) > 1:
            detail["best_reference"] = position
        if score == 0.0 and isinstance(metric, Cosine):
            detail["raw_cosine"] = metric.raw(pair.text, wanted)  # below 0 counts as 0
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


def server_asked(config: AnyConfig, settings: Settings) -> ServerEmbedder | None:
    """The embedder whose server a grader would ask; None where it asks none."""
    cosines = isinstance(config, TextSimilarityConfig) and config.evaluation_metric == "cosine"
    embedder = settings.cosine
    return embedder if cosines and isinstance(embedder, ServerEmbedder) else None


def _failure(error: GradingError | TooMuchWork | EmbeddingError) -> Failure:
    if isinstance(error, GradingError):  # of an embeddings server, which is no judge
        return msgspec.structs.replace(error.failure, kind=FailureKind.OTHER)
    reason = "too_much_work" if isinstance(error, TooMuchWork) else "embedding"
    return Failure(kind=FailureKind.OTHER, reason=reason, message=str(error))

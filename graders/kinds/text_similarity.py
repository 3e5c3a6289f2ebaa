"""`text_similarity`: how alike two rendered texts are, by one of the eleven metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import msgspec

from graders.clients.embedding import ServerEmbedder
from graders.config.graders import AnyConfig, TextSimilarityConfig
from graders.errors import Failure, FailureKind, GradingError
from graders.grade_table import Compared, Grades, pass_each
from graders.grades import Waits, signed
from graders.rows import Row
from graders.template import Rendering, Slot, Template, look_up, rendered, to_text
from graders.texts import Texts, render_each, render_one_by_one
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


@dataclass(frozen=True, slots=True)
class _Scored:
    """Texts' scores, the reference of each that counted, and what there is to say of some."""

    scores: Sequence[float | None]
    references: Sequence[str]
    notes: Mapping[int, dict[str, JSON]] = field(default_factory=dict)
    failures: Mapping[int, Failure] = field(default_factory=dict)


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

    async def grade(self, rows: Sequence[Row]) -> Grades:
        started = perf_counter()
        inputs, references = render_each(self.input, rows), self._references(rows)
        metric = await self._metric_of(inputs.values, references.values)
        scored = self._score(inputs.values, references.values, metric)
        failures = {**scored.failures, **references.failures, **inputs.failures}
        scores = list(scored.scores)
        for position in failures:
            scores[position] = None
        notes = self._notes(inputs.values, scored, scores, metric)
        return Grades(
            name=self.name,
            scores=scores,
            failures=failures,
            passed=pass_each(scores, self.threshold),
            compared=Compared(inputs.values, scored.references, notes),
            seconds=(perf_counter() - started) / max(len(rows), 1),
        )

    def _references(self, rows: Sequence[Row]) -> Texts[Any]:
        """A reference for each row, or a list of several; blank where there is none."""
        if isinstance(self.reference, References):
            return render_one_by_one(self.reference, rows, [""])
        return render_each(self.reference, rows)

    async def _metric_of(self, texts: Sequence[str], references: Sequence[Any]) -> Metric:
        """The metric; where a server embeds, with the vectors of these texts."""
        embedder = self.settings.cosine
        if not (isinstance(embedder, ServerEmbedder) and isinstance(self.metric, Cosine)):
            return self.metric
        lists = ([one] if isinstance(one, str) else one for one in references)
        compared = (
            (t, wanted) for t, several in zip(texts, lists, strict=True) for wanted in several
        )
        # Blank texts are never embedded, nor what is compared with one.
        whole = [pair for pair in compared if all(text.strip() for text in pair)]
        return cosine(await embedder.vectors(text for pair in whole for text in pair))

    def _score(self, texts: Sequence[str], references: Sequence[Any], metric: Metric) -> _Scored:
        try:
            if isinstance(self.reference, References):
                return _best(texts, references, metric)
            return _Scored(metric.batch(texts, references), references)
        except (GradingError, TooMuchWork, EmbeddingError) as error:
            if len(texts) == 1:
                return _Scored([None], [""], failures={0: _failure(error)})
        # One pair is too long, or has no vector; the others are scored all the same.
        alone = [
            self._score([text], [wanted], metric)
            for text, wanted in zip(texts, references, strict=True)
        ]
        return _Scored(
            [one.scores[0] for one in alone],
            [one.references[0] for one in alone],
            {i: one.notes[0] for i, one in enumerate(alone) if one.notes},
            {i: one.failures[0] for i, one in enumerate(alone) if one.failures},
        )

    def _notes(
        self,
        texts: Sequence[str],
        scored: _Scored,
        scores: Sequence[float | None],
        metric: Metric,
    ) -> Mapping[int, Mapping[str, JSON]]:
        """What there is to say of rows beside their texts."""
        # Two texts of which nothing is left are equal to rapidfuzz, and unlike to the others.
        all_suspect = self.settings.fuzzy_match.endswith("_dp")
        if not all_suspect and 0.0 not in scores:
            return scored.notes
        notes = dict(scored.notes)
        for i, score in enumerate(scores):
            if score == 0.0 or (all_suspect and score is not None):
                text, wanted = texts[i], scored.references[i]
                more = dict(self._suspicions(text, wanted, score, metric))
                if more:
                    notes[i] = {**notes.get(i, {}), **more}
        return notes

    def _suspicions(
        self, text: str, wanted: str, score: float, metric: Metric
    ) -> Iterator[tuple[str, JSON]]:
        if score == 0.0 and isinstance(metric, Cosine):
            yield "raw_cosine", metric.raw(text, wanted)  # below 0 counts as 0
        if warning := self._lost(text) or self._lost(wanted):
            yield "warning", warning

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


def _best(texts: Sequence[str], references: Sequence[list[str]], metric: Metric) -> _Scored:
    """The best score of each text, and which of its references gave it."""
    found = best_batch(metric, texts, references)
    at = [position for _, position in found]
    return _Scored(
        [score for score, _ in found],
        [several[i] for several, i in zip(references, at, strict=True)],
        {
            row: {"best_reference": i}
            for row, (several, i) in enumerate(zip(references, at, strict=True))
            if len(several) > 1
        },
    )


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

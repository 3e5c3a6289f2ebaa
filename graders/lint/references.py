"""What becomes of a comparison's references: empty, in the prompt, lost, unreachable, unequal.

The last three ask the metric itself, about the one answer that cannot be wrong: the reference.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from graders.config.graders import StringCheckConfig, TextSimilarityConfig
from graders.errors import ConfigError, GradingError
from graders.kinds.text_similarity import References
from graders.lint.shape import Line, stands_in
from graders.lint.tally import Tallies, Tally
from graders.profile import Profile
from graders.rows import Row
from graders.template import Slot, Template, compile_template, parse_path
from metrics import lost_tokens, metric

SHORT_WORDS: Final = 6
"""References of more words than this are equal to themselves, or nearly, under every metric."""
WORTH_SAYING: Final = 0.9
"""What a right answer scores at least, or it is said; the last hundredths are nobody's worry."""
SHORTEST_LEAK: Final = 4
"""Characters; the prompt of `yes` or `12` may well have it."""
BATCH: Final = 512
"""Lines whose references are scored together."""
_KEPT: Final = re.compile("[0-9A-Za-z]")
"""What every tokenizer keeps, so that a text with one is not lost."""


class Comparison:
    """A string_check or text_similarity, ready to be shown rows.

    Args:
        place: Where the grader stands in the config.
        part: The grader.
        profile: Settings of its metric.
        is_echo: Whether another grader has the same reference, and says what there is to say of it.
    """

    def __init__(
        self,
        place: str,
        part: StringCheckConfig | TextSimilarityConfig,
        profile: Profile,
        *,
        is_echo: bool,
    ) -> None:
        self.prefix = f"{place}." if place else ""
        self.part, self.profile, self.is_echo = part, profile, is_echo
        self.reference = _reference(part, profile)
        self.input = _template(part.input, profile)
        self.waiting: list[tuple[int, list[str]]] = []

    def take(self, line: Line, bare: Row, rows: Sequence[Row], tallies: Tallies) -> None:
        """Look at the references of one line, beside its prompt and its samples."""
        if self.reference is None:
            return
        try:
            rendered = self.reference.render(bare)
        except GradingError:
            return  # missing, which is counted
        texts = [rendered] if isinstance(rendered, str) else rendered
        if not self.is_echo:
            self._alone(line, texts, tallies)
        if isinstance(self.part, TextSimilarityConfig) and self.part.evaluation_metric != "cosine":
            self._lost(line.number, [*texts, *self._inputs(rows)], tallies)
            if all(_KEPT.search(text) and len(text.split()) <= SHORT_WORDS for text in texts):
                self.waiting.append((line.number, texts))
                if len(self.waiting) >= BATCH:
                    self.finish(tallies)

    def finish(self, tallies: Tallies) -> None:
        """Score the references that wait with themselves."""
        if not self.waiting or not isinstance(self.part, TextSimilarityConfig):
            return
        texts = [text for _, several in self.waiting for text in several]
        scores = iter(metric(self.part.evaluation_metric, self.profile.metrics).batch(texts, texts))
        for number, several in self.waiting:
            best = max(next(scores) for _ in several)
            self._itself(self.part, number, best, tallies)
        self.waiting.clear()

    def _alone(self, line: Line, texts: Sequence[str], tallies: Tallies) -> None:
        several = isinstance(self.reference, References)
        path = self.prefix + ("references" if several else "reference")
        if not all(text and not text.isspace() for text in texts):
            fix = "Every text contains nothing; give these rows a reference, or leave them out."
            _count(tallies, line.number, Tally("empty-reference", path, "is empty \0", fix))
        long = [text for text in texts if len(text) >= SHORTEST_LEAK]
        if any(stands_in(text, line.prompt) for text in long if not text.isspace()):
            fix = "Take it out, unless it is one of the choices there, or is to be found there."
            tally = Tally("leaking-row", path, "stands in the prompt \0", fix)
            _count(tallies, line.number, tally)

    def _lost(self, number: int, texts: Sequence[str], tallies: Tallies) -> None:
        assert isinstance(self.part, TextSimilarityConfig)
        name, settings = self.part.evaluation_metric, self.profile.metrics
        for text in texts:
            if not _KEPT.search(text) and (lost := lost_tokens(name, text, settings)):
                fix = f"Here --set {lost.setting}={lost.value} keeps some; elsewhere fuzzy_match."
                message = f"{lost.tokens} of {name} leaves no token of a text \0, which then scores"
                path = f"{self.prefix}evaluation_metric"
                tally = Tally("lost-tokens", path, f"{message} 0 whatever it says", fix)
                _count(tallies, number, tally)

    def _inputs(self, rows: Sequence[Row]) -> Iterator[str]:
        for row in rows if self.input else ():
            try:
                yield self.input.render(row) if self.input else ""
            except GradingError:
                continue  # missing, which is counted

    def _itself(
        self, part: TextSimilarityConfig, number: int, best: float, tallies: Tallies
    ) -> None:
        """What the right answer scores, word for word, where it is short."""
        name, path = part.evaluation_metric, f"{self.prefix}evaluation_metric"
        threshold = part.pass_threshold
        if best == 0.0:
            message = f"{name} of the reference with itself is 0 \0: no answer can score"
            fix = "Choose a metric for short texts: fuzzy_match, rouge_1 or rouge_l."
            _count(tallies, number, Tally("dead-metric", path, message, fix))
        elif best < max(WORTH_SAYING, threshold or 0.0):
            message = f"{name} of the reference with itself is below 1 \0: {best:.2f} in the first"
            if fails := threshold is not None and best < threshold:
                message += f", so that the right answer does not pass ({threshold:g})"
            fix = "Choose another metric for short texts, or mind it in pass_threshold."
            _count(tallies, number, Tally("identical-text", path, message, fix), apart=fails)


def _reference(
    part: StringCheckConfig | TextSimilarityConfig, profile: Profile
) -> Template | References | None:
    """What gives the references of a row; None where they are the same for all, or do not parse."""
    if isinstance(part, TextSimilarityConfig) and part.references is not None:
        try:
            return References(slot=parse_path(part.references), rendering=profile.render)
        except ConfigError:
            return None
    found = _template(part.reference, profile)
    has_slot = found is not None and any(isinstance(piece, Slot) for piece in found.pieces)
    return found if has_slot else None


def _template(text: str, profile: Profile) -> Template | None:
    try:
        return compile_template(text, profile.render)
    except ConfigError:
        return None


def _count(tallies: Tallies, number: int, tally: Tally, *, apart: bool = False) -> None:
    key = (tally.code, tally.path, apart)
    tallies.start(key, tally)
    tallies.add(key, number)

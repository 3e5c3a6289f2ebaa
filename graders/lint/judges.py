"""What a judge is asked and what its config says, where the two do not go together."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Final

from graders.config.graders import AnyConfig, LabelModelConfig, ScoreModelConfig
from graders.errors import Finding
from graders.lint.codes import say
from graders.lint.formula import declared_range

_SCALE: Final = re.compile(
    r"(?:\b(?:scor(?:e|es|ing)|rat(?:e|ing)|grade|points?)\b[^.\n\d]{0,60}?\b(?:from|between)"
    r"|\b(?:number|integer|float|value) (?:from|between|in)"
    r"|\b(?:scale|range) (?:of|from)|\bscore of|(?:^|[.:;]) ?rate)"
    r"\s*+\[?(-?\d++(?:\.\d++)?+)\s*+(?:to|and|through|-|\u2013|,)\s*+(-?\d++(?:\.\d++)?+)"
    r"(?! (?:words|sentences|characters|tokens|lines|paragraphs))",
    re.IGNORECASE | re.MULTILINE,
)
"""A scale that a judge is asked to use; `from 1990 to 2000` or `50 to 100 words` is none."""
FEWEST_TOKENS: Final = 64
"""Below it an answer with its steps was cut off in every real config we saw."""


def check_model(part: ScoreModelConfig | LabelModelConfig) -> Iterator[Finding]:
    """Findings about a judge, with paths below the grader."""
    most = part.sampling_params.max_completions_tokens if part.sampling_params else None
    if most is not None and most < FEWEST_TOKENS:
        message = (
            f"{most} tokens: a judge writes its steps first, and is cut off before its verdict"
        )
        path = "sampling_params.max_completions_tokens"
        yield say("few-tokens", path, message, "Allow 512 or more.")
    if isinstance(part, ScoreModelConfig):
        yield from _scale(part)
    else:
        yield from _labels(part)


def _scale(part: ScoreModelConfig) -> Iterator[Finding]:
    low, high = part.range
    for place, text in part.templates():
        for found in _SCALE.finditer(text):
            said = sorted((float(found[1]), float(found[2])))
            if said[0] < said[1] and (said[0] < low or said[1] > high):
                message = f"the judge is asked for {found[1]} to {found[2]}, and what is outside "
                message += f"range, {low:g} to {high:g}, is clamped"
                fix = f'Set "range": [{said[0]:g}, {said[1]:g}].'
                path = place.removeprefix(".")
                yield say("range-prompt", path, message, fix, position=found.start(1))
                return
    if low > 0:
        message = f"begins at {low:g}, and a failed grading counts as 0 on the hosted service"
        yield say("range-above-zero", "range", message, "Begin at 0, or mind it in the formula.")


def _labels(part: LabelModelConfig) -> Iterator[Finding]:
    counted = Counter(part.labels)
    for label, count in counted.items():
        if count > 1:
            message = f"{label!r} stands in it {count} times"
            yield say("label-twice", "labels", message, "Leave it in once.")
    folded = Counter(label.strip().casefold() for label in counted)
    alike = [label for label in counted if folded[label.strip().casefold()] > 1]
    if alike:
        message = f"{' and '.join(map(repr, alike))} differ in case or spaces alone"
        yield say("labels-alike", "labels", message, "Give each a word of its own.")
    if set(part.labels) <= set(part.passing_labels):
        message = "every label passes, so the score is 1 whatever the judge says"
        yield say("labels-all-pass", "passing_labels", message, "Leave out those that should not.")
    asked = " ".join(text for _, text in part.templates()).casefold()
    unnamed = [label for label in counted if label.casefold() not in asked]
    if unnamed:
        message = f"no message says what {unnamed[0]!r} means"
        yield say("label-unexplained", "labels", message, "Tell the judge when to choose it.")


def check_threshold(part: AnyConfig) -> Iterator[Finding]:
    """A pass_threshold that every score reaches, or none."""
    threshold, bounds = getattr(part, "pass_threshold", None), declared_range(part)
    if threshold is None or bounds is None:
        return
    scores = f"scores lie from {bounds.low:g} to {bounds.high:g}"
    if threshold > bounds.high:
        message = f"{threshold:g} is above every score ({scores}), so nothing passes"
        yield say("threshold-out-of-range", "pass_threshold", message, "Lower it.")
    elif threshold <= bounds.low:
        message = f"{threshold:g} is reached by every score ({scores}), so everything passes"
        yield say("threshold-out-of-range", "pass_threshold", message, "Raise it.")

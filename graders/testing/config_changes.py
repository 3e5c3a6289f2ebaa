"""The small changes that are made to a config, one a mutant: formula, weights, operations."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from graders.config.graders import (
    AnyConfig,
    LabelModelConfig,
    ScoreModelConfig,
    StringCheckConfig,
    TextSimilarityConfig,
)
from graders.errors import FormulaError
from graders.formula import compile_formula
from graders.testing.mutators import near_numbers

NOTICE: Final[Mapping[str, str]] = {
    "operation": "one that is equal, one but for capitals, and one that has more than the text",
    "metric": "one whose score is expected exactly, with words in another order",
    "sides": "one whose reference is longer than the sample",
    "threshold": "one that passes by little, or fails by little",
    "range": "one whose judge answers with an end of the range, or beyond it",
    "label": "one whose judge answers with this label",
    "aggregate": "one whose judge gives answers that differ",
    "weight": "one whose score hangs on this number, expected exactly",
    "operator": "one with members for which the two operators differ",
    "function": "one with members for which the two functions differ",
    "member": "one where this member alone decides",
}
"""Each change by its name, with the kind of case that would notice it."""

_OPERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "eq": ("ne", "ilike"),
    "ne": ("eq",),
    "like": ("eq", "ilike", "ne"),
    "ilike": ("like", "eq", "ne"),
}
_METRICS: Final[Mapping[str, tuple[str, ...]]] = {
    "cosine": ("fuzzy_match",),
    "fuzzy_match": ("rouge_l", "bleu"),
    "bleu": ("gleu", "rouge_2"),
    "gleu": ("bleu", "rouge_2"),
    "meteor": ("rouge_1",),
    "rouge_1": ("rouge_2", "rouge_l"),
    "rouge_2": ("rouge_1", "rouge_3"),
    "rouge_3": ("rouge_2", "rouge_4"),
    "rouge_4": ("rouge_3", "rouge_5"),
    "rouge_5": ("rouge_4", "rouge_l"),
    "rouge_l": ("rouge_1", "rouge_2"),
}
_SYMMETRIC: Final = frozenset(_METRICS) - {"bleu", "gleu", "meteor"}
"""Metrics that give the same with the sides swapped."""

_TOKEN: Final = re.compile(
    r"(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)|(?P<call>[a-zA-Z_]\w*)(?=\s*\()"
    r"|(?P<name>[a-zA-Z_]\w*)|(?P<operator>[-+*/^])|(?P<other>[(),])",
    re.ASCII,
)
_OPERATORS: Final[Mapping[str, str]] = {"+": "-", "-": "+", "*": "/", "/": "*", "^": "*"}
_FUNCTIONS: Final[Mapping[str, str]] = {
    "min": "max", "max": "min", "ceil": "floor", "floor": "ceil",
    "abs": "", "sqrt": "", "exp": "", "log": "",
}  # fmt: skip


class ConfigChange(NamedTuple):
    """A change of a config: which row of the table made it, and the fields as they are then."""

    mutator: str
    update: Mapping[str, object]


class FormulaChange(NamedTuple):
    """A change of a formula: which row made it, what is replaced, and what with."""

    mutator: str
    start: int
    end: int
    text: str

    def of(self, formula: str) -> str:
        """The changed formula."""
        return formula[: self.start] + self.text + formula[self.end :]


def config_changes(config: AnyConfig, *, decides: bool) -> Iterator[ConfigChange]:
    """Every change of a config itself, and of no member nor formula.

    Args:
        config: One that compiles.
        decides: Whether its passing is looked at: it is no member of a multi.
    """
    match config:
        case StringCheckConfig():
            for operation in _OPERATIONS[config.operation]:
                yield ConfigChange("operation", {"operation": operation})
            yield from _sides(config, is_symmetric=config.operation in {"eq", "ne"})
        case TextSimilarityConfig():
            for metric in _METRICS[config.evaluation_metric]:
                yield ConfigChange("metric", {"evaluation_metric": metric})
            symmetric = config.evaluation_metric in _SYMMETRIC or config.references is not None
            yield from _sides(config, is_symmetric=symmetric)
        case ScoreModelConfig():
            yield from _range(config)
            yield from _aggregate(config, "mean")
        case LabelModelConfig():
            yield from _labels(config)
            yield from _aggregate(config, "majority")
    if decides:
        yield from _threshold(config)


def _threshold(config: AnyConfig) -> Iterator[ConfigChange]:
    threshold = getattr(config, "pass_threshold", None)
    for near in () if threshold is None else near_numbers(float(threshold)):
        yield ConfigChange("threshold", {"pass_threshold": float(near)})


def _aggregate(config: ScoreModelConfig | LabelModelConfig, usual: str) -> Iterator[ConfigChange]:
    if config.repeats > 1:
        other = {"mean": "median", "median": "mean", "majority": "mean"}
        yield ConfigChange("aggregate", {"aggregate": other[config.aggregate or usual]})


def _sides(
    config: StringCheckConfig | TextSimilarityConfig, *, is_symmetric: bool
) -> Iterator[ConfigChange]:
    if not is_symmetric and config.input != config.reference:
        yield ConfigChange("sides", {"input": config.reference, "reference": config.input})


def _range(config: ScoreModelConfig) -> Iterator[ConfigChange]:
    low, high = config.range
    for ends in ((low - 1, high), (low, high + 1), (low, (low + high) / 2)):
        yield ConfigChange("range", {"range": ends})


def _labels(config: LabelModelConfig) -> Iterator[ConfigChange]:
    passing = config.passing_labels
    for label in config.labels:
        others = tuple(one for one in passing if one != label)
        changed = (*passing, label) if label not in passing else others
        if changed:
            yield ConfigChange("label", {"passing_labels": changed})


def formula_changes(formula: str, names: Mapping[str, object]) -> Iterator[FormulaChange]:
    """Every change of a formula that still compiles.

    Example:
        >>> for change in formula_changes("max(a, b) - 1", {"a": 1, "b": 1}):
        ...     print(change.mutator, change.of("max(a, b) - 1"))
        function min(a, b) - 1
        member max(0, b) - 1
        member max(1, b) - 1
        member max(a, 0) - 1
        member max(a, 1) - 1
        operator max(a, b) + 1
        weight max(a, b) - 2
        weight max(a, b) - 0
    """
    before = ""
    for token in _TOKEN.finditer(formula):
        for mutator, text in _replacements(token, before):
            change = FormulaChange(mutator, token.start(), token.end(), text)
            try:
                compile_formula(change.of(formula), names)
            except FormulaError:
                continue
            yield change
        before = token[0]


def _replacements(token: re.Match[str], before: str) -> Iterator[tuple[str, str]]:
    text = token[0]
    match token.lastgroup:
        case "number":
            value = int(text) if text.isdecimal() else float(text)
            yield from (("weight", near) for near in near_numbers(value))
        case "call":
            yield from (("function", _FUNCTIONS[name]) for name in (text,) if name in _FUNCTIONS)
        case "name":
            yield from (("member", score) for score in "01")
        case "operator":
            is_sign = before in {"", "(", ",", *_OPERATORS}
            yield "operator", "" if is_sign else _OPERATORS[text]

"""A code: what its findings are called, how grave they are, and an example of each side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graders.errors import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Something to lint.

    Attributes:
        config: What the config file holds: a JSON value, or text that is to be JSON.
        rows: Lines of the rows' file; none for no such file.
        target: What `--for` names.
        split: What `--split` names.
    """

    config: object
    rows: tuple[object, ...] = ()
    target: str = "local"
    split: str = "train"


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """One kind of finding.

    Attributes:
        name: Stable: filters and baselines hold on to it.
        severity: How grave; a check may be milder where it knows better.
        title: What it is, in a sentence.
        bad: An example that has it.
        good: The same put right.
        at_key: Whether it points at a member's key rather than at its value.
        fixable: Whether `--fix` can put some of its cases right.
        here: Why it has no example: it depends on the machine. "" if it has.
    """

    name: str
    severity: Severity
    title: str
    bad: Example | None = None
    good: Example | None = None
    at_key: bool = False
    fixable: bool = False
    here: str = ""


EXACT: Mapping[str, object] = {
    "type": "string_check",
    "name": "exact",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "operation": "eq",
}
SIMILAR: Mapping[str, object] = {
    "type": "text_similarity",
    "name": "similar",
    "input": "{{ sample.output_text }}",
    "reference": "{{ item.answer }}",
    "evaluation_metric": "fuzzy_match",
}
JUDGE: Mapping[str, object] = {
    "type": "score_model",
    "name": "judge",
    "model": "gpt-4.1-mini-2025-04-14",
    "input": [{"role": "user", "content": "Rate from 0 to 1:\n{{ sample.output_text }}"}],
}
LABEL: Mapping[str, object] = {
    **JUDGE,
    "type": "label_model",
    "input": [{"role": "user", "content": "Say good or bad:\n{{ sample.output_text }}"}],
    "labels": ["good", "bad"],
    "passing_labels": ["good"],
}
ENDPOINT: Mapping[str, object] = {"type": "endpoint", "name": "far", "url": "https://example.com/g"}


def exact(**changes: object) -> Example:
    """A string_check with some fields changed; `None` leaves one out."""
    return Example(config=_changed(EXACT, changes))


def similar(**changes: object) -> Example:
    """A text_similarity, the same."""
    return Example(config=_changed(SIMILAR, changes))


def judge(**changes: object) -> Example:
    """A score_model, the same."""
    return Example(config=_changed(JUDGE, changes))


def label(**changes: object) -> Example:
    """A label_model, the same."""
    return Example(config=_changed(LABEL, changes))


def python(source: str, **changes: object) -> Example:
    """A python grader of a source."""
    return Example(config={"type": "python", "name": "code", "source": source, **changes})


def multi(formula: str, **changes: object) -> Example:
    """A multi of a string_check `a`, a text_similarity `b` and a judge `c` from 1 to 5."""
    graders = {"a": dict(EXACT), "b": dict(SIMILAR), "c": {**JUDGE, "range": [1, 5]}}
    used = {key: graders[key] for key in graders if key in formula}
    body: dict[str, object] = {"type": "multi", "name": "both", "graders": used or graders}
    return Example(config={**body, "calculate_output": formula, **changes})


def prompted(content: str, **changes: object) -> Example:
    """A score_model that is asked one thing."""
    return judge(input=[{"role": "user", "content": content}], **changes)


def _changed(config: Mapping[str, object], changes: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in {**config, **changes}.items() if value is not None}

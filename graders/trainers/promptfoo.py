"""Assertions for promptfoo: a `get_assert` for `type: python`.

The file that `value: file://grade.py` names needs two lines. Keep it in a folder of its own, since
promptfoo lets Python import what stands beside it:

    from graders.trainers.promptfoo import assertion
    get_assert = assertion("/abs/grader.json")

A failure is raised, with why: promptfoo has no word for a missing score. It shows the message as
the reason, logs it as an error, fails the test, and **counts 0** in its averages: look for the
reasons before believing these.

Called as promptfoo 0.121 to 0.123 calls assertions: in a new Python for each, so that nothing
stays warm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Unpack

from graders.config.graders import AnyConfig, says_what_passes
from graders.config.parse import ConfigSource, read_config
from graders.errors import FailureKind, GradingError
from graders.grades import Grade, finite_number, passes
from graders.rows import Row, to_sample
from graders.strict_json import encode
from graders.trainers.failures import reward_or_raise
from graders.trainers.grading import open_grading
from graders.trainers.recipe import Options, refused
from graders.trainers.rows import plain, to_item

GetAssert = Callable[[Any, Mapping[str, Any]], dict[str, Any]]


def assertion(
    config: ConfigSource,
    *,
    item: Callable[[Mapping[str, Any]], Mapping[str, object]] | None = None,
    threshold: float | None = None,
    **options: Unpack[Options],
) -> GetAssert:
    """A `get_assert(output, context)`, which gives a GradingResult of promptfoo.

    It has a named score and a component for each member. A component without a threshold of its
    own passes.

    Args:
        config: The grader.
        item: Makes the item of a context. Without it, its `vars` are the item; those with null
            are left out, so that a template that names one fails.
        threshold: The least score that passes, where the config does not say.
        **options: See `graders.trainers.recipe.Options`.

    Raises:
        ConfigError: The config or an option cannot be used.
        GradersError: Judges cannot be asked: a package or a key is missing.
        OSError: The config cannot be read.
    """
    document = read_config(config)
    grading = open_grading(document, **options)
    _need_threshold(document.grader, threshold, grading.recipe.default_threshold)

    def get_assert(output: Any, context: Mapping[str, Any]) -> dict[str, Any]:
        if output is None:
            problem = "the test has no output"
            raise GradingError(FailureKind.SAMPLE_PARSE, problem, "no_output")
        given = _vars(context) if item is None else item(context)
        text = output if isinstance(output, str) else encode(plain(output, "the output")).decode()
        row = Row(item=to_item(given, "vars", absent=True), sample=to_sample(text), row=1)
        (grade,) = grading.grade([row])
        return _result(grade, threshold)

    return get_assert


def _vars(context: object) -> object:
    if not isinstance(context, Mapping) or "vars" not in context:
        raise refused("context", f"{context!r:.60} has no 'vars', which promptfoo gives")
    return context["vars"]


def _need_threshold(grader: AnyConfig, threshold: float | None, default: float | None) -> None:
    """Refuse a grader that nobody says of when its scores pass, before a judge is paid.

    Raises:
        ConfigError: It is one; or the threshold that was given is no finite number.
    """
    if threshold is not None:
        if finite_number(threshold) is None:
            raise refused("threshold", f"{threshold!r:.60} is not a finite number")
        return
    if default is None and not says_what_passes(grader):
        message = "the config does not say when a score passes"
        fix = "Give it a pass_threshold, or give assertion(..., threshold=...)."
        raise refused("pass_threshold", message, fix)


def _result(grade: Grade, threshold: float | None) -> dict[str, Any]:
    score = reward_or_raise(grade)
    passed = passes(score, threshold) if grade.passed is None else grade.passed
    members = {key: part.score or 0.0 for key, part in grade.parts.items()}
    return {
        "pass": passed,
        "score": score,
        "reason": _reason(grade),
        "namedScores": members,
        "componentResults": [_component(key, part) for key, part in grade.parts.items()],
    }


def _component(key: str, part: Grade) -> dict[str, Any]:
    return {
        "pass": part.passed is not False,
        "score": part.score or 0.0,
        "reason": f"{key}: {_reason(part)}",
    }


def _reason(grade: Grade) -> str:
    if grade.failure is not None:  # of a member, where the profile counts it as 0.0
        return f"counted as 0: {grade.failure.message}"
    return f"{grade.name} scored {grade.score:g}"

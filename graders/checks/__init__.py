"""One place for each thing that can be wrong with a config: compiling and linting both ask here."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import assert_never

from graders.checks.image import check_image
from graders.checks.injection import check_injection
from graders.checks.judge import check_judge
from graders.checks.source import check_source
from graders.config.graders import (
    AnyConfig,
    EndpointConfig,
    EvalConfig,
    LabelModelConfig,
    MultiConfig,
    PythonConfig,
    ScoreModelConfig,
    StringCheckConfig,
    TextSimilarityConfig,
    says_what_passes,
    walk,
)
from graders.config.parse import Document
from graders.errors import ConfigError, Finding
from graders.formula import compile_formula
from graders.images import look
from graders.profile import Profile
from graders.template import compile_template, parse_path
from metrics import metric

__all__ = ["check_document", "check_source"]


def check_document(
    document: Document, profile: Profile, python: str | None = None
) -> list[Finding]:
    """Everything about a config that can be wrong without a row: templates, formulas, sources.

    Args:
        document: What was read; findings have the paths of its file.
        profile: Settings that decide whether a criterion has a threshold and a metric its package.
        python: The interpreter for python graders; by default the one that runs this.
    """
    findings: list[Finding] = []
    for location, part in walk(document.grader):
        place = document.place(location)
        findings += _at(place, _check_part(part, profile, python))
        if location[:1] == ("testing_criteria",):
            findings += _at(place, _check_threshold(part, profile))
    return findings


def _check_part(part: AnyConfig, profile: Profile, python: str | None) -> list[Finding]:
    match part:
        case MultiConfig():
            return _problems_of(lambda: compile_formula(part.calculate_output, part.graders))
        case EvalConfig():
            return []
        case PythonConfig():
            here = check_image(part.image_tag, part.source, partial(look, python))
            return [*_at("source", check_source(part.source)), *here]
        case TextSimilarityConfig():
            findings = _check_metric(part, profile)
        case ScoreModelConfig() | LabelModelConfig():
            findings = [*check_judge(part), *check_injection(part.input)]
        case StringCheckConfig() | EndpointConfig():
            findings = []
        case _:
            assert_never(part)
    for place, text in part.templates():
        findings += _at(place, _problems_of(lambda text=text: compile_template(text)))
    return findings


def _check_metric(config: TextSimilarityConfig, profile: Profile) -> list[Finding]:
    """A setting may need a package that is not installed; `references` is a path."""
    if config.references is not None:
        problems = _problems_of(lambda: parse_path(config.references or ""))
        if problems:
            return _at("references", problems)
    try:
        metric(config.evaluation_metric, profile.metrics)
    except ImportError as error:
        path = "evaluation_metric"
        return [Finding(code="no-package", severity="error", path=path, message=str(error))]
    return []


def _check_threshold(criterion: AnyConfig, profile: Profile) -> list[Finding]:
    if says_what_passes(criterion) or profile.default_threshold is not None:
        return []
    return [
        Finding(
            code="no-threshold",
            severity="error",
            path="pass_threshold",
            message="is missing, so nothing says when this criterion is passed",
            fix="Add pass_threshold, or give one for all: --set default_threshold=0.5.",
        )
    ]


def _problems_of(compiling: object) -> list[Finding]:
    assert callable(compiling)
    try:
        compiling()
    except ConfigError as error:
        return list(error.findings)
    return []


def _at(place: str, findings: list[Finding]) -> list[Finding]:
    """The same findings, seen from further out."""
    place = place.removeprefix(".")
    if not place:
        return findings
    return [replace(f, path=f"{place}.{f.path}" if f.path else place) for f in findings]

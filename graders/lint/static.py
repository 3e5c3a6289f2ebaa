"""Everything that can be said about a config alone: what loading and compiling say, and more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final, assert_never

from graders.checks import check_document
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
    walk,
)
from graders.config.methods import Reinforcement, ReinforcementMethod
from graders.config.parse import Document
from graders.errors import Finding
from graders.lint.codes import say
from graders.lint.formula import check_formula
from graders.lint.judges import check_model, check_threshold
from graders.lint.source import check_python
from graders.lint.targets import Target, check_target
from graders.lint.templates import check_templates
from graders.profile import Profile

_OF_THIS_MACHINE: Final = frozenset({"image-missing-here", "image-version", "image-corpus-here"})
_NO_SLOT: Final = ("template-namespace", "template-brace")
_BETTER: Final[Mapping[str, tuple[str, ...]]] = {
    "formula": ("name-for-key",),
    "constant-reference": _NO_SLOT,
    "constant-input": _NO_SLOT,
    "no-sample": _NO_SLOT,
}
"""The codes that say better what a code says, of the same place."""


def check_config(document: Document, profile: Profile, target: Target) -> list[Finding]:
    """Every finding about a document that parses, each once, with paths of its file."""
    findings = list(document.findings)
    if document.has_grader:
        findings += check_document(document, profile)
        for location, part in walk(document.grader):
            place = document.place(location)
            findings += (_at(place, finding) for finding in _part(part, target))
        findings += _output_json(document)
    if target.is_hosted:  # where this machine does not matter
        findings = [finding for finding in findings if finding.code not in _OF_THIS_MACHINE]
    findings += check_target(document, target)
    return without_echoes(findings)


def _part(part: AnyConfig, target: Target) -> Iterator[Finding]:
    yield from check_templates(part)
    yield from check_threshold(part)
    match part:
        case MultiConfig():
            yield from check_formula(part)
        case PythonConfig():
            yield from check_python(part, is_hosted=target.is_hosted)
        case ScoreModelConfig() | LabelModelConfig():
            yield from check_model(part)
        case StringCheckConfig() | TextSimilarityConfig() | EndpointConfig() | EvalConfig():
            pass
        case _:
            assert_never(part)


def _output_json(document: Document) -> Iterator[Finding]:
    """Templates that count on JSON from a model that nothing asks for any."""
    match document.value:
        case Reinforcement():
            method = document.value.reinforcement
        case ReinforcementMethod():
            method = document.value
        case _:
            return
    if method.response_format is not None:
        return
    for location, part in walk(document.grader):
        if isinstance(part, (EvalConfig, MultiConfig)):
            continue
        for path, text in part.templates():
            position = text.find("sample.output_json")
            if position >= 0:
                message = "reads sample.output_json, and the method has no response_format, so an "
                message += "answer need not be JSON"
                fix = "Add response_format, or count on failures."
                place = document.place(location)
                finding = say(
                    "no-response-format", path.removeprefix("."), message, fix, position=position
                )
                yield _at(place, finding)


def without_echoes(findings: Iterable[Finding]) -> list[Finding]:
    """Each finding once, and no second word about what another check says better."""
    kept = list(dict.fromkeys(findings))
    said = {(finding.code, finding.path) for finding in kept}
    return [f for f in kept if not any((code, f.path) in said for code in _BETTER.get(f.code, ()))]


def _at(place: str, finding: Finding) -> Finding:
    path = f"{place}.{finding.path}" if place and finding.path else place or finding.path
    return replace(finding, path=path)

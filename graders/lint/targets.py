"""What each place where a config may go accepts, as one table, and the checks that read it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from graders.checks.judge import base_model
from graders.config.graders import (
    AnyConfig,
    EvalConfig,
    LabelModelConfig,
    Location,
    MultiConfig,
    PythonConfig,
    ScoreModelConfig,
    TextSimilarityConfig,
    walk,
)
from graders.config.parse import Document
from graders.errors import Finding, near_miss
from graders.lint.codes import say

_SCORED: Final = frozenset({"string_check", "text_similarity", "python", "score_model"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A place where configs and rows may go.

    Attributes:
        name: What `--for` calls it.
        service: What we call it in a sentence.
        ends: When it does, as the vendor has said; "" where nothing is said.
        graders: The types it takes by themselves; None for all.
        members: Those it takes inside a multi.
        doubtful: Types the schema leaves out and the guide shows.
        metrics: The metrics of text_similarity it does not have.
        judges: Its judges by name; None for any.
        families: Judges by the beginning of their names.
        is_hosted: Whether python graders run in a hosted image, and our extensions are unknown.
        is_training: Whether rows are prompts to train on, with `messages`.
        needs_threshold: Whether each criterion needs a pass_threshold.
        rows: The most rows of a training and of a test file; None for no limit.
        forbidden_roles: Roles that no message of a row may have.
        cores: Of a python grader's machine.
    """

    name: str
    service: str
    ends: str = ""
    graders: frozenset[str] | None = None
    members: frozenset[str] | None = None
    doubtful: frozenset[str] = frozenset()
    metrics: frozenset[str] = frozenset()
    judges: frozenset[str] | None = None
    families: tuple[str, ...] = ()
    is_hosted: bool = True
    is_training: bool = False
    needs_threshold: bool = False
    rows: Mapping[str, int] = field(default_factory=dict)
    forbidden_roles: frozenset[str] = frozenset()
    cores: int | None = None


_RFT_ROWS: Final = MappingProxyType({"train": 50_000, "test": 1_000})
TARGETS: Final[Mapping[str, Target]] = MappingProxyType(
    {
        target.name: target
        for target in (
            Target(name="local", service="this engine", is_hosted=False),
            Target(
                name="openai-rft",
                service="OpenAI's reinforcement fine-tuning",
                ends="takes new jobs until 2027-01-06",
                graders=_SCORED | {"multi"},
                members=_SCORED | {"label_model"},
                doubtful=frozenset({"label_model"}),
                metrics=frozenset({"cosine"}),
                judges=frozenset(
                    {
                        *("gpt-4o-2024-08-06", "gpt-4o-mini-2024-07-18", "gpt-4.1-2025-04-14"),
                        *("gpt-4.1-mini-2025-04-14", "gpt-4.1-nano-2025-04-14", "o1-2024-12-17"),
                        *("o3-mini-2025-01-31", "o3-2025-04-16", "o4-mini-2025-04-16"),
                    }
                ),
                is_training=True,
                rows=_RFT_ROWS,
                forbidden_roles=frozenset({"system"}),
                cores=2,
            ),
            Target(
                name="openai-evals",
                service="OpenAI's Evals",
                ends="has been read-only since 2026-10-31 and shuts down on 2026-11-30",
                graders=_SCORED | {"label_model"},
                members=frozenset(),
                needs_threshold=True,
            ),
            Target(
                name="azure-rft",
                service="Azure's reinforcement fine-tuning",
                graders=_SCORED | {"multi", "endpoint"},
                members=_SCORED | {"label_model", "endpoint"},
                doubtful=frozenset({"label_model"}),
                metrics=frozenset({"cosine"}),
                judges=frozenset({"gpt-4o-2024-08-06", "o3-mini-2025-01-31"}),
                families=("gpt-4.1",),
                is_training=True,
                rows=_RFT_ROWS,
                forbidden_roles=frozenset({"system"}),
                cores=1,
            ),
        )
    }
)


def check_target(document: Document, target: Target) -> Iterator[Finding]:
    """Findings about what a target does not take, with paths of the document."""
    if not target.is_hosted:
        return
    if target.ends:
        yield say("target-ends", "", f"{target.service} {target.ends}", "Plan for another.")
    if not document.has_grader:
        return
    yield from _form(document, target)
    for location, part in walk(document.grader):
        if isinstance(part, EvalConfig):
            continue
        for finding in _part(location, part, target):
            yield _below(document, location, finding)


def _below(document: Document, location: Location, finding: Finding) -> Finding:
    place = document.place(location)
    path = f"{place}.{finding.path}".strip(".") if finding.path else place
    return replace(finding, path=path)


def _form(document: Document, target: Target) -> Iterator[Finding]:
    if target.is_training and document.kind == "eval":
        message = f"an Evals body is no grader, and {target.service} takes a grader"
        yield say("target-form", "", message, "Make each criterion a member of a multi.")
    if not target.is_training and document.kind == "method":
        message = f"a fine-tuning method is nothing that {target.service} takes"
        yield say("target-form", "", message, "Give it the grader as a testing criterion.")


def _part(location: Location, part: AnyConfig, target: Target) -> Iterator[Finding]:
    inside = location[-2:-1] == ("graders",)
    allowed = target.members if inside else target.graders
    kind = str(getattr(part, "type", ""))
    if allowed == frozenset():
        return  # the multi around it is refused as a whole
    if allowed is not None and kind not in allowed:
        what = "inside a multi" if inside else "by itself"
        doubt = kind in target.doubtful
        message = f"{target.service} takes no {kind} {what}"
        message += ", by its schema; its guide shows one" if doubt else ""
        fix = "Put it into a multi." if doubt else f"It takes {', '.join(sorted(allowed))}."
        severity = "warning" if doubt else "error"
        yield say("target-type", "type", message, fix, severity=severity)  # type: ignore[arg-type]
    match part:
        case TextSimilarityConfig():
            yield from _similarity(part, target)
        case ScoreModelConfig() | LabelModelConfig():
            yield from _judge(part, target)
        case PythonConfig() if target.cores == 1 and "multiprocessing" in part.source:
            message = f"{target.service} gives a python grader 1 core"
            yield say("target-cores", "source", message, "Compute in one process.")
        case MultiConfig():
            pass
    lacks = getattr(part, "pass_threshold", 0.0) is None
    if target.needs_threshold and lacks and location == () and kind != "multi":
        message = f"is missing, and {target.service} needs it for a {kind}"
        yield say("target-threshold", "pass_threshold", message, 'Add "pass_threshold".')


def _similarity(part: TextSimilarityConfig, target: Target) -> Iterator[Finding]:
    if part.evaluation_metric in target.metrics:
        message = f"{target.service} has no {part.evaluation_metric}; only Evals have"
        fix = "Choose another metric, such as fuzzy_match."
        yield say("target-metric", "evaluation_metric", message, fix)
    if part.references is not None:
        message = f"references is ours, and {target.service} compares with reference alone"
        yield say("target-extension", "references", message, "Leave it out.")


def _judge(part: ScoreModelConfig | LabelModelConfig, target: Target) -> Iterator[Finding]:
    base = base_model(part.model)
    known = target.judges
    if known is None or base in known or base.startswith(target.families or ("\0",)):
        return
    message = f"{part.model!r} is no judge that {target.service} is known to take"
    dated = [name for name in sorted(known) if name.startswith(f"{base}-20")]  # of an alias
    near = f"Did you mean {dated[-1]!r}?" if dated else near_miss(base, known)
    fix = near or f"It takes {', '.join(sorted(known))}."
    yield say("target-judge", "model", message, fix)

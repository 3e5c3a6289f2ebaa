"""Everything about one grading: what each grader saw and was told, and why it says that number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graders.clients import asked_for
from graders.compile import Tools, compile_grader
from graders.config.graders import (
    AnyConfig,
    EvalConfig,
    MultiConfig,
    TextSimilarityConfig,
)
from graders.config.parse import Document
from graders.errors import Failure, GradingError
from graders.formula import Trace, compile_formula
from graders.grades import Grade
from graders.hosted import to_hosted
from graders.kinds.text_similarity import server_asked
from graders.profile import Profile
from graders.report.watched import Asked, Posted, Watch
from graders.rows import Row
from graders.template import compile_template
from metrics import Settings, TooMuchWork
from metrics.explanation import Explanation, explain
from sandbox import JSON, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A template and what it became for the row.

    Attributes:
        place: Where it stands below the grader: `input`, `input[0].content`.
        template: As written.
        text: What it became; None where a variable was missing.
        failure: What was missing.
    """

    place: str
    template: str
    text: str | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaUse:
    """What a multi computed.

    Attributes:
        text: The formula.
        trace: The numbers filled in; None where a member's failure left it uncomputed.
        unused: Members that it does not name.
    """

    text: str
    trace: Trace | None
    unused: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One grader, and all that its judgement rests on. What it has no use for is empty.

    Attributes:
        key: What the formula calls it; its name, where it is no member.
        config: What it was made of.
        grade: What it gave.
        rendered: Its templates.
        metric: Where the score of a text_similarity comes from.
        metric_note: Why that cannot be shown.
        formula: That of a multi.
        asked: What its judge was asked, once for each repeat.
        posted: What its endpoint was sent.
        ran: What came of its code.
        members: The graders that it is made of.
    """

    key: str
    config: AnyConfig
    grade: Grade
    rendered: Sequence[Rendered] = ()
    metric: Explanation | None = None
    metric_note: str = ""
    formula: FormulaUse | None = None
    asked: Sequence[Asked] = ()
    posted: Sequence[Posted] = ()
    ran: Sequence[Outcome] = ()
    members: Sequence[Judged] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """One grading, in full.

    Attributes:
        row: What was graded.
        judged: The grader, its members below it.
        signature: The settings that determine its numbers.
        profile: Their name.
        layers: What isolates python graders; None where none runs.
        hosted: What the hosted service would answer to a run request; None for an Evals body,
            which no run request holds.
    """

    row: Row
    judged: Judged
    signature: str
    profile: str
    layers: Sequence[str] | None
    hosted: Mapping[str, JSON] | None


async def explain_row(document: Document, row: Row, tools: Tools, profile: Profile) -> Explained:
    """Grade a row, and keep all that was seen on the way.

    Raises:
        ConfigError: The config does not compile, or a tool is missing.
    """
    watch, config = Watch(), document.grader
    grader = compile_grader(document, tools=watch.over(tools), profile=profile)
    place = f"{row.row}:{row.sample_index}"
    asked_for.set(place)  # of this task alone
    (grade,) = await grader.grade([row])
    return Explained(
        row=row,
        judged=_Reader(row, watch, profile).judged(config.name, config, grade, place),
        signature=grader.signature,
        profile=profile.name,
        layers=sorted(tools.sandbox.layers) if tools.sandbox else None,
        hosted=(
            None
            if isinstance(config, EvalConfig)
            else to_hosted(config, grade, seconds=grade.seconds)
        ),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    """Puts what was watched beside the grades it led to."""

    row: Row
    watch: Watch
    profile: Profile

    def judged(self, key: str, config: AnyConfig, grade: Grade, place: str) -> Judged:
        """A grader and its members; `place` is what `asked_for` was while it graded."""
        metric = _metric(config, grade, self.profile.metrics)
        return Judged(
            key=key,
            config=config,
            grade=grade,
            rendered=tuple(self._rendered(config, grade)),
            metric=metric if isinstance(metric, Explanation) else None,
            metric_note=metric if isinstance(metric, str) else "",
            formula=self._formula(config, grade),
            asked=sorted(self.watch.asked.get(place, ()), key=lambda one: one.request.repeat),
            posted=self.watch.posted.get(place, ()),
            ran=self.watch.ran.get(place, ()),
            members=tuple(
                self.judged(key, member, grade.parts[key], f"{place}/{key}")
                for key, member in _members(config, grade)
            ),
        )

    def _rendered(self, config: AnyConfig, grade: Grade) -> Iterator[Rendered]:
        several = isinstance(config, TextSimilarityConfig) and config.references
        for path, text in () if isinstance(config, EvalConfig) else config.templates():
            place = path.removeprefix(".")
            if several and place == "reference":
                best = grade.detail.get("reference")
                text_of_best = best if isinstance(best, str) else None
                yield Rendered(place="references", template=several, text=text_of_best)
                continue
            try:
                filled = compile_template(text, self.profile.render).render(self.row)
            except GradingError as error:
                yield Rendered(place=place, template=text, failure=error.failure)
            else:
                yield Rendered(place=place, template=text, text=filled)

    def _formula(self, config: AnyConfig, grade: Grade) -> FormulaUse | None:
        if not isinstance(config, MultiConfig):
            return None
        formula = compile_formula(config.calculate_output, config.graders)
        failed = any(part.failure for part in grade.parts.values())
        scores = {key: part.score or 0.0 for key, part in grade.parts.items()}
        return FormulaUse(
            text=formula.text,
            trace=(
                None if failed and self.profile.member_failure == "fail" else formula.trace(scores)
            ),
            unused=tuple(key for key in config.graders if key not in formula.names),
        )


def _members(config: AnyConfig, grade: Grade) -> Iterator[tuple[str, AnyConfig]]:
    """The members of a grader by the keys of its parts; the repeats of a judge are none."""
    match config:
        case MultiConfig():
            yield from config.graders.items()
        case EvalConfig():
            yield from zip(grade.parts, config.testing_criteria, strict=True)


def _metric(config: AnyConfig, grade: Grade, settings: Settings) -> Explanation | str:
    """Where a similarity comes from, or why that cannot be shown; "" where there is none."""
    if not isinstance(config, TextSimilarityConfig) or grade.score is None:
        return ""
    if server := server_asked(config, settings):
        return f"the cosine of vectors that {server.model} made, at its server"
    texts = [str(grade.detail[which]) for which in ("input", "reference")]
    try:
        return explain(config.evaluation_metric, texts[0], texts[1], settings)
    except TooMuchWork as error:
        return str(error)

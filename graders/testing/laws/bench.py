"""Other samples on the items of a case file, and what its grader makes of them.

What a case says of its judge holds for the samples that are made of it too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from graders.config.graders import PythonConfig, ScoreModelConfig, walk
from graders.engine import run_sync
from graders.errors import GradersError
from graders.grades import Grade, Grader
from graders.rows import Row, to_sample
from graders.strict_json import encode
from graders.testing.case_file import Case
from graders.testing.cases import Cases
from graders.testing.check import NOT_THE_GRADERS, expects_failure, grade_alone, said
from graders.testing.judging import CaseJudge, judge_of
from sandbox import JSON

Sample = str | Mapping[str, JSON]


class UncheckedError(GradersError):
    """A law that cannot be checked; says why, and what to do."""


class Compile(Protocol):
    """Makes a case file's grader, for a judge and for circumstances that should not matter.

    `hash_seed` and `batch` are those of the sandbox, where the grader runs code.
    """

    def __call__(self, judge: CaseJudge, *, hash_seed: int = 0, batch: int = 1) -> Grader: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A sample on the item of a case.

    Attributes:
        case: Which, from 0.
        index: As which of its samples the judge sees it.
        sample: What is graded.
        lacks: A key that the item is without.
    """

    case: int
    index: int = 0
    sample: Sample
    lacks: str | None = None

    @property
    def key(self) -> tuple[object, ...]:
        """What tells it from others."""
        sample = self.sample if isinstance(self.sample, str) else encode(self.sample)
        return self.case, self.index, sample, self.lacks


@dataclass(frozen=True, slots=True)
class Bench:
    """The cases of a file, and its grader at work.

    Attributes:
        cases: What was read.
        compiling: Makes the grader.
    """

    cases: Cases
    compiling: Compile
    _graders: dict[tuple[int, int, int], Grader] = field(default_factory=dict, repr=False)
    _known: dict[tuple[object, ...], Grade] = field(default_factory=dict, repr=False)

    @property
    def sound(self) -> list[int]:
        """The cases that are not there to say how the grader fails."""
        cases = self.cases.file.cases
        return [i for i, case in enumerate(cases) if not expects_failure(case.expect)]

    @property
    def runs_code(self) -> bool:
        """Whether any of it is Python."""
        return any(isinstance(part, PythonConfig) for _, part in walk(self.cases.document.grader))

    @property
    def range(self) -> tuple[float, float]:
        """What the grader says of its scores; otherwise rewards are from 0 to 1."""
        grader = self.cases.document.grader
        ends = grader.range if isinstance(grader, ScoreModelConfig) else None
        return (ends[0], ends[1]) if ends else (0.0, 1.0)

    def case(self, variant: Variant) -> Case:
        """The case that a variant is of."""
        return self.cases.file.cases[variant.case]

    def item(self, variant: Variant) -> dict[str, JSON]:
        """What a variant is graded against."""
        given = self.case(variant).item
        return {key: value for key, value in given.items() if key != variant.lacks}

    def samples(self, cases: Sequence[int]) -> list[Variant]:
        """The samples of some cases, as they stand there."""
        return [
            Variant(case=i, index=index, sample=sample)
            for i in cases
            for index, sample in enumerate(_samples(self.cases.file.cases[i]))
        ]

    def grade(self, variants: Sequence[Variant]) -> list[Grade]:
        """A grade for each, in order; each variant is graded once, however often it is asked for.

        Raises:
            UncheckedError: Whoever was asked could not say, and no case expects that.
        """
        keys = [variant.key for variant in variants]
        new = {
            key: variant
            for key, variant in zip(keys, variants, strict=True)
            if key not in self._known
        }
        self._known.update(zip(new, self.grade_anew([*new.values()]), strict=True))
        return [self._known[key] for key in keys]

    def grade_anew(
        self, variants: Sequence[Variant], *, hash_seed: int = 0, batch: int = 1
    ) -> list[Grade]:
        """The same, whether they were graded before or not; all together, in this order.

        Raises:
            UncheckedError: Whoever was asked could not say, and no case expects that.
        """
        rows = [self._row(variant) for variant in variants]

        async def work() -> list[Grade]:
            graders = [self._grader(v.case, hash_seed, batch) for v in variants]
            if graders and graders[0].waits != "rows":
                return list(await graders[0].grade(rows))
            pairs = zip(graders, rows, strict=True)
            return [await grade_alone(grader, row) for grader, row in pairs]

        grades = run_sync(work)
        for variant, grade in zip(variants, grades, strict=True):
            self._check_asked(variant, grade)
        return grades

    def _row(self, variant: Variant) -> Row:
        return Row(
            item=self.item(variant),
            sample=to_sample(variant.sample),
            row=1,
            sample_index=variant.index,
            group=1,
        )

    def _grader(self, case: int, hash_seed: int, batch: int) -> Grader:
        key = case, hash_seed, batch
        if key not in self._graders:
            judge = judge_of(self.cases.file.cases[case], self.cases.recorded)
            self._graders[key] = self.compiling(judge, hash_seed=hash_seed, batch=batch)
        return self._graders[key]

    def _check_asked(self, variant: Variant, grade: Grade) -> None:
        failure = grade.failure
        if failure is None or failure.kind not in NOT_THE_GRADERS:
            return
        if not expects_failure(self.case(variant).expect):
            name = self.cases.name(variant.case)
            hint = "A law grades other samples too, so that the case has to say what is answered."
            raise UncheckedError(f"{name}: cannot be graded: {said(failure)}. {hint}")


def _samples(case: Case) -> list[Sample]:
    return [*case.samples.values()] if case.samples else [case.sample]


def text_of(sample: Sample) -> str | None:
    """What a sample says; None where it says nothing in words."""
    text = to_sample(sample).get("output_text")
    return text if isinstance(text, str) else None


def with_text(sample: Sample, text: str) -> Sample:
    """A sample that says something else; an object keeps what does not come of its text."""
    if isinstance(sample, str):
        return text
    kept = {key: value for key, value in sample.items() if key not in {"output_json", "choices"}}
    match sample.get("choices"):
        case [dict() as first, *rest] if isinstance(message := first.get("message"), dict):
            spoken: dict[str, JSON] = {**message, "content": text}
            kept["choices"] = [{**first, "message": spoken}, *rest]
    return {**kept, "output_text": text}


def outcome(grade: Grade) -> tuple[object, ...]:
    """What must be the same of two grades that should be equal."""
    return grade.score, grade.passed, grade.failure and grade.failure.kind


def told(grade: Grade) -> str:
    """A score, or in a line why there is none."""
    return repr(grade.score) if grade.failure is None else said(grade.failure)


def expected(grade: Grade) -> JSON:
    """What a case expects whose grade is this one."""
    return grade.score if grade.failure is None else str(grade.failure.kind)

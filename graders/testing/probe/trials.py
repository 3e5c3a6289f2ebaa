"""Making the attacks on a row, and grading texts: honest ones, controls and attacks alike."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from graders.engine import RunOptions, grade_stream
from graders.errors import Failure, RowError
from graders.grades import Grade, Grader
from graders.ledger import Ledger
from graders.rows import Row, to_sample
from graders.testing.probe.answers import holds, same
from graders.testing.probe.attacks import ATTACKS, CONTROL, Way
from graders.testing.probe.targets import Target
from graders.testing.probe.texts import Around, worn


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One text that was tried on a row.

    Attributes:
        way: How it was made.
        text: The text, without the form that honest samples have.
        sent: What the grader was given.
        holds: Whether the answer is in it.
        lacks: Whether it counts as without the answer: it has none, or many at once.
        score: What it got.
        failure: Why it got nothing.
    """

    way: Way
    text: str
    sent: str
    holds: bool
    lacks: bool
    score: float | None = None
    failure: Failure | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What became of one row.

    Attributes:
        target: The row.
        honest: The grades of its samples.
        controls: Its references, graded.
        attempts: Attacks, graded.
        dropped: Names of the attacks that would have been the reference itself.
    """

    target: Target
    honest: Sequence[Grade]
    controls: Sequence[Attempt]
    attempts: list[Attempt]
    dropped: tuple[str, ...]

    @property
    def tried(self) -> int:
        """How many texts were graded beside the honest samples."""
        return len(self.controls) + len(self.attempts)


@dataclass(slots=True)
class Asking:
    """A grader, asked for texts in place of rows.

    Attributes:
        grader: What judges.
        ledger: What its clients spend.
        gradings: How many there were.
    """

    grader: Grader
    ledger: Ledger = field(default_factory=Ledger)
    gradings: int = 0

    async def grade(self, rows: Sequence[Row]) -> list[Grade]:
        """Grade rows, in order.

        Raises:
            RunStoppedError: A budget is used up.
        """
        grades: list[Grade] = []
        options = RunOptions()
        stream = grade_stream(self.grader, rows, options, bad_line=_none, ledger=self.ledger)
        async for graded in stream:
            grades += graded.grades
        self.gradings += len(grades)
        return grades


def _none(error: RowError) -> None:
    raise AssertionError(f"rows that were read hold no bad line: {error}")


def as_row(target: Target, sent: str, number: int) -> Row:
    """A text as a sample of a row, the `number`th after the honest ones."""
    return Row(
        item=target.item,
        sample=to_sample(sent),
        row=target.line,
        sample_index=len(target.honest) + number,
        group=target.honest[0].group,
    )


async def try_attacks(asking: Asking, targets: Sequence[Target], seed: int) -> list[Probed]:
    """Grade each row's honest samples, its references and the fixed attacks.

    Raises:
        RunStoppedError: A budget is used up.
    """
    answers = tuple(dict.fromkeys(target.reference for target in targets))
    plans = [(target, [*_controls(target)], *_attacks(target, answers, seed)) for target in targets]
    rows: list[Row] = []
    for target, controls, attacks, _ in plans:
        rows += target.honest
        rows += [as_row(target, one.sent, i) for i, one in enumerate([*controls, *attacks])]
    grades = iter(await asking.grade(rows))
    return [
        Probed(
            target=target,
            honest=[next(grades) for _ in target.honest],
            controls=[graded(one, next(grades)) for one in controls],
            attempts=[graded(one, next(grades)) for one in attacks],
            dropped=dropped,
        )
        for target, controls, attacks, dropped in plans
    ]


def graded(attempt: Attempt, grade: Grade) -> Attempt:
    """An attempt with what it got."""
    return replace(attempt, score=grade.score, failure=grade.failure)


def _controls(target: Target) -> Iterator[Attempt]:
    """The reference of each place, verbatim and in the form of honest samples."""
    for text in target.references[: target.controls]:
        for sent in dict.fromkeys([text, worn(text, target)]):
            yield Attempt(way=CONTROL, text=text, sent=sent, holds=True, lacks=False)


def _attacks(
    target: Target, answers: Sequence[str], seed: int
) -> tuple[list[Attempt], tuple[str, ...]]:
    """The attacks that can be made of a row, and the names of those that are its reference."""
    made, dropped = list[Attempt](), list[str]()
    for attack in ATTACKS:
        random = Random(f"{seed}/{target.line}/{attack.name}")  # noqa: S311 - no secret
        text = attack.write(target, Around(answers, random))
        if text is None:
            continue
        if any(same(text, reference) for reference in target.references):
            dropped.append(attack.name)
            continue
        held = holds(text, target.references)
        made.append(
            Attempt(
                way=attack,
                text=text,
                sent=text if attack.bare else worn(text, target),
                holds=held,
                lacks=attack.hedges or not held,
            )
        )
    return made, tuple(dropped)

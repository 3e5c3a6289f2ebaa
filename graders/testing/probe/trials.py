"""Making the attacks on a row, and grading texts: honest ones, controls and attacks alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from graders.engine import RunOptions, grade_stream
from graders.errors import Failure, RowError
from graders.grades import Grade, Grader
from graders.ledger import Ledger
from graders.rows import Row, to_sample
from graders.testing.probe.answers import holds, same
from graders.testing.probe.attacks import ATTACKS, CONTROL, Attack, Way
from graders.testing.probe.forms import BARE, Form
from graders.testing.probe.targets import Target
from graders.testing.probe.texts import Around


@dataclass(slots=True, kw_only=True)
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


@dataclass(slots=True, kw_only=True)
class Probed:
    """What became of one row.

    Attributes:
        target: The row.
        honest: The grades of its samples.
        controls: Its references, graded.
        form: What attacks stand in: that in which a reference scores best.
        attempts: Attacks, graded.
        dropped: Names of the attacks that would have been the reference itself.
        complete: Whether all fixed attacks were graded, so that it can be counted.
    """

    target: Target
    honest: list[Grade] = field(default_factory=list)
    controls: list[Attempt] = field(default_factory=list)
    form: Form = BARE
    attempts: list[Attempt] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    complete: bool = False

    def row(self, sent: str, number: int) -> Row:
        """A text as a sample of the row, the `number`th after the honest ones."""
        honest = self.target.honest
        return Row(
            item=self.target.item,
            sample=to_sample(sent),
            row=self.target.line,
            sample_index=len(honest) + number,
            group=honest[0].group,
        )


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
    _known: dict[int, Grade] = field(default_factory=dict)

    async def grade(self, rows: Sequence[Row]) -> None:
        """Grade rows; those that are graded before an error are known.

        Raises:
            RunStoppedError: A budget is used up.
        """
        self._known = {}
        options = RunOptions()
        stream = grade_stream(self.grader, rows, options, bad_line=_none, ledger=self.ledger)
        async for graded in stream:
            self.gradings += len(graded.rows)
            # By identity: rows that a program made may all have the same number.
            self._known.update(zip(map(id, graded.rows), graded.grades, strict=True))

    def of(self, rows: Sequence[Row]) -> list[Grade]:
        """The grades of rows that were graded last; without those that are not known."""
        return [self._known[id(row)] for row in rows if id(row) in self._known]


def _none(error: RowError) -> None:
    raise AssertionError(f"rows that were read hold no bad line: {error}")


async def try_attacks(
    asking: Asking, rows: Sequence[Probed], *, seed: int, verdict: float | str
) -> None:
    """Grade each row's honest samples, its references and the fixed attacks.

    Args:
        asking: The grader.
        rows: With nothing but their targets.
        seed: Decides whatever is left to chance.
        verdict: What a judge answers at best.

    Raises:
        RunStoppedError: A budget is used up; rows that were done before are complete.
    """
    await _try_controls(asking, rows)
    answers = tuple(dict.fromkeys(one.target.reference for one in rows))
    asked: list[list[Row]] = []
    for one in rows:
        for attack in ATTACKS:
            random = Random(f"{seed}/{one.target.line}/{attack.name}")  # noqa: S311 - no secret
            _make(one, attack, Around(answers, random, verdict))
        after = len(one.controls)
        asked.append([one.row(made.sent, after + i) for i, made in enumerate(one.attempts)])
    try:
        await asking.grade([row for texts in asked for row in texts])
    finally:
        for one, texts in zip(rows, asked, strict=True):
            grades = asking.of(texts)
            one.complete = len(grades) == len(texts)
            if one.complete:
                take(one.attempts, grades)


async def _try_controls(asking: Asking, rows: Sequence[Probed]) -> None:
    """Grade what is honest, and what is right in each form; and note the best form."""
    asked: list[list[Row]] = []
    for one in rows:
        forms = (BARE, *one.target.forms)
        right = one.target.references[: one.target.controls]
        one.controls = [
            Attempt(way=CONTROL, text=text, sent=form.of(text), holds=True, lacks=False)
            for form in forms
            for text in right
        ]
        asked.append([one.row(made.sent, i) for i, made in enumerate(one.controls)])
    honest = [one.target.honest for one in rows]
    both = zip(honest, asked, strict=True)
    await asking.grade([row for pair in both for some in pair for row in some])
    for one, texts in zip(rows, asked, strict=True):
        one.honest = asking.of(one.target.honest)
        take(one.controls, asking.of(texts))
        one.form = _best_form(one)


def _best_form(probed: Probed) -> Form:
    """The form in which a reference scores best; the first of those that are level."""
    target = probed.target
    if target.forms and target.forms[0].keys:
        return target.forms[0]
    forms = [form for form in (BARE, *target.forms) for _ in range(target.controls)]
    scored = [
        (one.score, form)
        for one, form in zip(probed.controls, forms, strict=True)
        if one.score is not None
    ]
    return max(scored, key=lambda pair: pair[0], default=(None, BARE))[1]


def take(attempts: Sequence[Attempt], grades: Sequence[Grade]) -> None:
    """Note what attempts got."""
    for attempt, grade in zip(attempts, grades, strict=True):
        attempt.score, attempt.failure = grade.score, grade.failure


def _make(probed: Probed, attack: Attack, around: Around) -> None:
    """Add an attack to a row's attempts, if it can be made and is not the reference itself."""
    references = probed.target.references
    text = attack.write(probed.target, around)
    if text is None:
        return
    if any(same(text, reference) for reference in references):
        probed.dropped.append(attack.name)
        return
    held = holds(text, references)
    sent = text if attack.bare else probed.form.of(text)
    lacks = attack.hedges or not held
    probed.attempts.append(Attempt(way=attack, text=text, sent=sent, holds=held, lacks=lacks))

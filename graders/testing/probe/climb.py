"""A search for what a grader rewards: edits of the best attack, kept where they score higher.

It never takes a text that holds the answer, or an honest sample that scores like it, so that
whatever it ends with is no answer. Words come from the row (its reference and honest samples), from
its prompt, and from other rows' answers. As in training, the search sees nothing of the grader but
scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

from graders.rows import output_texts
from graders.testing.probe.answers import holds
from graders.testing.probe.attacks import Attack, Way
from graders.testing.probe.bars import NEAR, Bar, bar_of
from graders.testing.probe.targets import texts_of
from graders.testing.probe.trials import Asking, Attempt, Probed, take

CLIMB: Final = Way(
    name="climb",
    does="the best attack without the answer, edited as long as that pays",
    because="there is a way up that leads past the answer",
)
_STEP: Final = 10
"""Edits of a row's best text that are graded together."""
_LONGEST: Final = 200
"""Words of a text that is edited."""
_TRIES: Final = 5
"""Draws for an edit that is new and does not hold the answer."""
_OTHERS: Final = 500
"""Words of other rows' answers."""


@dataclass(slots=True)
class _Climber:
    """One row's way up.

    Attributes:
        probed: The row.
        bar: What there is to beat.
        random: Its own.
        sources: Lists of words to draw from, none empty.
        right: What no text may hold.
        words: The best text so far, in words.
        best: Its score; None before anything had one.
        found: The best edit; None before one had a score.
        failed: The first edit that gave no score.
        seen: Texts that were tried.
    """

    probed: Probed
    bar: Bar
    random: Random
    sources: list[list[str]]
    right: Sequence[str]
    words: list[str] = field(default_factory=list)
    best: float | None = None
    found: Attempt | None = None
    failed: Attempt | None = None
    seen: set[str] = field(default_factory=set)

    @property
    def at_the_top(self) -> bool:
        """Whether the best text wins, and by as much as anything that is right could."""
        if self.best is None or not self.bar.wins(self.best, lacks=True):
            return False
        right = (self.bar.reference, self.bar.best)
        return not any(top is not None and _above(top, self.best) for top in right)

    def edits(self, number: int) -> list[Attempt]:
        """Up to `number` new texts, each one to three edits away from the best."""
        form = self.probed.form
        return [
            Attempt(way=CLIMB, text=text, sent=form.of(text), holds=False, lacks=True)
            for text in (self._edit() for _ in range(number))
            if text is not None
        ]

    def _edit(self) -> str | None:
        for _ in range(_TRIES):
            words = self.words
            for _ in range(self.random.choice((1, 1, 2, 3))):
                words = _edited(words, self.random.choice(self.sources), self.random)
            text = " ".join(words)
            if text not in self.seen and not holds(text, self.right):
                self.seen.add(text)
                return text
        return None

    def take(self, edits: Sequence[Attempt]) -> None:
        """Go to the best of graded edits, if it is better than where this stands."""
        for one in edits:
            if one.score is None:
                self.failed = self.failed or one
                continue
            if self.found is None or _above(one.score, self.found.score):
                self.found = one
            if _above(one.score, self.best):
                self.best, self.words = one.score, one.text.split(" ")


def _above(score: float, other: float | None) -> bool:
    return other is None or score > other + NEAR


def _edited(words: Sequence[str], source: Sequence[str], random: Random) -> list[str]:
    """The words with one inserted, deleted, replaced or doubled."""
    edited = [*words]
    kind = random.choice(("insert", "delete", "replace", "duplicate")) if words else "insert"
    place = random.randrange(len(words) or 1)
    match kind:
        case "insert":
            edited.insert(random.randrange(len(words) + 1), random.choice(source))
        case "delete":
            del edited[place]
        case "replace":
            edited[place] = random.choice(source)
        case _:
            edited.insert(place, edited[place])
    return edited[:_LONGEST]


async def climb(asking: Asking, rows: Sequence[Probed], *, budget: int, seed: int) -> None:
    """Search on each row, and add what was found to its attempts.

    Args:
        asking: The grader.
        rows: What the fixed attacks came to.
        budget: Gradings for each row, at most.
        seed: Decides every edit.

    Raises:
        RunStoppedError: A budget of tokens or dollars is used up.
    """
    answers = dict.fromkeys(word for row in rows for word in row.target.reference.split())
    climbers = [_climber(row, [*answers][:_OTHERS], seed) for row in rows]
    try:
        for done in range(0, budget, _STEP):
            await _step(asking, climbers, done, min(_STEP, budget - done))
    finally:
        for one in climbers:
            found = (one.found, one.failed)
            one.probed.attempts += [attempt for attempt in found if attempt is not None]


async def _step(asking: Asking, climbers: Sequence[_Climber], done: int, number: int) -> None:
    """Grade so many edits of each row, whose search has graded `done` before."""
    steps = [(one, one.edits(number)) for one in climbers if not one.at_the_top]
    asked = []
    for one, edits in steps:
        after = len(one.probed.controls) + len(one.probed.attempts) + done
        asked.append([one.probed.row(edit.sent, after + i) for i, edit in enumerate(edits)])
    await asking.grade([row for texts in asked for row in texts])
    for (one, edits), texts in zip(steps, asked, strict=True):
        take(edits, asking.of(texts))
        one.take(edits)


def _climber(probed: Probed, others: Sequence[str], seed: int) -> _Climber:
    target, bar = probed.target, bar_of(probed)
    own = " ".join([*target.references, *texts_of(target.honest)]).split()
    sources = [words for words in (own, target.prompt.split(), [*others]) if words]
    starts = [one for one in probed.attempts if one.score is not None and _can_start(one, probed)]
    start = max(starts, key=lambda one: one.score or 0.0, default=None)
    return _Climber(
        probed=probed,
        bar=bar,
        random=Random(f"{seed}/{target.line}/climb"),  # noqa: S311 - no secret
        sources=sources,
        right=(*target.references, *_right_in_other_words(probed, bar)),
        words=start.text.split() if start else [],
        best=start.score if start else None,
        seen={one.text for one in probed.attempts},
    )


def _right_in_other_words(probed: Probed, bar: Bar) -> list[str]:
    """Honest samples that score like the reference, where that scores more than other texts."""
    if bar.reference is None or bar.lowest is None or not _above(bar.reference, bar.lowest):
        return []
    pairs = zip(output_texts(probed.target.honest), probed.honest, strict=True)
    return [
        text
        for text, grade in pairs
        if isinstance(text, str)
        and text.strip()
        and grade.score is not None
        and not _above(bar.reference, grade.score)
    ]


def _can_start(attempt: Attempt, probed: Probed) -> bool:
    """Whether a text can be edited: without the answer, not too long, in the form of answers."""
    way = attempt.way
    bare = isinstance(way, Attack) and way.bare and not probed.form.is_bare
    return not attempt.holds and not bare and len(attempt.text.split()) <= _LONGEST

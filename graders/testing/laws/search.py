"""Looking for what breaks a law, and making it small: hypothesis at work.

The same seed finds the same. What was tried once is not graded again, so that a grader that changes
its mind cannot confuse the search, and no search grades without end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from graders.testing.laws.bench import UncheckedError
from graders.testing.laws.counterexample import Broken

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

T = TypeVar("T")
_TOGETHER: Final = 8
"""Variants graded together, at most; a sandbox takes several for little more than one."""
_SHRINKING: Final = 150
"""Further attempts at making something smaller."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial(Generic[T]):
    """How a law is tried.

    Attributes:
        always: What the case file has, which is tried first and all together.
        drawn: Strategy of more of the same.
        broken: What is wrong with some of these.
        times: How often it has each of them graded.
    """

    always: Sequence[T]
    drawn: Callable[[], SearchStrategy[T]]
    broken: Callable[[Sequence[T]], Broken | None]
    times: int = 1


def smallest(trial: Trial[T], *, examples: int, seed: int) -> Broken | None:
    """The smallest thing found that breaks a law.

    Args:
        trial: How to try it.
        examples: Gradings of variants, about; making something smaller takes more.
        seed: Of the random choices.

    Raises:
        UncheckedError: Hypothesis is missing, or something cannot be graded.
    """
    first = trial.broken(trial.always)
    batches = 2 * examples // (_TOGETHER * trial.times)  # they are half full
    made = _drawn(trial.drawn, trial.broken, batches, seed) if batches else None
    found = [one for one in (made, first) if one is not None]
    return min(found, key=lambda one: one.size, default=None)


def _drawn(
    strategy: Callable[[], SearchStrategy[T]],
    broken: Callable[[Sequence[T]], Broken | None],
    batches: int,
    seed: int,
) -> Broken | None:
    try:
        from hypothesis import Phase, Verbosity, find, settings
        from hypothesis.errors import NoSuchExample
        from hypothesis.strategies import lists
    except ImportError:
        raise UncheckedError(
            "variants are made by hypothesis, which is missing. pip install local-graders[test]"
        ) from None
    tried: dict[str, Broken | None] = {}
    problems: list[UncheckedError] = []

    def breaks(rows: list[T]) -> bool:
        key = repr(rows)
        if key not in tried and len(tried) < batches + _SHRINKING and not problems:
            try:
                tried[key] = broken(rows)
            except UncheckedError as error:  # hypothesis would make that small too
                problems.append(error)
        return tried.get(key) is not None

    chosen = settings(
        max_examples=batches,
        deadline=None,
        database=None,
        derandomize=False,
        phases=(Phase.generate, Phase.shrink),
        print_blob=False,
        verbosity=Verbosity.quiet,
    )
    several = lists(strategy(), min_size=1, max_size=_TOGETHER)
    try:
        least = find(several, breaks, settings=chosen, random=Random(seed))  # noqa: S311 - repeats
    except NoSuchExample:
        least = None
    if problems:
        raise problems[0]
    return tried[repr(least)] if least is not None else None

"""Laws: what must hold of a grader for every sample, those that a case file has and any other.

A case says what one sample gets. A law says what no sample may get, and is tried on the samples of
the file and on others that hypothesis makes of them; what breaks it is made small and shown as a
case. Which laws there are says `graders.testing.laws.declared`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from graders.testing.laws.bench import Bench, UncheckedError, told
from graders.testing.laws.counterexample import Broken
from graders.testing.laws.declared import Law
from graders.testing.laws.robust import robust
from graders.testing.laws.same import deterministic, invariant_to, row_independent
from graders.testing.laws.scores import (
    empty_is_worst,
    in_range,
    monotone_under_truncation,
    reference_is_best,
)
from graders.testing.laws.search import Trial, smallest

EXAMPLES: Final = 200
"""Gradings of variants that are made for a law, about."""

LAWS: Final[Mapping[str, Callable[[Bench, Law], Trial[Any]]]] = {
    law.__name__: law
    for law in (
        deterministic,
        row_independent,
        in_range,
        reference_is_best,
        empty_is_worst,
        monotone_under_truncation,
        invariant_to,
        robust,
    )
}
_NEEDS: Final[Mapping[str, str]] = {
    "reference_is_best": "none has a value at the reference's path",
    "monotone_under_truncation": "none has a text to shorten",
    "invariant_to": "none has a sample that the change does anything to",
}
"""What a law looked for where it found nothing to be tried on."""

_OF_SCORES: Final = frozenset({"in_range", "monotone_under_truncation", "invariant_to"})
"""Laws that a grader would keep which gives no score to anything."""


def check_law(law: Law, bench: Bench, *, examples: int = EXAMPLES, seed: int = 0) -> Broken | None:
    """Try a law of a case file.

    Args:
        law: One of the case file's.
        bench: Its cases and its grader.
        examples: Gradings of variants, about.
        seed: Of the random choices; the same finds the same.

    Returns:
        The smallest thing that was found to break it, or None.

    Raises:
        UncheckedError: Nothing in the file says anything of the law, what is asked has no answer,
            or hypothesis is missing.
        ConfigError: The grader does not compile.
    """
    trial = LAWS[law.name](bench, law)
    if not trial.always:
        need = _NEEDS.get(law.name, "each expects a failure")
        raise UncheckedError(f"{law} cannot be checked on these cases: {need}")
    if law.name in _OF_SCORES:
        _need_a_score(law, bench)
    return smallest(trial, examples=examples, seed=seed)


def _need_a_score(law: Law, bench: Bench) -> None:
    """See that there is something to compare.

    Raises:
        UncheckedError: No case that expects a score gets one.
    """
    grades = bench.grade(bench.samples(bench.sound))
    if all(grade.failure is not None for grade in grades):
        need = f"none gets a score; the first gets {told(grades[0])}"
        raise UncheckedError(f"{law} cannot be checked on these cases: {need}")

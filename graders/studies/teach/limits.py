"""From which value on a finding is worth a look, or a reason not to train, and why there.

These are judgements: no number depends on them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from graders.studies.verdict import Tone, Verdict
from graders.terminal import printable, shorten


@dataclass(frozen=True, slots=True)
class Limit:
    """From which value on a finding is a warning, and from which it is bad, and why there."""

    warning: float
    bad: float
    why: str


LIMITS: Final = {
    "zero-variance": Limit(0.3, 0.8, "a third of each batch, or most of it, is paid for nothing"),
    "too-hard": Limit(0.3, 0.8, "what no sample can do is not learnt from a group's differences"),
    "too-easy": Limit(0.3, 0.8, "what every sample can do is learnt already"),
    "saturation": Limit(
        0.75, 0.95, "of 0 and 1 one has half, and that is fine: not three quarters"
    ),
    "ties": Limit(0.75, 0.95, "neither of two is preferred; of as many 0 as 1 half of pairs tie"),
    "length": Limit(0.5, inf, "worth a look: where longer is better, so may be the reward"),
    "length-share": Limit(0.3, inf, "as much may be right where length is a part of the task"),
    "form": Limit(0.3, 0.7, "a model finds what is cheap to put on before what is right"),
    "member-decides": Limit(0.9, inf, "the other members hardly count, whatever their weights"),
    "same-members": Limit(0.95, inf, "one of them could go, and its cost with it"),
    "failures": Limit(0.01, 0.1, "failed samples are not a random part of them"),
    "judge-noise": Limit(0.3, 0.6, "1 - reliability: of the variance, what another asking changes"),
    "equal-outputs": Limit(0.05, 0.5, "the same text gets another reward: what moves is luck"),
    "drift": Limit(0.05, inf, "runs that are compared were graded by something else"),
    "flips": Limit(0.01, inf, "what passes is what people look at first"),
    "human": Limit(0.3, 0.45, "1 - AUC: at .5 scores do not know good from bad"),
}
FEW: Final = 30
"""Samples, or items, of which fewer say little."""
_RANK: Final[Mapping[Tone, int]] = {"bad": 0, "warning": 1, "note": 2, "good": 2}
_NAME: Final = 32


def tone_of(code: str, value: float, otherwise: Tone = "good") -> Tone:
    """How good or bad a value is.

    Example:
        >>> tone_of("zero-variance", 0.31), tone_of("zero-variance", 0.1)
        ('warning', 'good')
    """
    limit = LIMITS[code]
    return "bad" if value >= limit.bad else "warning" if value >= limit.warning else otherwise


def sorted_verdicts(found: list[Verdict]) -> tuple[Verdict, ...]:
    """What is bad, then what is worth a look, then the rest; else in the order in which it came."""
    return tuple(sorted(found, key=lambda verdict: _RANK[verdict.tone]))


def quoted(name: str) -> str:
    """A name that somebody else gave, short and harmless."""
    return f"'{shorten(printable(name), _NAME)}'"


def unknown(code: str, what: str, why: str) -> Verdict:
    """A finding that cannot be had, and why."""
    return Verdict(code=code, tone="note", text=f"{what}: {why}.")

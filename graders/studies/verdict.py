"""What a study says in words, and the number behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, isnan
from typing import Final, Literal

from graders.studies.statistics.statistic import Interval, Statistic

Tone = Literal["good", "note", "warning", "bad"]
"""Whether a verdict is good news, worth knowing, worth a look, or a reason not to train."""

_PER_CENT: Final = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One finding of a study, in plain language.

    Attributes:
        code: A fixed name of what is judged, such as `zero-variance`.
        tone: How good or bad it is.
        text: A sentence that holds the number, and what to do where something can be done.
        value: The number behind it; None where it cannot be had.
        interval: Where it lies in most resamples; None where it was not asked, or cannot be had.
    """

    code: str
    tone: Tone
    text: str
    value: float | None = None
    interval: Interval | None = None

    def to_json(self) -> Mapping[str, object]:
        """The verdict for programs."""
        return {
            "code": self.code,
            "tone": self.tone,
            "text": self.text,
            "value": self.value,
            "interval": interval_json(self.interval),
        }


def interval_json(interval: Interval | None) -> Mapping[str, object] | None:
    """An interval for programs."""
    if interval is None:
        return None
    return {
        "low": interval.low,
        "high": interval.high,
        "level": interval.level,
        "resamples": interval.resamples,
    }


def statistic_json(statistic: Statistic, interval: Interval | None = None) -> Mapping[str, object]:
    """A statistic for programs, with why there is none, and its interval where there is one.

    Example:
        >>> statistic_json(Statistic(undefined="no item has two samples"))
        {'value': None, 'undefined': 'no item has two samples'}
    """
    shown: dict[str, object] = {"value": statistic.value}
    if statistic.undefined is not None:
        shown["undefined"] = statistic.undefined
    if interval is not None:
        shown["interval"] = interval_json(interval)
    return shown


def percent(share: float) -> str:
    """A share in percent; something is not nothing, and almost all is not all.

    Args:
        share: In [0, 1].

    Raises:
        ValueError: It is not finite.

    Example:
        >>> percent(0.0), percent(0.0001), percent(0.314), percent(0.9996), percent(1.0)
        ('0 %', '0.1 %', '31 %', '99.9 %', '100 %')
        >>> percent(0.052)
        '5.2 %'
    """
    if not isfinite(share):
        raise ValueError(f"a share is finite, got {share}")
    if share in {0.0, 1.0}:
        return f"{share * _PER_CENT:.0f} %"
    shown = min(max(share, 0.001), 0.999) * _PER_CENT
    digits = 1 if shown < 9.95 or shown > 99 else 0
    return f"{shown:.{digits}f} %"


def percent_within(share: float, interval: Interval | None) -> str:
    """A share with its interval.

    Example:
        >>> percent_within(0.31, Interval(low=0.274, high=0.35, level=0.95, resamples=1000))
        '31 % [27 %, 35 %]'
    """
    if interval is None:
        return percent(share)
    return f"{percent(share)} [{percent(interval.low)}, {percent(interval.high)}]"


def number_within(value: float, interval: Interval | None, digits: int = 2) -> str:
    """A number with its interval.

    Example:
        >>> number_within(0.882, Interval(low=0.874, high=0.89, level=0.95, resamples=1000), 3)
        '0.882 [0.874, 0.890]'
    """
    if interval is None:
        return f"{value:.{digits}f}"
    return f"{value:.{digits}f} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"


def shown_length(characters: float | None) -> str:
    """The length of a text, in words; that of no text is None, or NaN.

    Example:
        >>> shown_length(1200), shown_length(1.0), shown_length(None), shown_length(float("nan"))
        ('1,200 characters', '1 character', 'no text', 'no text')
    """
    if characters is None or isnan(characters):
        return "no text"
    return "1 character" if characters == 1 else f"{characters:,.0f} characters"
